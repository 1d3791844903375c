//! `check-all` that looks from elsewhere: over ssh to this machine, and in containers with nothing but a shell.

pub(crate) mod far;
pub(crate) mod program;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use process::Signal;
use subunit::Status::{Exists, Fail, Skip, Success};
use tempfile::TempDir;

use crate::container::{DOCKER, Engine, IMAGE, PODMAN};
use crate::fixtures::{Faulty, eventually};
use crate::pipeline::{Ended, Pipeline, signal, terminate};
use crate::{Need, Scenario};
use far::{Far, alive, command_line, kill};
use program::program;

pub(crate) const SCENARIOS: &[Scenario] = &[
    scenario("components.remote.ssh-green", SSH, ssh_green),
    scenario("components.remote.ssh-copied-once", SSH, ssh_copied_once),
    scenario("components.remote.ssh-refused", SSH, ssh_refused),
    scenario("components.remote.ssh-host-key-changed", SSH, ssh_host_key_changed),
    scenario("components.remote.ssh-silent", SSH, ssh_silent),
    scenario("components.remote.ssh-frozen", SSH, ssh_frozen),
    scenario("components.remote.ssh-cut", SSH, ssh_cut),
    scenario("components.remote.ssh-check-killed", SSH, ssh_check_killed),
    scenario("components.remote.ssh-stuck-mount", SSH, ssh_stuck_mount),
    scenario("components.remote.ssh-nonsense", SSH, ssh_nonsense),
    scenario("components.remote.ssh-terminated", SSH, ssh_terminated),
    scenario("components.remote.ssh-left-alone", SSH, ssh_left_alone),
    scenario("components.remote.docker-session", DOCKER_AND_FUSE, docker_session),
    scenario("components.remote.docker-frozen", DOCKER_AND_FUSE, docker_frozen),
    scenario("components.remote.docker-terminated", DOCKER_AND_FUSE, docker_terminated),
    scenario("components.remote.podman", PODMAN_ALONE, podman),
];

const SSH: &[Need] = &[
    Need::Fuse,
    Need::Program("sshd"),
    Need::Program("ssh"),
    Need::Program("ssh-keygen"),
    Need::Brought(program::missing),
];
const DOCKER_AND_FUSE: &[Need] =
    &[DOCKER[0], DOCKER[1], DOCKER[2], DOCKER[3], Need::Fuse, Need::Brought(program::missing)];
const PODMAN_ALONE: &[Need] = &[PODMAN[0], PODMAN[1], PODMAN[2], PODMAN[3], Need::Brought(program::missing)];

const fn scenario(id: &'static str, needs: &'static [Need], run: fn() -> anyhow::Result<()>) -> Scenario {
    Scenario { id, needs, run }
}

/// How long all may take where something hangs: the check, the way there, and the way back.
const SHORT: [&str; 4] = ["--op-timeout=1s", "--timeout=3s", "--plan-timeout=11s", "--reach-timeout=6s"];
const SHORT_LIMIT: Duration = Duration::from_secs(11);
const LIMIT: Duration = Duration::from_secs(60);

/// A mount that is looked at from elsewhere, beside a plugin that runs here.
struct Site {
    mount: Faulty,
    folder: TempDir,
}

impl Site {
    fn new(faults: &str, on: &str) -> anyhow::Result<Self> {
        let (mount, folder) = (Faulty::mount(faults)?, tempfile::tempdir()?);
        fs::write(folder.path().join("token"), "hunter2\n")?;
        let text = format!(
            "[[target]]\nname = 'mount'\ncheck = 'eos'\npath = '{}'\nprobe = 'deep'\ntags = ['far']\n\
             token-file = '{}'\non = '{on}'\n\
             [[target]]\nname = 'plugin'\ncheck = 'command'\ncommand = ['echo', 'fine']\n",
            mount.path().display(),
            folder.path().join("token").display(),
        );
        fs::write(folder.path().join("checks.toml"), text)?;
        Ok(Site { mount, folder })
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("checks.toml")
    }

    fn pipeline(&self, arguments: &[&str]) -> anyhow::Result<Pipeline> {
        pipeline(self.folder.path(), &self.config(), arguments)
    }

