//! What options take, as people write it: one parser for each kind of value, and one message for what is wrong.
//!
//! Every command takes every spelling that is here, so that nobody has to remember which of them knows minutes:
//!
//! | placeholder | what it is | parser |
//! |---|---|---|
//! | `DURATION` | `500ms`, `10s`, `5m` or `5min`, `1h30m`, `1.5h`, `2d`, `1w`; seconds without a unit | [`duration`] |
//! | `SIZE` | `4096`, `10kB` or `10k`, `1.5MiB`, `2GB`; bytes without a unit, and MB is 10⁶ of them | [`size`] |
//! | `TIME` | `2026-01-31T12:00:00Z`, `2026-01-31`, `@1769860800`, `2d ago`, `10m`, `+10m`, `now` | [`time`] |
//! | `[NAME=]FILE` | a file, and what it is called | [`NamedFile`] |
//!
//! Each refuses with a [`ValueError`]: what was given, what is wrong with it, and what it may look like. They are
//! functions of a text, as clap's `value_parser` wants them:
//!
//! ```
//! use std::time::Duration;
//!
//! #[derive(clap::Parser)]
//! struct Wait {
//!     /// How long to wait
//!     #[arg(long, value_name = "DURATION", value_parser = cli::value::duration)]
//!     timeout: Duration,
//! }
//!
//! let wait: Wait = clap::Parser::parse_from(["wait", "--timeout=1h30m"]);
//! assert_eq!(wait.timeout, Duration::from_secs(5400));
//! let error = cli::value::duration("10x").unwrap_err().to_string();
//! assert_eq!(error, r#""10x" is not a duration: use a number with a unit such as 500ms, 10s, 1h30m or 2d"#);
//! ```

mod amount;
mod duration;
mod error;
mod size;
mod source;
#[cfg(test)]
mod tests;
mod time;

pub use duration::{Offset, duration, offset, positive_duration, seconds};
pub use error::ValueError;
pub use size::{bytes, positive_size, size};
pub use source::{NamedCommand, NamedFile, RouteNames};
pub use time::time;
