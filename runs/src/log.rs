//! `subunit log`: what came with a test.

use std::io::{self, Write};

use cli::{Streams, Verdict};
use formats::text::{Conclusion, title};
use repository::{Error, Repository, RunId, RunRef, RunState};
use streamresult::{Record, RecordSink, Records};

use super::command::RepositoryCommand;
use super::repo_args::RepoArgs;
use super::report::{ReportOrJsonArgs, Sink};
use super::run_name::{self, Inputs, RunName};
use super::show::named;
use super::{json, near};

/// Show a test with all that came with it
///
/// Only the parts of the stream that hold the test are read. Without --run, the run is the latest in which the test
/// ran and whose stream was not pruned.
#[derive(clap::Args, Debug)]
#[command(after_help = cli::help!(
    [
        Passed = "the test is there, whatever became of it",
        Nothing = "there is no such test, or no such attachment",
    ],
    "  subunit log net.boot\n  \
       subunit log --run -2 --route worker-1 net.boot\n  \
       subunit log --attachment screenshot.png net.boot >screenshot.png"
))]
pub struct Log {
    /// The test's id
    #[arg(value_name = "TEST")]
    test: String,
    /// The run: its number, -1 for the latest, `latest` or `latest-failing`; or a FILE with a stream
    #[arg(long, value_name = "RUN|FILE", allow_hyphen_values = true)]
    run: Option<RunName>,
    /// Only where the test ran on this route; '' means without a route
    #[arg(long, value_name = "CODE")]
    route: Option<String>,
    /// Write the bytes of this attachment, and nothing else
    #[arg(long, value_name = "NAME", conflicts_with_all = ["subunit", "json"])]
    attachment: Option<String>,
    #[command(flatten)]
    report: ReportOrJsonArgs,
}

impl RepositoryCommand for Log {
    const NAME: &'static str = "subunit log";

    fn run(self, repo: &RepoArgs, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let Streams { input, output, errors, terminal, interrupt } = streams;
        let mut inputs = Inputs { stdin: Some(input), interrupt: &interrupt };
        let named = match &self.run {
            Some(name) => Some(name.find(repo, &mut inputs, errors)?),
            None => None,
        };
        let repository = named.as_ref().map_or_else(|| repo.snapshot(), |found| Ok(found.repository()))?;
        let run = match &named {
            Some(found) => self.is_in(repository, found.run.id)?.then_some(found.run.id),
            None => self.find(repository)?,
        };
        let Some(run) = run else {
            let test = title(&self.test, self.route.as_deref());
            let near = near::test_id(repository, named.as_ref().map(|found| found.run.id), &self.test)?;
            writeln!(errors, "there is no test {test} in {}{near}", self.where_looked())?;
            return Ok(Verdict::Nothing);
        };
        let called = match &self.run {
            Some(RunName::File(_)) => self.where_looked(),
            _ => format!("run {run}"),
        };
        if let Some(name) = &self.attachment {
            let found = self.attachment(repository, run, name, output)?;
            if !found {
                writeln!(errors, "the test has no attachment {name:?} in {called}")?;
            }
            return Ok(if found { Verdict::Passed } else { Verdict::Nothing });
        }
        let is_stream = self.report.report.subunit;
        if !is_stream && !self.report.form.json {
            writeln!(errors, "{called}")?;
        }
        if self.report.form.json {
            self.tell(repository, run, &mut json::PacketLines::new(output))?;
            return Ok(Verdict::Passed);
        }
        let input = Box::new(io::empty());
        let streams = Streams { input, output, errors, terminal, interrupt: interrupt.clone() };
        if is_stream {
            self.report.report.packets(streams, |sink| self.tell(repository, run, sink))?;
        } else {
            let report = self.report.report.whole();
            report.text(streams, Conclusion::default(), |sink| self.tell(repository, run, sink))?;
        }
        Ok(Verdict::Passed)
    }
}

