//! `check-all` with a mount, a repository, a web server and a plugin at once: each can fail alone.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::ensure;
use process::Signal;
use subunit::Status::{Exists, Fail, Skip, Success};
use tempfile::TempDir;

use crate::fixtures::{Faulty, eventually};
use crate::pipeline::{Ended, Pipeline, check_eos, signal, terminate};
use crate::servers::Server;
use crate::{Need, Scenario, cvmfs};

pub(crate) const SCENARIOS: &[Scenario] = &[
    scenario("components.all.green", green),
    scenario("components.all.mount-hangs", mount_hangs),
    scenario("components.all.server-frozen", server_frozen),
    scenario("components.all.child-killed", child_killed),
    scenario("components.all.child-stopped", child_stopped),
    scenario("components.all.dependency-failed", dependency_failed),
    scenario("components.all.one-place-at-a-time", one_place_at_a_time),
    scenario("components.all.terminated", terminated),
    scenario("components.all.interrupted-before-the-end", interrupted_before_the_end),
];

const fn scenario(id: &'static str, run: fn() -> anyhow::Result<()>) -> Scenario {
    Scenario { id, needs: &[Need::Fuse, Need::Program("python3")], run }
}

/// How long all may take where something hangs.
const PLAN: Duration = Duration::from_secs(6);
const SHORT: [&str; 3] = ["--op-timeout=1s", "--timeout=3s", "--plan-timeout=6s"];

/// Four targets of different sorts, and the file that names them.
struct Site {
    mount: Faulty,
    _repository: Faulty,
    server: Server,
    folder: TempDir,
}

impl Site {
    /// With a mount that has these faults, and a plugin with this script.
    fn new(faults: &str, script: &str) -> anyhow::Result<Self> {
        // What is built at the first use would be built while the mounts' watchdogs run.
        let _built = check_eos();
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("page"), "welcome")?;
        let (mount, repository) = (Faulty::mount(faults)?, cvmfs::repository(&[], "")?);
        let server = Server::of_files(folder.path())?;
        let text = format!(
            "[defaults]\ntags = ['site']\n\
             [[target]]\nname = 'mount'\ncheck = 'eos'\npath = '{}'\nprobe = 'deep'\nsize = '256KiB'\n\
             [[target]]\nname = 'repository'\ncheck = 'cvmfs'\npath = '{}'\nfqrn = 'it.example.org'\n\
             only = ['automount', 'responsive', 'identity', 'ttfb.warm']\n\
             [[target]]\nname = 'page'\ncheck = 'http'\nurl = '{}'\nmatch = 'welcome'\n\
             [[target]]\nname = 'plugin'\ncheck = 'command'\ncommand = ['sh', '-c', '{script}']\n",
            mount.path().display(),
            repository.path().display(),
            server.url("http", "/page"),
        );
        fs::write(folder.path().join("checks.toml"), text)?;
        Ok(Site { mount, _repository: repository, server, folder })
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("checks.toml")
    }

    /// Changes the file.
    fn edit(&self, from: &str, to: &str) -> anyhow::Result<()> {
        let text = fs::read_to_string(self.config())?;
        ensure!(text.contains(from), "no {from} in {text}");
        Ok(fs::write(self.config(), text.replace(from, to))?)
    }

    fn pipeline(&self, arguments: &[&str]) -> Pipeline {
        Pipeline::of_all(self.folder.path(), &self.config(), arguments)
    }
}

/// Whether all of these are green.
fn expect_green(ended: &Ended, tests: &[&str]) -> anyhow::Result<()> {
    tests.iter().try_for_each(|test| ended.expect(test, Success, "")?.expect_tag(test, "site").map(|_| ()))
}

const MOUNT: [&str; 3] = ["eos.mount.responsive", "eos.mount.writable", "eos.mount.integrity"];
const REPOSITORY: [&str; 2] = ["cvmfs.repository.identity", "cvmfs.repository.ttfb.warm"];
const PAGE: [&str; 3] = ["http.page.connect", "http.page.status", "http.page.body"];
const PLUGIN: [&str; 1] = ["command.plugin.result"];

fn green() -> anyhow::Result<()> {
    let site = Site::new("", "echo fine")?;
    let ended = site.pipeline(&[]).run()?;
    for tests in [&MOUNT[..], &REPOSITORY, &PAGE, &PLUGIN] {
        expect_green(&ended, tests)?;
    }
    ensure!(site.mount.files()?.is_empty(), "{:?} are left", site.mount.files()?);
    ended.expect_end(0, Duration::from_secs(20))
}

fn mount_hangs() -> anyhow::Result<()> {
    let site = Site::new("statfs hang\n", "echo fine")?;
    let ended = site.pipeline(&SHORT).run()?;
    ended.expect("eos.mount.responsive", Fail, "statfs hangs")?;
    ended.expect("eos.mount.writable", Skip, "eos.mount.responsive")?;
    for tests in [&REPOSITORY[..], &PAGE, &PLUGIN] {
        expect_green(&ended, tests)?;
    }
    ended.expect_end(1, PLAN)
}

