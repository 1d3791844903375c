//! `subunit prune`: removes streams that are no longer kept.

use std::fmt;
use std::time::Duration;

use anyhow::Context as _;
use cli::value::{duration, size};
use cli::{Streams, Verdict};
use formats::human::{Age, Bytes};
use repository::{Pruned, Repository, Retention, RunRef};
use subunit::Timestamp;

use super::command::RepositoryCommand;
use super::display::Count;
use super::repo_args::RepoArgs;
use super::run_name::stored;

/// Remove the streams of old runs
///
/// Only the attachments are lost: results, durations, the history of each test and the failing set stay, and run
/// numbers are never reused. Runs that are pinned or under way are kept, and so are the latest run and those with
/// failures of tests that are still failing.
///
/// With --auto the limits are saved: whenever a run has been stored, what is beyond them is removed. Without any limit
/// on the command line, the saved ones apply.
#[derive(clap::Args, Debug)]
#[command(after_help = cli::help!(
    [Passed = "it was done, even if there was nothing to remove", Nothing = "a --run is named, and there are no runs yet"],
    "  subunit prune --keep 100\n  \
       subunit prune --older-than 30d --size 1GB --dry-run\n  \
       subunit prune --keep 1000 --older-than 90d --auto\n  \
       subunit prune --run 17 --run 18"
))]
pub struct Prune {
    /// Keep this many runs, the latest ones
    #[arg(long, value_name = "N")]
    keep: Option<usize>,
    /// Keep runs that ended at most this long ago: 30d, 12h, 2w; without a unit, seconds
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    older_than: Option<Duration>,
    /// Keep at most this much in all, of the latest runs: 500MB, 1.5GiB; without a unit, bytes
    #[arg(long, value_name = "SIZE", value_parser = size)]
    size: Option<u64>,
    /// Remove the streams of failing tests, too
    #[arg(long)]
    failing_too: bool,
    /// Remove the stream of this run, whatever would keep it; may be repeated
    #[arg(long, value_name = "RUN", value_parser = stored, allow_hyphen_values = true, conflicts_with_all = ["keep", "older_than", "size"])]
    run: Vec<RunRef>,
    /// Save these limits: from now on, each run that is stored is followed by pruning to them
    #[arg(long, conflicts_with_all = ["run", "dry_run"])]
    auto: bool,
    /// Forget the saved limits: from now on, only this command prunes
    #[arg(long, conflicts_with_all = ["run", "dry_run", "auto", "keep", "older_than", "size", "failing_too"])]
    no_auto: bool,
    /// Only say what would be removed
    #[arg(short = 'n', long, conflicts_with = "run")]
    dry_run: bool,
}

impl RepositoryCommand for Prune {
    const NAME: &'static str = "subunit prune";

    fn run(self, repo: &RepoArgs, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let repository = repo.repository()?;
        if !self.run.is_empty() {
            let runs: Vec<_> = self.run.iter().map(|name| repository.run(*name)).collect::<Result<_, _>>()?;
            runs.iter().try_for_each(|run| repository.prune_run(run.id))?;
            return Ok(Verdict::Passed);
        }
        if self.no_auto {
            repository.set_retention(None)?;
            return Ok(Verdict::Passed);
        }
        let retention = self.retention(repository)?;
        let now = Timestamp::now();
        let pruned = if self.dry_run {
            repository.prunable(&retention, now)?
        } else {
            repository.prune(&retention, now)?
        };
        for Pruned { run, bytes, .. } in &pruned {
            writeln!(streams.output, "run {run}: {}", Bytes(*bytes))?;
        }
        let bytes = pruned.iter().map(|pruned| pruned.bytes).sum();
        let done = if self.dry_run { "would be removed" } else { "removed" };
        let streams_of = Count(pruned.len() as u64, "stream", "streams");
        writeln!(streams.errors, "{streams_of} {done}, {}", Bytes(bytes))?;
        if self.auto {
            repository.set_retention(Some(&retention))?;
            writeln!(
                streams.errors,
                "from now on, each run that is stored is followed by pruning to: {}",
                Limits(&retention)
            )?;
        }
        Ok(Verdict::Passed)
    }
}

impl Prune {
    /// The limits of the command line, or else the saved ones.
    fn retention(&self, repository: &Repository) -> anyhow::Result<Retention> {
        let said = Retention {
            runs: self.keep,
            age: self.older_than,
            size: self.size,
            failing_too: self.failing_too,
        };
        if said.is_limited() {
            return Ok(said);
        }
        let set = if self.auto { None } else { repository.retention()? };
        set.map(|set| Retention { failing_too: set.failing_too || said.failing_too, ..set })
            .context("say what to keep: --keep, --older-than or --size; or name a --run to remove")
    }
}

/// The limits, as people read them.
pub(super) struct Limits<'a>(pub(super) &'a Retention);

impl fmt::Display for Limits<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Limits(Retention { runs, age, size, failing_too }) = self;
        let runs = runs.map(|runs| Count(runs as u64, "run", "runs").to_string());
        let age = age.map(|age| format!("runs of the last {}", Age(age)));
        let size = size.map(|size| Bytes(size).to_string());
        let failing = failing_too.then(|| "those of failing tests not excepted".to_owned());
        let parts: Vec<String> = [runs, age, size, failing].into_iter().flatten().collect();
        formatter.write_str(&parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Repo, stream};

    #[test]
    fn only_what_is_beyond_the_limits_goes() {
        let repo = Repo::with(&[&["a success"], &["a success"], &["a success"], &["a success"]]);
        repo.run(&["pin", "2"], b"");
        let pruned = repo.run(&["prune", "--keep=1", "--dry-run"], b"");
        let runs = |text: &str| {
            text.lines().filter_map(|line| line.split(':').next().map(str::to_owned)).collect::<Vec<_>>()
        };
        assert_eq!(runs(pruned.output()), ["run 1", "run 3"]);
        assert!(pruned.errors().starts_with("2 streams would be removed, "));
        assert_eq!(runs(repo.run(&["prune", "--keep=1"], b"").output()), ["run 1", "run 3"]);
        repo.check(&["prune", "--keep=1"], 0, "");
        repo.run(&["unpin", "2"], b"");
        assert_eq!(runs(repo.run(&["prune", "--older-than=0s"], b"").output()), ["run 2"]);
        repo.check(&["prune", "--run=-1"], 0, "");
        repo.check(&["show", "--subunit", "-1"], 2, "");
    }

    #[test]
    fn limits_that_are_set_hold_for_each_run() {
        let repo = Repo::with(&[&["a success"], &["a success"], &["a success"]]);
        let told = repo.run(&["prune", "--keep=2", "--auto"], b"");
        assert!(told.errors().ends_with("is followed by pruning to: 2 runs\n"), "{}", told.errors());
        let load = || repo.run(&["load"], &stream(&["a success"]));
        let told = load();
        assert!(told.errors().contains("\n1 stream beyond the limits removed, "), "{}", told.errors());
        repo.check(&["show", "--subunit", "2"], 2, "");
        assert!(repo.run(&["info"], b"").output().contains("\nkept:          2 runs\n"));
        repo.check(&["prune"], 0, "");
        repo.check(&["prune", "--no-auto"], 0, "");
        assert_eq!(load().errors(), "run 5: PASSED  1 test: 1 passed\n");
        repo.check(&["prune"], 2, "");
    }

    #[test]
    fn what_to_keep_has_to_be_said() {
        let outcome = Repo::with(&[]).run(&["prune"], b"");
        assert_eq!(outcome.verdict.code(), 2);
        assert!(outcome.errors().starts_with("subunit prune: say what to keep: "));
    }
}
