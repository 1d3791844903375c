//! One run, from its beginning to its end in the repository.

use std::time::Duration;

use cli::Streams;
use fancy_regex::Regex;
use formats::text::Conclusion;
use process::Interrupt;
use repository::{Repository, RunEnd, RunInfo, StoredRun};
use runner::suite::{AnyOutput, Conditions, Format, Limits, Listing, Output, Packets, Planned, Suite};
use streamresult::{StreamResult, failure};
use subunit::{Event, Status, Timestamp};

use super::LISTING;
use super::choice::Chosen;
use crate::git;
use crate::report::{ReportArgs, Sink};

/// How many earlier runs tell how long tests take.
const HISTORY: usize = 10;

/// How the run is done.
pub(super) struct Session<'a> {
    pub(super) suite: &'a Suite,
    pub(super) limits: Limits,
    pub(super) is_isolated: bool,
    pub(super) keeps_order: bool,
    pub(super) workers: usize,
    pub(super) instances: &'a [String],
    pub(super) format: Format,
    /// The id of the test that a command is.
    pub(super) id: String,
    /// The words of the command; none where it is a suite.
    pub(super) words: Vec<String>,
}

impl Session<'_> {
    /// Runs the tests, stores what comes and shows it.
    ///
    /// # Errors
    ///
    /// When it cannot be stored or shown.
    pub(super) fn run(
        &self,
        repository: &Repository,
        listing: &Listing,
        chosen: Chosen,
        report: &ReportArgs,
        streams: Streams<'_>,
    ) -> anyhow::Result<StoredRun> {
        let interrupt = streams.interrupt.clone();
        let mut writer = repository.begin(self.info(repository, &chosen, &interrupt))?;
        let is_whole = matches!(listing, Listing::Tests(..)) && chosen.is_all;
        let mut feed = |sink: Sink<'_>| {
            let mut both = (&mut writer, sink);
            both.start_run()?;
            let ran = self.tests(repository, listing, &chosen, &mut both, &interrupt);
            both.stop_run()?;
            ran
        };
        let shown = if report.subunit {
            report.packets(streams, &mut feed)
        } else {
            // A command is run as it is, whatever failed.
            let rerun = self.words.is_empty().then_some("subunit run --failing");
            report.text(streams, Conclusion { rerun, ..Conclusion::default() }, &mut feed)
        };
        let interrupted = interrupt.has_come();
        let end = RunEnd {
            interrupted,
            // Nobody reads on: what was to come did not.
            incomplete: shown.is_err(),
            names_all_tests: is_whole && shown.is_ok() && !interrupted,
            ..RunEnd::default()
        };
        let run = writer.finish(end)?;
        shown?;
        Ok(run)
    }

    fn info(&self, repository: &Repository, chosen: &Chosen, interrupt: &Interrupt) -> RunInfo {
        let mut words = self.words.iter().cloned();
        let command = words.next().unwrap_or_else(|| self.suite.command.clone());
        let workers = u32::try_from(self.workers).ok();
        RunInfo {
            command: Some(command),
            arguments: words.collect(),
            is_selection: self.words.is_empty() && !chosen.is_all,
            git: git::checked_out(repository.path(), interrupt),
            workers,
            ..RunInfo::default()
        }
    }

    fn tests(
        &self,
        repository: &Repository,
        listing: &Listing,
        chosen: &Chosen,
        sink: Sink<'_>,
        interrupt: &Interrupt,
    ) -> anyhow::Result<()> {
        let startup = match listing {
            Listing::Tests(..) if chosen.ids.is_empty() => return Ok(()),
            Listing::Tests(_, took) => *took,
            Listing::Unknown => Duration::ZERO,
            Listing::Failed(why) => {
                let event = Event { timestamp: Some(Timestamp::now()), ..failure(LISTING, why) };
                return Ok(sink.status(&event)?);
            }
            Listing::Interrupted => return Ok(()),
        };
        for id in &chosen.ids {
            sink.status(&Event { timestamp: Some(Timestamp::now()), ..Event::status(id, Status::Exists) })?;
        }
        let conditions = Conditions {
            workers: self.workers,
            instances: self.instances,
            limits: self.limits,
            startup,
            is_isolated: self.is_isolated,
        };
        let output = || self.output();
        let tests = self.plan(repository, &chosen.ids)?;
        Ok(runner::suite::Run::new(self.suite, tests, conditions, &output, sink)?.run(interrupt)?)
    }

    fn output(&self) -> Box<dyn Output> {
        if self.words.is_empty() {
            Box::new(Packets::default())
        } else {
            Box::new(AnyOutput::new(self.format, &self.id))
        }
    }

    /// What is known of the tests.
    fn plan(&self, repository: &Repository, ids: &[String]) -> anyhow::Result<Vec<(String, Planned)>> {
        let timings = repository.timings(HISTORY)?;
        let group = self.suite.group.as_deref().map(|group| Regex::new(&format!("^(?:{group})"))).transpose();
        let group = group.map_err(|error| anyhow::anyhow!("group_regex: {error}"))?;
        let plan = |id: &String| {
            let matched = group.as_ref().and_then(|group| group.find(id).ok().flatten());
            let matched = matched.map(|matched| matched.as_str().to_owned()).filter(|text| !text.is_empty());
            let duration = if self.keeps_order { None } else { timings.get(id) };
            (id.clone(), Planned { duration, group: matched })
        };
        Ok(ids.iter().map(plan).collect())
    }
}
