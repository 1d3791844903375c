//! A container to check.

use std::time::SystemTime;

use anyhow::ensure;
use net::encode;
use probe::{Finding, Limits, Target, target_names};
use serde::Deserialize;

use super::args::CheckContainer;
use super::engine::Engine;
use super::inspect::Inspect;
use super::stats::{self, Stats};
use super::time::seconds_before;
use super::{exec, logs};

/// The containers that the arguments name.
pub(super) fn targets(args: &CheckContainer) -> anyhow::Result<Vec<Container>> {
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
        Container { container, name, args, engine, asked: false, stats: None, left: None }
    };
    Ok(containers.into_iter().zip(names).map(target).collect())
}

/// A container to check.
pub(super) struct Container {
    container: String,
    name: String,
    args: CheckContainer,
    engine: Engine,
    /// Whether the engine was asked for its version.
    asked: bool,
    /// What it used when it was looked at.
    stats: Option<Stats>,
    /// The command that was started in it and may go on.
    left: Option<exec::Started>,
}

/// An answer of `/images/ID/json`, as far as it is used here.
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

    fn finish(&mut self, limits: Limits<'_>) -> Option<Finding> {
        self.left.take().and_then(|started| exec::end(&self.engine, &started, limits))
    }
}

impl Container {
    pub(super) fn has_logs(&self) -> bool {
        self.args.log_error.is_some()
    }

    pub(super) fn has_command(&self) -> bool {
        self.args.exec.is_some()
    }

    pub(super) fn ping(&mut self, limits: Limits<'_>) -> Finding {
        self.asked = true;
        self.engine.ping(limits)
    }

    /// Looks at what the engine says of the container.
    pub(super) fn inspected(
        &mut self,
        limits: Limits<'_>,
        look: impl FnOnce(&mut Self, &Inspect, Limits<'_>) -> Finding,
    ) -> Finding {
        if !self.asked {
            let _version = self.ping(limits);
        }
        match self.engine.inspect(&self.container, limits) {
            Ok(Some(inspect)) => look(self, &inspect, limits),
            Ok(None) => Finding::broken(format!("there is no container {}", self.container)),
            Err(finding) => *finding,
        }
    }

    /// The finding about that state alone.
    pub(super) fn judged(
        &mut self,
        judge: fn(&Inspect, SystemTime) -> Finding,
        limits: Limits<'_>,
    ) -> Finding {
        self.inspected(limits, |_, inspect, _| judge(inspect, SystemTime::now()))
    }

    /// What it uses, once it is known to run.
    pub(super) fn usage(
        &mut self,
        limits: Limits<'_>,
        judge: impl FnOnce(&Engine, &Stats, &Inspect) -> Finding,
    ) -> Finding {
        self.inspected(limits, |own, inspect, limits| {
            if !inspect.state.is_running() {
                return Finding::skipped(format!("it does not run: {}", inspect.state.status));
            }
            // An engine takes a second to answer.
            let stats = match own.stats.clone().map_or_else(|| stats::ask(&own.engine, inspect, limits), Ok) {
                Ok(stats) => own.stats.insert(stats),
                Err(finding) => return *finding,
            };
            judge(&own.engine, stats, inspect)
        })
    }

    pub(super) fn logs(&mut self, limits: Limits<'_>) -> Finding {
        self.inspected(limits, |own, inspect, limits| {
            own.args.log_error.as_ref().map_or_else(nothing_to_do, |pattern| {
                logs::logs(&own.engine, inspect, pattern, own.args.log_lines, limits)
            })
        })
    }

    pub(super) fn exec(&mut self, limits: Limits<'_>) -> Finding {
        self.inspected(limits, |own, inspect, limits| {
            let command = own.args.exec.as_ref();
            command.map_or_else(nothing_to_do, |command| {
                exec::exec(&own.engine, inspect, command, &mut own.left, limits)
            })
        })
    }

    pub(super) fn image(&self, inspect: &Inspect, limits: Limits<'_>, now: SystemTime) -> Finding {
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

/// What it is called by itself.
pub(super) fn exists(inspect: &Inspect) -> Finding {
    Finding::fine(format!("{} is {}", inspect.id.get(..12).unwrap_or(&inspect.id), inspect.state.status))
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
