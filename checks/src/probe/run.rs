//! Runs a plan: announces its tests, runs each in its time, says what became of it.

use std::collections::HashMap;
use std::io;
use std::time::{Duration, SystemTime};

use cli::Verdict;
use process::Deadline;
use serde_json::json;
use streamresult::StreamResult;
use subunit::{Event, File, Status, Tags, Timestamp};

use super::args::WarningAs;
use super::finding::TEXT;
use super::{Attachment, Finding, Level, Metric, ProbeArgs, Thresholds};

/// A test of a plan.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Its id.
    pub id: String,
    /// The ids of the tests that must not have failed, for this one to make sense.
    pub after: Vec<String>,
    /// What it does, for people.
    pub about: String,
}

/// How long a test may take, and what ends it early.
#[derive(Clone, Copy, Debug)]
pub struct Limits<'a> {
    /// How long a single operation may take.
    pub operation: Duration,
    /// When the test must be over.
    pub deadline: Deadline,
    /// Whether a signal asked us to end.
    pub interrupt: &'a cli::Interrupt,
}

/// Something that can run tests by their number in the plan.
pub trait Probe {
    /// The tests, in the order in which they are run.
    fn plan(&self) -> &[Planned];
    /// Runs one of them, within its limits.
    fn check(&mut self, test: usize, limits: Limits<'_>) -> Finding;
}

/// Runs a plan, or tells what is in it, as the arguments say.
///
/// # Errors
///
/// When an event cannot be written.
pub fn run(
    probe: &mut dyn Probe,
    args: &ProbeArgs,
    thresholds: &Thresholds,
    interrupt: &cli::Interrupt,
    result: &mut dyn StreamResult,
) -> io::Result<Verdict> {
    let route_code = args.route_code();
    let teller = Teller { result, route_code: route_code.as_deref(), tags: &args.tag };
    let mut run = Run { args, thresholds, interrupt, teller, statuses: HashMap::new() };
    run.teller.result.start_run()?;
    let verdict = if args.list || args.dry_run { run.tell(probe.plan()) } else { run.run(probe) }?;
    run.teller.result.stop_run()?;
    run.teller.result.flush()?;
    Ok(verdict)
}

struct Run<'a> {
    args: &'a ProbeArgs,
    thresholds: &'a Thresholds,
    interrupt: &'a cli::Interrupt,
    teller: Teller<'a>,
    statuses: HashMap<String, Status>,
}

