//! Pods of Kubernetes, through the API of its server.

mod cluster;
mod judge;
mod model;
mod pod;
#[cfg(test)]
mod tests;
mod usage;

pub use cluster::Api;
pub(super) use judge::{health, oom, restarts, running, uptime};
pub(super) use pod::{PodTarget, exists, targets};
pub(super) use usage::{cpu, memory};
