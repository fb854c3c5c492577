//! `antiphon models pull`.

use std::io::{self, IsTerminal};
use std::time::Instant;

use antiphon_providers::models::{
    Catalogue, Kind, Model, ModelsFolder, PullOptions, Pulled, Puller,
};

use super::meter::Meter;
use super::{ModelsError, known, size};

/// Fetches models one after the other; the first that fails ends it.
pub(super) async fn pull(
    catalogue: &Catalogue,
    folder: &ModelsFolder,
    names: &[String],
) -> Result<(), ModelsError> {
    let models = names
        .iter()
        .map(|name| known(catalogue, name))
        .collect::<Result<Vec<_>, _>>()?;
    let puller = Puller::new(PullOptions::default())?;
    for model in models {
        one(&puller, folder, model).await?;
    }
    Ok(())
}

async fn one(puller: &Puller, folder: &ModelsFolder, model: &Model) -> Result<(), ModelsError> {
    let (name, licence) = (&model.name, &model.licence);
    println!("{name}: {}, {}", model.what, size(model.download_bytes()));
    println!("Licence: {} ({})", licence.name, licence.url);
    let begun = Instant::now();
    let mut meter = Meter::new(io::stderr().is_terminal());
    let pulled = puller
        .pull(folder, model, &mut |progress| meter.show(progress))
        .await;
    meter.end();
    match pulled? {
        Pulled::Already => println!("{name} is installed already"),
        Pulled::Installed => println!(
            "{name} is installed in {} ({:.0} s){}",
            folder.folder(name).display(),
            begun.elapsed().as_secs_f64(),
            next_step(model.kind)
        ),
    }
    Ok(())
}

/// What a person does next with it.
fn next_step(kind: Kind) -> &'static str {
    match kind {
        Kind::Hear => ". The next call hears with it, also of a server that is running",
        Kind::Vad | Kind::Voice | Kind::Runtime | Kind::Turn => "",
    }
}
