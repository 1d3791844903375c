//! `check-jupyterhub`: does a hub answer, does it take the token, does a server start for a user, and stop again?
//!
//! What is asked goes the way that browsers go: through the proxy. That one goes on answering when the hub behind it
//! is dead, and is silent when the hub is frozen. Judgements are functions of what the hub said, which is
//! read tolerantly: its interface changes with its versions, and what a token may see depends on its scopes.

mod args;
mod aspect;
mod hub;
mod judge;
mod metrics;
mod model;
mod pages;
mod progress;
mod routes;
mod server;
mod services;
mod target;
#[cfg(test)]
mod tests;

pub use args::CheckJupyterhub;
