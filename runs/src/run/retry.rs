//! What is done about tests that fail: they are tried again, or no more is run.

use runner::suite::Retries;

/// What is done about tests that fail.
#[derive(clap::Args, Clone, Copy, Debug)]
#[command(next_help_heading = "When tests fail")]
pub(super) struct RetryArgs {
    /// Run each test that fails up to this many more times. One that passes then is "flaky", with the tag attempt-N; the
    /// files of the attempts before are "attempt-1 traceback" and so on. A test that ends its worker is not run again
    #[arg(long, value_name = "N", conflicts_with = "command")]
    retries: Option<u32>,
    /// Whether a test passes or fails that passed only when it was run again
    #[arg(long, value_enum, value_name = "OUTCOME", conflicts_with = "command")]
    flaky: Option<Flaky>,
    /// Stop when so many tests have failed: end what runs, and begin no more
    #[arg(
        long,
        value_name = "N",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "1",
        value_parser = clap::value_parser!(u32).range(1..),
        conflicts_with = "command"
    )]
    fail_fast: Option<u32>,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum Flaky {
    Pass,
    Fail,
}

impl RetryArgs {
    /// These, and where they say nothing those of the suite.
    pub(super) fn over(self, suite: Retries) -> Retries {
        Retries {
            most: self.retries.unwrap_or(suite.most),
            flaky_fails: self.flaky.map_or(suite.flaky_fails, |flaky| flaky == Flaky::Fail),
        }
    }

    /// How many failures end the run.
    pub(super) fn most_failures(self) -> Option<u32> {
        self.fail_fast
    }
}
