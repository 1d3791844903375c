//! The command line of `check-container`.

use super::aspect::{ASPECTS, METRICS};
use super::target;
use crate::net::Place;
use crate::probe::{Aspect, Check, MetricKind, ProbeArgs, Target, help_end};

const EXAMPLES: &str = "  check-container jupyterhub
  check-container --socket unix:/run/podman/podman.sock jupyterhub proxy
  check-container --log-error 'ERROR|Traceback' --image registry/hub:5 jupyterhub
  check-container --exec 'ls /scratch' jupyter-user2 | subunit2junitxml -o container.xml
  check-container --list jupyterhub";

/// Check a container of Docker or Podman: running, healthy, not out of memory, not falling over
///
/// Each aspect is a test of its own, container.TARGET.ASPECT. Liveness is engine, exists and running; readiness, the
/// default, asks about health, restarts, oom, uptime, memory, cpu, pids, image and logs; exec runs a command in the
/// container, where one is given. Names are exact.
#[derive(clap::Parser, Clone, Debug)]
#[command(name = "check-container", version, after_help = help_end(EXAMPLES), max_term_width = 110)]
pub struct CheckContainer {
    /// Containers, by name or id
    #[arg(value_name = "CONTAINER")]
    pub containers: Vec<String>,
    /// The same, as an option
    #[arg(long = "container", value_name = "CONTAINER")]
    pub more_containers: Vec<String>,
    /// Where the engine listens, unix:PATH or HOST:PORT (default: $DOCKER_HOST, $CONTAINER_HOST, else the usual
    /// sockets of Docker and Podman)
    #[arg(long, value_name = "PLACE")]
    pub socket: Option<Place>,
    /// The image that the container must run: its name, or the id that begins so
    #[arg(long, value_name = "IMAGE")]
    pub image: Option<String>,
    /// Fail when a line of the log matches this
    #[arg(long, value_name = "REGEX")]
    pub log_error: Option<regex::Regex>,
    /// How many lines of the log to look at, from the last one back
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub log_lines: u32,
    /// Run this command in the container, by /bin/sh; it must exit with 0
    #[arg(long, value_name = "COMMAND")]
    pub exec: Option<String>,
    /// What all checks have.
    #[command(flatten)]
    pub probe: ProbeArgs,
}

impl Check for CheckContainer {
    const NAME: &'static str = "container";
    const ASPECTS: &'static [Aspect] = ASPECTS;
    const METRICS: &'static [MetricKind] = METRICS;

    fn shared(&self) -> &ProbeArgs {
        &self.probe
    }

    fn shared_mut(&mut self) -> &mut ProbeArgs {
        &mut self.probe
    }

    fn is_named(&self) -> bool {
        !self.containers.is_empty() || !self.more_containers.is_empty()
    }

    fn targets(&self) -> anyhow::Result<Vec<Box<dyn Target>>> {
        target::targets(self)
    }

    fn nothing() -> &'static str {
        "no container is named; name one to check: check-container jupyterhub"
    }
}
