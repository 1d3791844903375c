//! A package under way, and its tests.

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use subunit::{Status, Timestamp};

use super::held::Held;
use super::mark::{self, PackageLine};
use super::reason::LastLog;

/// A test that has begun.
#[derive(Debug, Default)]
pub(super) struct Test {
    /// Its place among all that began.
    pub(super) number: u64,
    /// Whether some of its output has been taken.
    pub(super) has_output: bool,
    /// Whether it waits to run beside others.
    pub(super) is_paused: bool,
    /// How it ended, by its output.
    pub(super) shown: Option<Status>,
    pub(super) log: LastLog,
}

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
    pub(super) output: Held,
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
            // For a benchmark only a failure is reported, and in a package that passed all tests did.
            None if name.starts_with("Benchmark") || end == PackageEnd::Passed => (Status::Success, None),
            None => (Status::Fail, Some(lost)),
        }
    }
}
