//! `subunit compare`: what changed between two runs.

use std::io::Read as _;

use cli::{DiffArgs, Shared, Streams, Verdict};
use formats::diff::{Comparison, Form, Rules, Side, Test};
use repository::{Error, Repository, RunState, StoredRun};
use streamresult::{Details, Records, drive};

use super::command::{OnRepository, RepositoryCommand};
use super::list;
use super::repo_args::RepoArgs;
use super::run_name::{Inputs, RunName};

/// Tell what changed from one stored run to another
///
/// It is subunit-diff of their streams: a `broken` test fails now and did not before, a `fixed` one the other way
/// round; `new` and `gone` ones ran in one of the runs only, `slower` ones took much longer, and `changed` is any other
/// change of outcome. If a test ran several times, the last time counts. Where workers take other tests in each run,
/// --ignore-routes tells tests apart by their ids alone.
///
/// `subunit diff` with runs, or without arguments, does the same. With two FILEs it compares streams, as subunit-diff
/// does.
#[derive(clap::Args, Debug)]
#[command(after_help = cli::help!(
    [
        Passed = "nothing changed",
        Failed = "something changed",
        Nothing = "there are no runs yet, or there is nothing in a file",
    ],
    "  subunit compare\n  \
       subunit compare 40 42\n  \
       subunit compare yesterday.subunit latest\n  \
       subunit compare --slower 1.5 --slower-by 1s -10 latest | grep ^slower"
))]
pub struct Compare {
    /// The run before: its number, -1 for the latest, `latest` or `latest-failing`; or a FILE with a stream, where `-`
    /// is stdin
    #[arg(value_name = "BEFORE", allow_negative_numbers = true, default_value = "-2")]
    before: RunName,
    /// The run after it, named alike
    #[arg(value_name = "AFTER", allow_negative_numbers = true, default_value = "latest")]
    after: RunName,
    #[command(flatten)]
    how: DiffArgs,
}

impl OnRepository<Compare> {
    /// Whether it is about files alone, as `subunit-diff` is.
    #[must_use]
    pub fn is_of_files(&self) -> bool {
        self.command.before.is_file() && self.command.after.is_file()
    }
}

impl RepositoryCommand for Compare {
    const NAME: &'static str = "subunit compare";

    fn run(self, repo: &RepoArgs, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let Streams { input, output, errors, terminal, interrupt } = streams;
        let mut inputs = Inputs { stdin: Some(input), interrupt: &interrupt };
        let DiffArgs { output: file, verdict, json, color, slower, slower_by, ignore_routes } = self.how;
        let mut comparison = Comparison::new(Rules { slower, slower_by, ignore_routes });
        let mut has_empty = false;
        for (side, name) in [(Side::Before, &self.before), (Side::After, &self.after)] {
            let found = name.find(repo, &mut inputs, errors)?;
            has_empty |= found.is_empty_file();
            read(found.repository(), &found.run, side, &mut comparison)?;
        }
        if let Some(verdict) = Verdict::caught(&interrupt) {
            return Ok(verdict);
        }
        if has_empty {
            return Ok(verdict.apply(Verdict::Nothing));
        }
        let form = if json.json {
            Form::Json
        } else {
            Form::Lines { color: file.is_stdout() && color.output(&terminal) }
        };
        let mut page = file.open(&Shared::new(output))?;
        let has_changed = comparison.write(form, &mut page, errors)?;
        page.finish()?;
        Ok(verdict.apply(if has_changed { Verdict::Failed } else { Verdict::Passed }))
    }
}

/// Takes the tests of a run: as its stream has them, or, where that was pruned, in order of their ids.
fn read(
    repository: &Repository,
    run: &StoredRun,
    side: Side,
    comparison: &mut Comparison,
) -> anyhow::Result<()> {
    if run.state == RunState::Running {
        return Err(Error::Running(run.id).into());
    }
    match repository.stream(run.id) {
        Ok(stream) => {
            let whole = stream.take(run.bytes.saturating_sub(run.tail));
            Ok(drive(whole, &mut Records::new(comparison.records(side)).details(Details::None))?)
        }
        Err(Error::Pruned(_)) => list::each(repository, run.id, |result| {
            let test = Test { id: result.test_id, route: result.route_code, duration: result.duration };
            Ok(comparison.add(side, &test, result.outcome)?)
        }),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Repo;

    #[test]
    fn each_change_is_told_once() {
        let before = &["a success", "b fail @0", "c success", "d success", "e success 1", "f skip"];
        let after = &["a begun", "b success @1", "c skip", "x fail", "y success", "e success 3", "f skip"];
        let repo = Repo::with(&[before, after]);
        let told = "fixed: b [1] (fail -> success)\nchanged: c (success -> skip)\nnew: x (fail)\nnew: y (success)\n\
                    slower: e (1.000 s -> 3.000 s)\nbroken: a (success -> unfinished)\ngone: d (success)\n";
        repo.check(&["compare", "--ignore-routes"], 1, told);
        repo.check(&["compare", "1", "2", "--ignore-routes"], 1, told);
        let without_slower = told.replace("slower: e (1.000 s -> 3.000 s)\n", "");
        repo.check(&["compare", "--slower=0", "--ignore-routes"], 1, &without_slower);
        let told = repo.run(&["compare"], b"");
        assert!(told.output().contains("new: b [1] (success)\n"), "{}", told.output());
        assert_eq!(told.errors(), "1 broken, 3 new, 2 gone, 1 changed, 1 slower\n");
        repo.check(&["compare", "-1", "latest"], 0, "");
    }

    #[test]
    fn a_pruned_run_is_compared_by_its_results() {
        for (was, is, told) in [
            ("fail", "xfail", "fixed: a (fail -> xfail)\n"),
            ("fail", "skip", "fixed: a (fail -> skip)\n"),
            ("uxsuccess", "xfail", "fixed: a (uxsuccess -> xfail)\n"),
            ("success", "skip", "changed: a (success -> skip)\n"),
        ] {
            let repo = Repo::with(&[&[&format!("a {was}")], &[&format!("a {is}")]]);
            repo.check(&["compare"], 1, told);
            repo.run(&["prune", "--run=1"], b"");
            repo.check(&["compare"], 1, told);
        }
    }
}
