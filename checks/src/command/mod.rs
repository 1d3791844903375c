//! `check-command`: every monitoring plugin is a check.

mod args;
mod plugin;
mod said;
mod target;

pub use args::CheckCommand;
pub use said::{Datum, Said};