impl Run<'_> {
    fn tell(&mut self, plan: &[Planned]) -> io::Result<Verdict> {
        for test in plan {
            if self.args.dry_run {
                self.teller.attach(&test.id, "plan", TEXT, test.about.as_bytes())?;
            }
            self.teller.status(&test.id, Status::Exists, &[])?;
        }
        Ok(Verdict::Passed)
    }

    fn run(&mut self, probe: &mut dyn Probe) -> io::Result<Verdict> {
        let plan = probe.plan().to_vec();
        for test in &plan {
            self.teller.status(&test.id, Status::Exists, &[])?;
        }
        let end = Deadline::after(self.args.plan_timeout());
        for (number, test) in plan.iter().enumerate() {
            if self.interrupt.verdict().is_some() {
                break;
            }
            self.teller.status(&test.id, Status::InProgress, &[])?;
            self.teller.result.flush()?;
            let finding = match self.prevented(test, end) {
                Some(finding) => finding,
                None => self.tries(probe, number, end),
            };
            self.report(&test.id, finding)?;
            self.teller.result.flush()?;
        }
        Ok(self.verdict())
    }

    /// Why a test cannot be run at all.
    fn prevented(&self, test: &Planned, end: Deadline) -> Option<Finding> {
        let broken = |id: &&String| {
            matches!(self.statuses.get(*id), Some(Status::Fail | Status::XFail | Status::Skip))
        };
        if let Some(id) = test.after.iter().find(broken) {
            let word = self.statuses.get(id).copied().unwrap_or(Status::Fail);
            return Some(Finding::skipped(format!("it builds on {id}, of which the result is {word}")));
        }
        let late =
            format!("the time for all tests ({:?}) was up before this one began", self.args.plan_timeout());
        end.has_passed().then(|| Finding::unknown(late))
    }

    /// Runs a test, and runs it again while it fails and that may help.
    fn tries(&self, probe: &mut dyn Probe, number: usize, end: Deadline) -> Finding {
        let mut tries = 0;
        loop {
            let limits = Limits {
                operation: self.args.op_timeout,
                deadline: end.earlier(Deadline::after(self.args.timeout)),
                interrupt: self.interrupt,
            };
            let finding = probe.check(number, limits);
            tries += 1;
            let is_final = !matches!(finding.level, Level::Broken(_) | Level::Unknown(_))
                || finding.is_hung
                || tries > self.args.retries
                || end.has_passed();
            if is_final {
                return match tries {
                    1 => finding,
                    tries => finding.with_text("tries", format!("{tries}\n")),
                };
            }
        }
    }

    fn report(&mut self, id: &str, finding: Finding) -> io::Result<()> {
        let judged = self.judge(id, &finding);
        for reason in judged.reason.iter().filter(|reason| !reason.is_empty()) {
            self.teller.attach(id, "reason", TEXT, reason.as_bytes())?;
        }
        if let Some(summary) = finding.summary.filter(|_| judged.reason.is_none()) {
            self.teller.attach(id, "summary", TEXT, summary.as_bytes())?;
        }
        self.attach_metrics(id, &finding.metrics)?;
        for Attachment { name, mime_type, bytes } in &finding.attachments {
            self.teller.attach(id, name, mime_type, bytes)?;
        }
        self.statuses.insert(id.to_owned(), judged.status);
        self.teller.status(id, judged.status, &judged.tags)
    }

    /// What the finding comes to: the thresholds, then what is expected.
    fn judge(&self, id: &str, finding: &Finding) -> Judged {
        let mut judged = self.judge_level(finding);
        let known = self.args.expect_fail.iter().find(|known| known.holds(id, SystemTime::now()));
        let Some(known) = known else { return judged };
        let expected = format!("expected to fail: {}", known.reason);
        match judged.status {
            Status::Fail if !judged.tags.contains(&"interrupted") => {
                judged.status = Status::XFail;
                judged.reason = Some(format!("{}\n{expected}", judged.reason.unwrap_or_default()));
            }
            Status::Success => {
                judged.status = Status::UxSuccess;
                judged.reason = Some(format!("it works, but was {expected}"));
            }
            _ => {}
        }
        judged
    }

    fn judge_level(&self, finding: &Finding) -> Judged {
        let judged = |status, tags, reason: &str| Judged { status, tags, reason: Some(reason.to_owned()) };
        match &finding.level {
            Level::Fine => self.judge_numbers(&finding.metrics),
            Level::Broken(reason) => judged(Status::Fail, vec![], reason),
            Level::Unknown(reason) => judged(Status::Fail, vec!["unknown", "infrastructure"], reason),
            Level::Skipped(reason) => judged(Status::Skip, vec![], reason),
            Level::Interrupted(reason) => judged(Status::Fail, vec!["interrupted"], reason),
        }
    }

    fn judge_numbers(&self, metrics: &[Metric]) -> Judged {
        let alerts = |range: &dyn Fn(&str) -> Option<super::Range>, word: &str| {
            let alert = |metric: &Metric| {
                let range = range(&metric.name).filter(|range| range.alerts(metric.value))?;
                Some(format!("{} is outside of the {word} range {range}", self.show(metric)))
            };
            let lines: Vec<_> = metrics.iter().filter_map(alert).collect();
            (!lines.is_empty()).then(|| lines.join("\n"))
        };
        let critical = alerts(&|name| self.thresholds.critical(name), "critical");
        let warning = alerts(&|name| self.thresholds.warning(name), "warning");
        match (critical, warning) {
            (Some(reason), _) => Judged { status: Status::Fail, tags: vec![], reason: Some(reason) },
            (None, Some(reason)) => {
                let fails = self.args.warning_as == WarningAs::Fail;
                let status = if fails { Status::Fail } else { Status::Success };
                Judged { status, tags: vec!["warning"], reason: Some(reason) }
            }
            (None, None) => Judged { status: Status::Success, tags: vec![], reason: None },
        }
    }

    fn show(&self, metric: &Metric) -> String {
        let symbol = self.symbol(&metric.name);
        format!("{} = {} {symbol}", metric.name, rounded(metric.value)).trim_end().to_owned()
    }

    fn symbol(&self, name: &str) -> &'static str {
        self.thresholds.kind(name).map_or("", |kind| kind.unit.symbol())
    }

    fn attach_metrics(&mut self, id: &str, metrics: &[Metric]) -> io::Result<()> {
        if metrics.is_empty() {
            return Ok(());
        }
        let (mut object, mut words) = (serde_json::Map::new(), Vec::new());
        for Metric { name, value } in metrics {
            let plain = |range: Option<super::Range>| range.map(|range| range.plain());
            let (warning, critical) =
                (plain(self.thresholds.warning(name)), plain(self.thresholds.critical(name)));
            let symbol = self.symbol(name);
            // Performance data knows no speeds as a unit.
            let unit = if symbol.contains('/') { "" } else { symbol };
            words.push(format!(
                "{name}={value}{unit};{};{};0;",
                warning.as_deref().unwrap_or_default(),
                critical.as_deref().unwrap_or_default()
            ));
            let entry = json!({"value": value, "unit": symbol, "warning": warning, "critical": critical});
            object.insert(name.clone(), entry);
        }
        let json = serde_json::Value::Object(object).to_string();
        self.teller.attach(id, "metrics.json", "application/json", json.as_bytes())?;
        self.teller.attach(id, "perfdata", TEXT, words.join(" ").as_bytes())
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

/// A number with the digits that matter to people.
fn rounded(value: f64) -> String {
    if value.fract() == 0.0 || value.abs() >= 1e6 {
        return format!("{value:.0}");
    }
    let digits = 3 - value.abs().log10().floor().clamp(-9.0, 3.0) as i32;
    let text = format!("{value:.*}", usize::try_from(digits).unwrap_or(0));
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

struct Judged {
    status: Status,
    tags: Vec<&'static str>,
    reason: Option<String>,
}

/// Says things in events: with the time, the route and the tags of the run.
struct Teller<'a> {
    result: &'a mut dyn StreamResult,
    route_code: Option<&'a str>,
    tags: &'a [String],
}

impl Teller<'_> {
    fn status(&mut self, id: &str, status: Status, tags: &[&str]) -> io::Result<()> {
        let all: Vec<&str> = self.tags.iter().map(String::as_str).chain(tags.iter().copied()).collect();
        let tags = if all.is_empty() { Tags::default() } else { Tags::from(&*all) };
        self.event(Event { tags, ..Event::status(id, status) })
    }

    fn attach(&mut self, id: &str, name: &str, mime_type: &str, bytes: &[u8]) -> io::Result<()> {
        let mut blocks = bytes.chunks(BLOCK).peekable();
        let mut block = blocks.next().unwrap_or_default();
        let mut mime_type = Some(mime_type);
        loop {
            let eof = blocks.peek().is_none();
            let file = Some(File { name, bytes: block });
            let test_id = Some(id);
            self.event(Event {
                test_id,
                file,
                mime_type: mime_type.take(),
                eof,
                runnable: true,
                ..Event::default()
            })?;
            match blocks.next() {
                Some(next) => block = next,
                None => return Ok(()),
            }
        }
    }

    fn event(&mut self, event: Event<'_>) -> io::Result<()> {
        let timestamp = Some(Timestamp::now());
        self.result.status(&Event { route_code: self.route_code, timestamp, ..event })
    }
}

/// Bytes of an attachment in one packet, at most.
const BLOCK: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_matter() {
        let check = |value, expected| assert_eq!(rounded(value), expected);
        check(0.0, "0");
        check(12.0, "12");
        check(1.234_567, "1.235");
        check(0.000_123_456, "0.0001235");
        check(123_456.789, "123457");
        check(1e12 + 0.5, "1000000000000");
    }
}
