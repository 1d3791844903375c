//! What is said of pods, by answers as the API gives them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use probe::{Finding, Level};
use serde_json::{Value, json};

use super::judge;
use super::model::Pod;
use crate::container::target::is_image;

/// 2026-03-01T12:00:00Z.
fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_772_366_400)
}

/// A pod that runs, with these parts of it changed: a path, and what is there.
fn pod(changes: &[(&str, Value)]) -> Pod {
    let mut pod: Value = serde_json::from_str(include_str!("pod.json")).unwrap();
    for (path, value) in changes {
        let (parent, name) = path.rsplit_once('/').unwrap();
        let parent = pod.pointer_mut(parent).unwrap();
        match parent {
            Value::Array(values) => values[name.parse::<usize>().unwrap()] = value.clone(),
            parent => parent[name] = value.clone(),
        }
    }
    serde_json::from_value(pod).unwrap()
}

type Judge = fn(&Pod, SystemTime) -> Finding;

fn check(judge: Judge, changes: &[(&str, Value)], word: &str, reason: &str) {
    let finding = judge(&pod(changes), now());
    let found = match &finding.level {
        Level::Fine => "fine",
        Level::Warning(_) => "warning",
        Level::Broken(_) => "broken",
        Level::Unknown(_) => "unknown",
        other => panic!("{other:?}"),
    };
    let why = finding.level.reason().or(finding.summary.as_deref()).unwrap_or_default();
    assert!(found == word && why.contains(reason), "{found}: {why}");
}

const STATE: &str = "/status/containerStatuses/0/state";
const LAST: &str = "/status/containerStatuses/0/lastState";
const COUNT: &str = "/status/containerStatuses/0/restartCount";
const PHASE: &str = "/status/phase";
const CONDITIONS: &str = "/status/conditions";

