//! The server as its clients see it, over real sockets. One binary, a module a route.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

mod drain;
mod models;
mod replay;
mod routes;
mod startup;
mod support;
