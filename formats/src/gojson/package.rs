//! A package under way, and its tests.

use std::time::Duration;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use streamresult::Spooled;
use subunit::{Status, Timestamp};

use super::mark::{self, PackageLine};
use super::reason::LastLog;
use crate::held::before;

/// A test that has begun.
#[derive(Debug, Default)]
pub(super) struct Test {
    /// Its place among all that began.
    pub(super) number: u64,
    pub(super) began: Option<Timestamp>,
    /// Whether some of its output has been taken.
    pub(super) has_output: bool,
    /// Whether it waits to run beside others.
    pub(super) is_paused: bool,
    /// When it began to wait.
    pub(super) paused: Option<Timestamp>,
    /// How long it has waited.
    pub(super) waited: Duration,
    /// How it ended, by its output.
    pub(super) shown: Option<Status>,
    pub(super) log: LastLog,
}

/// Go rounds to hundredths of a second, and its lines may come a little late.
const ROUNDING: Duration = Duration::from_millis(20);

/// A package that has not ended.
#[derive(Debug, Default)]
pub(super) struct Package {
    /// Its place among all that began.
    pub(super) number: u64,
    pub(super) began: Option<Timestamp>,
    pub(super) tests: HashMap<String, Test, RandomState>,
    /// The benchmark that runs, after those that it is part of.
    pub(super) benchmarks: Vec<String>,
    /// The last test that ended.
    pub(super) last: String,
    pub(super) last_status: Option<Status>,
    /// Whether a test of it failed.
    pub(super) has_failure: bool,
    /// Its own output.
    pub(super) output: Spooled,
    /// Whether that is more than every package prints.
    pub(super) is_notable: bool,
    /// Whether the framework has printed the verdict: then all tests have ended.
    pub(super) has_verdict: bool,
    pub(super) has_crashed: bool,
    pub(super) is_unbuilt: bool,
    /// The start of a line of figures.
    pub(super) line: String,
}

/// How a package came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PackageEnd {
    Passed,
    Failed,
    /// The stream ended first.
    Cut,
}

impl Package {
    /// Takes note of a line of its own output.
    pub(super) fn note(&mut self, of: PackageLine) {
        match of {
            PackageLine::Verdict => self.has_verdict = true,
            PackageLine::Usual => {}
            PackageLine::BuildFailed => self.is_unbuilt = true,
            PackageLine::Crash => {
                self.has_crashed = true;
                self.is_notable = true;
            }
            PackageLine::Other => self.is_notable = true,
        }
    }

    /// Takes note of the end of a test that stands behind text which had no newline, in the output of any.
    pub(super) fn show_glued(&mut self, line: &str) {
        if line.trim_ascii_end().ends_with("s)")
            && let Some((status, name)) = mark::glued(line)
            && let Some(test) = self.tests.get_mut(name)
        {
            test.shown = Some(status);
        }
    }

    /// The tests whose end was not reported, in order of their start.
    pub(super) fn take_tests(&mut self) -> Vec<(String, Test)> {
        let mut tests: Vec<_> = self.tests.drain().collect();
        tests.sort_unstable_by_key(|(_, test)| test.number);
        tests
    }

    /// The benchmarks that have ended because this one begins: one runs at a time, and only a failure is reported.
    pub(super) fn benchmarks_before(&mut self, name: &str) -> Vec<(String, Test)> {
        let mut ended = Vec::new();
        while let Some(last) = self.benchmarks.pop_if(|last| !is_part(name, last)) {
            ended.extend(self.tests.remove(&*last).map(|test| (last, test)));
        }
        self.benchmarks.push(name.to_owned());
        ended
    }

    /// Remembers the last test that ended.
    pub(super) fn ended(&mut self, test: &str, status: Status) {
        self.has_failure |= status == Status::Fail;
        self.last.clear();
        self.last.push_str(test);
        self.last_status = Some(status);
    }
}

fn is_part(name: &str, of: &str) -> bool {
    name.strip_prefix(of).is_some_and(|rest| rest.starts_with('/'))
}

impl Test {
    /// Notes that it waits, or goes on.
    pub(super) fn pause(&mut self, is_paused: bool, time: Option<Timestamp>) {
        self.is_paused = is_paused;
        let since = if is_paused { None } else { self.paused.take() };
        if let (Some(since), Some(now)) = (since, time) {
            self.waited += now.saturating_since(since);
        }
        self.paused = time.filter(|_| is_paused);
    }

    /// A time of its own: what it waited for others is not part of how long it took, so that all that comes later seems
    /// to have come earlier.
    pub(super) fn own_time(&self, time: Option<Timestamp>) -> Option<Timestamp> {
        if self.waited.is_zero() { time } else { before(time, self.waited) }
    }

    /// When it ended, of one that ran for `elapsed` seconds, as go says: parallel tests within it do not count. The
    /// times of the lines are more exact where they come to the same.
    pub(super) fn end(&self, time: Option<Timestamp>, elapsed: Option<f64>) -> Option<Timestamp> {
        let time = self.own_time(time);
        let elapsed = elapsed.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let (Some(began), Some(end), Some(elapsed)) = (self.began, time, elapsed) else { return time };
        if end.saturating_since(began).abs_diff(elapsed) <= ROUNDING {
            return time;
        }
        Timestamp::from_epoch(began.since_epoch().saturating_add(elapsed)).or(time)
    }

    /// How a test ended whose end was not reported, and the note that says why it counts as failed.
    pub(super) fn settle(
        &self,
        name: &str,
        has_verdict: bool,
        end: PackageEnd,
    ) -> (Status, Option<&'static str>) {
        let lost = match end {
            PackageEnd::Cut => "the output of go test ends before the test does\n",
            _ if self.is_paused => "the package ended while the test was paused\n",
            _ => "the package ended before the test did\n",
        };
        if end == PackageEnd::Cut || !has_verdict {
            return (Status::Fail, Some(lost));
        }
        match self.shown {
            Some(Status::Fail) => (Status::Fail, None),
            Some(status) => (status, None),
            // For a benchmark only a failure is reported.
            None if name.starts_with("Benchmark") => (Status::Success, None),
            None => (Status::Fail, Some(lost)),
        }
    }
}
