//! `subunit stats`: figures about the repository.

use cli::{Streams, Verdict};
use formats::human::Bytes;
use repository::Repository;

use super::prune::Limits;
use super::words::moment;

/// Show figures about the repository
#[derive(clap::Args, Debug)]
#[command(after_help = cli::help!(
    [Passed = "the figures were shown, whatever the runs did"],
    "  subunit stats\n  \
       subunit-stats run.subunit     (of a stream)"
))]
pub struct Stats {}

impl Stats {
    pub(super) fn run(self, repository: &Repository, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let stats = repository.stats()?;
        let out = streams.output;
        writeln!(out, "repository:    {}", repository.path().display())?;
        let counts = [
            ("runs", stats.runs),
            ("passed", stats.passed),
            ("failed", stats.failed),
            ("incomplete", stats.incomplete),
            ("nothing ran", stats.empty),
            ("under way", stats.running),
            ("pruned", stats.pruned),
            ("pinned", stats.pinned),
            ("tests run", stats.tests),
            ("failing now", stats.failing),
        ];
        for (name, count) in counts {
            writeln!(out, "{:14} {count}", format!("{name}:"))?;
        }
        writeln!(out, "came in:       {}", Bytes(stats.bytes))?;
        writeln!(out, "on disk:       {}", Bytes(stats.disk))?;
        if let Some(limits) = repository.retention()? {
            writeln!(out, "kept:          {}", Limits(&limits))?;
        }
        if stats.first.is_some() {
            writeln!(out, "first run:     {}", moment(stats.first))?;
            writeln!(out, "latest run:    {}", moment(stats.last))?;
        }
        Ok(Verdict::Passed)
    }
}
