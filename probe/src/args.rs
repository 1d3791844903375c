//! The arguments that all checks have.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::builder::RangedU64ValueParser;
use cli::value::{positive_duration, positive_size};
use cli::{ColorArgs, OptionFacts};

use super::{Asked, ExpectedFailure, MetricKind, ResultFormat, Selection, Thresholds, host};

/// Where the help lists what is looked at.
const CHOICE: &str = "What to look at";
/// Where it lists how long that may take, and how often it is done.
const TIME: &str = "Time and attempts";
/// Where it lists what counts as a failure.
const VERDICT: &str = "Verdict";
/// Where it lists what is written.
const OUTPUT: &str = "Output";

/// The arguments that all checks have.
#[derive(clap::Args, Clone, Debug)]
pub struct ProbeArgs {
    /// How deep to look: `deep` writes and deletes; what an option is given for is looked at, too
    #[arg(long, value_name = "KIND", default_value = "readiness", add = OptionFacts::ALL_TARGETS, help_heading = CHOICE)]
    pub probe: ProbeKind,
    /// Run only the tests of these ids, aspects or old names, whatever --probe is where they are named exactly, or
    /// where nothing else matches
    #[arg(long, value_name = "GLOB", help_heading = CHOICE)]
    pub only: Vec<String>,
    /// Leave out the tests of these ids, aspects or old names
    #[arg(long, value_name = "GLOB", help_heading = CHOICE)]
    pub skip: Vec<String>,
    /// Run only the tests whose ids are in this file, one a line
    #[arg(long, value_name = "FILE", add = OptionFacts::RUN, help_heading = CHOICE)]
    pub load_list: Option<PathBuf>,
    /// Only list the tests
    #[arg(long, add = OptionFacts::RUN, help_heading = CHOICE)]
    pub list: bool,
    /// Only say what would be done
    #[arg(long, conflicts_with = "list", add = OptionFacts::RUN, help_heading = CHOICE)]
    pub dry_run: bool,
    /// Only say what is looked at and measured, with the ranges that hold by default; for programs with --format json
    #[arg(long, conflicts_with_all = ["list", "dry_run"], add = OptionFacts::RUN, help_heading = CHOICE)]
    pub explain: bool,
    /// How long a test may take: 500ms, 20s, 1m30s; seconds without a unit
    #[arg(
        short, long, value_name = "DURATION", default_value = "20s", value_parser = positive_duration,
        add = OptionFacts::ALL_TARGETS,
        help_heading = TIME
    )]
    pub timeout: Duration,
    /// How long a single operation may take
    #[arg(
        long, value_name = "DURATION", default_value = "5s", value_parser = positive_duration,
        add = OptionFacts::ALL_TARGETS,
        help_heading = TIME
    )]
    pub op_timeout: Duration,
    /// How long all tests together may take (default: 45s, or longer where --timeout is)
    #[arg(long, value_name = "DURATION", value_parser = positive_duration, add = OptionFacts::RUN, help_heading = TIME)]
    pub plan_timeout: Option<Duration>,
    /// Warn when the metric is outside of the range: `response_seconds=500ms`, `write_mbps=50:`
    #[arg(short, long, value_name = "METRIC=RANGE", help_heading = VERDICT)]
    pub warning: Vec<String>,
    /// Fail when the metric is outside of the range
    #[arg(short, long, value_name = "METRIC=RANGE", help_heading = VERDICT)]
    pub critical: Vec<String>,
    /// What a warning is: a success with the tag `warning`, or a failure
    #[arg(long, value_name = "STATUS", default_value = "success", add = OptionFacts::ALL_TARGETS, help_heading = VERDICT)]
    pub warning_as: WarningAs,
    /// Try a failed test again, at most this many times; what hangs is not tried again
    #[arg(long, value_name = "N", default_value_t = 0, add = OptionFacts::ALL_TARGETS, help_heading = TIME)]
    pub retries: u32,
    /// How long to wait before a failed test is tried again
    #[arg(
        long, value_name = "DURATION", default_value = "1s", value_parser = positive_duration,
        add = OptionFacts::ALL_TARGETS,
        help_heading = TIME
    )]
    pub retry_delay: Duration,
    /// How often to measure (default: as often as the check finds it takes)
    #[arg(
        long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000),
        add = OptionFacts::ALL_TARGETS,
        help_heading = TIME
    )]
    pub samples: Option<u32>,
    /// A known outage: failures of the test (an id or a pattern) are expected
    #[arg(
        long, value_name = "ID=REASON[,until=DATE]", value_parser = ExpectedFailure::parse,
        add = OptionFacts::ALL_TARGETS.of_tests(),
        help_heading = VERDICT
    )]
    pub expect_fail: Vec<ExpectedFailure>,
    /// Keep in this file what the next run has to know: counters are compared with those of the last run
    #[arg(long, value_name = "FILE", add = OptionFacts::STATE, help_heading = VERDICT)]
    pub state_file: Option<PathBuf>,
    /// Fail only after this many failures in a row, until then succeed with the tag `failing`
    #[arg(
        long, value_name = "N", default_value_t = 1, value_parser = times(), requires = "state_file",
        add = OptionFacts::ALL_TARGETS.with_state(),
        help_heading = VERDICT
    )]
    pub fail_after: u32,
    /// Having failed, succeed only after this many successes in a row, until then fail with the tag `recovering`
    #[arg(
        long, value_name = "N", default_value_t = 1, value_parser = times(), requires = "state_file",
        add = OptionFacts::ALL_TARGETS.with_state(),
        help_heading = VERDICT
    )]
    pub recover_after: u32,
    /// Check the targets of this file (default: subunit-checks.toml here, else in the user's or the system's
    /// configuration folder, unless a target is named)
    #[arg(long, value_name = "FILE", add = OptionFacts::RUN, help_heading = CHOICE)]
    pub config: Option<PathBuf>,
    /// The target's name in the test ids, once for each target (default: the last part of what it is)
    #[arg(long, value_name = "NAME", add = OptionFacts::RUN, help_heading = CHOICE)]
    pub name: Vec<String>,
    /// The route code of the stream; empty for none (default: the host's short name)
    #[arg(long = "route", alias = "route-code", value_name = "CODE", add = OptionFacts::RUN, help_heading = OUTPUT)]
    pub route_code: Option<String>,
    /// Tag every result
    #[arg(long, value_name = "TAG", add = OptionFacts::ALL_TARGETS, help_heading = OUTPUT)]
    pub tag: Vec<String>,
    /// What to write (default: nagios when called by a name check_…, human on a terminal, else subunit)
    #[arg(long, value_name = "FORMAT", add = OptionFacts::RUN, help_heading = OUTPUT)]
    pub format: Option<ResultFormat>,
    /// Write to this file instead of stdout; documents (nagios, openmetrics, junit) replace it once they are whole
    #[arg(short, long, value_name = "PATH", add = OptionFacts::RUN, help_heading = OUTPUT)]
    pub output: Option<PathBuf>,
    /// Say only what is not well, to people and to nagios
    #[arg(short, long, add = OptionFacts::RUN, help_heading = OUTPUT)]
    pub quiet: bool,
    /// Write no numbers to nagios
    #[arg(long, add = OptionFacts::RUN, help_heading = OUTPUT)]
    pub no_perfdata: bool,
    /// Limit the numbers written to nagios to this size: NRPE cuts off long answers, old versions after 1 KiB (default: no
    /// limit)
    #[arg(
        long, value_name = "SIZE", value_parser = positive_size, conflicts_with = "no_perfdata",
        add = OptionFacts::RUN,
        help_heading = OUTPUT
    )]
    pub perfdata_limit: Option<u64>,
    /// How lines for people look.
    #[command(flatten)]
    pub color: ColorArgs,
    /// The aspects that options were given for: they are looked at whatever the kind.
    #[arg(skip)]
    pub asked: Asked,
    /// What a helper is to do: this program starts itself with it.
    #[arg(long, hide = true, value_name = "TASK", add = OptionFacts::RUN)]
    pub internal_task: Option<OsString>,
}

