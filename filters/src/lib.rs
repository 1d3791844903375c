//! Commands that read a subunit stream and write another, or a report.

pub mod csv;
pub mod diff;
pub mod disk;
pub mod dump;
pub mod filter;
pub mod from_json;
pub mod from_v1;
pub mod github;
pub mod html;
pub mod json;
pub mod junitxml;
#[cfg(test)]
mod laws;
pub mod lint;
pub mod ls;
pub mod markdown;
pub mod mux;
pub mod openmetrics;
pub mod otlp;
pub mod pyunit;
mod report;
mod sources;
pub mod stats;
pub mod tags;
pub mod tap;
pub mod text;
pub mod timestamp;
pub mod to_v1;
