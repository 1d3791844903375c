//! Plans: what one file says is to be run, over what, in what order.
//!
//! A plan names suites, tasks, services and nodes. [`file`](mod@file) is how it is written, and refuses what is wrong
//! in it with its line; [`schema()`] says the same to editors. [`nodes`] are the places that it names, and who has them;
//! a [`service`] is what tasks need there. [`compile`] makes of it what is run, [`graph`] decides when, and [`task`]
//! does it.

pub mod compile;
pub mod file;
pub mod graph;
pub mod nodes;
mod schema;
pub mod service;
pub mod task;

pub use compile::{Part, Plan, Task};
pub use file::{FILE, find, presets};
pub use schema::schema;
