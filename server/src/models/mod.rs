//! `antiphon models`: what there is, fetching it, checking it, removing it.

mod list;
mod meter;
mod pull;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use antiphon_providers::models::{
    CATALOGUE_VARIABLE, Catalogue, CatalogueError, FolderError, Model, ModelsFolder, PullError,
};
use clap::{Args, Subcommand};

use crate::ServeError;
use crate::serve::data_folder;

pub use list::ListedModel;

/// Exit status where a name is not known, as for any wrong argument.
const STATUS_USAGE: u8 = 2;

/// Arguments of `antiphon models`.
#[derive(Args, Clone, Debug)]
pub struct ModelsArgs {
    #[command(subcommand)]
    command: ModelsCommand,
    /// Data folder; models are kept in its folder models
    /// [default: $XDG_DATA_HOME/antiphon or ~/.local/share/antiphon]
    #[arg(long, value_name = "DIR", env = "ANTIPHON_DATA", global = true)]
    data: Option<PathBuf>,
    /// An own catalogue of models in place of the built-in one
    #[arg(long, value_name = "FILE", env = CATALOGUE_VARIABLE, global = true)]
    catalogue: Option<PathBuf>,
}

#[derive(Subcommand, Clone, Debug)]
enum ModelsCommand {
    /// What can be fetched and what is installed
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Fetch models; going on where an earlier pull stopped
    Pull {
        /// Names, as `antiphon models list` shows them
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
    /// Check that installed models are what was fetched
    Verify {
        /// Names [default: all that are installed]
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
    /// Remove models
    Rm {
        /// Names
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
}

/// Why a command on models failed.
#[derive(Debug, thiserror::Error)]
pub enum ModelsError {
    /// No such model.
    #[error("there is no model named {asked}{hint}; `antiphon models list` shows all")]
    Unknown {
        /// The name asked for.
        asked: String,
        /// What may have been meant.
        hint: String,
    },
    /// It is not installed.
    #[error("{0} is not installed")]
    NotInstalled(String),
    /// Some of what was checked is not as it should be.
    #[error(
        "{0} of the models checked are not what was fetched: fetch them again with `antiphon models pull`"
    )]
    Changed(usize),
    /// The catalogue cannot be used.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// The models folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// It could not be fetched.
    #[error(transparent)]
    Pull(#[from] PullError),
    /// There is no data folder.
    #[error(transparent)]
    Data(#[from] ServeError),
}

impl ModelsError {
    fn status(&self) -> u8 {
        match self {
            Self::Unknown { .. } | Self::Catalogue(_) => STATUS_USAGE,
            Self::NotInstalled(_)
            | Self::Changed(_)
            | Self::Folder(_)
            | Self::Pull(_)
            | Self::Data(_) => 1,
        }
    }
}

/// Runs `antiphon models`.
pub async fn models_command(args: ModelsArgs) -> ExitCode {
    match run(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("antiphon: {fault}");
            ExitCode::from(fault.status())
        }
    }
}

async fn run(args: ModelsArgs) -> Result<(), ModelsError> {
    let folder = ModelsFolder::of_data(&data_folder(args.data.as_deref())?);
    let catalogue = Catalogue::load(args.catalogue.as_deref())?;
    match args.command {
        ModelsCommand::List { json } => list::list(&catalogue, &folder, json),
        ModelsCommand::Pull { names } => return pull::pull(&catalogue, &folder, &names).await,
        ModelsCommand::Verify { names } => return verify::verify(&folder, &names),
        ModelsCommand::Rm { names } => return remove(&catalogue, &folder, &names),
    }
    Ok(())
}

fn remove(
    catalogue: &Catalogue,
    folder: &ModelsFolder,
    names: &[String],
) -> Result<(), ModelsError> {
    // A name that is neither known nor installed is no name of a folder of ours.
    for name in names {
        if folder.installed(name).is_none() {
            known(catalogue, name)?;
        }
    }
    for name in names {
        let freed = folder
            .remove(name)?
            .ok_or_else(|| ModelsError::NotInstalled(name.clone()))?;
        println!("removed {name}: {} freed", size(freed));
    }
    Ok(())
}

/// The model of that name.
fn known<'a>(catalogue: &'a Catalogue, asked: &str) -> Result<&'a Model, ModelsError> {
    catalogue.find(asked).ok_or_else(|| {
        let near = catalogue.near(asked);
        ModelsError::Unknown {
            asked: asked.to_owned(),
            hint: if near.is_empty() {
                String::new()
            } else {
                format!(" (there is {})", near.join(", "))
            },
        }
    })
}

/// A size for people.
fn size(bytes: u64) -> String {
    let mb = bytes as f64 / 1e6;
    if mb < 10.0 {
        format!("{mb:.1} MB")
    } else {
        format!("{mb:.0} MB")
    }
}
