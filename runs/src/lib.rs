//! The commands that keep runs in a repository and answer questions about them, one a file.
//!
//! Each is a [`RepositoryCommand`], and [`OnRepository`] makes it a command of its own: `subunit load`. What they
//! share: [`RepoArgs`] finds the repository, `report` shows tests to people, `source` and `store` take streams in,
//! `display` and `run_status` say how runs went.

mod chosen;
mod command;
pub mod compare;
pub mod display;
pub mod export;
pub mod failing;
pub mod flaky;
mod git;
pub mod history;
pub mod import;
pub mod info;
pub mod init;
pub mod json;
pub mod last;
pub mod list;
pub mod load;
pub mod log;
pub mod merge;
mod near;
pub mod pin;
pub mod presets;
pub mod prune;
pub mod rebuild;
mod repo_args;
mod report;
pub mod run;
mod run_name;
pub mod run_page;
mod run_status;
pub mod selftest;
pub mod show;
pub mod slowest;
mod sniff;
mod source;
mod store;
#[cfg(test)]
mod testing;
pub mod worker;

pub use command::{OnRepository, RepositoryCommand};
pub use repo_args::RepoArgs;
