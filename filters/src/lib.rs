//! Commands that read a subunit stream and write another, or a report.

pub mod mux;
