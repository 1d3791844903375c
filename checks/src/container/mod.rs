//! `check-container`: does a container run, is it healthy, has it room, does it keep falling over?
//!
//! The engine is asked through its own HTTP API on its Unix socket; Docker's, which Podman speaks as well. An engine
//! that is frozen takes connections and says nothing: each request has its time. Pods of Kubernetes are asked for at
//! the cluster's API server.

mod args;
mod aspect;
pub(crate) mod engine;
pub(crate) mod exec;
mod inspect;
mod judge;
mod logs;
mod pods;
mod stats;
mod target;
mod time;

pub use args::{Api, CheckContainer};
