//! A container to check.

use std::time::SystemTime;

use anyhow::ensure;
use net::encode;
use probe::{Aspect, Finding, Limits, Target, target_names};
use serde::Deserialize;

use super::args::CheckContainer;
use super::aspect::{
    CPU, ENGINE, EXEC, EXISTS, HEALTH, IMAGE, LOGS, MEMORY, OOM, PIDS, RESTARTS, RUNNING, UPTIME,
};
use super::engine::Engine;
use super::inspect::Inspect;
use super::stats::{self, Stats};
use super::time::seconds_before;
use super::{exec, judge, logs};

/// The containers that the arguments name.
pub(super) fn targets(args: &CheckContainer) -> anyhow::Result<Vec<Box<dyn Target>>> {
    let containers: Vec<_> = args.containers.iter().chain(&args.more_containers).cloned().collect();
    let both: Vec<_> = containers.iter().map(|name| (name.as_str(), name.as_str())).collect();
    let names = target_names(&args.probe.name, &both)?;
    ensure!(
        !args.has_options_of_kubernetes(),
        "options for tokens and TLS are for the API server of Kubernetes: --kubernetes names it"
    );
    let engine = Engine::new(args.socket.as_ref())?;
    let target = |(container, name)| {
        let (args, engine) = (args.clone(), engine.clone());
        Box::new(Container { container, name, args, engine, asked: false, stats: None }) as Box<dyn Target>
    };
    Ok(containers.into_iter().zip(names).map(target).collect())
}

struct Container {
    container: String,
    name: String,
    args: CheckContainer,
    engine: Engine,
    /// Whether the engine was asked for its version.
    asked: bool,
    /// What it used when it was looked at.
    stats: Option<Stats>,
}

/// An answer of `/images/ID/json`, as far as it is of use.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Image {
    created: String,
    repo_tags: Option<Vec<String>>,
}

impl Target for Container {
    fn name(&self) -> &str {
        &self.name
    }

    fn shown(&self) -> String {
        format!("{} of the engine at {}", self.container, self.engine.shown())
    }

    fn has(&self, aspect: &Aspect) -> bool {
        match aspect.name() {
            EXEC => self.args.exec.is_some(),
            LOGS => self.args.log_error.is_some(),
            _ => true,
        }
    }

    fn look(&mut self, aspect: &Aspect, limits: Limits<'_>) -> Finding {
        if aspect.name() == ENGINE || !self.asked {
            let finding = self.engine.ping(limits);
            self.asked = true;
            if aspect.name() == ENGINE {
                return finding;
            }
        }
        match self.engine.inspect(&self.container, limits) {
            Ok(Some(inspect)) => self.look_at(aspect.name(), &inspect, limits),
            Ok(None) => Finding::broken(format!("there is no container {}", self.container)),
            Err(finding) => *finding,
        }
    }
}

impl Container {
    fn look_at(&mut self, aspect: &str, inspect: &Inspect, limits: Limits<'_>) -> Finding {
        let now = SystemTime::now();
        match aspect {
            EXISTS => Finding::fine(format!(
                "{} is {}",
                inspect.id.get(..12).unwrap_or(&inspect.id),
                inspect.state.status
            )),
            RUNNING => judge::running(inspect, now),
            HEALTH => judge::health(inspect, now),
            RESTARTS => judge::restarts(inspect, now),
            OOM => judge::oom(inspect),
            UPTIME => judge::uptime(inspect, now),
            MEMORY | CPU | PIDS => self.usage(aspect, inspect, limits),
            IMAGE => self.image(inspect, limits, now),
            LOGS => self.args.log_error.as_ref().map_or_else(nothing_to_do, |pattern| {
                logs::logs(&self.engine, inspect, pattern, self.args.log_lines, limits)
            }),
            EXEC => self
                .args
                .exec
                .as_ref()
                .map_or_else(nothing_to_do, |command| exec::exec(&self.engine, inspect, command, limits)),
            _ => nothing_to_do(),
        }
    }

    fn usage(&mut self, aspect: &str, inspect: &Inspect, limits: Limits<'_>) -> Finding {
        if !inspect.state.is_running() {
            return Finding::skipped(format!("it does not run: {}", inspect.state.status));
        }
        // To be asked takes an engine a second.
        let stats = match self.stats.clone().map_or_else(|| stats::ask(&self.engine, inspect, limits), Ok) {
            Ok(stats) => stats,
            Err(finding) => return *finding,
        };
        self.stats = Some(stats.clone());
        match aspect {
            MEMORY => stats::memory(&stats, inspect),
            CPU => stats::cpu(&self.engine, inspect, &stats, limits),
            _ => stats::pids(&stats),
        }
    }

    fn image(&self, inspect: &Inspect, limits: Limits<'_>, now: SystemTime) -> Finding {
        let (name, id) = (&inspect.config.image, &inspect.image);
        if let Some(wanted) = self.args.image.as_ref().filter(|wanted| !is_image(wanted, name, id)) {
            return Finding::broken(format!("it runs {name} ({id}), not {wanted}"));
        }
        let found: Result<Image, _> = self.engine.json(&format!("/images/{}/json", encode(id)), limits);
        let image = match found {
            Ok(image) => image,
            Err(finding) => return *finding,
        };
        let tags = image.repo_tags.unwrap_or_default();
        let finding = if !name.is_empty() && !tags.is_empty() && !is_tagged(&tags, name) && !id.contains(name)
        {
            Finding::warning(format!("{name} is another image now: the container still runs {id}"))
        } else {
            Finding::fine(format!("it runs {name}"))
        };
        let age = seconds_before(now, &image.created);
        age.into_iter().fold(finding, |finding, age| finding.with_metric("image_age_seconds", age))
    }
}

fn is_tagged(tags: &[String], name: &str) -> bool {
    tags.iter().any(|tag| is_name(name, tag))
}

/// Whether two names are of one image: without a tag it is `latest`, without a registry any.
fn is_name(one: &str, other: &str) -> bool {
    let full = |name: &str| {
        let has_tag = name.rsplit('/').next().is_some_and(|last| last.contains([':', '@']));
        if has_tag { name.to_owned() } else { format!("{name}:latest") }
    };
    let (one, other) = (full(one), full(other));
    let (long, short) = if one.len() > other.len() { (one, other) } else { (other, one) };
    long == short || long.strip_suffix(&short).is_some_and(|rest| rest.ends_with('/'))
}

pub(super) fn is_image(wanted: &str, name: &str, id: &str) -> bool {
    let digest = id.strip_prefix("sha256:").unwrap_or(id);
    let begins = wanted.strip_prefix("sha256:").unwrap_or(wanted);
    is_name(wanted, name) || begins.len() >= 12 && digest.starts_with(begins)
}

fn nothing_to_do() -> Finding {
    Finding::skipped("nothing was asked for".to_owned())
}
