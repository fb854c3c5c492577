mod agents;
mod health;
mod page;
mod sessions;
