//! Judges the state of a pod, aspect by aspect.

use std::time::SystemTime;

use probe::Finding;

use super::model::{ContainerStatus, Pod, State, Terminated};
use crate::container::judge::{FLAPPING, KILLED, shown};
use crate::container::time::seconds_before;

/// Why a container waits that is being restarted again and again.
const BACK_OFF: &str = "CrashLoopBackOff";
/// Why a container ended or a pod was ended for want of memory.
const OOM: &str = "OOMKilled";

/// For how long a pod may be on its way: images are large.
const FRESH: f64 = 300.0;

/// Whether all of it runs.
pub(in crate::container) fn running(pod: &Pod, now: SystemTime) -> Finding {
    match down(pod, now) {
        Some(finding) => finding,
        None => {
            let names: Vec<_> = pod.containers().iter().map(|container| container.name.as_str()).collect();
            Finding::fine(format!("{} on {}", names.join(", "), pod.spec.node_name))
        }
    }
}

/// What is wrong if it does not run; one that was just made, and of which nothing has failed, is starting.
fn down(pod: &Pod, now: SystemTime) -> Option<Finding> {
    let reason = not_running(pod, now)?;
    let has_ended =
        |container: &ContainerStatus| container.state.terminated.is_some() || container.restart_count > 0;
    let is_sound = pod.metadata.deletion_timestamp.is_none()
        && matches!(pod.status.phase.as_str(), "" | "Pending" | "Running")
        && fault(pod).is_none()
        && !pod.containers().iter().any(has_ended);
    Some(match age(pod, now).filter(|age| is_sound && *age < FRESH) {
        Some(age) => Finding::warning(format!("it has been starting for {}: {reason}", shown(age))),
        None => Finding::broken(reason),
    })
}

/// For how long there has been such a pod.
fn age(pod: &Pod, now: SystemTime) -> Option<f64> {
    seconds_before(now, &pod.metadata.creation_timestamp)
}

/// Why it does not run, if it does not.
fn not_running(pod: &Pod, now: SystemTime) -> Option<String> {
    if let Some(since) = &pod.metadata.deletion_timestamp {
        // It goes on running until it is gone, or its node falls silent.
        let ago = seconds_before(now, since)
            .map_or_else(String::new, |ago| format!(", which began {} ago", shown(ago)));
        return Some(format!("it is being deleted{ago}"));
    }
    let status = &pod.status;
    if status.phase != "Running" {
        let why = blame(pod).map_or_else(String::new, |why| format!(": {why}"));
        return Some(format!(
            "its phase is {}{why}",
            if status.phase.is_empty() { "unknown" } else { &status.phase }
        ));
    }
    // The phase stays what it is as long as one of them runs.
    let down = pod.containers().iter().find(|container| container.state.running.is_none());
    if let Some(container) = down {
        return Some(format!("the container {} does not run: {}", container.name, state(container, now)));
    }
    let (told, all) = (pod.containers().len(), pod.spec.containers.len());
    (told < all || told == 0).then(|| format!("only {told} of its {all} containers are said to run"))
}

/// What keeps a pod from running that does not: the pod's own reason, a container's, or the scheduler's.
fn blame(pod: &Pod) -> Option<String> {
    let unmet = || {
        let kinds = ["PodScheduled", "Initialized", "ContainersReady"];
        let mut unmet = kinds.iter().filter_map(|kind| pod.condition(kind));
        let found = unmet.find(|condition| condition.status != "True")?;
        Some(joined(&found.reason, &found.message))
    };
    fault(pod).or_else(unmet)
}

/// What has failed of it: the pod's own reason, or a container's.
fn fault(pod: &Pod) -> Option<String> {
    let status = &pod.status;
    if !status.reason.is_empty() {
        return Some(joined(&status.reason, &status.message));
    }
    let all = || status.init_container_statuses.iter().chain(pod.containers());
    let waits = |container: &ContainerStatus| {
        let waiting = container.state.waiting.as_ref()?;
        // A container that waits for those before it is not to blame.
        let is_late = ["PodInitializing", "ContainerCreating", ""].contains(&waiting.reason.as_str());
        (!is_late).then(|| format!("{} waits, {}", container.name, joined(&waiting.reason, &waiting.message)))
    };
    let ended = |container: &ContainerStatus| {
        let ended = container.state.terminated.as_ref().filter(|ended| ended.exit_code != 0)?;
        Some(format!("{} ended, {}", container.name, end(ended)))
    };
    all().find_map(waits).or_else(|| all().find_map(ended))
}

fn joined(reason: &str, message: &str) -> String {
    match (reason, message) {
        (reason, "") => reason.to_owned(),
        ("", message) => message.to_owned(),
        (reason, message) => format!("{reason}: {message}"),
    }
}

fn state(container: &ContainerStatus, now: SystemTime) -> String {
    match &container.state {
        State { terminated: Some(ended), .. } => {
            let ago = seconds_before(now, &ended.finished_at);
            end(ended) + &ago.map_or_else(String::new, |ago| format!(", {} ago", shown(ago)))
        }
        State { waiting: Some(waiting), .. } => joined(&waiting.reason, &waiting.message),
        State { .. } => "its node says nothing of it".to_owned(),
    }
}

fn end(ended: &Terminated) -> String {
    format!("{} (exit code {})", joined(&ended.reason, ended.message.trim_end()), ended.exit_code)
}

