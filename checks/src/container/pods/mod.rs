//! Pods of Kubernetes, through the API of its server.

mod cluster;
mod judge;
mod model;
mod pod;
#[cfg(test)]
mod tests;
mod usage;

pub use cluster::Api;
pub(super) use pod::targets;
