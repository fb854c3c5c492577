//! `antiphon models verify`.

use antiphon_providers::models::{Installed, ModelsFolder, Verified};

use super::ModelsError;

/// Hashes installed models and says what is wrong with them.
pub(super) fn verify(folder: &ModelsFolder, names: &[String]) -> Result<(), ModelsError> {
    let models: Vec<Installed> = if names.is_empty() {
        folder.all()
    } else {
        let find = |name: &String| {
            folder
                .installed(name)
                .ok_or_else(|| ModelsError::NotInstalled(name.clone()))
        };
        names.iter().map(find).collect::<Result<_, _>>()?
    };
    if models.is_empty() {
        println!("no model is installed");
    }
    let mut changed = 0;
    for installed in &models {
        let mut faults = Vec::new();
        for file in installed.model.files_here() {
            match folder.verify(installed, file, &mut |_| {})? {
                Verified::Sound => {}
                Verified::Missing => faults.push(format!("{} is missing", file.name)),
                Verified::Changed { expected, got } => faults.push(format!(
                    "{} has changed: SHA-256 {got}, not {expected}",
                    file.name
                )),
            }
        }
        if faults.is_empty() {
            println!("{}: sound", installed.model.name);
        } else {
            changed += 1;
            println!("{}: {}", installed.model.name, faults.join("; "));
        }
    }
    if changed > 0 {
        return Err(ModelsError::Changed(changed));
    }
    Ok(())
}
