//! What all checks share: arguments, plan, thresholds, deadlines, packets.

mod args;
mod data;
mod digest;
mod expect;
mod finding;
mod human;
mod metric;
mod mounts;
mod names;
mod range;
mod run;
mod select;
mod units;

pub use args::{Format, ProbeArgs, ProbeKind, WarningAs};
pub use data::{Aligned, Generator};
pub use digest::{Algorithm, Digest};
pub use expect::ExpectedFailure;
pub use finding::{Attachment, Finding, Level, Metric};
pub(crate) use human::Human;
pub use metric::{MetricKind, Summary, Thresholds};
pub use mounts::{Mount, Mounts, absolute};
pub use names::{host, nonce};
pub use range::Range;
pub use run::{Limits, Planned, Probe, run};
pub use select::Selection;
pub use units::{Unit, parse_duration, parse_size, show_duration};
