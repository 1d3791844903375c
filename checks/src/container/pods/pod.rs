//! A pod to check.

use std::time::SystemTime;

use probe::{Finding, Limits, Secret, Target, target_names};

use super::cluster::{Api, Cluster};
use super::judge;
use super::model::{ContainerStatus, Pod};
use super::usage::Usage;
use crate::container::CheckContainer;
use crate::container::logs;
use crate::container::target::is_image;
use crate::container::time::seconds_before;

/// The pods that the arguments name.
pub(in crate::container) fn targets(api: &Api, args: &CheckContainer) -> anyhow::Result<Vec<PodTarget>> {
    let named = args.containers.iter().chain(&args.more_containers).cloned().map(Which::Named);
    let which: Vec<_> = named.chain(args.user.iter().cloned().map(Which::OfUser)).collect();
    let both: Vec<_> = which.iter().map(|which| (which.text(), which.text())).collect();
    let names = target_names(&args.probe.name, &both)?;
    let cluster = Cluster::new(api, args)?;
    let target = |(which, name)| {
        let (args, cluster) = (args.clone(), cluster.clone());
        PodTarget { which, name, args, cluster, own_name: None, usage: None }
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

/// A pod to check.
pub(in crate::container) struct PodTarget {
    which: Which,
    name: String,
    args: CheckContainer,
    cluster: Cluster,
    /// The name of a user's pod, once it was found.
    own_name: Option<String>,
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
        match (&self.which, &self.own_name) {
            (Which::Named(name), _) => self.cluster.pod(name, limits),
            (Which::OfUser(user), None) => {
                let pod = self.cluster.pod_of(user, &self.args.server_name, limits)?;
                self.own_name = pod.as_ref().map(|pod| pod.metadata.name.clone());
                Ok(pod)
            }
            (Which::OfUser(_), Some(name)) => self.cluster.pod(name, limits),
        }
    }

    pub(in crate::container) fn has_logs(&self) -> bool {
        self.args.log_error.is_some()
    }

    pub(in crate::container) fn ready(&mut self, limits: Limits<'_>) -> Finding {
        self.cluster.ready(limits)
    }

    /// Looks at what the API server says of the pod.
    pub(in crate::container) fn found(
        &mut self,
        limits: Limits<'_>,
        look: impl FnOnce(&mut Self, &Pod, SystemTime) -> Finding,
    ) -> Finding {
        match self.pod(limits) {
            Ok(Some(pod)) => look(self, &pod, SystemTime::now()),
            Ok(None) => Finding::broken(format!(
                "there is no {} in the namespace {}",
                self.missing(),
                self.cluster.namespace()
            )),
            Err(finding) => *finding,
        }
    }

    pub(in crate::container) fn image(&mut self, limits: Limits<'_>) -> Finding {
        self.found(limits, |own, pod, _| judge::image(pod, own.args.image.as_deref(), is_image))
    }

    /// What it uses, as the metrics server has measured it.
    pub(in crate::container) fn usage(
        &mut self,
        judge: fn(&Pod, &Usage) -> Finding,
        limits: Limits<'_>,
    ) -> Finding {
        self.found(limits, |own, pod, _| {
            let usage = match &own.usage {
                Some(usage) => Ok(Some(usage.clone())),
                None => own.cluster.usage::<Usage>(&pod.metadata.name, limits),
            };
            match usage {
                Ok(Some(usage)) => judge(pod, own.usage.insert(usage)),
                Ok(None) => {
                    let reason = "there is no metrics server, or it has not looked at this pod yet";
                    Finding::skipped(reason.to_owned())
                }
                Err(finding) => *finding,
            }
        })
    }

    pub(in crate::container) fn logs(&mut self, limits: Limits<'_>) -> Finding {
        self.found(limits, |own, pod, _| own.logs_of(pod, limits))
    }

    /// The logs of all containers that have begun.
    fn logs_of(&self, pod: &Pod, limits: Limits<'_>) -> Finding {
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

pub(in crate::container) fn exists(pod: &Pod, now: SystemTime) -> Finding {
    let age = seconds_before(now, &pod.metadata.creation_timestamp)
        .map_or_else(String::new, |age| format!(", {} old", crate::container::judge::shown(age)));
    Finding::fine(format!("{} is {}{age}", pod.metadata.name, pod.status.phase))
}
