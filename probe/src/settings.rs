//! What holds for a test, and for a whole run.

use std::time::Duration;

use process::{Deadline, Wait};

use super::{ExpectedFailure, MetricKind, ProbeArgs, StateFile, Thresholds, WarningAs};

/// What holds for a test.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The ranges of its numbers.
    pub thresholds: Thresholds,
    /// What a warning is.
    pub warning_as: WarningAs,
    /// How long it may take.
    pub timeout: Duration,
    /// How long a single operation of it may take.
    pub op_timeout: Duration,
    /// How often it is tried again when it fails.
    pub retries: u32,
    /// How long to wait before that.
    pub retry_delay: Duration,
    /// Outages that are known.
    pub expect_fail: Vec<ExpectedFailure>,
    /// The tags of its result.
    pub tags: Vec<String>,
    /// After how many failures in a row it fails.
    pub fail_after: u32,
    /// After how many successes in a row it succeeds again.
    pub recover_after: u32,
}

impl Settings {
    /// What these arguments say, for tests that measure such numbers.
    ///
    /// # Errors
    ///
    /// When a threshold is not valid.
    pub fn new(args: &ProbeArgs, metrics: &'static [MetricKind]) -> anyhow::Result<Self> {
        Ok(Settings {
            thresholds: args.thresholds(metrics)?,
            warning_as: args.warning_as,
            timeout: args.timeout,
            op_timeout: args.op_timeout,
            retries: args.retries,
            retry_delay: args.retry_delay,
            expect_fail: args.expect_fail.clone(),
            tags: args.tag.clone(),
            fail_after: args.fail_after,
            recover_after: args.recover_after,
        })
    }
}

/// What holds for a whole run.
#[derive(Debug)]
pub struct RunOptions<'a> {
    /// Only list the tests.
    pub list: bool,
    /// Only say what would be done.
    pub dry_run: bool,
    /// How long all tests together may take.
    pub plan_timeout: Duration,
    /// The stream's route code.
    pub route_code: Option<String>,
    /// The state that earlier runs have left.
    pub state: Option<&'a mut StateFile>,
    /// Whether a signal asked us to end.
    pub interrupt: &'a process::Interrupt,
}

/// How long a test may take, and what ends it early.
#[derive(Clone, Copy, Debug)]
pub struct Limits<'a> {
    /// How long a single operation may take.
    pub operation: Duration,
    /// When the test must be over.
    pub deadline: Deadline,
    /// Whether a signal asked us to end.
    pub interrupt: &'a process::Interrupt,
}

impl<'a> Limits<'a> {
    /// When an operation that begins now must be over.
    #[must_use]
    pub fn operation_deadline(&self) -> Deadline {
        self.deadline.earlier(Deadline::after(self.operation))
    }

    /// How long an operation that begins now may take: never zero, which many take for no limit at all.
    #[must_use]
    pub fn operation_time(&self) -> Duration {
        let left = self.operation_deadline().remaining().unwrap_or(self.operation);
        left.max(Duration::from_millis(1))
    }

    /// How long whoever works for the test waits.
    #[must_use]
    pub fn wait(&self) -> Wait<'a> {
        Wait { deadline: self.deadline, interrupt: self.interrupt }
    }

    /// Waits this long, less when the deadline passes or a signal comes: then false.
    #[must_use]
    pub fn sleep(&self, time: Duration) -> bool {
        self.wait().sleep(time)
    }
}
