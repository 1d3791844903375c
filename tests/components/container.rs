//! `check-container` against Docker and Podman: engines of our own, on sockets in a temporary folder.

mod podman;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use process::{Child, Deadline, ProcessGroup, Signal};
use subunit::Status::{Fail, Skip, Success};
use tempfile::TempDir;

use crate::fixtures::{eventually, mountinfo};
use crate::pipeline::{Ended, Pipeline, complete};
use crate::{Need, Scenario};

pub(crate) const SCENARIOS: &[Scenario] = &[
    scenario("components.container.docker-healthy", DOCKER, docker_healthy),
    scenario("components.container.docker-broken", DOCKER, docker_broken),
    scenario("components.container.docker-frozen", DOCKER, docker_frozen),
    scenario("components.container.podman", PODMAN, podman::states),
    scenario("components.container.podman-broken", PODMAN, podman::broken),
    scenario("components.container.podman-frozen", PODMAN, podman::frozen),
    scenario("components.container.no-engine", &[], no_engine),
    scenario("components.container.no-permission", &[Need::Root, Need::Program("setpriv")], no_permission),
];

pub(crate) const DOCKER: &[Need] =
    &[Need::Root, Need::Program("dockerd"), Need::Program("docker"), Need::Program("busybox")];
pub(crate) const PODMAN: &[Need] =
    &[Need::Root, Need::Program("podman"), Need::Program("runc"), Need::Program("busybox")];

const fn scenario(id: &'static str, needs: &'static [Need], run: fn() -> anyhow::Result<()>) -> Scenario {
    Scenario { id, needs, run }
}

const LIMIT: Duration = Duration::from_secs(30);
pub(crate) const IMAGE: &str = "it:1";

/// An engine that is ended when it is dropped, with all its containers.
pub(crate) struct Engine {
    folder: TempDir,
    program: &'static str,
    server: Child,
}

impl Engine {
    pub(crate) fn docker() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path();
        let mut server = Command::new("dockerd");
        server
            .arg("--data-root")
            .arg(path.join("data"))
            .arg("--exec-root")
            .arg(path.join("exec"))
            .arg("--pidfile")
            .arg(path.join("pid"))
            .arg("--host")
            .arg(format!("unix://{}", path.join("socket").display()))
            .args(["--iptables=false", "--bridge=none", "--storage-driver=vfs"]);
        let engine = Engine::start("docker", folder, &mut server)?;
        let archive = engine.folder.path().join("root.tar");
        let root = engine.root()?;
        run(Command::new("tar").arg("-C").arg(root).arg("-cf").arg(&archive).arg("."))?;
        let change = r#"CMD ["/bin/sleep","600"]"#;
        engine.run(&["import", "--change", change, &archive.display().to_string(), IMAGE])?;
        Ok(engine)
    }

    pub(crate) fn podman() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path();
        let conf = "[containers]\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=1000:1000\"]\n[engine]\n\
                    runtime = \"runc\"\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\n";
        fs::write(path.join("containers.conf"), conf)?;
        let mut server = Command::new("podman");
        server.args(podman_places(path)).args(["system", "service", "--time=0"]);
        server.arg(format!("unix://{}", path.join("socket").display()));
        // Containers that run out of memory leave a file where it runs.
        server.env("CONTAINERS_CONF", path.join("containers.conf")).current_dir(path);
        Engine::start("podman", folder, &mut server)
    }

    fn start(program: &'static str, folder: TempDir, server: &mut Command) -> anyhow::Result<Self> {
        let log = fs::File::create(folder.path().join("log"))?;
        server.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let engine = Engine { server: Child::spawn(server)?, folder, program };
        let socket = engine.folder.path().join("socket");
        let answers = || Ok(std::os::unix::net::UnixStream::connect(&socket).is_ok());
        eventually("the engine listens", answers).with_context(|| engine.log())?;
        eventually("the engine answers", || Ok(engine.run(&["info"]).is_ok()))
            .with_context(|| engine.log())?;
        Ok(engine)
    }

    /// What runs in a container, a line each.
    fn processes(&self, container: &str) -> anyhow::Result<String> {
        self.said(&["top", container])
    }

    /// Where it listens.
    pub(crate) fn place(&self) -> String {
        format!("unix:{}", self.folder.path().join("socket").display())
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// A root with a shell, and little else.
    pub(crate) fn root(&self) -> anyhow::Result<PathBuf> {
        let root = self.folder.path().join("root");
        for name in ["bin", "etc", "proc", "sys", "dev", "tmp"] {
            fs::create_dir_all(root.join(name))?;
        }
        fs::write(root.join("etc/passwd"), "root:x:0:0::/:/bin/sh\nalice:x:1000:1000::/:/bin/sh\n")?;
        fs::set_permissions(root.join("tmp"), fs::Permissions::from_mode(0o1777))?;
        let busybox = ["/bin/busybox", "/usr/bin/busybox"].into_iter().find(|path| Path::new(path).exists());
        fs::copy(busybox.context("no busybox")?, root.join("bin/busybox"))?;
        for name in ["sh", "sleep", "ls", "test", "echo"] {
            symlink("busybox", root.join("bin").join(name))?;
        }
        Ok(root)
    }

    /// Runs the engine's own program.
    pub(crate) fn run(&self, arguments: &[&str]) -> anyhow::Result<()> {
        self.said(arguments).map(drop)
    }

    /// The same, with what it says.
    fn said(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let path = self.folder.path();
        let mut command = Command::new(self.program);
        match self.program {
            "docker" => command.arg("--host").arg(format!("unix://{}", path.join("socket").display())),
            _ => command.args(podman_places(path)).env("CONTAINERS_CONF", path.join("containers.conf")),
        };
        // As above: podman's own program may be what a container's monitor is started from.
        said(command.args(arguments).current_dir(path))
    }

    /// Starts a container: options, image and command.
    pub(crate) fn container(&self, name: &str, arguments: &[&str]) -> anyhow::Result<()> {
        self.run(&[&["run", "--detach", "--network=none", "--name", name], arguments].concat())
    }

    fn check(&self, container: &str, arguments: &[&str]) -> anyhow::Result<Ended> {
        let home = tempfile::tempdir()?;
        let socket = self.place();
        let all = [&["--socket", &socket], arguments, &[container]].concat();
        Pipeline::of("container", home.path(), &all).run()
    }

    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.server.id()).unwrap_or_default()
    }

    pub(crate) fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let group = ProcessGroup::of(self.server.id()).context("the engine leads a group")?;
        Ok(group.signal(signal)?)
    }
}

