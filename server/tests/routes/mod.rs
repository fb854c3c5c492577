mod agents;
mod health;
mod mirror;
mod page;
mod sessions;
