//! The options of whatever compares two runs.

use std::time::Duration;

use crate::args::{ColorArgs, JsonArgs, OutputArgs, VerdictArgs};
use crate::value::duration;

/// What counts as a change, and how changes are written.
#[derive(clap::Args, Clone, Debug)]
pub struct DiffArgs {
    /// Where the changes go.
    #[command(flatten)]
    pub output: OutputArgs,
    /// How the changes become an exit code.
    #[command(flatten)]
    pub verdict: VerdictArgs,
    /// Whether changes are objects of JSON.
    #[command(flatten)]
    pub json: JsonArgs,
    /// Whether the kinds of changes are coloured.
    #[command(flatten)]
    pub color: ColorArgs,
    /// Call a test slower when it takes this many times as long; 0 means never
    #[arg(long, value_name = "FACTOR", default_value_t = 2.0)]
    pub slower: f64,
    /// Call a test slower only when it takes at least this much longer: 100ms, 1.5s; without a unit, seconds
    #[arg(long, value_name = "DURATION", default_value = "100ms", value_parser = duration)]
    pub slower_by: Duration,
    /// Identify tests by their ids alone, wherever they ran; of several outcomes in a run, any failure counts
    #[arg(long)]
    pub ignore_routes: bool,
}
