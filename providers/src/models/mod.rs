//! Models that are fetched when asked for: what there is to fetch (`catalogue.toml`), what is
//! installed, and fetching it.
//!
//! ```text
//! Catalogue -> Puller -> NAME.part (resumed, hashed) -> rename -> ModelsFolder -> recognizers
//! ```
//!
//! An installed model is a folder of its name with its files and `model.json`, the catalogue's
//! entry, which is written last: a folder without it is a download that was broken off.

mod catalogue;
mod error;
mod fetch;
mod folder;
mod pull;
mod unpack;

pub use catalogue::{
    CATALOGUE_VARIABLE, Catalogue, CatalogueError, Kind, Licence, Member, Model, ModelFile,
    this_machine,
};
pub use error::PullError;
pub use folder::{FolderError, Installed, MODELS_FOLDER, ModelsFolder, Verified};
pub use pull::{FreeSpace, Progress, PullOptions, Pulled, Puller, free_space};
