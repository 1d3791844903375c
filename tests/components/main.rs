//! Tests against real components: mounts that hang, disks that are full, daemons that died.
//!
//! Each scenario is a test. Lines for people by default; with `--subunit` a stream. `--repeat=N` runs all N times
//! over. Other arguments select the scenarios whose ids hold one of them. What a component needs and is not there
//! makes a skip, which is a failure where `SUBUNIT_REQUIRE_COMPONENTS=1`, unless `allowed-skips.txt` lists it.

mod all;
mod autofs;
mod command;
mod container;
mod contract;
mod cvmfs;
mod database;
mod eos;
mod fixtures;
mod http;
mod jupyterhub;
mod kubernetes;
mod page;
mod pipeline;
mod presets;
mod proxy;
mod remote;
mod report;
mod servers;
mod service;
mod tcp;
mod transports;
mod workers;
mod xrootd;

use std::env;
use std::process::ExitCode;

use report::{Outcome, Report};

/// A scenario: what it is called, what it needs, what it does.
struct Scenario {
    id: &'static str,
    needs: &'static [Need],
    run: fn() -> anyhow::Result<()>,
}

/// What may not be there.
#[derive(Clone, Copy)]
enum Need {
    /// To mount file systems.
    Root,
    /// `/dev/fuse`, and to mount.
    Fuse,
    /// A program that can be run.
    Program(&'static str),
    /// What the scenario itself looks for, or fetches: why it is not there.
    Brought(fn() -> Option<String>),
}

impl Need {
    /// Why it is missing, if it is.
    fn missing(self) -> Option<String> {
        let is_root = rustix::process::geteuid().is_root();
        let has_fuse = || std::fs::File::options().read(true).write(true).open("/dev/fuse").is_ok();
        match self {
            Need::Brought(missing) => missing(),
            Need::Program(name) if !is_program(name) => Some(format!("there is no program {name}")),
            Need::Root | Need::Fuse if !is_root => Some("it takes root to mount a file system".to_owned()),
            Need::Fuse if !has_fuse() => Some("there is no /dev/fuse that can be opened".to_owned()),
            _ => None,
        }
    }
}

fn is_program(name: &str) -> bool {
    env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(name).is_file()))
}

/// All scenarios there are.
const SCENARIOS: &[&[Scenario]] = &[
    eos::SCENARIOS,
    xrootd::SCENARIOS,
    cvmfs::SCENARIOS,
    database::SCENARIOS,
    contract::SCENARIOS,
    container::SCENARIOS,
    kubernetes::SCENARIOS,
    command::SCENARIOS,
    http::SCENARIOS,
    jupyterhub::SCENARIOS,
    proxy::SCENARIOS,
    tcp::SCENARIOS,
    all::SCENARIOS,
    service::SCENARIOS,
    remote::SCENARIOS,
    transports::SCENARIOS,
    workers::SCENARIOS,
    page::SCENARIOS,
    presets::SCENARIOS,
];

fn main() -> ExitCode {
    let own: Vec<_> = env::args_os().skip(1).collect();
    if let Some(code) = transports::role(&own) {
        return code;
    }
    let arguments: Vec<String> = env::args().skip(1).collect();
    let filters: Vec<_> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let chosen = |scenario: &&Scenario| {
        filters.is_empty() || filters.iter().any(|filter| scenario.id.contains(filter.as_str()))
    };
    let scenarios: Vec<_> = SCENARIOS.iter().copied().flatten().filter(chosen).collect();
    let mut report = Report::new(arguments.iter().any(|argument| argument == "--subunit"));
    let done = if arguments.iter().any(|argument| argument == "--list") {
        scenarios.iter().try_for_each(|scenario| report.list(scenario.id))
    } else {
        // Before anything is mounted that has a watchdog.
        pipeline::build();
        (0..times(&arguments)).try_for_each(|_| run(&scenarios, &mut report)).and_then(|()| report.finish())
    };
    match done {
        Ok(()) if !report.has_failed() => ExitCode::SUCCESS,
        Ok(()) => ExitCode::FAILURE,
        Err(_) => ExitCode::from(2),
    }
}

/// How often to run them.
fn times(arguments: &[String]) -> u32 {
    let repeat = arguments.iter().find_map(|argument| argument.strip_prefix("--repeat="));
    repeat.and_then(|times| times.parse().ok()).unwrap_or(1)
}

fn run(scenarios: &[&Scenario], report: &mut Report) -> anyhow::Result<()> {
    for scenario in scenarios {
        report.begin(scenario.id)?;
        let missing = scenario.needs.iter().find_map(|need| need.missing());
        let outcome = match missing {
            Some(reason) if must_run(scenario.id) => {
                Outcome::Failed(format!("must not be skipped: {reason}"))
            }
            Some(reason) => Outcome::Skipped(reason),
            None => match (scenario.run)() {
                Ok(()) => Outcome::Passed,
                Err(error) => Outcome::Failed(format!("{error:#}")),
            },
        };
        report.end(scenario.id, &outcome)?;
    }
    Ok(())
}

/// Whether a skip of this test is a failure.
fn must_run(id: &str) -> bool {
    let allowed = include_str!("../allowed-skips.txt").lines().any(|line| line.trim() == id);
    requires_components() && !allowed
}

fn requires_components() -> bool {
    env::var_os("SUBUNIT_REQUIRE_COMPONENTS").is_some_and(|value| value == "1")
}

/// Whether what is not there may be fetched from the network: not by a plain `cargo test`.
fn may_fetch() -> anyhow::Result<()> {
    anyhow::ensure!(requires_components(), "it was not fetched; SUBUNIT_REQUIRE_COMPONENTS=1 has it fetched");
    Ok(())
}
