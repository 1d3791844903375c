//! `check-all`: all targets of a configuration file, in parallel, as one stream.
//!
//! Each target is checked by a process of its own, which is this program once more: it has all checks, and is the
//! one by whose name it is called, as long as an environment variable says so. The parent never waits for one
//! without a deadline, and closes the tests of one that dies, hangs or writes nonsense.
//!
//! A target that is looked at from elsewhere is checked by the same program there: see `remote`.

mod args;
mod child;
mod effective;
mod registry;
mod remote;
mod schedule;
mod schema;
mod scribe;
#[cfg(test)]
mod tests;
mod unit;

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use cli::{Codes, Command, Streams, Verdict};

pub use args::CheckAll;
pub use remote::{Container, Host, RemoteArgs, Site};

use args::Given;
use probe::{Redactor, Rendering, codes, render};
use registry::Entry;
use remote::{Remote, Role};
use schedule::Schedule;
use unit::Units;

use crate::config::{Config, find};

/// The variable that tells a process of this program which check it is, and its helpers whose they are.
const SELF: &str = "SUBUNIT_CHECK";
/// This program.
const PROGRAM: &str = "/proc/self/exe";

/// The whole of the binary: `check-all`, the check that a process of it is to be, or one of its ends of a way to
/// elsewhere.
#[must_use]
pub fn main() -> ExitCode {
    let args: Vec<_> = env::args_os().take(2).collect();
    if let Some(role) = args.get(1).and_then(|word| Role::of(word)) {
        return role.main();
    }
    match called_as(env::var_os(SELF).as_deref(), &args) {
        Some(entry) if args.get(1).is_some_and(|word| word == remote::ARGUMENTS) => remote::be(entry),
        Some(entry) => (entry.main)(&env::args_os().collect::<Vec<_>>()),
        None => cli::main::<CheckAll>(),
    }
}

/// The check that this process is to be. The variable alone does not say it: plugins inherit it.
fn called_as(check: Option<&OsStr>, args: &[OsString]) -> Option<&'static Entry> {
    let entry = Entry::of(check?.to_str()?)?;
    let name = args.first().and_then(|program| Path::new(program).file_name());
    let is_helper = args.get(1).is_some_and(|first| first == "--internal-task");
    let is_called = name.and_then(OsStr::to_str) == Some(&format!("check-{}", entry.name));
    (is_helper || is_called).then_some(entry)
}

impl Command for CheckAll {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        self.run_as(&[OsString::from("check-all")], streams)
    }

    fn run_as(self, args: &[OsString], streams: Streams<'_>) -> anyhow::Result<Verdict> {
        if self.schema {
            streams.output.write_all(schema::schema().as_bytes())?;
            return Ok(Verdict::Passed);
        }
        let config = self.config()?;
        let given = Given::new(args)?;
        if self.print_config {
            let text = effective::print(&config, &self.probe, &self.remote, &given)?;
            streams.output.write_all(text.as_bytes())?;
            return Ok(Verdict::Passed);
        }
        let units = Units::new(&config, &self.probe, &self.remote, &given)?;
        if self.check_config {
            return match units.units.iter().find_map(|unit| Some((unit, unit.broken.as_ref()?))) {
                Some((unit, reason)) => bail!("{}: target {}: {reason}", config.path.display(), unit.name),
                None => Ok(Verdict::Passed),
            };
        }
        self.check(&units, args, streams)
    }

    fn codes(args: &[OsString]) -> Codes {
        codes(args)
    }
}

impl CheckAll {
    /// The configuration that is named, or that is found.
    fn config(&self) -> anyhow::Result<Config> {
        let named = self.probe.config.clone();
        match named.or_else(find) {
            Some(path) => Config::read(&path),
            None => bail!(
                "there is no subunit-checks.toml here, in the user's or in the system's configuration folder; name \
                 one: check-all --config FILE"
            ),
        }
    }

    fn check(
        &self,
        Units { units, plan }: &Units,
        args: &[OsString],
        streams: Streams<'_>,
    ) -> anyhow::Result<Verdict> {
        let shared = &self.probe;
        let is_run = !shared.list && !shared.dry_run;
        let sites = units.iter().map(|unit| &unit.site).filter(|_| is_run);
        let remote = Remote::new(&self.remote, sites)?;
        let schedule = Schedule {
            units,
            program: PathBuf::from(PROGRAM),
            jobs: usize::try_from(self.jobs).context("so many at a time")?,
            time: shared.plan_timeout,
            host: shared.route_code(),
            redactor: Redactor::new(&plan.secrets()),
            interrupt: &streams.interrupt,
            remote: &remote,
        };
        let rendering = Rendering::new("all", shared, args, &streams.terminal);
        let verdict = render(&rendering, streams.output, |result| {
            if is_run { schedule.run(result) } else { schedule.list(result, shared.dry_run) }
        });
        for line in remote.clear() {
            writeln!(streams.errors, "check-all: {line}")?;
        }
        verdict
    }
}
