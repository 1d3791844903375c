//! `subunit info`: figures about the repository.

use cli::{Streams, Verdict};
use formats::human::Bytes;

use super::command::RepositoryCommand;
use super::display::moment;
use super::prune::Limits;
use super::repo_args::RepoArgs;

/// Show how many runs there are in the repository, and what they take
///
/// `subunit stats` without arguments does the same. With a FILE or an option, it counts the tests of a stream, as
/// subunit-stats does.
#[derive(clap::Args, Debug)]
#[command(after_help = cli::help!(
    [Passed = "the figures were shown, whatever the runs did"],
    "  subunit info\n  \
       subunit -C ../results info"
))]
pub struct Info {}

impl RepositoryCommand for Info {
    const NAME: &'static str = "subunit info";

    fn run(self, repo: &RepoArgs, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let repository = repo.snapshot()?;
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