fn times() -> RangedU64ValueParser<u32> {
    RangedU64ValueParser::new().range(1..=1_000_000)
}

/// How deep to look.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProbeKind {
    /// Has it come up? Cheap, local, without side effects
    Startup,
    /// Is it alive? Cheap, local, without side effects
    Liveness,
    /// Can it serve now? Without side effects
    Readiness,
    /// Does it really work? Writes, reads back and deletes
    Deep,
}

/// What a warning becomes.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum WarningAs {
    /// A success with the tag `warning`
    Success,
    /// A failure with the tag `warning`
    Fail,
}

impl ProbeArgs {
    /// The choice of tests.
    ///
    /// # Errors
    ///
    /// When a pattern is not valid, or the list cannot be read.
    pub fn selection(&self) -> anyhow::Result<Selection> {
        let list = match &self.load_list {
            Some(path) => Some(read_list(path)?),
            None => None,
        };
        Selection::new(&self.only, &self.skip, list).map_err(anyhow::Error::msg)
    }

    /// The ranges of all metrics.
    ///
    /// # Errors
    ///
    /// When a range is not valid, or is of no known metric.
    pub fn thresholds(&self, kinds: &'static [MetricKind]) -> anyhow::Result<Thresholds> {
        Thresholds::parse(kinds, &self.warning, &self.critical).map_err(anyhow::Error::msg)
    }

    /// How long all tests together may take.
    #[must_use]
    pub fn plan_timeout(&self) -> Duration {
        let usual = Duration::from_secs(45);
        self.plan_timeout.unwrap_or_else(|| usual.max(self.timeout.saturating_mul(2)))
    }

    /// The stream's route code, where it has one.
    #[must_use]
    pub fn route_code(&self) -> Option<String> {
        let code = self.route_code.clone().unwrap_or_else(host);
        Some(code).filter(|code| !code.is_empty())
    }
}

fn read_list(path: &std::path::Path) -> anyhow::Result<Vec<String>> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read the list {}", path.display()))?;
    Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
}