fn server_frozen() -> anyhow::Result<()> {
    let site = Site::new("", "echo fine")?;
    site.server.freeze()?;
    let ended = site.pipeline(&SHORT).run()?;
    ended.expect("http.page.status", Fail, "")?;
    for tests in [&MOUNT[..], &REPOSITORY, &PLUGIN] {
        expect_green(&ended, tests)?;
    }
    ended.expect_end(1, PLAN)
}

/// Sends the plugin's check a signal when the plugin runs.
fn with_signal(name: Signal) -> anyhow::Result<Ended> {
    let folder = tempfile::tempdir()?;
    let begun = folder.path().join("begun");
    let script = format!("touch {}; exec sleep 30", begun.display());
    let (site, own) = (Site::new("", &script)?, format!("--command={script}"));
    let beside = move || {
        eventually("the plugin runs", || Ok(begun.exists()))?;
        signal("command", OsStr::new(&own), name)
    };
    let ended = site.pipeline(&["--timeout=4s", "--plan-timeout=6s"]).beside(beside).run()?;
    for tests in [&MOUNT[..], &REPOSITORY, &PAGE] {
        expect_green(&ended, tests)?;
    }
    Ok(ended)
}

fn child_killed() -> anyhow::Result<()> {
    let ended = with_signal(Signal::KILL)?;
    ended.expect("command.plugin.result", Fail, "check-command ended by killed by signal 9 (SIGKILL)")?;
    ended
        .expect_tag("command.plugin.result", "infrastructure")?
        .expect_tag("command.plugin.result", "site")?;
    ended.expect_end(1, PLAN)
}

fn child_stopped() -> anyhow::Result<()> {
    let ended = with_signal(Signal::STOP)?;
    ended.expect("command.plugin.run", Fail, "did not end in its time and was ended: process")?;
    ended.expect("command.plugin.run", Fail, "(stopped)")?.expect("command.plugin.result", Fail, "")?;
    ended.expect_end(1, PLAN)
}

fn dependency_failed() -> anyhow::Result<()> {
    let site = Site::new("* 5\n", "echo fine")?;
    site.edit("name = 'page'", "name = 'page'\nafter = ['mount']")?;
    let ended = site.pipeline(&SHORT).run()?;
    ended.expect("http.page.connect", Skip, "it builds on mount, of which eos.mount.")?;
    expect_green(&ended, &REPOSITORY)?;
    ended.expect_end(1, PLAN)
}

fn one_place_at_a_time() -> anyhow::Result<()> {
    // Two processes at the same path would each find the other's lock, and take it for a hung one.
    let site = Site::new("statfs slow 400\nopendir slow 400\n", "echo fine")?;
    let path = site.mount.path();
    let again = format!("[[target]]\nname = 'again'\ncheck = 'eos'\npath = '{}/'\n", path.display());
    site.edit("[[target]]\nname = 'page'", &format!("{again}[[target]]\nname = 'page'"))?;
    let ended = site.pipeline(&["--op-timeout=600ms", "--only=responsive"]).run()?;
    expect_green(&ended, &["eos.mount.responsive", "eos.again.responsive", "cvmfs.repository.responsive"])?;
    ended.expect_end(0, PLAN)
}

/// A plugin that goes on, and how it is seen that it has begun.
fn lasting() -> anyhow::Result<(tempfile::TempPath, String)> {
    let begun = tempfile::NamedTempFile::new()?.into_temp_path();
    let script = format!("echo begun >{}; exec sleep 30", begun.display());
    Ok((begun, script))
}

fn has_begun(begun: &Path) -> anyhow::Result<bool> {
    Ok(!fs::read(begun)?.is_empty())
}

fn terminated() -> anyhow::Result<()> {
    let (begun, script) = lasting()?;
    let site = Site::new("write slow 300\n", &script)?;
    site.edit("name = 'mount'", "name = 'mount'\nafter = ['repository']")?;
    let (config, backing) = (site.config(), site.mount.backing());
    let pipeline = site.pipeline(&[]).beside(move || {
        eventually("it writes, and the plugin has begun", || {
            Ok(fs::read_dir(&backing)?.next().is_some() && has_begun(&begun)?)
        })?;
        terminate("all", config.as_os_str())
    });
    let ended = pipeline.run()?;
    let interrupted = "a signal ended the check";
    ended.expect("eos.mount.writable", Fail, interrupted)?.expect_tag("eos.mount.writable", "interrupted")?;
    ended.expect("command.plugin.result", Fail, interrupted)?;
    ended.expect("eos.mount.integrity", Exists, "")?;
    expect_green(&ended, &REPOSITORY)?;
    ensure!(site.mount.files()?.is_empty(), "{:?} are left", site.mount.files()?);
    ended.expect_end(143, PLAN)
}

fn interrupted_before_the_end() -> anyhow::Result<()> {
    // What waits for another target is not begun any more.
    let (begun, script) = lasting()?;
    let site = Site::new("", &script)?;
    site.edit("name = 'page'", "name = 'page'\nafter = ['plugin']")?;
    let config = site.config();
    let pipeline = site.pipeline(&[]).beside(move || {
        eventually("the plugin has begun", || has_begun(&begun))?;
        signal("all", config.as_os_str(), Signal::INT)
    });
    let ended = pipeline.run()?;
    ended.expect("http.page.connect", Exists, "")?.expect("command.plugin.result", Fail, "a signal")?;
    ended.expect_end(130, PLAN)
}
