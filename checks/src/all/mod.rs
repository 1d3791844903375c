//! `check-all`: all targets of a configuration file, in parallel, as one stream.
//!
//! Each target is checked by a process of its own, which is this program once more: what it is to be is said by its
//! first arguments (see [`internal`]). The parent never waits for one without a deadline, and closes the tests of one
//! that dies, hangs or writes nonsense.
//!
//! A target that is looked at from elsewhere is checked by the same program there: see `remote`.

mod args;
mod child;
mod effective;
mod internal;
#[cfg(test)]
mod laws;
mod recorder;
mod registry;
mod remote;
mod schedule;
mod schema;
#[cfg(test)]
mod tests;
mod unit;

use std::ffi::OsString;

use anyhow::{Context as _, bail};
use cli::{Codes, Command, Streams, Verdict};

pub use args::CheckAll;
pub use internal::internal;
pub(crate) use registry::{Entry, entry};
pub use remote::RemoteArgs;

use args::Given;
use probe::{Explained, Redactor, Rendering, codes, explain, render};
use remote::Remote;
use schedule::Schedule;
use transport::PROGRAM;
use unit::Units;

use crate::config::{Config, find};

impl Command for CheckAll {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        self.run_as(&[OsString::from("check-all")], streams)
    }

    fn run_as(self, args: &[OsString], streams: Streams<'_>) -> anyhow::Result<Verdict> {
        if self.schema {
            streams.output.write_all(schema::schema().as_bytes())?;
            return Ok(Verdict::Passed);
        }
        if self.probe.explain {
            let of = |entry: &Entry| Explained {
                command: (entry.command)(),
                aspects: (entry.aspects)(),
                metrics: entry.metrics,
            };
            return explain(&registry::CHECKS.iter().map(of).collect::<Vec<_>>(), &self.probe, streams);
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
            program: PROGRAM.to_owned(),
            jobs: usize::try_from(self.jobs).context("so many at a time")?,
            time: shared.plan_timeout,
            host: shared.route_code(),
            redactor: Redactor::new(&plan.secrets()),
            interrupt: &streams.interrupt,
            remote: &remote,
        };
        let rendering = Rendering::new("all", shared, args, &streams.terminal);
        let mut notes = plan.notes();
        let verdict = render(&rendering, streams.output, |result| {
            if is_run { schedule.run(result, &mut notes) } else { schedule.list(result, shared.dry_run) }
        });
        for line in notes.into_iter().chain(remote.clear()) {
            writeln!(streams.errors, "check-all: {line}")?;
        }
        verdict
    }
}
