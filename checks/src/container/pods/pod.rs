//! A pod to check.

use std::time::SystemTime;

use probe::{Aspect, Finding, Limits, Secret, Target, target_names};

use super::cluster::{Api, Cluster};
use super::judge;
use super::model::{ContainerStatus, Pod};
use super::usage::{self, Usage};
use crate::container::CheckContainer;
use crate::container::aspect::{
    CPU, ENGINE, EXEC, EXISTS, HEALTH, IMAGE, LOGS, MEMORY, OOM, PIDS, RESTARTS, RUNNING, UPTIME,
};
use crate::container::logs;
use crate::container::target::is_image;
use crate::container::time::seconds_before;

/// The pods that the arguments name.
pub(in crate::container) fn targets(
    api: &Api,
    args: &CheckContainer,
) -> anyhow::Result<Vec<Box<dyn Target>>> {
    let named = args.containers.iter().chain(&args.more_containers).cloned().map(Which::Named);
    let which: Vec<_> = named.chain(args.user.iter().cloned().map(Which::OfUser)).collect();
    let both: Vec<_> = which.iter().map(|which| (which.text(), which.text())).collect();
    let names = target_names(&args.probe.name, &both)?;
    let cluster = Cluster::new(api, args)?;
    let target = |(which, name)| {
        let (args, cluster) = (args.clone(), cluster.clone());
        Box::new(PodTarget { which, name, args, cluster, found: None, usage: None }) as Box<dyn Target>
    };
    Ok(which.into_iter().zip(names).map(target).collect())
}

/// Which pod.
#[derive(Clone, Debug)]
enum Which {
    Named(String),
    /// That of a user of a hub.
    OfUser(String),
}

impl Which {
    fn text(&self) -> &str {
        match self {
            Which::Named(name) | Which::OfUser(name) => name,
        }
    }
}

struct PodTarget {
    which: Which,
    name: String,
    args: CheckContainer,
    cluster: Cluster,
    /// The name of a user's pod, once it was found.
    found: Option<String>,
    /// What it used when it was looked at.
    usage: Option<Usage>,
}

impl Target for PodTarget {
    fn name(&self) -> &str {
        &self.name
    }

    fn shown(&self) -> String {
        format!("{} in {}", self.missing(), self.cluster.shown())
    }

    fn has(&self, aspect: &Aspect) -> bool {
        match aspect.name() {
            // The metrics server does not count processes; commands in pods take another protocol.
            PIDS | EXEC => false,
            LOGS => self.args.log_error.is_some(),
            _ => true,
        }
    }

    fn look(&mut self, aspect: &Aspect, limits: Limits<'_>) -> Finding {
        if aspect.name() == ENGINE {
            return self.cluster.ready(limits);
        }
        match self.pod(limits) {
            Ok(Some(pod)) => self.look_at(aspect.name(), &pod, limits),
            Ok(None) => Finding::broken(format!(
                "there is no {} in the namespace {}",
                self.missing(),
                self.cluster.namespace()
            )),
            Err(finding) => *finding,
        }
    }

    fn tags(&self) -> Vec<String> {
        self.args.net.tags()
    }

    fn secrets(&self) -> Vec<Secret> {
        self.cluster.secrets()
    }
}

impl PodTarget {
    fn missing(&self) -> String {
        match &self.which {
            Which::Named(name) => format!("pod {name}"),
            Which::OfUser(user) if self.args.server_name.is_empty() => format!("pod of the user {user}"),
            Which::OfUser(user) => format!("pod of the user {user} for the server {}", self.args.server_name),
        }
    }

    fn pod(&mut self, limits: Limits<'_>) -> Result<Option<Pod>, Box<Finding>> {
        match (&self.which, &self.found) {
            (Which::Named(name), _) => self.cluster.pod(name, limits),
            (Which::OfUser(user), None) => {
                let pod = self.cluster.pod_of(user, &self.args.server_name, limits)?;
                self.found = pod.as_ref().map(|pod| pod.metadata.name.clone());
                Ok(pod)
            }
            (Which::OfUser(_), Some(name)) => self.cluster.pod(name, limits),
        }
    }

    fn look_at(&mut self, aspect: &str, pod: &Pod, limits: Limits<'_>) -> Finding {
        let now = SystemTime::now();
        match aspect {
            EXISTS => exists(pod, now),
            RUNNING => judge::running(pod, now),
            HEALTH => judge::health(pod, now),
            RESTARTS => judge::restarts(pod, now),
            OOM => judge::oom(pod, now),
            UPTIME => judge::uptime(pod, now),
            MEMORY | CPU => self.usage(aspect, pod, limits),
            IMAGE => judge::image(pod, self.args.image.as_deref(), is_image),
            LOGS => self.logs(pod, limits),
            other => Finding::unknown(format!("there is no aspect {other}")),
        }
    }

    fn usage(&mut self, aspect: &str, pod: &Pod, limits: Limits<'_>) -> Finding {
        let usage = match &self.usage {
            Some(usage) => Ok(Some(usage.clone())),
            None => self.cluster.usage::<Usage>(&pod.metadata.name, limits),
        };
        let usage = match usage {
            Ok(Some(usage)) => usage,
            Ok(None) => {
                let reason = "there is no metrics server, or it has not looked at this pod yet";
                return Finding::skipped(reason.to_owned());
            }
            Err(finding) => return *finding,
        };
        self.usage = Some(usage.clone());
        if aspect == MEMORY { usage::memory(pod, &usage) } else { usage::cpu(pod, &usage) }
    }

    /// The logs of all containers that have begun.
    fn logs(&self, pod: &Pod, limits: Limits<'_>) -> Finding {
        let Some(pattern) = &self.args.log_error else {
            return Finding::skipped("nothing was asked for".to_owned());
        };
        let has_begun = |container: &&ContainerStatus| container.state.waiting.is_none();
        let mut text = String::new();
        for container in pod.containers().iter().filter(has_begun) {
            match self.cluster.log(&pod.metadata.name, &container.name, self.args.log_lines, limits) {
                Ok(log) => text.push_str(&log),
                Err(finding) => return *finding,
            }
        }
        logs::judge(&text, pattern)
    }
}

fn exists(pod: &Pod, now: SystemTime) -> Finding {
    let age = seconds_before(now, &pod.metadata.creation_timestamp)
        .map_or_else(String::new, |age| format!(", {} old", crate::container::judge::shown(age)));
    Finding::fine(format!("{} is {}{age}", pod.metadata.name, pod.status.phase))
}
