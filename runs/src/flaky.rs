//! `subunit flaky`: tests that pass and fail by turns.

use std::io::{self, Write};

use cli::{JsonArgs, Streams, Verdict};
use formats::text::title;
use repository::{Flakiness, FlakyTest, RunRef};

use super::command::RepositoryCommand;
use super::json;
use super::repo_args::RepoArgs;

/// List tests that pass and fail by turns
///
/// They went back and forth from run to run, or did both in one run: when they were tried again, as their tag `flaky`
/// says or their outcomes, or on different workers. A test that broke once, or was fixed once, is not flaky. Those that changed most often come first.
#[derive(clap::Args, Debug)]
#[command(after_help = cli::help!(
    [Passed = "no test is flaky", Failed = "some are", Nothing = "there are no runs yet"],
    "  subunit flaky\n  \
       subunit flaky --runs 500 --least 10"
))]
pub struct Flaky {
    /// Look at this many runs, the latest ones
    #[arg(long, value_name = "N", default_value_t = Flakiness::default().runs)]
    runs: usize,
    /// Leave out tests that passed or failed in fewer than N of them
    #[arg(long, value_name = "N", default_value_t = Flakiness::default().least)]
    least: u32,
    #[command(flatten)]
    json: JsonArgs,
}

impl RepositoryCommand for Flaky {
    const NAME: &'static str = "subunit flaky";

    fn run(self, repo: &RepoArgs, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let repository = repo.snapshot()?;
        // Where nothing ever ran, this says so.
        repository.run(RunRef::LATEST)?;
        let flaky = repository.flaky(Flakiness { runs: self.runs, least: self.least })?;
        if flaky.is_empty() {
            return Ok(Verdict::Passed);
        }
        let out = streams.output;
        if self.json.json {
            flaky.iter().try_for_each(|test| write_object(test, out))?;
            return Ok(Verdict::Failed);
        }
        writeln!(out, "{:>7} {:>7} {:>8} {:>8}  TEST", "FAILED", "OF RUNS", "CHANGES", "BOTH")?;
        for test in flaky {
            let title = title(&test.test_id, None);
            writeln!(
                out,
                "{:>7} {:>7} {:>8} {:>8}  {title}",
                test.failures, test.runs, test.changes, test.mixed
            )?;
        }
        Ok(Verdict::Failed)
    }
}

fn write_object(test: &FlakyTest, out: &mut dyn Write) -> io::Result<()> {
    json::line(out, |object| {
        object.string("id", &test.test_id);
        let counts =
            [("runs", test.runs), ("failed", test.failures), ("changes", test.changes), ("both", test.mixed)];
        counts.into_iter().for_each(|(key, count)| object.number(key, count.into()));
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::Repo;

    #[test]
    fn what_changes_more_than_once_is_flaky() {
        let repo = Repo::with(&[&["a fail", "b fail"], &["a success", "b success"], &["a fail", "c fail"]]);
        let outcome = repo.run(&["flaky"], b"");
        assert_eq!(outcome.verdict.code(), 1);
        let rows: Vec<Vec<&str>> =
            outcome.output().lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(rows[1..], [["2", "3", "2", "0", "a"]]);
        repo.check(&["flaky", "--least=4"], 0, "");
    }

    #[test]
    fn what_passed_when_it_was_tried_again_is_flaky() {
        let repo = Repo::with(&[]);
        let event = subunit::Event::status("boot", subunit::Status::Success);
        let packet =
            subunit::PacketBuf::encode(&subunit::Event { tags: (&["attempt-2", "flaky"]).into(), ..event });
        let loaded = repo.run(&["load"], packet.unwrap().as_bytes());
        assert_eq!(loaded.errors(), "run 1: PASSED  1 test: 1 passed (1 flaky)\n");
        let outcome = repo.run(&["flaky", "--least=1"], b"");
        assert!(
            outcome.output().ends_with("      1       1        0        1  boot\n"),
            "{}",
            outcome.output()
        );
        assert!(repo.run(&["history", "boot"], b"").output().starts_with("     1  flaky"));
        repo.check(&["last"], 0, "---- flaky tests ----\n  boot\n\nPASSED  1 test: 1 passed (1 flaky)\n");
        repo.run(&["rebuild"], b"");
        repo.check(&["last"], 0, "---- flaky tests ----\n  boot\n\nPASSED  1 test: 1 passed (1 flaky)\n");
    }
}
