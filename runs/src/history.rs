//! `subunit history`: the runs, or what became of one test in them.

use std::io::Write;

use cli::{ColorArgs, JsonArgs, Streams, Verdict};
use formats::ci;
use formats::human::{Age, Bytes};
use formats::text::Tone;
use formats::visible;
use repository::{HistoryEntry, RunState, Stored, StoredRun};
use streamresult::Outcome;
use subunit::part;

use super::command::RepositoryCommand;
use super::repo_args::RepoArgs;
use super::{display, git, json, near, run_status};

/// List the runs, or the outcomes of a test in them
///
/// The latest run is last. Runs whose streams were pruned are listed, too.
#[derive(clap::Args, Debug)]
#[command(after_help = cli::help!(
    [Passed = "there are runs, or outcomes", Nothing = "the test ran in none of the runs"],
    "  subunit history\n  \
       subunit history -n 20 net.boot"
))]
pub struct History {
    /// Only the outcomes of this test
    #[arg(value_name = "TEST")]
    test: Option<String>,
    /// Show only the latest N
    #[arg(short = 'n', long, value_name = "N")]
    count: Option<usize>,
    #[command(flatten)]
    json: JsonArgs,
    #[command(flatten)]
    color: ColorArgs,
}

impl RepositoryCommand for History {
    const NAME: &'static str = "subunit history";

    fn run(self, repo: &RepoArgs, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let repository = repo.snapshot()?;
        let color = self.color.output(&streams.terminal);
        let Some(test) = &self.test else {
            let runs = repository.runs()?;
            if runs.is_empty() {
                // Which says what to do.
                repository.run(repository::RunRef::LATEST)?;
            }
            return self.runs(&runs, color, streams.output);
        };
        let history = repository.history(test)?;
        if history.is_empty() && repository.runs()?.is_empty() {
            repository.run(repository::RunRef::LATEST)?;
        }
        for past in self.latest(&history) {
            if self.json.json {
                json::Test::past(test, past).write(streams.output)?;
            } else {
                write_past(past, color, streams.output)?;
            }
        }
        if history.is_empty() {
            let near = near::test_id(repository, None, test)?;
            writeln!(streams.errors, "no run has a test {}{near}", visible::line(test))?;
        }
        Ok(if history.is_empty() { Verdict::Nothing } else { Verdict::Passed })
    }
}

impl History {
    fn latest<'a, T>(&self, all: &'a [T]) -> &'a [T] {
        let skipped = self.count.map_or(0, |count| all.len().saturating_sub(count));
        part(all, skipped..)
    }

    fn runs(&self, runs: &[StoredRun], color: bool, out: &mut dyn Write) -> anyhow::Result<Verdict> {
        let runs = self.latest(runs);
        if self.json.json {
            runs.iter().try_for_each(|run| json::run(Some(run.id), run, out))?;
            return Ok(Verdict::Passed);
        }
        let has_commits = runs.iter().any(|run| run.info.git.is_some());
        writeln!(
            out,
            "{:>6}  {:11} {:>8} {:>8}  {:20} {:>7}  {}COMMAND",
            "RUN",
            "STATE",
            "TESTS",
            "FAILED",
            "BEGAN",
            "TOOK",
            if has_commits { "COMMIT       " } else { "" }
        )?;
        for run in runs {
            write!(out, "{:>6}  ", run.id.0)?;
            display::tone(run).write(&format!("{:11}", display::standing(run)), color, out)?;
            writeln!(out, " {}", row(run, has_commits).trim_end())?;
        }
        Ok(Verdict::Passed)
    }
}

