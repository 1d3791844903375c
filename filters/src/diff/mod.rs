//! The command `subunit-diff`: what changed from one stream to another.

mod change;
mod names;
mod table;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use cli::value::duration;
use cli::{Command, InputArgs, Streams, Verdict};
use process::Interrupt;
use streamresult::{Details, Outcome, Record, RecordSink, Records, drive};

use change::{Change, Counts, Kind};
use names::{Test, Tests};
use table::{Side, Table};

/// Tell what changed from one stream to another: new, gone, broken, fixed, slower
///
/// Each change is a line: a `broken` test fails now and did not before, a `fixed` one the other way round; `new` and
/// `gone` ones ran in one of the runs only, `slower` ones took much longer, and `changed` is any other change of
/// outcome. Failing, passing unexpectedly and never finishing are failures. If a test ran several times, the last time
/// counts.
///
/// `subunit diff` with runs of a repository, or without arguments, is `subunit compare`.
#[derive(clap::Parser, Debug)]
#[command(
    name = "subunit-diff",
    version,
    after_help = cli::help!(
        [Passed = "nothing changed", Failed = "something changed"],
        "  subunit-diff before.subunit after.subunit\n  \
           make check | subunit-diff last-week.subunit -\n  \
           subunit-diff --slower 1.5 --slower-by 1s a.subunit b.subunit | grep ^slower\n  \
           subunit-diff --ignore-routes --json monday.subunit tuesday.subunit"
    )
)]
pub struct Diff {
    /// The stream of the run before; `-` is stdin
    #[arg(value_name = "BEFORE")]
    before: PathBuf,
    /// The stream of the run after it; `-` is stdin
    #[arg(value_name = "AFTER")]
    after: PathBuf,
    /// Write one JSON object per line
    #[arg(long)]
    json: bool,
    /// Call a test slower when it takes this many times as long; 0 means never
    #[arg(long, value_name = "FACTOR", default_value_t = 2.0)]
    slower: f64,
    /// Call a test slower only when it takes at least this much longer: 100ms, 1.5s; without a unit, seconds
    #[arg(long, value_name = "DURATION", default_value = "100ms", value_parser = duration)]
    slower_by: Duration,
    /// Identify tests by their ids alone, wherever they ran; of several outcomes in a run, any failure counts
    #[arg(long)]
    ignore_routes: bool,
}

impl Command for Diff {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let Streams { input, output, errors, interrupt, .. } = streams;
        let is_stdin = |path: &Path| path.as_os_str() == "-";
        anyhow::ensure!(
            !(is_stdin(&self.before) && is_stdin(&self.after)),
            "only one of the streams can be stdin"
        );
        // A run that takes hours should not end in a name that was mistyped.
        for path in [&self.before, &self.after].into_iter().filter(|path| !is_stdin(path)) {
            File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        }
        let mut table = Table::default();
        let stdin_is_before = is_stdin(&self.before);
        let (first, second): (Box<dyn Read + Send>, Box<dyn Read + Send>) =
            if stdin_is_before { (input, Box::new(io::empty())) } else { (Box::new(io::empty()), input) };
        let before = self.read(Side::Before, first, &interrupt, &mut table)?;
        let after = self.read(Side::After, second, &interrupt, &mut table)?;
        if let Some(verdict) = Verdict::caught(&interrupt) {
            // Half of a run differs from a whole one everywhere.
            return Ok(verdict);
        }
        let mut counts = Counts::default();
        self.compare(before, after, &mut table, |change| {
            counts.add(change.kind);
            if self.json { change.write_json(output) } else { change.write_line(output) }
        })?;
        output.flush()?;
        if counts.is_empty() {
            return Ok(Verdict::Passed);
        }
        writeln!(errors, "{counts}")?;
        Ok(Verdict::Failed)
    }
}