fn crashing() -> [(&'static str, Value); 3] {
    let ended =
        json!({"terminated": {"exitCode": 3, "reason": "Error", "finishedAt": "2026-03-01T11:59:00Z"}});
    let waiting = json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s restarting failed container"}});
    [(STATE, waiting), (LAST, ended), (COUNT, json!(4))]
}

#[test]
fn a_pod_that_runs_is_fine() {
    for judge in [judge::running, judge::health, judge::restarts, judge::oom, judge::uptime] as [Judge; 5] {
        check(judge, &[], "fine", "");
    }
    check(judge::running, &[], "fine", "notebook on node-3");
}

#[test]
fn a_phase_is_not_a_proof() {
    // The phase is `Running` all the while.
    check(
        judge::running,
        &crashing(),
        "broken",
        "the container notebook does not run: CrashLoopBackOff: back-off 40s",
    );
    check(
        judge::running,
        &[("/status/containerStatuses", json!(null))],
        "broken",
        "only 0 of its 1 containers",
    );
    let deleted = [("/metadata/deletionTimestamp", json!("2026-03-01T11:58:00Z"))];
    check(judge::running, &deleted, "broken", "it is being deleted, which began 2 min 0 s ago");
    check(judge::health, &deleted, "broken", "it is being deleted");
    check(judge::uptime, &deleted, "broken", "it is being deleted");
}

#[test]
fn what_does_not_run_says_why() {
    let pending = |why: (&'static str, Value), reason| {
        let statuses = if why.0 == CONDITIONS {
            json!([])
        } else {
            json!([{"name": "notebook", "state": {"waiting": {"reason": "PodInitializing"}}}])
        };
        let changes = [(PHASE, json!("Pending")), ("/status/containerStatuses", statuses), why];
        check(judge::running, &changes, "broken", reason);
    };
    let unscheduled = json!([{"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
        "message": "0/3 nodes are available: 3 Insufficient memory."}]);
    pending(
        (CONDITIONS, unscheduled),
        "its phase is Pending: Unschedulable: 0/3 nodes are available: 3 Insufficient",
    );
    let initial = json!([{"name": "fetch", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off"}}}]);
    pending(("/status/initContainerStatuses", initial), "fetch waits, ImagePullBackOff: Back-off");
    let evicted = [
        (PHASE, json!("Failed")),
        ("/status/reason", json!("Evicted")),
        ("/status/message", json!("The node was low on resource: memory. ")),
    ];
    check(
        judge::running,
        &evicted,
        "broken",
        "its phase is Failed: Evicted: The node was low on resource: memory",
    );
    check(judge::oom, &evicted, "broken", "it was evicted: The node was low on resource: memory");
    check(judge::running, &[(PHASE, json!("Succeeded"))], "broken", "its phase is Succeeded");
}

#[test]
fn a_fresh_pod_is_starting() {
    let made = ("/metadata/creationTimestamp", json!("2026-03-01T11:59:20Z"));
    let waiting = |reason: &str| json!([{"name": "notebook", "state": {"waiting": {"reason": reason}}}]);
    let statuses = "/status/containerStatuses";
    let starts = |changes: &[(&'static str, Value)], word: &str, reason: &str| {
        let changes = [&[made.clone(), (PHASE, json!("Pending"))], changes].concat();
        for judge in [judge::running, judge::health, judge::uptime] as [Judge; 3] {
            check(judge, &changes, word, reason);
        }
    };
    let creating = (statuses, waiting("ContainerCreating"));
    starts(
        std::slice::from_ref(&creating),
        "warning",
        "it has been starting for 40.0 s: its phase is Pending",
    );
    starts(&[(statuses, json!(null)), (CONDITIONS, json!(null))], "warning", "it has been starting");
    let initial = json!([{"name": "fetch", "state": {"running": {"startedAt": "2026-03-01T11:59:30Z"}}}]);
    let waits = (statuses, waiting("PodInitializing"));
    starts(&[waits, ("/status/initContainerStatuses", initial)], "warning", "it has been starting");
    // What has failed, and what takes too long, is not starting.
    starts(&[(statuses, waiting("ErrImagePull"))], "broken", "notebook waits, ErrImagePull");
    let old = ("/metadata/creationTimestamp", json!("2026-03-01T11:50:00Z"));
    starts(&[creating, old], "broken", "its phase is Pending");
    let unready = json!([{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}]);
    check(judge::health, &[made, (CONDITIONS, unready)], "warning", "it is not ready yet");
}

#[test]
fn ready_is_what_the_conditions_say() {
    let ready = |status: &str, reason: &str| json!([{"type": "Ready", "status": status, "reason": reason}]);
    let health =
        |conditions, word: &str, reason| check(judge::health, &[(CONDITIONS, conditions)], word, reason);
    health(ready("False", "ContainersNotReady"), "broken", "it is not ready: ContainersNotReady");
    health(ready("Unknown", "NodeStatusUnknown"), "broken", "not known any more: NodeStatusUnknown");
    health(json!([]), "unknown", "does not tell");
    let starting = [
        (CONDITIONS, ready("False", "ContainersNotReady")),
        ("/status/containerStatuses/0/started", json!(false)),
    ];
    check(judge::health, &starting, "warning", "notebook is still starting");
}

#[test]
fn restarts_count_while_they_go_on() {
    check(
        judge::restarts,
        &crashing(),
        "broken",
        "notebook falls over again and again: 4 restarts, the last end: Error (exit code 3)",
    );
    // Between two ends it runs.
    let young = [(STATE, json!({"running": {"startedAt": "2026-03-01T11:59:50Z"}})), (COUNT, json!(4))];
    check(judge::restarts, &young, "broken", "again and again");
    check(judge::restarts, &[(COUNT, json!(4))], "fine", "restarted 4 times");
}

#[test]
fn want_of_memory_is_remembered() {
    let ended = |reason: &str| json!({"terminated": {"exitCode": 137, "reason": reason, "finishedAt": "2026-03-01T11:00:00Z"}});
    check(judge::oom, &[(STATE, ended("OOMKilled"))], "broken", "notebook was ended for want of memory");
    check(judge::oom, &[(STATE, ended("Error"))], "broken", "probably for want of memory");
    check(judge::oom, &[(LAST, ended("OOMKilled"))], "warning", "1 h 0 min ago, and runs again");
    let [waiting, _, count] = crashing();
    check(
        judge::oom,
        &[waiting, (LAST, ended("OOMKilled")), count],
        "broken",
        "and does not run: CrashLoopBackOff",
    );
}

#[test]
fn images_are_compared_by_name_or_digest() {
    let check = |changes: &[(&str, Value)], wanted: Option<&str>, reason: Option<&str>| {
        let finding = judge::image(&pod(changes), wanted, is_image);
        let found = finding.level.reason();
        assert!(
            found.is_none() == reason.is_none()
                && found.unwrap_or_default().contains(reason.unwrap_or_default()),
            "{found:?}"
        );
    };
    check(&[], None, None);
    check(&[], Some("quay.io/jupyter/scipy-notebook:2026-02"), None);
    check(&[], Some("sha256:9ac1d6e2b0f4"), None);
    check(
        &[],
        Some("scipy-notebook:2026-03"),
        Some("it runs quay.io/jupyter/scipy-notebook:2026-02, not scipy"),
    );
    let pulling = json!({"waiting": {"reason": "ErrImagePull", "message": "not found"}});
    check(&[(STATE, pulling)], None, Some("notebook does not get its image, ErrImagePull: not found"));
}
