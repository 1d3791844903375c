//! Records all results in one stream: what the processes report, test by test, and what became of the processes.

use std::collections::BTreeMap;
use std::io;

use cli::Verdict;
use probe::{EventWriter, Redactor};
use streamresult::StreamResult;
use subunit::{Event, PacketBuf, Status, TEXT_TYPE, Timestamp};

use super::child::Ended;
use super::unit::Unit;

/// The tags of a test whose outcome is unknown.
const UNKNOWN: [&str; 2] = ["unknown", "infrastructure"];

/// Records the results of all units in one stream.
pub(super) struct Recorder<'a> {
    result: &'a mut dyn StreamResult,
    redactor: Redactor,
    /// What stands for the host in route codes.
    host: Option<String>,
    tally: Tally,
}

/// How many results there were, by outcome.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    failed: u32,
    skipped: u32,
    other: u32,
}

/// What is known of a unit's tests while they run.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// The tests without a result, and whether they have begun.
    open: BTreeMap<String, bool>,
    /// Attachments of tests that have not ended: those of a test stay together.
    held: Vec<PacketBuf>,
    /// The first test that failed.
    pub(super) failed: Option<String>,
    /// Whether any test has run.
    pub(super) ran: bool,
}

impl<'a> Recorder<'a> {
    pub(super) fn new(result: &'a mut dyn StreamResult, redactor: Redactor, host: Option<String>) -> Self {
        Recorder { result, redactor, host, tally: Tally::default() }
    }

    /// Announces the tests of a unit, with what they do where that is asked for.
    pub(super) fn announce(&mut self, unit: &Unit, plans: bool) -> io::Result<Progress> {
        let mut progress = Progress::default();
        for test in &unit.tests {
            if plans {
                self.attach(unit, &test.id, "plan", &test.about)?;
            }
            self.status(unit, &test.id, Status::Exists, &[])?;
            progress.open.insert(test.id.clone(), false);
        }
        if unit.broken.is_some() {
            self.status(unit, &first(unit), Status::Exists, &[])?;
        }
        Ok(progress)
    }

    /// Records a packet that a unit's process wrote.
    pub(super) fn packet(
        &mut self,
        unit: &Unit,
        progress: &mut Progress,
        packet: PacketBuf,
    ) -> io::Result<()> {
        let event = packet.event();
        let Some(id) = event.test_id else { return self.forward(unit, &event) };
        match event.status {
            // All were announced before.
            Some(Status::Exists) => Ok(()),
            Some(Status::InProgress) => {
                if let Some(has_begun) = progress.open.get_mut(id) {
                    *has_begun = true;
                }
                self.forward(unit, &event)?;
                self.result.flush()
            }
            Some(status) => {
                self.release(unit, progress, id)?;
                self.forward(unit, &event)?;
                progress.open.remove(id);
                let tags = event.tags;
                let is_bad = match status {
                    Status::Success => tags.contains("failing"),
                    Status::Fail => !tags.contains("recovering"),
                    other => other == Status::XFail,
                };
                self.count(progress, id, status, is_bad);
                self.result.flush()
            }
            None => {
                progress.held.push(packet);
                Ok(())
            }
        }
    }

    /// Ends the tests that a process left open.
    pub(super) fn close(&mut self, unit: &Unit, progress: &mut Progress, ended: &Ended) -> io::Result<()> {
        let mut fault = ended.fault.clone();
        if let Some(damage) = &ended.damage {
            let check = unit.entry.name;
            let words = format!("check-{check} wrote something other than subunit, {}", damage.words);
            fault = Some(fault.map_or_else(|| words.clone(), |fault| format!("{fault}; {words}")));
        }
        let open = std::mem::take(&mut progress.open);
        if open.is_empty() {
            // Whatever the results are, something is wrong with how they came about.
            return match fault {
                Some(fault) => {
                    let id = run_of(unit);
                    self.status(unit, &id, Status::InProgress, &[])?;
                    self.fail(unit, progress, &id, &fault, ended, &UNKNOWN)
                }
                None => Ok(()),
            };
        }
        let nothing = || format!("check-{} ended without a result of this test", unit.entry.name);
        for (id, has_begun) in open {
            match (has_begun, &fault) {
                (true, None) if ended.interrupted => {
                    let reason = "a signal ended the check while this test ran";
                    self.fail(unit, progress, &id, reason, ended, &["interrupted"])?;
                }
                (false, _) if ended.interrupted => {}
                (true, fault) => {
                    let reason = fault.clone().unwrap_or_else(nothing);
                    self.fail(unit, progress, &id, &reason, ended, &UNKNOWN)?;
                }
                (false, fault) => {
                    let reason = format!("it was not run: {}", fault.clone().unwrap_or_else(nothing));
                    self.fail(unit, progress, &id, &reason, ended, &UNKNOWN)?;
                }
            }
        }
        Ok(())
    }

    /// Skips all tests of a unit.
    pub(super) fn skip(&mut self, unit: &Unit, progress: &mut Progress, reason: &str) -> io::Result<()> {
        self.all(unit, progress, Status::Skip, reason)
    }

    /// Fails all tests of a unit because they could not be run.
    pub(super) fn fail_all(&mut self, unit: &Unit, progress: &mut Progress, reason: &str) -> io::Result<()> {
        self.all(unit, progress, Status::Fail, reason)
    }