impl Diff {
    fn read(
        &self,
        side: Side,
        stdin: Box<dyn Read + Send>,
        interrupt: &Interrupt,
        table: &mut Table,
    ) -> anyhow::Result<Tests> {
        let path = if side == Side::Before { &self.before } else { &self.after };
        let input = InputArgs { files: vec![path.clone()] }.open(stdin, interrupt);
        let mut reading = RunSink { side, table, tests: Tests::default(), ignore_routes: self.ignore_routes };
        drive(input, &mut Records::new(&mut reading).details(Details::None))?;
        Ok(reading.tests)
    }

    /// Tells the changes: those of tests that ran after in order of their end, then those that are gone.
    fn compare(
        &self,
        before: Tests,
        after: Tests,
        table: &mut Table,
        mut tell: impl FnMut(&Change<'_>) -> io::Result<()>,
    ) -> anyhow::Result<()> {
        after.for_each(|test| {
            let hash = table.hash(self.route(test), test.id);
            if !table.is_last(hash) {
                return Ok(());
            }
            let (was, is) = (table.get(Side::Before, hash), table.get(Side::After, hash));
            let seconds = [was.and_then(|_| table.seconds(hash)), test.seconds()];
            match self.kind(was, is, seconds) {
                Some(kind) => tell(&Change { kind, test, outcomes: [was, is], seconds }),
                None => Ok(()),
            }
        })?;
        before.for_each(|test| {
            let hash = table.hash(self.route(test), test.id);
            if table.get(Side::After, hash).is_some() {
                return Ok(());
            }
            let was = table.take_before(hash);
            if was.is_none() {
                return Ok(());
            }
            tell(&Change { kind: Kind::Gone, test, outcomes: [was, None], seconds: [test.seconds(), None] })
        })?;
        Ok(())
    }

    fn route<'t>(&self, test: &Test<'t>) -> Option<&'t str> {
        test.route.filter(|_| !self.ignore_routes)
    }

    fn kind(&self, was: Option<Outcome>, is: Option<Outcome>, seconds: [Option<f64>; 2]) -> Option<Kind> {
        let (Some(was), Some(is)) = (was, is) else { return Some(Kind::New) };
        match (was.is_failure(), is.is_failure()) {
            (false, true) => Some(Kind::Broken),
            (true, false) => Some(Kind::Fixed),
            _ if was != is => Some(Kind::Changed),
            _ => self.is_slower(seconds).then_some(Kind::Slower),
        }
    }

    fn is_slower(&self, seconds: [Option<f64>; 2]) -> bool {
        let [Some(before), Some(after)] = seconds else { return false };
        self.slower > 0.0 && after > before * self.slower && after - before >= self.slower_by.as_secs_f64()
    }
}

/// Takes the records of one run.
struct RunSink<'t> {
    side: Side,
    table: &'t mut Table,
    tests: Tests,
    ignore_routes: bool,
}

impl RecordSink for RunSink<'_> {
    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        // A test that was announced did not run.
        if record.outcome() == Outcome::Exists {
            return Ok(());
        }
        let test = Test { id: record.test_id(), route: record.route_code(), duration: record.duration() };
        let route = test.route.filter(|_| !self.ignore_routes);
        let hash = self.table.hash(route, test.id);
        let old = self.table.get(self.side, hash).filter(|old| self.ignore_routes && old.is_failure());
        self.table.add(self.side, hash, old.unwrap_or(record.outcome()), test.duration);
        self.tests.push(&test)
    }
}

#[cfg(test)]
mod tests {
    use cli::run_with;
    use subunit::io::Writer;
    use subunit::{Event, Status, Timestamp};

    use super::*;

    /// A stream of `id status seconds`: how long each test took.
    fn stream(tests: &[&str]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut writer = Writer::new(file.reopen().unwrap());
        for test in tests {
            let words: Vec<&str> = test.split(' ').collect();
            let status = words[1].parse().unwrap();
            let route_code = words.iter().find_map(|word| word.strip_prefix('@'));
            let seconds = words.iter().find_map(|word| word.parse::<u32>().ok());
            let at = |seconds| Some(Timestamp { seconds, nanoseconds: 0 });
            let event = Event { route_code, ..Event::status(words[0], Status::InProgress) };
            if let Some(seconds) = seconds {
                writer.write(&Event { timestamp: at(100), ..event }).unwrap();
                writer.write(&Event { timestamp: at(100 + seconds), status: Some(status), ..event }).unwrap();
            } else {
                writer.write(&Event { status: Some(status), ..event }).unwrap();
            }
        }
        writer.flush().unwrap();
        file
    }

