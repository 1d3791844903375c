//! The executor: what runs when, at which node, until when.
//!
//! A [`Schedule`] decides and does nothing: it is told which units run and have ended, and says which may begin. Who
//! has it is [`execute`], with a thread for each unit that runs; what a unit is, how it is started and what becomes
//! of its events is its [`Workload`]'s business. So checks of a configuration file are run by the same executor as all
//! else that yields results.

mod execute;
pub mod preset;
mod schedule;
pub mod suite;

pub use execute::{Order, Work, Workload, execute};
pub use schedule::{Capacity, Schedule, Unit};
