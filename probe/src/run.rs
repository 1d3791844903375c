//! Runs a plan: announces its tests, runs each in its time, says what became of it.

use formats::human::show_duration;
use std::collections::HashMap;
use std::io;
use std::time::Duration;

use cli::Verdict;
use process::Deadline;
use streamresult::{FLAKY_TAG, StreamResult, attempt_tag};
use subunit::{Status, TEXT_TYPE};

use super::event_writer::EventWriter;
use super::judge::{judge, settle};
use super::perfdata::Measured;
use super::ranges;
use super::{EvidenceFile, Finding, Level, Limits, Plan, Planned, Redactor, RunOptions};

/// How long the targets have to remove what they made, whatever the time limit for all tests.
const CLEANING: Duration = Duration::from_secs(5);

/// Runs a plan, or lists its tests, as the options say.
///
/// # Errors
///
/// When an event cannot be written.
pub fn run(plan: &mut Plan, options: RunOptions<'_>, result: &mut dyn StreamResult) -> io::Result<Verdict> {
    let route_code = options.route_code.clone();
    let redactor = Redactor::new(&plan.secrets());
    let writer = EventWriter { result, route_code: route_code.as_deref(), redactor };
    let mut run =
        Run { options, writer, statuses: HashMap::new(), measured: HashMap::new(), sound: HashMap::new() };
    run.writer.result.start_run()?;
    let verdict =
        if run.options.list || run.options.dry_run { run.tell(plan.tests()) } else { run.run(plan) }?;
    run.writer.result.stop_run()?;
    run.writer.result.flush()?;
    Ok(verdict)
}

struct Run<'a> {
    options: RunOptions<'a>,
    writer: EventWriter<'a>,
    /// The status that was reported for each test.
    statuses: HashMap<String, Status>,
    /// The numbers that each test has measured.
    measured: HashMap<String, Vec<String>>,
    /// The status by which to tell whether what builds on a test makes sense, whatever was reported.
    sound: HashMap<String, Status>,
}