    fn check(args: &[&str], before: &[&str], after: &[&str], expected: &[&str]) {
        let files = [before, after].map(stream);
        let paths: Vec<&str> = files.iter().map(|file| file.path().to_str().unwrap()).collect();
        let outcome = run_with::<Diff>(&[args, &paths].concat(), b"");
        assert_eq!(outcome.output().lines().collect::<Vec<_>>(), expected, "{}", outcome.errors());
        let verdict = if expected.is_empty() { Verdict::Passed } else { Verdict::Failed };
        assert_eq!(outcome.verdict, verdict);
    }

    #[test]
    fn each_change_is_told_once() {
        check(
            &[],
            &["a success", "b fail", "c success", "d success", "e success 1", "f skip"],
            &["a inprogress", "b success", "c skip", "x fail", "e success 3", "f skip"],
            &[
                "fixed: b (fail -> success)",
                "changed: c (success -> skip)",
                "new: x (fail)",
                "slower: e (1.000 s -> 3.000 s)",
                "broken: a (success -> unfinished)",
                "gone: d (success)",
            ],
        );
        check(&[], &["a fail", "b success"], &["b success", "a fail"], &[]);
    }

    #[test]
    fn the_last_of_several_outcomes_counts() {
        check(&[], &["a fail", "a success"], &["a success"], &[]);
        check(
            &[],
            &["a success"],
            &["a success", "a fail", "a success", "a fail"],
            &["broken: a (success -> fail)"],
        );
        check(&[], &["a success", "a success", "b exists"], &["a exists"], &["gone: a (success)"]);
    }

    #[test]
    fn routes_tell_tests_apart_unless_they_are_ignored() {
        let (before, after) = (["a success @1", "b fail @1"], ["a success @2", "b fail @2", "b success @1"]);
        check(
            &[],
            &before,
            &after,
            &[
                "new: a [2] (success)",
                "new: b [2] (fail)",
                "fixed: b [1] (fail -> success)",
                "gone: a [1] (success)",
            ],
        );
        check(&["--ignore-routes"], &before, &after, &[]);
    }

    #[test]
    fn much_slower_is_what_the_options_say() {
        let (before, after) = (["a success 10", "b success 1"], ["a success 15", "b success 9"]);
        check(&[], &before, &after, &["slower: b (1.000 s -> 9.000 s)"]);
        let all = ["slower: a (10.000 s -> 15.000 s)", "slower: b (1.000 s -> 9.000 s)"];
        check(&["--slower", "1.4"], &before, &after, &all);
        check(&["--slower=1.4", "--slower-by=6s"], &before, &after, &all[1..]);
        check(&["--slower", "0"], &before, &after, &[]);
    }

    #[test]
    fn json_has_an_object_a_line() {
        check(
            &["--json"],
            &["a\u{1b}\" success 1", "g fail @0"],
            &["a\u{1b}\" fail 2"],
            &[
                r#"{"after":"fail","before":"success","change":"broken","id":"a\u001b\"","seconds_after":2.0,"seconds_before":1.0}"#,
                r#"{"before":"fail","change":"gone","id":"g","route":"0"}"#,
            ],
        );
    }

    #[test]
    fn trouble_is_no_difference() {
        let outcome = run_with::<Diff>(&["/no/file", "-"], b"");
        assert_eq!(outcome.verdict, Verdict::Error);
        assert!(outcome.errors().starts_with("subunit-diff: cannot open /no/file: "), "{}", outcome.errors());
        assert_eq!(run_with::<Diff>(&["-", "-"], b"").verdict, Verdict::Error);
    }
}
