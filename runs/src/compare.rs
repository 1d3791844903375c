//! `subunit compare`: what changed between two runs.

use std::io::{self, Write};
use std::time::Duration;

use cli::value::duration;
use cli::{Streams, Verdict};
use formats::text::title;
use repository::{Change, ComparedTest, RunRef, Side};

use super::command::RepositoryCommand;
use super::display;
use super::repo_args::RepoArgs;

/// Tell what changed from one stored run to another
///
/// Each change is a line, as in subunit-diff: a `broken` test fails now and did not before, a `fixed` one the other way
/// round; `new` and `gone` ones were in one of the runs only, `slower` ones took much longer, and `changed` is any
/// other change of outcome. If a test ran several times or on several workers, any failure counts.
///
/// `subunit diff` with runs, or without arguments, does the same. With two FILEs it compares streams, as subunit-diff
/// does.
#[derive(clap::Args, Debug)]
#[command(after_help = cli::help!(
    [Passed = "nothing changed", Failed = "something changed"],
    "  subunit compare\n  \
       subunit compare 40 42\n  \
       subunit compare --slower 1.5 --slower-by 1s -10 latest | grep ^slower"
))]
pub struct Compare {
    /// The run before: its number, -1 for the latest, `latest` or `latest-failing`
    #[arg(value_name = "BEFORE", allow_negative_numbers = true, default_value = "-2")]
    before: RunRef,
    /// The run after it
    #[arg(value_name = "AFTER", allow_negative_numbers = true, default_value = "latest")]
    after: RunRef,
    /// Call a test slower when it takes this many times as long; 0 means never
    #[arg(long, value_name = "FACTOR", default_value_t = 2.0)]
    slower: f64,
    /// Call a test slower only when it takes at least this much longer: 100ms, 1.5s; without a unit, seconds
    #[arg(long, value_name = "DURATION", default_value = "100ms", value_parser = duration)]
    slower_by: Duration,
}

impl RepositoryCommand for Compare {
    const NAME: &'static str = "subunit compare";

    fn run(self, repo: &RepoArgs, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let repository = repo.snapshot()?;
        let (mut written, mut changes) = (Ok(()), 0_u64);
        repository.diff(self.before, self.after, |test| {
            if let Some(word) = self.word(test) {
                changes += 1;
                if written.is_ok() {
                    written = write_line(word, test, streams.output);
                }
            }
        })?;
        written?;
        Ok(if changes == 0 { Verdict::Passed } else { Verdict::Failed })
    }
}

impl Compare {
    fn word(&self, test: &ComparedTest<'_>) -> Option<&'static str> {
        match test.change() {
            Change::Broken => Some("broken"),
            Change::Fixed => Some("fixed"),
            Change::New => Some("new"),
            Change::Gone => Some("gone"),
            Change::Other => Some("changed"),
            Change::Same => self.is_slower(test).then_some("slower"),
        }
    }

    fn is_slower(&self, test: &ComparedTest<'_>) -> bool {
        let took = |side: Option<Side>| side.and_then(|side| side.duration).unwrap_or_default();
        let (before, after) = (took(test.before), took(test.after));
        let longer = after.saturating_sub(before);
        self.slower > 0.0
            && test.slowdown().is_some_and(|factor| factor > self.slower)
            && longer >= self.slower_by
    }
}

fn write_line(word: &str, test: &ComparedTest<'_>, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{word}: {} (", title(test.test_id, None))?;
    let sides: Vec<Side> = [test.before, test.after].into_iter().flatten().collect();
    for (number, side) in sides.iter().enumerate() {
        let arrow = if number > 0 { " -> " } else { "" };
        if word == "slower" {
            write!(out, "{arrow}{}", display::exact(side.duration))?;
        } else {
            write!(out, "{arrow}{}", side.outcome.as_str())?;
        }
    }
    writeln!(out, ")")
}

#[cfg(test)]
mod tests {
    use super::super::testing::Repo;

    #[test]
    fn each_change_is_told_once() {
        let before = &["a success", "b fail @0", "c success", "d success", "e success 1", "f skip"];
        let after = &["a begun", "b success @1", "c skip", "x fail", "y success", "e success 3", "f skip"];
        let repo = Repo::with(&[before, after]);
        let told = "broken: a (success -> unfinished)\nfixed: b (fail -> success)\nchanged: c (success -> skip)\n\
                    gone: d (success)\nslower: e (1s -> 3s)\nbroken: x (fail)\nnew: y (success)\n";
        repo.check(&["compare"], 1, told);
        repo.check(&["compare", "1", "2"], 1, told);
        repo.check(&["compare", "--slower=0"], 1, &told.replace("slower: e (1s -> 3s)\n", ""));
        repo.check(&["compare", "-1", "latest"], 0, "");
    }
}
