//! The command `make-stream`: streams for tests and benchmarks.

use std::io::{self, BufRead as _, BufReader};

use anyhow::Context as _;
use cli::{Command, Streams, Verdict};

use crate::generate::{StreamPlan, generate};
use crate::notation::line_into;

/// Make a subunit stream from lines of text, or from a seed
///
/// A line is a packet: `id=boot status=fail file=log:ready\n tag=slow route=0 time=1.5`.
#[derive(clap::Parser, Debug)]
#[command(
    name = "make-stream",
    version,
    after_help = cli::help!(
        [Passed = "the stream was made"],
        "  make-stream 'id=a status=inprogress' 'id=a status=success'\n  \
           make-stream <lines.txt\n  \
           make-stream --seed 7 --tests 100000 --routes 4"
    )
)]
pub struct MakeStream {
    /// Lines of the notation; without any, and without --tests, they are read from stdin
    #[arg(value_name = "LINE")]
    lines: Vec<String>,
    /// Make a stream of this many tests instead
    #[arg(long, conflicts_with = "lines", value_name = "N")]
    tests: Option<u64>,
    /// Another seed makes another stream
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Spread the tests over this many workers with a route code each
    #[arg(long, default_value_t = 0, value_name = "N")]
    routes: u64,
    /// Two packets a test, and all tests pass
    #[arg(long)]
    plain: bool,
    /// Give the first test an attachment of this size
    #[arg(long, default_value_t = 0, value_name = "BYTES")]
    attachment: usize,
}

impl Command for MakeStream {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let MakeStream { lines, tests, seed, routes, plain, attachment } = self;
        if let Some(tests) = tests {
            generate(StreamPlan { seed, tests, routes, plain, attachment }, streams.output)?;
        } else if lines.is_empty() {
            for line in BufReader::new(streams.input).lines() {
                write_line(&line?, streams.output)?;
            }
        } else {
            for line in lines {
                write_line(&line, streams.output)?;
            }
        }
        Ok(Verdict::Passed)
    }
}

fn write_line(line: &str, output: &mut dyn io::Write) -> anyhow::Result<()> {
    let mut bytes = Vec::new();
    line_into(line, &mut bytes).with_context(|| format!("in the line {line:?}"))?;
    output.write_all(&bytes)?;
    Ok(())
}