    /// Does this as soon as a check has begun to write, which then takes long.
    fn once_begun(
        &self,
        act: impl Fn() -> anyhow::Result<()> + Send + 'static,
    ) -> impl Fn() -> anyhow::Result<()> + Send + 'static {
        let backing = self.mount.backing();
        move || {
            eventually("something is being written", || Ok(fs::read_dir(&backing)?.next().is_some()))?;
            act()
        }
    }

    fn expect_nothing_left(&self) -> anyhow::Result<()> {
        eventually("what was written is removed", || Ok(self.mount.files()?.is_empty()))
    }
}

fn pipeline(home: &Path, config: &Path, arguments: &[&str]) -> anyhow::Result<Pipeline> {
    let binary = format!("--remote-binary={}", program()?.display());
    Ok(Pipeline::of_all(home, config, &[&[binary.as_str()], arguments].concat()))
}

const MOUNT: [&str; 4] =
    ["eos.mount.mounted", "eos.mount.responsive", "eos.mount.writable", "eos.mount.integrity"];
/// Faults with which a deep check takes long.
const SLOW: &str = "write slow 300\nunlink slow 100\n";

/// Of all tests there, that none could tell, and why; the plugin here is not concerned.
fn expect_lost(ended: &Ended, reason: &str) -> anyhow::Result<()> {
    for test in MOUNT {
        ended.expect(test, Fail, reason)?;
        for tag in ["unknown", "infrastructure", "far"] {
            ended.expect_tag(test, tag)?;
        }
        ended.expect_routes(test, &["far/mount"])?;
    }
    ended.expect("command.plugin.result", Success, "")?;
    Ok(())
}

fn ssh_green() -> anyhow::Result<()> {
    let (far, site) = (Far::start()?, Site::new("", "ssh:far")?);
    let ended = site.pipeline(&far.options())?.run()?;
    for test in MOUNT {
        ended.expect(test, Success, "")?.expect_tag(test, "far")?.expect_routes(test, &["far/mount"])?;
    }
    ended.expect("command.plugin.result", Success, "")?;
    site.expect_nothing_left()?;
    ensure!(far.processes()?.is_empty(), "{:?} are left", far.processes()?);
    ended.expect_end(0, LIMIT)?;

    // From two places at once: the same tests, each with its route.
    let both = ["--target=ssh:far", "--target=local", "--only=mounted", "--only=responsive"];
    let ended = site.pipeline(&[&far.options()[..], &both].concat())?.run()?;
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let host = host.split('.').next().unwrap_or_default();
    ended.expect("eos.mount.mounted", Success, "")?;
    ended.expect_routes("eos.mount.mounted", &["far/mount", &format!("{host}/mount")])?;
    ended.expect_end(0, LIMIT)
}

fn ssh_copied_once() -> anyhow::Result<()> {
    let (far, site) = (Far::start()?, Site::new("", "ssh:far")?);
    let check = |arguments: &[&str]| -> anyhow::Result<()> {
        let all = [&far.options()[..], &["--only=mounted"], arguments].concat();
        let ended = site.pipeline(&all)?.run()?;
        ended.expect("eos.mount.mounted", Success, "")?.expect_end(0, LIMIT)
    };
    check(&[])?;
    let copy = far.copy()?;
    let mode = |path: &Path| anyhow::Ok(fs::metadata(path)?.permissions().mode() & 0o777);
    ensure!(
        mode(&copy)? == 0o700 && mode(copy.parent().context("a folder")?)? == 0o700,
        "others can get at it"
    );
    let written = fs::metadata(&copy)?.modified()?;
    check(&[])?;
    ensure!(fs::metadata(&copy)?.modified()? == written, "it was copied again");

    let whole = fs::metadata(&copy)?.len();
    fs::File::options().write(true).open(&copy)?.set_len(whole / 2)?;
    check(&[])?;
    ensure!(fs::metadata(&copy)?.len() == whole, "half of it is still there");

    check(&["--no-cache"])?;
    ensure!(!copy.exists(), "it is still there");
    Ok(())
}

fn ssh_refused() -> anyhow::Result<()> {
    let (far, site) = (Far::start()?, Site::new("", "ssh:far")?);
    far.stop()?;
    let ended = site.pipeline(&far.options())?.run()?;
    expect_lost(&ended, "it was not run: ssh does not get to far: ")?;
    ended.expect("eos.mount.mounted", Fail, "Connection refused")?;
    ended.expect_attachment("eos.mount.mounted", "stderr")?;
    ended.expect_end(1, SHORT_LIMIT)
}