impl Log {
    fn where_looked(&self) -> String {
        match &self.run {
            None => "any run whose stream is there".to_owned(),
            Some(RunName::Stored(RunRef::Id(id))) => format!("run {id}"),
            Some(RunName::Stored(_)) => "that run".to_owned(),
            Some(RunName::File(path)) => run_name::shown(path),
        }
    }

    fn route(&self) -> Option<Option<&str>> {
        self.route.as_deref().map(|route| Some(route).filter(|route| !route.is_empty()))
    }

    fn is_in(&self, repository: &Repository, run: RunId) -> Result<bool, Error> {
        let packets =
            repository.log(run, &self.test, self.route(), &mut streamresult::from_fn(|_| Ok(())))?;
        Ok(packets > 0)
    }

    /// The latest run that has the test.
    fn find(&self, repository: &Repository) -> Result<Option<RunId>, Error> {
        // Where there are no runs at all, this says so.
        named(repository, RunRef::LATEST)?;
        let under_way = repository.runs()?.into_iter().filter(|run| run.state == RunState::Running);
        let past = repository.history(&self.test)?;
        let mut runs: Vec<RunId> =
            past.iter().map(|past| past.run).chain(under_way.map(|run| run.id)).collect();
        runs.sort_unstable();
        runs.dedup();
        for run in runs.into_iter().rev() {
            match self.is_in(repository, run) {
                Ok(true) => return Ok(Some(run)),
                Ok(false) | Err(Error::Pruned(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    fn tell(&self, repository: &Repository, run: RunId, sink: Sink<'_>) -> anyhow::Result<()> {
        repository.log(run, &self.test, self.route(), sink)?;
        Ok(())
    }

    fn attachment(
        &self,
        repository: &Repository,
        run: RunId,
        name: &str,
        out: &mut dyn Write,
    ) -> anyhow::Result<bool> {
        let mut records = Records::new(Attachment { name, out, found: false });
        repository.log(run, &self.test, self.route(), &mut records)?;
        Ok(records.into_sink().found)
    }
}

/// Writes the content of an attachment.
struct Attachment<'a> {
    name: &'a str,
    out: &'a mut dyn Write,
    found: bool,
}

impl RecordSink for Attachment<'_> {
    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        for attachment in record.attachments().filter(|attachment| attachment.name() == self.name) {
            self.found = true;
            io::copy(&mut attachment.reader(), self.out)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Repo, stream};

    use subunit::{Event, File, Status};

    fn with_log() -> Repo {
        let repo = Repo::with(&[]);
        let mut input = stream(&["b success"]);
        for (route, bytes) in [(None, &b"one"[..]), (Some("w"), b"two")] {
            let file = Some(File { name: "log", bytes });
            let event = Event { file, route_code: route, ..Event::status("a", Status::Success) };
            subunit::encode(&event, &mut input).unwrap();
        }
        repo.run(&["load"], &input);
        repo.run(&["load"], &stream(&["b success"]));
        repo
    }

    #[test]
    fn the_latest_run_that_has_the_test_shows_it() {
        let repo = with_log();
        let outcome = repo.run(&["log", "a"], b"");
        assert_eq!((outcome.verdict.code(), outcome.errors()), (0, "run 1\n"));
        assert!(
            outcome.output().starts_with("ok                   a\n  log:\n    one\n"),
            "{}",
            outcome.output()
        );
        repo.check(&["log", "--run=-1", "a"], 4, "");
        repo.check(&["log", "nobody"], 4, "");
    }

    #[test]
    fn an_attachment_is_its_bytes() {
        let repo = with_log();
        repo.check(&["log", "--attachment=log", "a"], 0, "onetwo");
        repo.check(&["log", "--attachment=log", "--route=w", "a"], 0, "two");
        repo.check(&["log", "--attachment=log", "--route=", "a"], 0, "one");
        repo.check(&["log", "--attachment=gol", "a"], 4, "");
        assert_eq!(repo.run(&["log", "--subunit", "b"], b"").output, stream(&["b success"]));
    }
}
