//! The command `subunit-stats`: how many tests ended in which way.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use cli::{Command, JsonArgs, Streams, Verdict};
use foldhash::fast::RandomState;
use formats::harmless;
use formats::json::Object;
use streamresult::{Details, Outcome, Record, RecordSink, RecordTags, Records, Summary};

use crate::report::{ClosingLine, GlobalStatuses, ReportArgs};

/// Count the tests of a subunit stream
///
/// A damaged stretch of the stream counts as a test that failed. A test that failed as expected has passed; one that
/// passed unexpectedly, or never finished, has failed.
///
/// `subunit stats` without a FILE or an option does something else: it shows the figures of the repository, as
/// `subunit info` does. `subunit stats -` reads stdin.
#[derive(clap::Parser, Debug)]
#[command(
    name = "subunit-stats",
    version,
    mut_arg("allow_empty", |arg| arg.hide(true)),
    after_help = cli::help!(
        lenient,
        "  subunit-stats run.subunit\n  \
           subunit-stats --by route run.subunit\n  \
           subunit-stats --json --by tag run.subunit | jq .failed\n  \
           make check | subunit-stats -f -o stats.txt | subunit2junitxml"
    )
)]
pub struct Stats {
    #[command(flatten)]
    report: ReportArgs,
    /// Count the tests of each route code, or of each tag, separately
    #[arg(long, value_enum, value_name = "WHAT")]
    by: Option<GroupBy>,
    #[command(flatten)]
    json: JsonArgs,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum GroupBy {
    Route,
    Tag,
}

impl Command for Stats {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let (mut page, mut session) = self.report.lenient().open(streams)?;
        let groups = Groups { by: self.by, ..Groups::default() };
        let records = Records::new((groups, Summary::new())).details(Details::None);
        let (groups, summary) = session.read(records)?;
        let counts = Counts { summary: &summary, groups: &groups };
        if self.json.json { counts.write_json(&mut page) } else { counts.write_text(&mut page) }?;
        session.end(page, &summary, ClosingLine::None)
    }
}

/// How the tests of a group ended.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl Tally {
    fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Skip => self.skipped += 1,
            outcome if outcome.is_failure() => self.failed += 1,
            _ => self.passed += 1,
        }
    }

    fn add_all(&mut self, other: Tally) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }

    /// The whole run: as its tests are listed, where damage is a test.
    fn of(summary: &Summary) -> Self {
        Tally {
            passed: summary.count(Outcome::Success) + summary.count(Outcome::XFail),
            failed: summary.count(Outcome::Fail)
                + summary.count(Outcome::UxSuccess)
                + summary.unfinished()
                + summary.damaged(),
            skipped: summary.count(Outcome::Skip),
        }
    }

    fn columns(self) -> [(&'static str, u64); 4] {
        let total = self.passed + self.failed + self.skipped;
        [("total", total), ("passed", self.passed), ("failed", self.failed), ("skipped", self.skipped)]
    }
}

/// The tags that were seen, and the tests of each group.
#[derive(Debug, Default)]
struct Groups {
    by: Option<GroupBy>,
    tags: BTreeMap<String, Tally>,
    /// Tests that are not counted in `tags` yet, by the bytes that stand for their tags: many have the same ones.
    sets: HashMap<Vec<u8>, SameTags, RandomState>,
    routes: BTreeMap<Option<String>, Tally>,
}

/// The tests that have the same tags.
#[derive(Debug)]
struct SameTags {
    tags: Vec<String>,
    tally: Tally,
}

/// At most this many sets of tags are kept.
const SETS: usize = 256;

impl Groups {
    fn add_tags(&mut self, tags: RecordTags<'_>, outcome: Outcome) {
        if tags.is_empty() {
            return;
        }
        if let Some(set) = self.sets.get_mut(tags.as_bytes()) {
            set.tally.add(outcome);
            return;
        }
        if self.sets.len() >= SETS {
            self.count_sets();
        }
        let mut set = SameTags { tags: tags.iter().map(str::to_owned).collect(), tally: Tally::default() };
        set.tally.add(outcome);
        self.sets.insert(tags.as_bytes().to_vec(), set);
    }

