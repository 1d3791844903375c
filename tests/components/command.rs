//! `check-command` with the monitoring plugins that distributions have.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use subunit::Status::{Fail, Success};

use crate::fixtures::eventually;
use crate::pipeline::{Ended, Pipeline, terminate};
use crate::servers::Server;
use crate::{Need, Scenario};

const PLUGINS: &[Need] = &[Need::Brought(missing)];

pub(crate) const SCENARIOS: &[Scenario] = &[
    scenario("components.command.exit-codes", PLUGINS, exit_codes),
    scenario("components.command.load", PLUGINS, load),
    scenario("components.command.processes", PLUGINS, processes),
    scenario("components.command.port", PLUGINS, port),
    scenario("components.command.usage", PLUGINS, usage),
    scenario("components.command.missing", &[], missing_plugin),
    scenario("components.command.hangs", &[], hangs),
    scenario("components.command.terminated", &[], terminated),
];

const fn scenario(id: &'static str, needs: &'static [Need], run: fn() -> anyhow::Result<()>) -> Scenario {
    Scenario { id, needs, run }
}

const LIMIT: Duration = Duration::from_secs(12);

fn missing() -> Option<String> {
    let is_there = Path::new("/usr/lib/nagios/plugins/check_dummy").exists();
    (!is_there).then(|| "there are no monitoring plugins (Debian: monitoring-plugins-basic)".to_owned())
}

fn check(arguments: &[&str]) -> anyhow::Result<Ended> {
    Pipeline::of("command", tempfile::tempdir()?.path(), arguments).run()
}

fn exit_codes() -> anyhow::Result<()> {
    let dummy = |code| check(&["--", "check_dummy", code, "so it is"]);
    dummy("0")?.expect("result", Success, "")?.expect_end(0, LIMIT)?;
    let warning = dummy("1")?;
    warning
        .expect("result", Success, "WARNING: so it is")?
        .expect_tag("result", "warning")?
        .expect_end(0, LIMIT)?;
    dummy("2")?.expect("result", Fail, "CRITICAL: so it is")?.expect_end(1, LIMIT)?;
    let unknown = dummy("3")?;
    unknown.expect("result", Fail, "UNKNOWN: so it is")?.expect_tag("result", "unknown")?.expect_end(1, LIMIT)
}

fn load() -> anyhow::Result<()> {
    let ended = check(&["--", "check_load", "-w", "9999,9999,9999", "-c", "9999,9999,9999"])?;
    ended.expect("result", Success, "")?;
    ended.expect_attachment("result", "plugin-perfdata")?.expect_attachment("result", "metrics.json")?;
    ended.expect_end(0, LIMIT)
}

fn processes() -> anyhow::Result<()> {
    let ended = check(&["--", "check_procs", "-w", "0:0", "-c", "0:0"])?;
    ended.expect("result", Fail, "PROCS CRITICAL")?.expect("result", Fail, "procs = ")?;
    ended.expect("result", Fail, "is outside of the critical range")?.expect_end(1, LIMIT)
}

fn port() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut server = Server::of_files(folder.path())?;
    let port = server.port.to_string();
    let tcp = || check(&["--", "check_tcp", "-H", "127.0.0.1", "-p", &port, "-t", "3"]);
    tcp()?
        .expect("result", Success, "")?
        .expect_attachment("result", "plugin-perfdata")?
        .expect_end(0, LIMIT)?;
    server.kill()?;
    tcp()?.expect("result", Fail, "refused")?.expect_end(1, LIMIT)
}

fn usage() -> anyhow::Result<()> {
    let ended = check(&["--", "check_tcp", "--no-such-option"])?;
    ended.expect("result", Fail, "")?.expect_tag("result", "unknown")?.expect_end(1, LIMIT)
}

fn missing_plugin() -> anyhow::Result<()> {
    let ended = check(&["--", "check_no_such_thing"])?;
    ended.expect("result", Fail, "there is no check_no_such_thing")?.expect_tag("result", "unknown")?;
    ended.expect_end(1, LIMIT)
}

/// A plugin that says who it is, and hangs with what it has started.
fn hanging(folder: &Path) -> anyhow::Result<PathBuf> {
    let plugin = folder.join("check_hang");
    let text = "#!/bin/sh\ntrap '' TERM\nsleep 300 &\necho $$ $! > \"$(dirname \"$0\")/pids\"\necho begun\nwait; wait\n";
    fs::write(&plugin, text)?;
    fs::set_permissions(&plugin, fs::Permissions::from_mode(0o755))?;
    Ok(plugin)
}

/// Whether all that the plugin was is gone.
fn expect_gone(folder: &Path) -> anyhow::Result<()> {
    let pids = fs::read_to_string(folder.join("pids")).context("the plugin's processes")?;
    ensure!(pids.split_whitespace().count() == 2, "{pids}");
    eventually("the plugin's processes are gone", || {
        Ok(!pids.split_whitespace().any(|pid| Path::new("/proc").join(pid).join("exe").read_link().is_ok()))
    })
}

fn hangs() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let plugin = hanging(folder.path())?.display().to_string();
    let ended = check(&["--timeout", "1s", "--grace", "300ms", "--", &plugin])?;
    ended
        .expect("result", Fail, "did not end within 1.0 s; it said: begun")?
        .expect_tag("result", "unknown")?;
    ended.expect_end(1, Duration::from_secs(2))?;
    expect_gone(folder.path())
}

fn terminated() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let plugin = hanging(folder.path())?;
    let (home, word) = (tempfile::tempdir()?, plugin.clone());
    let arguments = ["--grace", "300ms", "--", &plugin.display().to_string()];
    let pids = folder.path().join("pids");
    let pipeline = Pipeline::of("command", home.path(), &arguments).beside(move || {
        eventually("the plugin has begun", || {
            Ok(fs::read_to_string(&pids).is_ok_and(|text| text.ends_with('\n')))
        })?;
        terminate("command", word.as_os_str())
    });
    let ended = pipeline.run()?;
    ended.expect("result", Fail, "a signal ended the check")?.expect_tag("result", "interrupted")?;
    ended.expect_end(143, LIMIT)?;
    expect_gone(folder.path())
}
