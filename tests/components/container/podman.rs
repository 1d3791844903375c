//! Podman, which keeps no daemon: nobody restarts a health check that has stopped, and its words are its own.

use std::time::Duration;

use process::Signal;
use subunit::Status::{Fail, Skip, Success};

use super::{Engine, LIMIT};
use crate::fixtures::eventually;

/// Nobody runs its health checks where there is no systemd.
const HEALTH: [&str; 4] =
    ["--health-cmd=/bin/test -d /tmp", "--health-interval=1s", "--health-retries=1", "--health-timeout=1s"];

pub(super) fn states() -> anyhow::Result<()> {
    let engine = Engine::podman()?;
    let root = engine.root()?.display().to_string();
    let shell = ["--rootfs", &root, "/bin/sh", "-c"];
    let start = |name: &str, options: &[&str], command: &str| {
        engine.container(name, &[options, &shell, &[command]].concat())
    };
    start("ok", &[], "exec sleep 600")?;
    start("ended", &[], "exit 5")?;
    start("starting", &[&HEALTH[..], &["--health-start-period=1h"]].concat(), "exec sleep 600")?;
    start("stale", &HEALTH, "exec sleep 600")?;

    let ended = engine.check("ok", &["-w", "uptime_seconds=0:", "--skip", "image"])?;
    ended
        .expect("running", Success, "")?
        .expect("health", Skip, "has no health check")?
        .expect_end(0, LIMIT)?;
    engine.check("ended", &[])?.expect("running", Fail, "exit code 5")?.expect_end(1, LIMIT)?;
    let ended = engine.check("starting", &["--only", "health"])?;
    ended.expect("health", Success, "it has been starting for")?.expect_tag("health", "warning")?;
    eventually("the health check is found to be stale", || {
        let ended = engine.check("stale", &["--only", "health"])?;
        Ok(ended.expect("health", Success, "the engine runs no health checks").is_ok())
    })?;
    let gone = engine.check("gone", &[])?;
    gone.expect("exists", Fail, "there is no container gone")?.expect_end(1, LIMIT)
}

pub(super) fn broken() -> anyhow::Result<()> {
    let engine = Engine::podman()?;
    let root = engine.root()?.display().to_string();
    let shell = ["--rootfs", &root, "/bin/sh", "-c"];
    let start = |name: &str, options: &[&str], command: &str| {
        engine.container(name, &[options, &shell, &[command]].concat())
    };
    start("pausy", &[], "exec sleep 600")?;
    engine.run(&["pause", "pausy"])?;
    start("hungry", &["--memory=16m"], "x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done")?;
    start("loop", &["--restart=always"], "sleep 0.1; exit 3")?;
    start(
        "sick",
        &["--health-cmd=ls /gone", "--health-retries=1", "--health-interval=disable"],
        "exec sleep 600",
    )?;

    engine.check("pausy", &[])?.expect("running", Fail, "it is paused")?.expect_end(1, LIMIT)?;
    let aspect = |container: &str, name: &str, words: &str| {
        eventually(&format!("{container} is found to be broken"), || {
            let ended = engine.check(container, &["--only", name])?;
            Ok(ended.expect(name, Fail, words).is_ok())
        })
    };
    aspect("hungry", "oom", "for want of memory")?;
    aspect("loop", "restarts", "falls over again and again")?;
    // Whoever runs it is believed.
    let _unhealthy = engine.run(&["healthcheck", "run", "sick"]);
    aspect("sick", "health", "it is unhealthy, the last look ended with 1")
}

pub(super) fn frozen() -> anyhow::Result<()> {
    let engine = Engine::podman()?;
    engine.signal(Signal::STOP)?;
    let ended = engine.check("ok", &["--op-timeout=1s", "--timeout=3s"])?;
    engine.signal(Signal::CONT)?;
    ended.expect("engine", Fail, "accepts connections, but did not answer within 1 s")?;
    ended.expect("exists", Skip, "container.it.engine")?.expect_end(1, Duration::from_secs(3))
}