fn ssh_host_key_changed() -> anyhow::Result<()> {
    let (far, site) = (Far::start()?, Site::new("", "ssh:far")?);
    far.change_host_key()?;
    let ended = site.pipeline(&far.options())?.run()?;
    expect_lost(&ended, "ssh does not get to far: Host key verification failed.")?;
    ended.expect_end(1, SHORT_LIMIT)
}

/// The server takes connections and says nothing.
fn ssh_silent() -> anyhow::Result<()> {
    let (far, site) = (Far::start()?, Site::new("", "ssh:far")?);
    far.signal_servers(Signal::STOP)?;
    let ended = site.pipeline(&[&far.options()[..], &SHORT].concat())?.run()?;
    expect_lost(&ended, "far")?;
    ended.expect_end(1, SHORT_LIMIT)
}

/// The connection is frozen while the check runs there.
fn ssh_frozen() -> anyhow::Result<()> {
    let (far, site) = (Far::start()?, Site::new(SLOW, "ssh:far")?);
    let pid = far.pid();
    let beside = site.once_begun(move || far::signal_servers(pid, Signal::STOP));
    let arguments = [&far.options()[..], &SHORT, &["--only=writable"]].concat();
    let ended = site.pipeline(&arguments)?.beside(beside).run()?;
    far.signal_servers(Signal::CONT)?;
    ended.expect("eos.mount.writable", Fail, "did not end in its time")?;
    ended.expect_tag("eos.mount.writable", "infrastructure")?.expect_end(1, SHORT_LIMIT)?;
    eventually("nothing runs there any more", || Ok(far.processes()?.is_empty()))?;
    site.expect_nothing_left()
}

/// The connection is lost while the check runs there.
fn ssh_cut() -> anyhow::Result<()> {
    let (far, site) = (Far::start()?, Site::new(SLOW, "ssh:far")?);
    let pid = far.pid();
    let beside = site.once_begun(move || far::signal_sessions(pid, Signal::KILL));
    let arguments = [&far.options()[..], &["--only=writable"]].concat();
    let ended = site.pipeline(&arguments)?.beside(beside).run()?;
    ended.expect("eos.mount.writable", Fail, "the connection to ssh:far was lost: ")?;
    ended.expect_tag("eos.mount.writable", "unknown")?.expect_end(1, LIMIT)?;
    site.expect_nothing_left()
}

fn ssh_check_killed() -> anyhow::Result<()> {
    // The check itself, and what runs it.
    let all = [
        ("--internal-arguments", "check-eos ended by killed by signal 9 (SIGKILL)"),
        ("--internal-far", "the connection to ssh:far was lost: "),
    ];
    for (word, reason) in all {
        let (far, site) = (Far::start()?, Site::new(SLOW, "ssh:far")?);
        let pid = far.pid();
        let beside = site.once_begun(move || {
            for process in far::descendants(pid)? {
                let line = command_line(process);
                if line.get(1).is_some_and(|argument| argument == word) {
                    kill(process, Signal::KILL)?;
                }
            }
            Ok(())
        });
        let arguments = [&far.options()[..], &["--only=writable"]].concat();
        let ended = site.pipeline(&arguments)?.beside(beside).run()?;
        ended.expect("eos.mount.writable", Fail, reason)?;
        ended.expect_tag("eos.mount.writable", "infrastructure")?.expect_end(1, LIMIT)?;
        eventually("nothing runs there any more", || Ok(far.processes()?.is_empty()))?;
    }
    Ok(())
}

/// It is the check there that says what hangs.
fn ssh_stuck_mount() -> anyhow::Result<()> {
    let (far, site) = (Far::start()?, Site::new("statfs hang\n", "ssh:far")?);
    let ended = site.pipeline(&[&far.options()[..], &SHORT].concat())?.run()?;
    ended.expect("eos.mount.responsive", Fail, "statfs hangs")?;
    ended.expect("eos.mount.writable", Skip, "eos.mount.responsive")?;
    ended.expect("command.plugin.result", Success, "")?.expect_end(1, SHORT_LIMIT)
}

