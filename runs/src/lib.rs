//! The commands that keep runs in a repository and answer questions about them, one a file.
//!
//! What they share: [`RepoArgs`] finds the repository, `report` shows tests to people, `source` and `store`
//! take streams in, `words` says how runs went.

pub mod diff;
pub mod export;
pub mod failing;
pub mod flaky;
pub mod history;
pub mod import;
pub mod init;
pub mod last;
pub mod list;
pub mod load;
pub mod log;
pub mod merge;
pub mod pin;
mod place;
pub mod prune;
pub mod rebuild;
mod report;
pub mod show;
pub mod slowest;
mod sniff;
mod source;
pub mod stats;
mod store;
#[cfg(test)]
mod testing;
mod told;
mod words;

use cli::{Streams, Verdict};

pub use place::RepoArgs;

/// A command of the repository.
#[derive(clap::Subcommand, Debug)]
#[expect(missing_docs, reason = "what is said here would replace the commands' own help")]
pub enum Repo {
    Init(init::Init),
    Load(load::Load),
    Last(last::Last),
    Show(show::Show),
    Failing(failing::Failing),
    Slowest(slowest::Slowest),
    History(history::History),
    Diff(diff::Diff),
    Flaky(flaky::Flaky),
    Stats(stats::Stats),
    Log(log::Log),
    List(list::List),
    Merge(merge::Merge),
    Prune(prune::Prune),
    Pin(pin::Pin),
    Unpin(pin::Unpin),
    Rebuild(rebuild::Rebuild),
    Import(import::Import),
    Export(export::Export),
}

impl Repo {
    /// Runs the command, and tells what happened on the side.
    ///
    /// # Errors
    ///
    /// When it cannot be done.
    pub fn run(self, place: &RepoArgs, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let Streams { input, output, errors, terminal, interrupt } = streams;
        let lent = Streams { input, output, errors: &mut *errors, terminal, interrupt };
        let done = self.dispatch(place, lent);
        let told = place.notes().into_iter().try_for_each(|note| writeln!(errors, "{note}"));
        let verdict = done?;
        told?;
        Ok(verdict)
    }

    fn dispatch(self, place: &RepoArgs, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        match self {
            Repo::Init(command) => command.run(place, streams),
            Repo::Load(command) => command.run(place, streams),
            Repo::Last(command) => command.run(place.snapshot()?, streams),
            Repo::Show(command) => command.run(place.snapshot()?, streams),
            Repo::Failing(command) => command.run(place.snapshot()?, streams),
            Repo::Slowest(command) => command.run(place.snapshot()?, streams),
            Repo::History(command) => command.run(place.snapshot()?, streams),
            Repo::Diff(command) => command.run(place.snapshot()?, streams),
            Repo::Flaky(command) => command.run(place.snapshot()?, streams),
            Repo::Stats(command) => command.run(place.snapshot()?, streams),
            Repo::Log(command) => command.run(place.snapshot()?, streams),
            Repo::List(command) => command.run(place.snapshot()?, streams),
            Repo::Merge(command) => command.run(place.repository()?, streams),
            Repo::Prune(command) => command.run(place.repository()?, streams),
            Repo::Pin(command) => command.run(place.repository()?, streams),
            Repo::Unpin(command) => command.run(place.repository()?, streams),
            Repo::Rebuild(command) => command.run(place.repository()?, streams),
            Repo::Import(command) => command.run(place, streams),
            Repo::Export(command) => command.run(place.snapshot()?, streams),
        }
    }
}