/// Whether it is ready for those who use it.
pub(in crate::container) fn health(pod: &Pod, now: SystemTime) -> Finding {
    if let Some(finding) = down(pod, now) {
        return finding;
    }
    let Some(ready) = pod.condition("Ready") else {
        return Finding::unknown("the API does not tell whether it is ready".to_owned());
    };
    let why = joined(&ready.reason, &ready.message);
    let starting = pod.containers().iter().find(|container| container.started == Some(false));
    match (ready.status.as_str(), starting) {
        ("True", _) => Finding::fine("it is ready".to_owned()),
        ("Unknown", _) => Finding::broken(format!("whether it is ready is not known any more: {why}")),
        (_, Some(container)) => Finding::warning(format!("{} is still starting: {why}", container.name)),
        (_, None) if age(pod, now).is_some_and(|age| age < FRESH) => {
            Finding::warning(format!("it is not ready yet: {why}"))
        }
        (_, None) => Finding::broken(format!("it is not ready: {why}")),
    }
}

/// Whether it keeps falling over.
pub(in crate::container) fn restarts(pod: &Pod, now: SystemTime) -> Finding {
    let all = || pod.status.init_container_statuses.iter().chain(pod.containers());
    let count: u64 = all().map(|container| container.restart_count).fold(0, u64::saturating_add);
    let is_flapping = |container: &&ContainerStatus| {
        let State { waiting, running, .. } = &container.state;
        let age = running.as_ref().and_then(|running| seconds_before(now, &running.started_at));
        waiting.as_ref().is_some_and(|waiting| waiting.reason == BACK_OFF)
            || container.restart_count > 0 && age.is_some_and(|age| age < FLAPPING)
    };
    let finding = match all().find(is_flapping) {
        Some(container) => {
            let last = container.last_state.terminated.as_ref();
            let last = last.map_or_else(String::new, |ended| format!(", the last end: {}", end(ended)));
            let (name, count) = (&container.name, container.restart_count);
            Finding::broken(format!("{name} falls over again and again: {count} restarts{last}"))
        }
        None => Finding::fine(format!("it was restarted {count} times")),
    };
    finding.with_metric("restarts", count as f64)
}

/// Whether it, or one of its containers, was ended for want of memory.
pub(in crate::container) fn oom(pod: &Pod, now: SystemTime) -> Finding {
    let status = &pod.status;
    if status.reason == "Evicted" && status.message.contains("memory") {
        return Finding::broken(format!("it was evicted: {}", status.message));
    }
    let is_limited = |name: &str| {
        let mut containers = pod.spec.containers.iter().filter(|container| container.name == name);
        containers.any(|container| container.resources.limits.contains_key("memory"))
    };
    for container in pod.containers() {
        let name = &container.name;
        if let Some(ended) = &container.state.terminated {
            if ended.reason == OOM {
                return Finding::broken(format!("{name} was ended for want of memory"));
            }
            if ended.exit_code == KILLED && is_limited(name) {
                return Finding::broken(format!(
                    "{name} was killed (exit code {KILLED}), probably for want of memory"
                ));
            }
        }
        let Some(last) = container.last_state.terminated.as_ref().filter(|last| last.reason == OOM) else {
            continue;
        };
        let ago = seconds_before(now, &last.finished_at)
            .map_or_else(String::new, |ago| format!(" {} ago", shown(ago)));
        let reason = format!("{name} was ended for want of memory{ago}");
        return match &container.state.running {
            Some(_) => Finding::warning(format!("{reason}, and runs again")),
            None => Finding::broken(format!("{reason}, and does not run: {}", state(container, now))),
        };
    }
    Finding::fine("it was not ended for want of memory".to_owned())
}

/// Since when all of it runs.
pub(in crate::container) fn uptime(pod: &Pod, now: SystemTime) -> Finding {
    if let Some(finding) = down(pod, now) {
        return finding;
    }
    let since = |container: &ContainerStatus| {
        container.state.running.as_ref().and_then(|running| seconds_before(now, &running.started_at))
    };
    match pod.containers().iter().filter_map(since).min_by(f64::total_cmp) {
        Some(uptime) => Finding::fine(format!("all of it has run for {}", shown(uptime)))
            .with_metric("uptime_seconds", uptime),
        None => Finding::unknown("the API does not say since when it has been running".to_owned()),
    }
}

/// Whether it runs the image that it must, and can get it.
pub(super) fn image(pod: &Pod, wanted: Option<&str>, is_image: impl Fn(&str, &str, &str) -> bool) -> Finding {
    let refused = ["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"];
    let all = || pod.status.init_container_statuses.iter().chain(pod.containers());
    let waiting = all().find_map(|container| {
        let waiting =
            container.state.waiting.as_ref().filter(|waiting| refused.contains(&waiting.reason.as_str()))?;
        Some(format!(
            "{} does not get its image, {}",
            container.name,
            joined(&waiting.reason, &waiting.message)
        ))
    });
    if let Some(reason) = waiting {
        return Finding::broken(reason);
    }
    let names: Vec<_> = pod.spec.containers.iter().map(|container| container.image.as_str()).collect();
    let runs = names.join(", ");
    let Some(wanted) = wanted else { return Finding::fine(format!("it runs {runs}")) };
    let found = pod.spec.containers.iter().any(|container| {
        let status = pod.containers().iter().find(|status| status.name == container.name);
        // `docker-pullable://registry/name@sha256:…`
        let id = status.map_or("", |status| status.image_id.rsplit('@').next().unwrap_or_default());
        is_image(wanted, &container.image, id)
    });
    if found {
        Finding::fine(format!("it runs {runs}"))
    } else {
        Finding::broken(format!("it runs {runs}, not {wanted}"))
    }
}
