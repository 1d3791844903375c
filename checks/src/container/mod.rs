//! `check-container`: does a container run, is it healthy, has it room, does it keep falling over?
//!
//! The engine is asked through its own HTTP API on its Unix socket; Docker's, which Podman speaks as well. An engine
//! that is frozen takes connections and says nothing: each request has its time. Pods of Kubernetes are asked for at
//! the cluster's API server.

mod args;
mod engine;
mod exec;
mod inspect;
mod judge;
mod logs;
mod metrics;
mod pods;
mod stats;
mod target;
mod time;

use std::time::SystemTime;

use probe::{AnyTarget, Aspect, AspectFacts, Check, Finding, Limits, MetricKind, ProbeArgs, ProbeKind};

pub use args::{Api, CheckContainer};

use metrics::METRICS;
use pods::PodTarget;
use target::Container;

/// How an aspect of a container is looked at.
type Look = fn(&mut Container, Limits<'_>) -> Finding;

/// All that is looked at, in this order.
const ASPECTS: &[Aspect<Container>] = &[
    ENGINE,
    EXISTS,
    RUNNING,
    HEALTH,
    RESTARTS,
    OOM,
    UPTIME,
    MEMORY,
    CPU,
    running(&["pids"], "counts its processes", |container, limits| {
        container.usage(limits, |_, stats, _| stats::pids(stats))
    }),
    IMAGE,
    LOGS.when(Container::has_logs),
    Aspect::new(&["exec"], ProbeKind::Deep, "runs a command in it", Container::exec)
        .after(&["running"])
        .when(Container::has_command),
];

/// What is looked at of a pod. The metrics server does not count processes; commands in pods take another protocol.
const PODS: &[Aspect<PodTarget>] = &[
    ENGINE.of(PodTarget::ready),
    EXISTS.of(|pod, limits| pod.found(limits, |_, found, now| pods::exists(found, now))),
    RUNNING.of(|pod, limits| pod.found(limits, |_, found, now| pods::running(found, now))),
    HEALTH.of(|pod, limits| pod.found(limits, |_, found, now| pods::health(found, now))),
    RESTARTS.of(|pod, limits| pod.found(limits, |_, found, now| pods::restarts(found, now))),
    OOM.of(|pod, limits| pod.found(limits, |_, found, now| pods::oom(found, now))),
    UPTIME.of(|pod, limits| pod.found(limits, |_, found, now| pods::uptime(found, now))),
    MEMORY.of(|pod, limits| pod.usage(pods::memory, limits)),
    CPU.of(|pod, limits| pod.usage(pods::cpu, limits)),
    IMAGE.of(PodTarget::image),
    LOGS.of(PodTarget::logs).when(PodTarget::has_logs),
];

const ENGINE: Aspect<Container> = Aspect::new(
    &["engine"],
    ProbeKind::Startup,
    "asks the engine whether it is there, and for its version",
    Container::ping,
);

const EXISTS: Aspect<Container> = Aspect::new(
    &["exists"],
    ProbeKind::Startup,
    "asks the engine for the container",
    |container: &mut Container, limits| container.inspected(limits, |_, inspect, _| target::exists(inspect)),
)
.after(&["engine"]);

const RUNNING: Aspect<Container> = Aspect::new(
    &["running", "docker"],
    ProbeKind::Liveness,
    "looks whether it runs, and is not paused or restarting",
    |container: &mut Container, limits| container.judged(judge::running, limits),
)
.after(&["exists"]);

const HEALTH: Aspect<Container> = readiness(
    &["health"],
    "asks for what its own health check found, and how old that is",
    |container, limits| container.judged(judge::health, limits),
);

const RESTARTS: Aspect<Container> = readiness(
    &["restarts"],
    "counts how often it was restarted, and looks whether it falls over again and again",
    |container, limits| container.judged(judge::restarts, limits),
);

const OOM: Aspect<Container> =
    readiness(&["oom"], "looks whether it was ended for want of memory", |container, limits| {
        container.judged(|inspect, _| judge::oom(inspect), limits)
    });

const UPTIME: Aspect<Container> = readiness(&["uptime"], "asks since when it runs", |container, limits| {
    container.judged(judge::uptime, limits)
});

const MEMORY: Aspect<Container> =
    running(&["memory"], "measures how much of the memory that it may use it uses", |container, limits| {
        container.usage(limits, |_, stats, inspect| stats::memory(stats, inspect))
    });

const CPU: Aspect<Container> =
    running(&["cpu"], "measures how much of the processors that it may use it uses", |container, limits| {
        container.usage(limits, |engine, stats, inspect| stats::cpu(engine, inspect, stats, limits))
    });

const IMAGE: Aspect<Container> =
    readiness(&["image"], "asks which image it runs, and how old that is", |container, limits| {
        container.inspected(limits, |own, inspect, limits| own.image(inspect, limits, SystemTime::now()))
    });

const LOGS: Aspect<Container> =
    readiness(&["logs"], "looks for words in the last lines of its log", Container::logs);

const fn readiness(names: &'static [&'static str], about: &'static str, look: Look) -> Aspect<Container> {
    Aspect::new(names, ProbeKind::Readiness, about, look).after(&["exists"])
}

const fn running(names: &'static [&'static str], about: &'static str, look: Look) -> Aspect<Container> {
    Aspect::new(names, ProbeKind::Readiness, about, look).after(&["running"])
}

impl Check for CheckContainer {
    const NAME: &'static str = "container";
    const METRICS: &'static [MetricKind] = METRICS;

    fn aspects() -> Vec<AspectFacts> {
        AspectFacts::of(ASPECTS)
    }

    fn shared(&self) -> &ProbeArgs {
        &self.probe
    }

    fn shared_mut(&mut self) -> &mut ProbeArgs {
        &mut self.probe
    }

    fn is_named(&self) -> bool {
        !self.containers.is_empty() || !self.more_containers.is_empty() || !self.user.is_empty()
    }

    fn targets(&self) -> anyhow::Result<Vec<AnyTarget>> {
        Ok(match &self.kubernetes {
            Some(api) => AnyTarget::all(pods::targets(api, self)?, PODS),
            None => AnyTarget::all(target::targets(self)?, ASPECTS),
        })
    }

    fn nothing() -> &'static str {
        "no container given; name the one to check, for example: check-container jupyterhub"
    }
}