impl Run<'_> {
    fn tell(&mut self, tests: &[Planned]) -> io::Result<Verdict> {
        for test in tests {
            if self.options.dry_run {
                self.writer.attach(&test.id, "plan", TEXT_TYPE, test.about.as_bytes())?;
            }
            self.status(test, Status::Exists, &[])?;
        }
        Ok(Verdict::Passed)
    }

    fn run(&mut self, plan: &mut Plan) -> io::Result<Verdict> {
        let tests = plan.tests().to_vec();
        for test in &tests {
            self.status(test, Status::Exists, &[])?;
        }
        let end = Deadline::after(self.options.plan_timeout);
        for (number, test) in tests.iter().enumerate() {
            if self.options.interrupt.has_come() {
                break;
            }
            self.status(test, Status::InProgress, &[])?;
            self.writer.result.flush()?;
            let finding = match self.prevented(test, end) {
                Some(finding) => finding,
                None => self.tries(plan, number, test, end),
            };
            self.report(test, finding)?;
            self.writer.result.flush()?;
        }
        self.finish(plan)?;
        Ok(self.verdict())
    }

    /// Why a test cannot be run at all.
    fn prevented(&self, test: &Planned, end: Deadline) -> Option<Finding> {
        let broken =
            |id: &&String| matches!(self.sound.get(*id), Some(Status::Fail | Status::XFail | Status::Skip));
        if let Some(id) = test.after.iter().find(broken) {
            let word = self.sound.get(id).copied().unwrap_or(Status::Fail);
            return Some(Finding::skipped(format!("it builds on {id}, of which the result is {word}")));
        }
        let late = format!(
            "the time for all tests ({}) was up before this one began",
            show_duration(self.options.plan_timeout)
        );
        end.has_passed().then(|| Finding::unknown(late))
    }

    /// Runs a test, and runs it again while it fails and that may help.
    fn tries(&self, plan: &mut Plan, number: usize, test: &Planned, end: Deadline) -> Finding {
        let (mut tries, mut earlier) = (0, Vec::new());
        loop {
            let limits = Limits {
                operation: test.settings.op_timeout,
                deadline: end.earlier(Deadline::after(test.settings.timeout)),
                interrupt: self.options.interrupt,
            };
            let finding = plan.look(number, limits);
            tries += 1;
            let is_final = !matches!(finding.level, Level::Broken(_) | Level::Unknown(_))
                || finding.is_hung
                || tries > test.settings.retries
                || !Limits { deadline: end, ..limits }.sleep(test.settings.retry_delay);
            if is_final {
                let finding = Finding { attempts: tries, ..finding };
                // Named as those of subunit-exec, for reports to know them.
                return (1..).zip(earlier).fold(finding, |finding, (attempt, reason)| {
                    finding.with_text(&format!("{}.reason", attempt_tag(attempt)), reason)
                });
            }
            earlier.push(finding.level.reason().unwrap_or_default().to_owned());
        }
    }

    fn finish(&mut self, plan: &mut Plan) -> io::Result<()> {
        let never = process::Interrupt::never();
        let limits = Limits { operation: CLEANING, deadline: Deadline::after(CLEANING), interrupt: &never };
        for (test, finding) in plan.finish(limits) {
            self.status(&test, Status::InProgress, &[])?;
            self.report(&test, finding)?;
        }
        Ok(())
    }

    fn report(&mut self, test: &Planned, mut finding: Finding) -> io::Result<()> {
        let id = test.id.as_str();
        if let Some(state) = &mut self.options.state {
            state.add_changes(id, &mut finding.metrics, &test.settings.thresholds);
        }
        self.measured
            .insert(id.to_owned(), finding.metrics.iter().map(|metric| metric.name.clone()).collect());
        let mut judged = judge(id, &finding, &test.settings);
        if !judged.status.is_failure() && self.note_missing(test, &mut finding) {
            judged = judge(id, &finding, &test.settings);
        }
        self.sound.insert(id.to_owned(), judged.status);
        if let Some(state) = self.options.state.as_deref_mut().filter(|state| state.is_kept()) {
            judged = settle(id, judged, &test.settings, state);
        }
        for reason in judged.reason.iter().filter(|reason| !reason.is_empty()) {
            self.writer.attach(id, "reason", TEXT_TYPE, reason.as_bytes())?;
        }
        if let Some(summary) = finding.summary.filter(|_| judged.reason.is_none()) {
            self.writer.attach(id, "summary", TEXT_TYPE, summary.as_bytes())?;
        }
        let measured = Measured::all(&finding.metrics, &test.settings.thresholds);
        if !measured.is_empty() {
            self.writer.attach(
                id,
                "metrics.json",
                "application/json",
                Measured::json(&measured).as_bytes(),
            )?;
            self.writer.attach(id, "perfdata", TEXT_TYPE, Measured::perfdata(&measured, "").as_bytes())?;
        }
        for EvidenceFile { name, mime_type, bytes } in &finding.attachments {
            self.writer.attach(id, name, mime_type, bytes)?;
        }
        self.statuses.insert(id.to_owned(), judged.status);
        let attempt = (finding.attempts > 1).then(|| attempt_tag(finding.attempts));
        let flaky = attempt.as_ref().filter(|_| judged.status == Status::Success).map(|_| FLAKY_TAG);
        let tags: Vec<_> = judged.tags.iter().copied().chain(attempt.as_deref()).chain(flaky).collect();
        self.status(test, judged.status, &tags)
    }

    /// What is fine is not known to be, where nothing has measured what a range was given for; whether that is so.
    fn note_missing(&self, test: &Planned, finding: &mut Finding) -> bool {
        let is_measured = |name: &String, ids: &[String]| {
            ids.iter().filter_map(|id| self.measured.get(id)).any(|names| names.contains(name))
        };
        let missing: Vec<_> = test
            .due
            .iter()
            .filter(|(name, ids)| !is_measured(name, ids))
            .map(|(name, _)| name.as_str())
            .collect();
        let is_doubtful = finding.level == Level::Fine && !missing.is_empty();
        if is_doubtful {
            let summary = finding.summary.take().filter(|text| !text.is_empty());
            let summary = summary.map_or_else(String::new, |text| format!("{text}; "));
            finding.level = Level::Unknown(format!("{summary}{}", ranges::missing(&missing)));
        }
        is_doubtful
    }

    fn status(&mut self, test: &Planned, status: Status, tags: &[&str]) -> io::Result<()> {
        let own = test.settings.tags.iter().map(String::as_str);
        let tags: Vec<_> = own.chain(tags.iter().copied()).collect();
        self.writer.status(&test.id, status, &tags)
    }

    fn verdict(&self) -> Verdict {
        if self.statuses.values().any(|status| status.is_failure()) {
            Verdict::Failed
        } else if self.statuses.values().all(|status| *status == Status::Skip) {
            Verdict::Nothing
        } else {
            Verdict::Passed
        }
    }
}