    /// Counts the tests of each set for each of its tags.
    fn count_sets(&mut self) {
        for SameTags { tags, tally } in std::mem::take(&mut self.sets).into_values() {
            tags.into_iter().for_each(|tag| self.tags.entry(tag).or_default().add_all(tally));
        }
    }
}

impl RecordSink for Groups {
    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        let outcome = record.outcome();
        if outcome == Outcome::Exists {
            return Ok(());
        }
        self.add_tags(record.tags(), outcome);
        if self.by == Some(GroupBy::Route) {
            self.routes.entry(record.route_code().map(str::to_owned)).or_default().add(outcome);
        }
        Ok(())
    }

    fn stop_run(&mut self) -> io::Result<()> {
        self.count_sets();
        Ok(())
    }
}

struct Counts<'a> {
    summary: &'a Summary,
    groups: &'a Groups,
}

impl Counts<'_> {
    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        let Tally { passed, failed, skipped } = Tally::of(self.summary);
        writeln!(out, "Total tests:   {:5}", passed + failed + skipped)?;
        writeln!(out, "Passed tests:  {passed:5}")?;
        writeln!(out, "Failed tests:  {failed:5}")?;
        writeln!(out, "Skipped tests: {skipped:5}")?;
        let tags: Vec<_> = self.groups.tags.keys().map(|tag| harmless::line(tag)).collect();
        writeln!(out, "Seen tags: {}", tags.join(", "))?;
        for (label, _, count) in self.more() {
            writeln!(out, "{:21} {count:5}", format!("{label}:"))?;
        }
        if self.summary.flaky() > 0 {
            writeln!(out, "{:21} {:5}", "Flaky tests:", self.summary.flaky())?;
        }
        if self.summary.global_total() > 0 {
            writeln!(out, "Run as a whole: {}", GlobalStatuses(self.summary))?;
        }
        self.write_table(out)
    }

    /// What python-subunit does not count.
    fn more(&self) -> [(&'static str, &'static str, u64); 5] {
        let summary = self.summary;
        [
            ("Expected failures", "xfail", summary.count(Outcome::XFail)),
            ("Unexpected successes", "uxsuccess", summary.count(Outcome::UxSuccess)),
            ("Unfinished tests", "unfinished", summary.unfinished()),
            ("Damaged packets", "damaged", summary.damaged()),
            ("Announced, not run", "announced", summary.announced()),
        ]
    }

    /// The groups that were asked for, each with its name.
    fn rows(&self) -> Vec<(Option<&str>, Tally)> {
        match self.groups.by {
            None => Vec::new(),
            Some(GroupBy::Route) => {
                self.groups.routes.iter().map(|(route, tally)| (route.as_deref(), *tally)).collect()
            }
            Some(GroupBy::Tag) => {
                self.groups.tags.iter().map(|(tag, tally)| (Some(tag.as_str()), *tally)).collect()
            }
        }
    }

    fn write_table(&self, out: &mut dyn Write) -> io::Result<()> {
        let Some(by) = self.groups.by else { return Ok(()) };
        let name = if by == GroupBy::Route { "route" } else { "tag" };
        writeln!(out, "\n  total  passed  failed skipped  {name}")?;
        for (name, tally) in self.rows() {
            let [total, passed, failed, skipped] = tally.columns().map(|(_, count)| count);
            let name = name.map_or("(none)".into(), harmless::line);
            writeln!(out, "{total:7} {passed:7} {failed:7} {skipped:7}  {name}")?;
        }
        Ok(())
    }

    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut bytes = Vec::new();
        let mut object = Object::new(&mut bytes);
        push_counts(&Tally::of(self.summary), &mut object);
        for (_, key, count) in self.more() {
            object.number(key, count);
        }
        if self.summary.flaky() > 0 {
            object.number("flaky", self.summary.flaky());
        }
        object.number("late", self.summary.late());
        let mut global = Object::new(object.key("run"));
        for status in subunit::Status::ALL {
            global.number(status.as_str(), self.summary.global(status));
        }
        global.end();
        object.truth("success", self.summary.is_success());
        object.strings("tags", self.groups.tags.keys().map(String::as_str));
        if let Some(by) = self.groups.by {
            self.push_rows(by, &mut object);
        }
        object.end();
        bytes.push(b'\n');
        out.write_all(&bytes)
    }

    fn push_rows(&self, by: GroupBy, object: &mut Object<'_>) {
        let (key, name) = if by == GroupBy::Route { ("by_route", "route") } else { ("by_tag", "tag") };
        let out = object.key(key);
        out.push(b'[');
        for (number, (value, tally)) in self.rows().into_iter().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            let mut row = Object::new(out);
            row.optional(name, value);
            push_counts(&tally, &mut row);
            row.end();
        }
        out.push(b']');
    }
}