/// Where podman keeps what it has, so that it touches nothing of this machine's own.
fn podman_places(folder: &Path) -> Vec<String> {
    let place = |option: &str, name: &str| format!("--{option}={}", folder.join(name).display());
    vec![
        place("root", "storage"),
        place("runroot", "run"),
        place("tmpdir", "tmp"),
        "--storage-driver=vfs".to_owned(),
    ]
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    said(command).map(drop)
}

fn said(command: &mut Command) -> anyhow::Result<String> {
    let done = complete(command.stdin(Stdio::null()))?;
    if !done.ending.is_success() {
        bail!("{command:?}: {}: {}", done.ending.exit, done.stderr.text());
    }
    Ok(done.stdout.text())
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _thawed = self.signal(Signal::CONT);
        // What is frozen is not killed.
        let _thawed = self.run(&["unpause", "pausy"]);
        let all = ["ok", "pausy", "ended", "sick", "hungry", "loop", "starting", "stale", "jupyter-alice"];
        let _removed = match self.program {
            // Where one of them is not there, it removes none.
            "podman" => self.run(&["rm", "--force", "--time=0", "--all"]),
            _ => self.run(&[&["rm", "--force"], &all[..]].concat()),
        };
        let _ended = self.server.terminate(Duration::from_secs(10));
        let _over = self.server.wait_until(Deadline::after(Duration::from_secs(5)));
        for entry in mountinfo().unwrap_or_default().lines().rev() {
            let point = entry.split(' ').nth(4).map(PathBuf::from).unwrap_or_default();
            if point.starts_with(self.folder.path()) {
                let _unmounted = nix::mount::umount2(&point, nix::mount::MntFlags::MNT_DETACH);
            }
        }
    }
}

fn docker_healthy() -> anyhow::Result<()> {
    let engine = Engine::docker()?;
    let health = ["--health-cmd=test -d /tmp", "--health-interval=1s", "--memory=64m", "--pids-limit=20"];
    engine
        .container("ok", &[&health[..], &[IMAGE, "/bin/sh", "-c", "echo ready; exec sleep 600"]].concat())?;
    let check = |arguments: &[&str]| engine.check("ok", &[&["-w", "uptime_seconds=0:"], arguments].concat());
    eventually("it is healthy", || {
        Ok(check(&["--only", "health"])?.expect("health", Success, "").is_ok()
            && check(&["--only", "health"])?.expect_tag("health", "warning").is_err())
    })?;
    let ended = check(&["--image", IMAGE, "--log-error", "ERROR", "--exec", "test -d /tmp", "--only", "*"])?;
    for aspect in
        ["engine", "exists", "running", "health", "restarts", "oom", "uptime", "memory", "cpu", "pids"]
    {
        ended.expect(aspect, Success, "")?;
    }
    ended.expect("image", Success, "")?.expect("logs", Success, "")?.expect_end(0, LIMIT)?;

    check(&["--exec", "echo no; exit 4", "--only", "exec"])?
        .expect("exec", Fail, "ended with 4")?
        .expect_end(1, LIMIT)?;
    let slow = ["--exec", "sleep 30", "--only", "exec", "--timeout=2s", "--op-timeout=1s"];
    for _ in 0..2 {
        check(&slow)?.expect("exec", Fail, "did not end in time")?.expect_end(1, Duration::from_secs(6))?;
        ensure!(!engine.processes("ok")?.contains("sleep 30"), "it goes on: {}", engine.processes("ok")?);
    }
    // One that another check has left, and cannot be ended by this one, is alone.
    engine.run(&["exec", "--detach", "ok", "/bin/sh", "-c", "sleep 30"])?;
    check(&slow)?.expect("exec", Fail, "of an earlier check still goes on")?.expect_end(1, LIMIT)?;
    let left = engine.processes("ok")?;
    ensure!(left.lines().filter(|line| line.contains("sleep 30")).count() == 1, "it is not alone: {left}");
    check(&["--log-error", "^ready", "--only", "logs"])?
        .expect("logs", Fail, "match ^ready")?
        .expect_end(1, LIMIT)?;
    let other = check(&["--image", "it:2", "--only", "image"])?;
    other.expect("image", Fail, "not it:2")?.expect_end(1, LIMIT)?;
    check(&["--only", "pids", "-c", "pids_percent=1"])?
        .expect("pids", Fail, "pids_percent")?
        .expect_end(1, LIMIT)
}