    fn all(&mut self, unit: &Unit, progress: &mut Progress, status: Status, reason: &str) -> io::Result<()> {
        let mut ids: Vec<_> = unit.tests.iter().map(|test| test.id.clone()).collect();
        if unit.broken.is_some() {
            ids.push(first(unit));
        }
        for id in ids {
            let tags: &[&str] = if status == Status::Fail { &UNKNOWN } else { &[] };
            self.status(unit, &id, Status::InProgress, &[])?;
            self.attach(unit, &id, "reason", reason)?;
            self.status(unit, &id, status, tags)?;
            progress.open.remove(&id);
            self.count(progress, &id, status, status == Status::Fail);
        }
        self.result.flush()
    }

    fn fail(
        &mut self,
        unit: &Unit,
        progress: &mut Progress,
        id: &str,
        reason: &str,
        ended: &Ended,
        tags: &[&str],
    ) -> io::Result<()> {
        // Half a reason is worse than none.
        progress.held.retain(|packet| {
            let event = packet.event();
            event.test_id != Some(id) || event.file.is_none_or(|file| file.name != "reason")
        });
        self.release(unit, progress, id)?;
        self.attach(unit, id, "reason", reason)?;
        self.attach(unit, id, "stderr", &ended.stderr)?;
        self.attach(unit, id, "stdout", ended.damage.as_ref().map_or("", |damage| &damage.text))?;
        self.status(unit, id, Status::Fail, tags)?;
        self.count(progress, id, Status::Fail, true);
        self.result.flush()
    }

    fn count(&mut self, progress: &mut Progress, id: &str, status: Status, is_bad: bool) {
        match status {
            Status::Skip => self.tally.skipped += 1,
            status if status.is_failure() => self.tally.failed += 1,
            _ => self.tally.other += 1,
        }
        progress.ran |= status != Status::Skip;
        if is_bad && progress.failed.is_none() {
            progress.failed = Some(id.to_owned());
        }
    }

    /// Writes the attachments of a test that were held back.
    fn release(&mut self, unit: &Unit, progress: &mut Progress, id: &str) -> io::Result<()> {
        let is_of = |packet: &PacketBuf| packet.event().test_id == Some(id);
        let (own, others) = std::mem::take(&mut progress.held).into_iter().partition(is_of);
        progress.held = others;
        let own: Vec<PacketBuf> = own;
        own.iter().try_for_each(|packet| self.forward(unit, &packet.event()))
    }

    fn forward(&mut self, unit: &Unit, event: &Event<'_>) -> io::Result<()> {
        let route_code = self.route_code(unit);
        let timestamp = event.timestamp.or_else(|| Some(Timestamp::now()));
        self.result.status(&Event { route_code: Some(&route_code), timestamp, ..*event })
    }

    fn status(&mut self, unit: &Unit, id: &str, status: Status, tags: &[&str]) -> io::Result<()> {
        let settings = unit.tests.first().map(|test| &test.settings);
        let own = settings.into_iter().flat_map(|settings| settings.tags.iter().map(String::as_str));
        let tags: Vec<_> = own.chain(tags.iter().copied()).collect();
        let route_code = self.route_code(unit);
        self.writer(&route_code).status(id, status, &tags)
    }

    /// Attaches a text, unless there is none.
    fn attach(&mut self, unit: &Unit, id: &str, name: &str, text: &str) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        let route_code = self.route_code(unit);
        self.writer(&route_code).attach(id, name, TEXT_TYPE, text.as_bytes())
    }

    fn writer<'t>(&'t mut self, route_code: &'t str) -> EventWriter<'t> {
        EventWriter { result: self.result, route_code: Some(route_code), redactor: self.redactor.clone() }
    }

    fn route_code(&self, unit: &Unit) -> String {
        match unit.site.name().or_else(|| self.host.clone()) {
            Some(host) => format!("{host}/{}", unit.name),
            None => unit.name.clone(),
        }
    }

    /// The verdict on everything recorded.
    pub(super) fn verdict(&self) -> Verdict {
        match self.tally {
            Tally { failed: 1.., .. } => Verdict::Failed,
            Tally { other: 0, .. } => Verdict::Nothing,
            _ => Verdict::Passed,
        }
    }

    /// The stream itself.
    pub(super) fn result(&mut self) -> &mut dyn StreamResult {
        self.result
    }
}

/// The test that tells how a unit's process went, where its own tests do not.
fn run_of(unit: &Unit) -> String {
    let id = unit.tests.first().map_or_else(|| first(unit), |test| test.id.clone());
    let target: Vec<_> = id.splitn(3, '.').take(2).collect();
    format!("{}.run", target.join("."))
}

/// The test that fails when a unit has no tests because it cannot be looked at.
fn first(unit: &Unit) -> String {
    let aspect = (unit.entry.aspects)().first().map_or("run", probe::AspectFacts::name);
    let names = probe::target_names(std::slice::from_ref(&unit.name), &[("", "")]);
    let name = names.ok().and_then(|names| names.into_iter().next()).unwrap_or_default();
    format!("{}.{name}.{aspect}", unit.entry.name)
}