fn ssh_nonsense() -> anyhow::Result<()> {
    let (far, site) = (Far::start()?, Site::new("", "ssh:far")?);
    let check = |script: &str, reason: &str| -> anyhow::Result<()> {
        far.instead(script)?;
        let ended = site.pipeline(&[&far.options()[..], &SHORT].concat())?.run()?;
        expect_lost(&ended, reason)?;
        ended.expect_end(1, SHORT_LIMIT)
    };
    check("echo nonsense", "check-eos wrote something other than subunit, at byte 0: text")?;
    // The beginning of a packet, and no more.
    check("printf '\\263\\051\\003'", "check-eos wrote something other than subunit, at byte 0: ")?;
    check("exit 0", "check-eos ended without a result of this test")?;
    check("cat > /dev/null; exit 9", "check-eos on ssh:far")?;
    Ok(())
}

fn ssh_terminated() -> anyhow::Result<()> {
    let (far, site) = (Far::start()?, Site::new(SLOW, "ssh:far")?);
    let config = site.config();
    let beside = site.once_begun(move || terminate("all", config.as_os_str()));
    let ended = site.pipeline(&far.options())?.beside(beside).run()?;
    ended.expect("eos.mount.writable", Fail, "a signal ended the check")?;
    ended.expect_tag("eos.mount.writable", "interrupted")?.expect("eos.mount.integrity", Exists, "")?;
    site.expect_nothing_left()?;
    eventually("nothing runs there any more", || Ok(far.processes()?.is_empty()))?;
    ended.expect_end(143, LIMIT)
}

/// What has nobody to tell it to ends by itself.
fn ssh_left_alone() -> anyhow::Result<()> {
    let (far, site) = (Far::start()?, Site::new(SLOW, "ssh:far")?);
    let config = site.config();
    let beside = site.once_begun(move || signal("all", config.as_os_str(), Signal::KILL));
    let _killed = site.pipeline(&far.options())?.beside(beside).run()?;
    eventually("nothing runs there any more", || Ok(far.processes()?.is_empty()))?;
    site.expect_nothing_left()
}

/// A session of SWAN: a container with a mount at /eos/user, and a user of its own.
struct Session {
    engine: Engine,
    site: Site,
}

impl Session {
    fn docker(faults: &str) -> anyhow::Result<Self> {
        let (engine, site) = (Engine::docker()?, Site::new(faults, "container:jupyter-alice")?);
        let volume = format!("{}:/eos/user", site.mount.path().display());
        engine.container("jupyter-alice", &["--volume", &volume, IMAGE])?;
        fs::set_permissions(site.mount.backing(), fs::Permissions::from_mode(0o777))?;
        let text = fs::read_to_string(site.config())?;
        let path = site.mount.path().display().to_string();
        fs::write(site.config(), text.replace(&path, "/eos/user"))?;
        Ok(Session { engine, site })
    }

    fn pipeline(&self, config: &Path, arguments: &[&str]) -> anyhow::Result<Pipeline> {
        let engine = format!("--engine={}", self.engine.place());
        pipeline(self.site.folder.path(), config, &[&[engine.as_str()], arguments].concat())
    }
}

/// The beginning of SWAN's own file, and a plugin's worth of what runs here.
const SWAN: &str = "
tests:
  storage:
    mount_sanity: {timeout: 8, mountpoints: ['user/']}
    write: {fileSize: 1M, filePath: 'eos/user/0.txt'}
  database:
    token: {path: 'PATH', user: ''}
";