fn row(run: &StoredRun, has_commits: bool) -> String {
    let took = run.duration().map_or_else(String::new, |duration| Age(duration).to_string());
    let marks = [(run.pinned, "(pinned) "), (run.stored == Stored::Pruned, "(pruned) ")];
    let marks: String = marks.into_iter().filter(|(holds, _)| *holds).map(|(_, mark)| mark).collect();
    let is_running = run.state == RunState::Running;
    let [tests, failed] = [run.counts.total(), run.counts.failures()]
        .map(|count| if is_running { String::new() } else { count.to_string() });
    let marks = if is_running { format!("{marks}({} so far) ", Bytes(run.disk)) } else { marks };
    let commit = run.info.git.as_ref().map(git::short).unwrap_or_default();
    let commit = if has_commits { format!("{commit:11}  ") } else { String::new() };
    format!(
        "{tests:>8} {failed:>8}  {:20} {took:>7}  {commit}{marks}{}",
        display::moment(run.start()),
        ci::defuse(&run_status::command(run), false),
    )
}

fn write_past(past: &HistoryEntry, color: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    let (word, tone) = match past.outcome {
        _ if past.flaky => ("flaky", Tone::Notice),
        Outcome::Success => ("success", Tone::Good),
        outcome if outcome.is_failure() => (outcome.as_str(), Tone::Bad),
        outcome => (outcome.as_str(), Tone::Plain),
    };
    write!(out, "{:>6}  ", past.run.0)?;
    tone.write(&format!("{word:10}"), color, out)?;
    let line = format!(
        " {:20} {:>14}  {}",
        display::moment(past.start),
        display::exact(past.duration),
        past.route_code.as_deref().map(visible::line).unwrap_or_default(),
    );
    Ok(writeln!(out, "{}", line.trim_end())?)
}

#[cfg(test)]
mod tests {
    use super::super::testing::Repo;

    #[test]
    fn a_test_has_a_history() {
        let announced = &["a exists", "b success"][..];
        let repo = Repo::with(&[&["a exists", "a fail 3", "b success"], announced, &["a success 2 @w"]]);
        let first = "     1  fail       1970-01-01T00:01:40Z             3s\n";
        let third = "     3  success    1970-01-01T00:01:40Z             2s  w\n";
        repo.check(&["history", "a"], 0, &format!("{first}{third}"));
        repo.check(&["history", "-n1", "a"], 0, third);
        repo.check(&["history", "nobody"], 4, "");
        assert_eq!(repo.run(&["history", "nobody"], b"").errors(), "no run has a test nobody\n");
        let told = repo.run(&["history", "-n1", "--json", "a"], b"");
        let line = r#"{"run":3,"id":"a","route":"w","status":"success","flaky":false,"start":"1970-01-01T00:01:40Z","duration":2}"#;
        assert_eq!(told.output(), format!("{line}\n"));
    }

    #[test]
    fn what_is_misspelt_is_suggested() {
        let repo = Repo::with(&[&["net.boot success", "net.link success"], &["disk success"]]);
        let check = |word: &str, near: &str| {
            for command in ["history", "log"] {
                let outcome = repo.run(&[command, word], b"");
                assert_eq!(outcome.verdict.code(), 4);
                let ends = if near.is_empty() { "\n".to_owned() } else { format!("; is it `{near}`?\n") };
                assert!(outcome.errors().ends_with(&ends), "{word}: {}", outcome.errors());
            }
        };
        check("net.bot", "net.boot");
        check("link", "net.link");
        check("dsik", "disk");
        assert!(!repo.run(&["history", "xyz"], b"").errors().contains("is it"));
    }

    #[test]
    fn the_runs_are_listed() {
        let repo = Repo::with(&[&["a fail 3"], &["b success"]]);
        repo.run(&["load", "--command", "make \x1b", "--exit=0"], b"");
        let listed = repo.run(&["history"], b"");
        let words: Vec<Vec<&str>> =
            listed.output().lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(words[0], ["RUN", "STATE", "TESTS", "FAILED", "BEGAN", "TOOK", "COMMAND"]);
        assert_eq!((&words[1][..4], words[1][5]), (&["1", "failed", "1", "1"][..], "3s"));
        assert_eq!(words[2][..4], ["2", "passed", "1", "0"]);
        assert_eq!(words[3][6..], ["make", "\\x1b"]);
        assert_eq!(repo.run(&["history", "-n", "1"], b"").output().lines().count(), 2);
    }
}
