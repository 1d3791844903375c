//! A folder in which repositories are mounted when they are entered, by automount.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use nix::mount::{MntFlags, umount2};
use process::{Child, Deadline, Signal};
use tempfile::TempDir;

use crate::fixtures::{eventually, mountinfo};

/// After how many seconds it unmounts all and ends, whatever became of this test.
const WATCHDOG: &str = "60";

/// The daemon, and the folder that it serves.
pub(crate) struct Automount {
    folder: TempDir,
    daemon: Child,
}

impl Automount {
    /// One that has this folder appear by this name, when it is entered.
    pub(crate) fn start(name: &str, source: &Path) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let place = |name: &str| folder.path().join(name);
        fs::create_dir(place("cvmfs"))?;
        fs::write(place("map"), format!("{name} -fstype=bind :{}\n", source.display()))?;
        let master = format!("{} file:{} --timeout=60\n", place("cvmfs").display(), place("map").display());
        fs::write(place("master"), master)?;
        let mut command = Command::new("timeout");
        command.args(["-s", "TERM", "-k", "5", WATCHDOG, "automount", "--foreground", "--dont-check-daemon"]);
        command.arg("--pid-file").arg(place("pid")).arg(place("master"));
        let log = fs::File::create(place("log"))?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let automount = Automount { daemon: Child::spawn(&mut command)?, folder };
        let is_there = || Ok(mountinfo()?.contains(&automount.folder().display().to_string()));
        let log = || fs::read_to_string(automount.folder.path().join("log")).unwrap_or_default();
        eventually("automount serves its folder", is_there).with_context(log)?;
        Ok(automount)
    }

    /// The folder in which it mounts.
    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.path().join("cvmfs")
    }

    /// Whether something is mounted there by this name.
    pub(crate) fn has_mounted(&self, name: &str) -> bool {
        let point = self.folder().join(name).display().to_string();
        mountinfo().unwrap_or_default().split_ascii_whitespace().any(|word| word == point)
    }

    /// Sends the daemon a signal, and not its watchdog.
    pub(crate) fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let pid = fs::read_to_string(self.folder.path().join("pid"))?;
        let pid = rustix::process::Pid::from_raw(pid.trim().parse()?).context("a process")?;
        Ok(rustix::process::kill_process(pid, signal)?)
    }
}

impl Drop for Automount {
    fn drop(&mut self) {
        let _thawed = self.signal(Signal::CONT);
        let _asked = self.signal(Signal::TERM);
        let ended = self.daemon.wait_until(Deadline::after(Duration::from_secs(10)));
        if !matches!(ended, Ok(Some(_))) {
            let _killed = self.daemon.kill(Duration::from_secs(1));
        }
        // It leaves what is in use.
        let folder = self.folder();
        for line in mountinfo().unwrap_or_default().lines().rev() {
            let point = line.split(' ').nth(4).map(PathBuf::from).unwrap_or_default();
            if point.starts_with(&folder) {
                let _unmounted = umount2(&point, MntFlags::MNT_DETACH);
            }
        }
    }
}
