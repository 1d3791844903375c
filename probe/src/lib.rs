//! What all checks share: arguments, plan, thresholds, deadlines, packets, renderings.
//!
//! A check says what it looks at and how ([`Aspect`]), what it measures ([`MetricKind`]), what its arguments name
//! ([`Target`]); the rest is done here. This is a whole one, with a test:
//!
//! ```
//! use std::fs;
//!
//! use probe::{
//!     AnyTarget, Aspect, AspectFacts, Check, CheckRun, Finding, Limits, MetricKind, MetricUnit, ProbeArgs,
//!     ProbeKind, Target, failure, help_end,
//! };
//!
//! /// Check how busy this machine is
//! #[derive(clap::Parser)]
//! #[command(name = "check-load", version, after_help = help_end("  check-load -w load_1min=4"))]
//! struct CheckLoad {
//!     /// Where the kernel tells it
//!     #[arg(long, default_value = "/proc/loadavg")]
//!     path: String,
//!     #[command(flatten)]
//!     probe: ProbeArgs,
//! }
//!
//! const ASPECTS: &[Aspect<Load>] =
//!     &[Aspect::new(&["average"], ProbeKind::Liveness, "reads the load average", Load::average)];
//!
//! impl Check for CheckLoad {
//!     const NAME: &'static str = "load";
//!     const METRICS: &'static [MetricKind] =
//!         &[MetricKind { warning: Some("100"), ..MetricKind::new("load_1min", MetricUnit::Count) }];
//!
//!     fn aspects() -> Vec<AspectFacts> {
//!         AspectFacts::of(ASPECTS)
//!     }
//!     fn shared(&self) -> &ProbeArgs {
//!         &self.probe
//!     }
//!     fn shared_mut(&mut self) -> &mut ProbeArgs {
//!         &mut self.probe
//!     }
//!     fn is_named(&self) -> bool {
//!         true
//!     }
//!     fn targets(&self) -> anyhow::Result<Vec<AnyTarget>> {
//!         Ok(vec![AnyTarget::new(Load(self.path.clone()), ASPECTS)])
//!     }
//!     fn nothing() -> &'static str {
//!         "there is always a load"
//!     }
//! }
//!
//! struct Load(String);
//!
//! impl Target for Load {
//!     fn name(&self) -> &str {
//!         "here"
//!     }
//!     fn shown(&self) -> String {
//!         self.0.clone()
//!     }
//! }
//!
//! impl Load {
//!     fn average(&mut self, _: Limits<'_>) -> Finding {
//!         let text = match fs::read_to_string(&self.0) {
//!             Ok(text) => text,
//!             Err(error) => return failure("read", &self.0, error.raw_os_error(), &error.to_string()),
//!         };
//!         match text.split(' ').next().and_then(|word| word.parse().ok()) {
//!             Some(load) => Finding::fine(format!("the load is {load}")).with_metric("load_1min", load),
//!             None => Finding::unknown(format!("{} says {text:?}", self.0)),
//!         }
//!     }
//! }
//!
//! let outcome = cli::run_with::<CheckRun<CheckLoad>>(&["--format=human"], b"");
//! assert!(outcome.output().starts_with("ok        load.here.average: the load is "));
//! ```
//!
//! - **Numbers** are judged by their [`Thresholds`]: a finding only measures. It is not fine on its own account
//!   when something is broken ([`Finding::broken`]), not as it should be ([`Finding::warning`]), cannot be told
//!   ([`Finding::unknown`]) or does not apply ([`Finding::skipped`]).
//! - **Dependencies**: [`Aspect::after`] names aspects without which this one makes no sense; when one of them
//!   fails, it is skipped.
//! - **Options of an aspect** say so (`cli::OptionFacts::of_aspects`): giving one selects the aspect.
//! - **Side effects**: an aspect that changes something is [`ProbeKind::Deep`]; what it made it removes, at the
//!   latest in [`Target::finish`]. What a run that is killed leaves behind on this host its [`Helper`] knows, elsewhere
//!   [`Made`].
//! - **Configuration files** are not known here: whoever has one says by a [`Planner`] which targets there are.
//! - **What may hang** is done by a [`helper`]: this program, started once more. Everything else looks at its
//!   [`Limits`].

mod args;
mod asked;
mod aspect;
mod check;
mod command;
mod data;
mod digest;
mod errors;
mod event_writer;
mod execute;
mod expect;
mod explain;
mod finding;
mod format;
pub mod helper;
mod judge;
mod made;
mod metric;
mod mounts;
mod names;
mod perfdata;
mod plan;
mod range;
mod ranges;
mod render;
mod run;
mod secret;
mod select;
mod sensitive;
mod settings;
mod state;
mod summary;
mod target;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
mod units;

pub use args::{ProbeArgs, ProbeKind, WarningAs};
pub use asked::Asked;
pub use aspect::{Aspect, AspectFacts};
pub use check::Check;
pub use command::{Arguments, CheckRun, Planner, parsed};
pub use data::{Aligned, Generator};
pub use digest::{Algorithm, Digest};
pub use errors::failure;
pub use event_writer::EventWriter;
pub use execute::{execute, explain, help_end};
pub use expect::ExpectedFailure;
pub use explain::Explained;
pub use finding::{EvidenceFile, Finding, Level, Metric};
pub use format::ResultFormat;
pub use helper::Helper;
pub use made::Made;
pub use metric::{MetricKind, Thresholds};
pub use mounts::{Mount, Mounts, absolute};
pub use names::{host, listed, nonce, target_names};
pub use perfdata::Measured;
pub use plan::{Plan, Planned};
pub use range::Range;
pub use render::{Rendering, codes, render};
pub use run::run;
pub use secret::{ACCESS, Redactor, Secret, TokenArgs};
pub use select::Selection;
pub use settings::{Limits, RunOptions, Settings};
pub use state::{StateFile, Streak};
pub use summary::{Percentiles, rounded};
pub use target::{AnyTarget, Target};
pub use units::MetricUnit;
