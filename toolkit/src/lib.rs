//! The one program of the toolkit: `subunit`, which answers to the names of all commands.
//!
//! [`Registry`] lists the commands, a line each, and everything else comes from it: which one a command line asks for
//! ([`main`]), `subunit help`, the names that [`links`] makes, completions, man pages, and the table in the README.

pub mod completions;
mod dispatch;
mod entry;
pub mod help;
pub mod links;
pub mod man;
mod registry;
mod topics;

pub use dispatch::{Subunit, main};
pub use entry::{CommandTable, Entry, ResolvedCommand, Section};
pub use registry::Registry;
