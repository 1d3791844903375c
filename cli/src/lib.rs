//! What every command shares: arguments, streams, exit codes.
//!
//! A command is a [`clap::Parser`] that implements [`Command`]; [`main_of`] is all of a program, and tests call
//! [`run_with`]:
//!
//! ```
//! use std::io::Read;
//!
//! use cli::{Command, InputArgs, Streams, Verdict};
//!
//! /// Count the bytes of a stream.
//! #[derive(clap::Parser)]
//! #[command(name = "subunit-count", version, after_help = cli::help!(filter, "  subunit-count run.subunit"))]
//! struct Count {
//!     #[command(flatten)]
//!     input: InputArgs,
//! }
//!
//! impl Command for Count {
//!     fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
//!         let mut bytes = Vec::new();
//!         self.input.open(streams.input, &streams.interrupt).read_to_end(&mut bytes)?;
//!         writeln!(streams.output, "{}", bytes.len())?;
//!         Ok(Verdict::Passed)
//!     }
//! }
//!
//! let outcome = cli::run_with::<Count>(&["-"], b"12345");
//! assert_eq!((outcome.verdict, outcome.output()), (Verdict::Passed, "5\n"));
//! ```

mod args;
mod closed;
mod diff_args;
mod error;
mod exit;
mod help;
mod input;
mod option;
mod packed;
pub mod query;
mod report;
mod run;
mod stdio;
mod suggest;
mod terminal;
pub mod value;

pub use args::{
    ColorArgs, ColorChoice, ForwardArgs, InputArgs, JsonArgs, OutputArgs, PassthroughArgs, VerdictArgs,
};
pub use diff_args::DiffArgs;
pub use error::PathError;
pub use exit::{Codes, Verdict};
pub use help::{ExitLine, HelpEnd};
pub use input::{Document, Documents, Input};
pub use option::{OptionFacts, OptionValue};
pub use report::{Report, Shared};
pub use run::{Command, RunOutput, Streams, main, main_of, run_on, run_with, set_version};
pub use suggest::{Nearest, suggest};
pub use terminal::{ColorWish, Terminal};
