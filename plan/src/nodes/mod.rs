//! Nodes: which there are, who wants how many of which, and who has them.
//!
//! A [`Cluster`] is what the file says of nodes, or a `cluster.json` of ducktape. [`Leases`] decides who gets which of
//! them: it neither reads, writes nor waits.

mod braces;
mod cluster;
mod ducktape;
mod lease;

pub use cluster::{Cluster, Node, Way};
pub use lease::{Demand, Lease, Leases, Taken};