fn docker_session() -> anyhow::Result<()> {
    let session = Session::docker("")?;
    let yaml = session.site.folder.path().join("test.yaml");
    let database = session.site.folder.path().join("jupyterhub.sqlite");
    rusqlite::Connection::open(&database)?.execute("CREATE TABLE users (id INTEGER)", [])?;
    fs::write(&yaml, SWAN.replace("PATH", &database.display().to_string()))?;
    let ended = session.pipeline(&yaml, &["--session=alice"])?.run()?;
    let (far, here) = ("eos.user.writable.write", "database.jupyterhub.tokens");
    ended.expect("eos.user.responsive", Success, "")?.expect(far, Success, "")?;
    ended.expect_routes(far, &["jupyter-alice/user"])?;
    ensure!(
        ended.expect_routes(here, &["jupyter-alice/jupyterhub"]).is_err(),
        "the database was looked for there"
    );
    session.site.expect_nothing_left()?;

    // By the configuration file alone, as somebody else, and removed afterwards.
    let config = session.site.config();
    let ended = session.pipeline(&config, &["--user=0", "--no-cache"])?.run()?;
    for test in MOUNT {
        ended.expect(test, Success, "")?.expect_routes(test, &["jupyter-alice/mount"])?;
    }
    ended.expect("command.plugin.result", Success, "")?.expect_end(0, LIMIT)?;
    session.engine.run(&["exec", "jupyter-alice", "/bin/sh", "-c", "test ! -e /.subunit-checks"])?;

    let check = |arguments: &[&str], reason: &str| -> anyhow::Result<()> {
        let ended = session.pipeline(&config, arguments)?.run()?;
        ended.expect("eos.mount.mounted", Fail, reason)?.expect_tag("eos.mount.mounted", "infrastructure")?;
        ended.expect_end(1, LIMIT)
    };
    check(
        &["--target=container:jupyter-al"],
        "cannot get into the container jupyter-al: there is no such container",
    )?;
    check(&["--user=bob"], "does not run the program: ")?;
    session.engine.run(&["pause", "jupyter-alice"])?;
    check(&[], "it does not run: paused")?;
    session.engine.run(&["unpause", "jupyter-alice"])
}

fn docker_frozen() -> anyhow::Result<()> {
    let session = Session::docker(SLOW)?;
    let (config, pid) = (session.site.config(), session.engine.pid());
    let beside = session.site.once_begun(move || kill(pid, Signal::STOP));
    let arguments = [&SHORT[..], &["--only=writable", "--user=0"]].concat();
    let ended = session.pipeline(&config, &arguments)?.beside(beside).run()?;
    ended.expect("eos.mount.writable", Fail, "did not end in its time")?.expect_end(1, SHORT_LIMIT)?;
    // It has not thawed: now it does not even begin.
    let ended = session.pipeline(&config, &SHORT)?.run()?;
    ended.expect("eos.mount.mounted", Fail, "it was not run: ")?;
    ended.expect("command.plugin.result", Success, "")?.expect_end(1, SHORT_LIMIT)?;
    session.engine.signal(Signal::CONT)?;
    session.site.expect_nothing_left()
}

fn docker_terminated() -> anyhow::Result<()> {
    let session = Session::docker(SLOW)?;
    let config = session.site.config();
    let word = config.clone();
    let beside = session.site.once_begun(move || terminate("all", word.as_os_str()));
    let ended = session.pipeline(&config, &["--user=0"])?.beside(beside).run()?;
    ended.expect("eos.mount.writable", Fail, "a signal ended the check")?;
    ended.expect_tag("eos.mount.writable", "interrupted")?.expect_end(143, LIMIT)?;
    session.site.expect_nothing_left()?;
    eventually("nothing runs there any more", || Ok(!alive("/.subunit-checks/")?))?;

    let word = config.clone();
    let beside = session.site.once_begun(move || signal("all", word.as_os_str(), Signal::KILL));
    let _killed = session.pipeline(&config, &["--user=0"])?.beside(beside).run()?;
    session.site.expect_nothing_left()?;
    eventually("nothing runs there any more", || Ok(!alive("/.subunit-checks/")?))
}

fn podman() -> anyhow::Result<()> {
    let (engine, folder) = (Engine::podman()?, tempfile::tempdir()?);
    let root = engine.root()?.display().to_string();
    engine.container("ok", &["--rootfs", &root, "/bin/sleep", "600"])?;
    let config = folder.path().join("checks.toml");
    let text = "[[target]]\nname = 'tmp'\ncheck = 'eos'\npath = '/tmp'\nfstype = 'any'\nprobe = 'deep'\n\
                on = 'container:ok'\n[[target]]\nname = 'no'\ncheck = 'command'\ncommand = ['/bin/sh', '-c', 'exit 2']\n\
                on = 'container:ok'\n";
    fs::write(&config, text)?;
    let socket = format!("--engine={}", engine.place());
    let ended = pipeline(folder.path(), &config, &[&socket])?.run()?;
    for test in ["eos.tmp.responsive", "eos.tmp.writable", "eos.tmp.integrity"] {
        ended.expect(test, Success, "")?.expect_routes(test, &["ok/tmp"])?;
    }
    ended.expect("command.no.result", Fail, "")?.expect_routes("command.no.result", &["ok/no"])?;
    ended.expect_end(1, LIMIT)
}