fn push_counts(tally: &Tally, object: &mut Object<'_>) {
    tally.columns().into_iter().for_each(|(key, count)| object.number(key, count));
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use subunit::{Event, Tags, encode};

    use super::*;

    fn check(args: &[&str], expected: &str) {
        let tagged = |tags, event| Event { tags: Tags::from(tags), ..event };
        let events = [
            tagged(&["x", "a"][..], Event::status("a", subunit::Status::Success)),
            tagged(&["x"], Event { route_code: Some("0"), ..Event::status("a", subunit::Status::UxSuccess) }),
            Event::status("b", subunit::Status::XFail),
            Event::status("c", subunit::Status::Skip),
            Event::status("d", subunit::Status::InProgress),
            tagged(&["unseen"], Event::status("e", subunit::Status::Exists)),
            Event { status: Some(subunit::Status::Fail), ..Event::default() },
        ];
        let mut stream = Vec::new();
        events.iter().for_each(|event| encode(event, &mut stream).unwrap());
        stream.extend(b"\n\xb3damaged");
        let outcome = cli::run_with::<Stats>(args, &stream);
        assert_eq!((outcome.verdict, outcome.errors()), (Verdict::Failed, "\n"));
        assert_eq!(outcome.output(), expected);
    }

    #[test]
    fn the_arguments_are_sound() {
        Stats::command().debug_assert();
    }

    const TEXT: &str = "\
Total tests:       6
Passed tests:      2
Failed tests:      3
Skipped tests:     1
Seen tags: a, x
Expected failures:        1
Unexpected successes:     1
Unfinished tests:         1
Damaged packets:          1
Announced, not run:       1
Run as a whole: statuses without a test id: 1 fail
";

    #[test]
    fn the_first_lines_are_those_of_python_and_more_follow() {
        check(&[], TEXT);
    }

    #[test]
    fn groups_are_counted_apart() {
        let head = "\n  total  passed  failed skipped  ";
        let routes = "route\n      5       2       2       1  (none)\n      1       0       1       0  0\n";
        check(&["--by", "route"], &format!("{TEXT}{head}{routes}"));
        let tags = "tag\n      1       1       0       0  a\n      2       1       1       0  x\n";
        check(&["--by", "tag"], &format!("{TEXT}{head}{tags}"));
    }

    #[test]
    fn json_has_all_of_it() {
        let json = r#"{"total":6,"passed":2,"failed":3,"skipped":1,"xfail":1,"uxsuccess":1,"unfinished":1,"damaged":1,"announced":1,"late":0,"run":{"exists":0,"inprogress":0,"success":0,"uxsuccess":0,"skip":0,"fail":1,"xfail":0},"success":false,"tags":["a","x"],"by_tag":[{"tag":"a","total":1,"passed":1,"failed":0,"skipped":0},{"tag":"x","total":2,"passed":1,"failed":1,"skipped":0}]}"#;
        check(&["--json", "--by=tag"], &format!("{json}\n"));
    }
}
