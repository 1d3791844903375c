//! `subunit info`: figures about the repository.

use std::io::{self, Write};
use std::path::Path;

use cli::{JsonArgs, Streams, Verdict};
use formats::human::Bytes;
use repository::RepositoryStats;

use super::command::RepositoryCommand;
use super::display::moment;
use super::json;
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
pub struct Info {
    #[command(flatten)]
    json: JsonArgs,
}

impl RepositoryCommand for Info {
    const NAME: &'static str = "subunit info";

    fn run(self, repo: &RepoArgs, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let repository = repo.snapshot()?;
        let stats = repository.stats()?;
        let out = streams.output;
        if self.json.json {
            write_object(repository.path(), &stats, out)?;
            return Ok(Verdict::Passed);
        }
        writeln!(out, "repository:    {}", repository.path().display())?;
        for (name, count) in counts(&stats) {
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

fn counts(stats: &RepositoryStats) -> [(&'static str, u64); 10] {
    [
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
    ]
}

fn write_object(path: &Path, stats: &RepositoryStats, out: &mut dyn Write) -> io::Result<()> {
    json::line(out, |object| {
        object.string("repository", &path.to_string_lossy());
        for (name, count) in counts(stats) {
            object.number(&name.replace(' ', "_"), count);
        }
        object.number("bytes", stats.bytes);
        object.number("disk", stats.disk);
        object.time("first", stats.first);
        object.time("latest", stats.last);
    })
}
