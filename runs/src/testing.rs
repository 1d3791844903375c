//! What the tests of the commands share.

use std::path::Path;

use cli::{RunOutput, run_with};
use subunit::io::Writer;
use subunit::{Event, Status, Timestamp};
use tempfile::TempDir;

use crate::OnRepository as On;

/// Runs a command of this crate, by the word after `subunit`.
pub(crate) fn subunit(args: &[&str], input: &[u8]) -> RunOutput {
    let (word, args) = args.split_first().unwrap();
    let run: fn(&[&str], &[u8]) -> RunOutput = match *word {
        "compare" => run_with::<On<crate::compare::Compare>>,
        "export" => run_with::<On<crate::export::Export>>,
        "failing" => run_with::<On<crate::failing::Failing>>,
        "flaky" => run_with::<On<crate::flaky::Flaky>>,
        "history" => run_with::<On<crate::history::History>>,
        "import" => run_with::<On<crate::import::Import>>,
        "info" => run_with::<On<crate::info::Info>>,
        "init" => run_with::<On<crate::init::Init>>,
        "last" => run_with::<On<crate::last::Last>>,
        "list" => run_with::<On<crate::list::List>>,
        "load" => run_with::<On<crate::load::Load>>,
        "log" => run_with::<On<crate::log::Log>>,
        "merge" => run_with::<On<crate::merge::Merge>>,
        "pin" => run_with::<On<crate::pin::Pin>>,
        "prune" => run_with::<On<crate::prune::Prune>>,
        "rebuild" => run_with::<On<crate::rebuild::Rebuild>>,
        "run" => run_with::<On<crate::run::Run>>,
        "show" => run_with::<On<crate::show::Show>>,
        "slowest" => run_with::<On<crate::slowest::Slowest>>,
        "unpin" => run_with::<On<crate::pin::Unpin>>,
        other => panic!("there is no command {other}"),
    };
    run(args, input)
}

/// A repository of its own, and what is run on it.
pub(crate) struct Repo(TempDir);

impl Repo {
    /// With a run for each of these streams; see [`stream`].
    pub(crate) fn with(runs: &[&[&str]]) -> Self {
        let repo = Repo(tempfile::tempdir().unwrap());
        repo.run(&["init"], b"");
        runs.iter().for_each(|run| drop(repo.run(&["load"], &stream(run))));
        repo
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Runs a command on it.
    pub(crate) fn run(&self, args: &[&str], input: &[u8]) -> RunOutput {
        let place = ["-C", self.path().to_str().unwrap()];
        subunit(&[args, &place].concat(), input)
    }

    /// Runs a command on it, and looks what it does.
    pub(crate) fn check(&self, args: &[&str], code: u8, output: &str) {
        let outcome = self.run(args, b"");
        assert_eq!((outcome.verdict.code(), outcome.output()), (code, output), "{}", outcome.errors());
    }
}

/// A stream of tests: `id status`, then in any order `@ROUTE` and how many seconds it took. `begun` is the status
/// of a test that never finishes.
pub(crate) fn stream(tests: &[&str]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    for test in tests {
        let words: Vec<&str> = test.split(' ').collect();
        let route_code = words.iter().find_map(|word| word.strip_prefix('@'));
        let took = words.iter().skip(2).find_map(|word| word.parse::<u32>().ok());
        let at = |seconds| took.map(|_| Timestamp::from_seconds(seconds));
        let begun = Event { route_code, timestamp: at(100), ..Event::status(words[0], Status::InProgress) };
        if words[1] != "exists" {
            writer.write(&begun).unwrap();
        }
        if words[1] != "begun" {
            let timestamp = at(100 + took.unwrap_or_default());
            let status = Some(words[1].parse().unwrap());
            writer.write(&Event { status, timestamp, ..begun }).unwrap();
        }
    }
    writer.into_inner().unwrap()
}
