//! The Antiphon server: REST, the page, the command line.

pub mod app;
pub mod caller;
pub mod cli;
pub mod doctor;
mod mirror;
pub mod models;
mod page;
mod problem;
mod providers;
mod registry;
pub mod replay;
mod routes;
mod secret;
pub mod serve;
mod settlements;
mod telemetry;

pub use problem::ApiError;
pub use serve::{ServeArgs, ServeError, Server};
