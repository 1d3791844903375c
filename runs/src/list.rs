//! `subunit list`: the tests of a run.

use std::io::Write;

use cli::query::Query;
use cli::{JsonArgs, Streams, Verdict};
use formats::visible;
use repository::{Repository, RunRef, TestResult};
use streamresult::Outcome;

use super::chosen::ChosenTests;
use super::command::RepositoryCommand;
use super::repo_args::RepoArgs;
use super::run_name::{Inputs, RunName};
use super::show::tell_if_running;
use super::{display, git, json};

/// List the tests of a run
///
/// One id per line, in order of the ids; a test that ran several times is listed once, unless more than its id is
/// asked for. Control characters are escaped. For a run that is under way these are the tests so far; those that have
/// not ended yet are unfinished.
#[derive(clap::Args, Debug)]
#[command(after_help = cli::help!(
    [Passed = "there are such tests", Nothing = "there is none"],
    "  subunit list\n  \
       subunit list --status skip --times latest-failing\n  \
       subunit list --query 'is:failing new: on:ash'\n  \
       subunit list --status exists"
))]
pub struct List {
    /// Its number, -1 for the latest, `latest` or `latest-failing`; or a FILE with a stream, where `-` is stdin
    #[arg(value_name = "RUN|FILE", allow_negative_numbers = true, default_value = "latest")]
    run: RunName,
    /// Only tests that ended like this: success, fail, skip, xfail, uxsuccess, unfinished; or exists: those that
    /// were only announced. May be repeated
    #[arg(long = "status", alias = "outcome", value_name = "STATUS", value_parser = outcome)]
    outcome: Vec<Outcome>,
    /// Only tests that this query means, such as 'is:fail new: >10s boot': see `subunit help selectors`
    #[arg(long, value_name = "QUERY", allow_hyphen_values = true)]
    query: Option<Query>,
    /// Show how each test ended
    #[arg(long)]
    outcomes: bool,
    /// Show how long each test took, in seconds
    #[arg(long)]
    times: bool,
    /// Show the route of each test
    #[arg(long = "routes", alias = "route")]
    route: bool,
    #[command(flatten)]
    json: JsonArgs,
}

/// Reads an outcome by its name.
pub(super) fn outcome(text: &str) -> Result<Outcome, String> {
    let all = [
        Outcome::Success,
        Outcome::Fail,
        Outcome::Skip,
        Outcome::XFail,
        Outcome::UxSuccess,
        Outcome::Unfinished,
        Outcome::Exists,
    ];
    let found = all.into_iter().find(|outcome| outcome.as_str() == text);
    found.ok_or_else(|| format!("not one of {}", all.map(Outcome::as_str).join(", ")))
}

impl RepositoryCommand for List {
    const NAME: &'static str = "subunit list";

    fn run(self, repo: &RepoArgs, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let Streams { input, output, errors, interrupt, .. } = streams;
        let mut inputs = Inputs { stdin: Some(input), interrupt: &interrupt };
        let found = self.run.find(repo, &mut inputs, errors)?;
        let (repository, run) = (found.repository(), &found.run);
        tell_if_running(run, errors)?;
        git::tell_of(run, errors)?;
        let number = (!self.run.is_file()).then_some(run.id);
        let mut listed: Option<String> = None;
        let chosen = self.query.as_ref().map(|query| ChosenTests::of(query, repository, run)).transpose()?;
        each(repository, run.id, |result| {
            let is_meant = chosen.as_ref().is_none_or(|tests| tests.has(result.test_id, result.route_code));
            let is_asked = is_meant
                && match self.outcome.as_slice() {
                    [] => result.outcome != Outcome::Exists,
                    asked => asked.contains(&result.outcome),
                };
            let is_plain = !(self.outcomes || self.times || self.route || self.json.json);
            if !is_asked || is_plain && listed.as_deref() == Some(result.test_id) {
                return Ok(());
            }
            if is_plain || listed.is_none() {
                listed = Some(result.test_id.to_owned());
            }
            if self.json.json {
                return Ok(json::Test::listed(number, result).write(output)?);
            }
            self.write(result, output)
        })?;
        Ok(if listed.is_some() { Verdict::Passed } else { Verdict::Nothing })
    }
}

impl List {
    /// As subunit-ls does, with the outcome first.
    fn write(&self, result: &TestResult<'_>, out: &mut dyn Write) -> anyhow::Result<()> {
        if self.outcomes {
            write!(out, "{:10} ", result.outcome.as_str())?;
        }
        if self.route {
            write!(out, "{}\t", visible::line(result.route_code.unwrap_or_default()))?;
        }
        write!(out, "{}", visible::line(result.test_id))?;
        if self.times {
            write!(out, " {}", display::exact(result.duration).trim_end_matches('s'))?;
        }
        Ok(writeln!(out)?)
    }
}

/// Calls a function with each result of a run, in order of the ids, up to its first error.
pub(super) fn each(
    repository: &Repository,
    run: impl Into<RunRef>,
    mut function: impl FnMut(&TestResult<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut done = Ok(());
    repository.for_each_result(run, |result| {
        if done.is_ok() {
            done = function(result);
        }
    })?;
    done
}

#[cfg(test)]
mod tests {
    use super::super::testing::Repo;

    #[test]
    fn each_test_is_listed_once() {
        let repo = Repo::with(&[&["b fail @1", "a\tx success 2", "b success @0", "c exists"]]);
        repo.check(&["list"], 0, "a\\tx\nb\n");
        repo.check(&["list", "--outcome=exists", "--outcome=fail"], 0, "b\nc\n");
        repo.check(
            &["list", "--times", "--outcomes"],
            0,
            "success    a\\tx 2\nsuccess    b \nfail       b \n",
        );
        repo.check(&["list", "--outcome=skip"], 4, "");
    }

    #[test]
    fn a_query_chooses_among_them() {
        let repo = Repo::with(&[&["a fail", "b success"], &["a fail", "b fail 2", "c success @w"]]);
        repo.check(&["list", "--query", "is:fail"], 0, "a\nb\n");
        repo.check(&["list", "--query", "is:fail new:"], 0, "b\n");
        repo.check(&["list", "--query", "on:w"], 0, "c\n");
        repo.check(&["list", "--query", ">1s"], 0, "b\n");
        repo.check(&["list", "--query", "new:", "1"], 4, "");
    }

    #[test]
    fn tags_go_with_the_stream() {
        let repo = Repo::with(&[&["a success"], &["a success"]]);
        repo.run(&["prune", "--keep=1"], b"");
        repo.check(&["list", "--query", "is:pass", "1"], 0, "a\n");
        let refused = repo.run(&["list", "--query", "tag:slow", "1"], b"");
        let words = "subunit list: the stream of run 1 was pruned, and with it the tags of its tests\n";
        assert_eq!((refused.verdict.code(), refused.errors()), (2, words));
    }
}