fn docker_broken() -> anyhow::Result<()> {
    let engine = Engine::docker()?;
    engine.container("pausy", &[IMAGE])?;
    engine.run(&["pause", "pausy"])?;
    engine.container("ended", &[IMAGE, "/bin/sh", "-c", "exit 5"])?;
    engine
        .container("sick", &["--health-cmd=ls /gone", "--health-interval=1s", "--health-retries=1", IMAGE])?;
    let grow = "x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done";
    engine.container("hungry", &["--memory=16m", IMAGE, "/bin/sh", "-c", grow])?;
    engine.container("loop", &["--restart=always", IMAGE, "/bin/sh", "-c", "sleep 0.1; exit 3"])?;

    // The engine says of a paused container that it runs.
    engine.check("pausy", &[])?.expect("running", Fail, "it is paused")?.expect_end(1, LIMIT)?;
    engine
        .check("ended", &[])?
        .expect("running", Fail, "exit code 5")?
        .expect("cpu", Skip, "")?
        .expect_end(1, LIMIT)?;
    let aspect = |container: &str, name: &str, words: &str| {
        eventually(&format!("{container} is found to be broken"), || {
            let ended = engine.check(container, &["--only", name])?;
            Ok(ended.expect(name, Fail, words).is_ok())
        })
    };
    aspect("sick", "health", "it is unhealthy, the last look ended with 1")?;
    aspect("hungry", "oom", "for want of memory")?;
    aspect("loop", "restarts", "falls over again and again")?;
    let none = engine.check("paus", &[])?;
    none.expect("exists", Fail, "there is no container paus")?
        .expect("running", Skip, "")?
        .expect_end(1, LIMIT)
}

fn docker_frozen() -> anyhow::Result<()> {
    let engine = Engine::docker()?;
    engine.signal(Signal::STOP)?;
    let ended = engine.check("ok", &["--op-timeout=1s", "--timeout=3s"])?;
    engine.signal(Signal::CONT)?;
    ended.expect("engine", Fail, "")?.expect("exists", Skip, "container.it.engine")?;
    ended.expect_end(1, Duration::from_secs(3))
}

fn no_engine() -> anyhow::Result<()> {
    let home = tempfile::tempdir()?;
    let socket = format!("unix:{}", home.path().join("none").display());
    let ended = Pipeline::of("container", home.path(), &["--socket", &socket, "ok"]).run()?;
    ended.expect("engine", Fail, "")?.expect("running", Skip, "")?.expect_end(1, LIMIT)?;
    ensure!(!home.path().join("none").exists(), "the socket was made");
    Ok(())
}

/// Whoever may not ask the engine knows nothing about the container.
fn no_permission() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (socket, check) = (folder.path().join("socket"), folder.path().join("check-container"));
    let _engine = std::os::unix::net::UnixListener::bind(&socket)?;
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o600))?;
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
    // Where it was built others may have no access.
    fs::copy(crate::pipeline::binary("check-container"), &check)?;
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(&check)
        .env_remove("XDG_RUNTIME_DIR");
    command.args(["--format=json", "--socket"]).arg(format!("unix:{}", socket.display())).arg("hub");
    let done = complete(command.stdin(Stdio::null()))?;
    let text = done.stdout.text();
    ensure!(
        done.ending.exit == process::Exit::Exited(1),
        "{}: {text}{}",
        done.ending.exit,
        done.stderr.text()
    );
    let engine = text.lines().find(|line| line.contains("container.hub.engine")).context("the engine")?;
    for words in ["EACCES", "run the check as root or in the group of the socket", "\"unknown\""] {
        ensure!(engine.contains(words), "{words} is not in {engine}");
    }
    Ok(())
}
