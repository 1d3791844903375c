//! A server of ssh on this machine, which is another host to whoever asks.

use std::ffi::OsString;
use std::fs;
use std::net::TcpListener;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use process::{Child, Signal};
use rustix::process::Pid;
use tempfile::TempDir;

use super::program::program;
use crate::fixtures::eventually;
use crate::pipeline::complete;

/// Where root's copies are.
const COPIES: &str = "/var/tmp/.subunit-checks-0";
/// After how many seconds it ends by itself.
const WATCHDOG: &str = "100";

/// A server of its own, known as `far` to the clients that are configured for it.
pub(crate) struct Far {
    folder: TempDir,
    server: Child,
}

impl Far {
    pub(crate) fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path();
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        for key in ["host", "other", "id"] {
            run(Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(path.join(key)))?;
        }
        fs::copy(path.join("id.pub"), path.join("authorized"))?;
        let place = path.display();
        let server = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {place}/host\nPidFile none\nStrictModes no\n\
             AuthorizedKeysFile {place}/authorized\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
             UsePAM no\nPermitRootLogin yes\nPrintMotd no\nForceCommand /bin/sh {place}/force\n"
        );
        fs::write(path.join("server"), server)?;
        let client = format!(
            "Host far\nHostName 127.0.0.1\nPort {port}\nUser root\nIdentityFile {place}/id\nIdentitiesOnly yes\n\
             IdentityAgent none\nHostKeyAlias far\nUserKnownHostsFile {place}/known\nGlobalKnownHostsFile none\n\
             StrictHostKeyChecking yes\nControlMaster no\nControlPath none\n"
        );
        fs::write(path.join("client"), client)?;
        let known = fs::read_to_string(path.join("host.pub"))?;
        fs::write(path.join("known"), format!("far {known}"))?;
        fs::create_dir_all("/run/sshd")?;
        let log = fs::File::create(path.join("log"))?;
        let mut command = Command::new("timeout");
        command
            .args(["--foreground", WATCHDOG])
            .arg(sshd()?)
            .args(["-D", "-e", "-f"])
            .arg(path.join("server"));
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let far = Far { server: Child::spawn(&mut command)?, folder };
        far.instead("exec sh -c \"$SSH_ORIGINAL_COMMAND\"")?;
        eventually("the server listens", || Ok(std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()))?;
        Ok(far)
    }

    /// The configuration of ssh by which clients get there.
    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join("client")
    }

    /// How check-all gets there.
    pub(super) fn options(&self) -> [&'static str; 1] {
        let option = format!("--ssh-config={}", self.config().display());
        // A few bytes for each scenario, for the sake of all the lists of arguments.
        [option.leak()]
    }

    /// Runs this script there instead of the program that was copied; all else is as it was.
    pub(super) fn instead(&self, script: &str) -> anyhow::Result<()> {
        let force = format!(
            "case \"$SSH_ORIGINAL_COMMAND\" in *--internal-far*) {script};; *) exec sh -c \"$SSH_ORIGINAL_COMMAND\";; \
             esac\n"
        );
        Ok(fs::write(self.folder.path().join("force"), force)?)
    }

    /// Has the client know another key than the server has.
    pub(super) fn change_host_key(&self) -> anyhow::Result<()> {
        let other = fs::read_to_string(self.folder.path().join("other.pub"))?;
        Ok(fs::write(self.folder.path().join("known"), format!("far {other}"))?)
    }

    pub(super) fn pid(&self) -> i32 {
        i32::try_from(self.server.id()).unwrap_or_default()
    }

    /// Ends it.
    pub(crate) fn stop(&self) -> anyhow::Result<()> {
        self.signal_servers(Signal::KILL)?;
        eventually("the server is gone", || Ok(self.processes()?.is_empty()))
    }

    /// Sends a signal to all its servers: the one that listens, and one a connection.
    pub(super) fn signal_servers(&self, signal: Signal) -> anyhow::Result<()> {
        signal_servers(self.pid(), signal)
    }

    /// What runs there for its clients.
    pub(super) fn processes(&self) -> anyhow::Result<Vec<Vec<String>>> {
        let all = descendants(self.pid())?.into_iter().map(command_line);
        let is_listening = |line: &Vec<String>| line.first().is_some_and(|word| word.contains("[listener]"));
        Ok(all.filter(|line| !line.is_empty() && !is_listening(line)).collect())
    }

    /// Where the program is there.
    pub(super) fn copy(&self) -> anyhow::Result<PathBuf> {
        copies()?.into_iter().next().context("there is no copy of the program")
    }
}

impl Drop for Far {
    fn drop(&mut self) {
        for process in descendants(self.pid()).unwrap_or_default() {
            let _killed = kill(process, Signal::KILL);
        }
        let _ended = self.server.kill(Duration::from_secs(1));
        for copy in copies().unwrap_or_default() {
            let _removed = fs::remove_file(copy);
        }
        // Unless there is more in it, which is none of ours.
        let _removed = fs::remove_dir(COPIES);
    }
}

/// The copies of the program that these tests have made, by their content.
fn copies() -> anyhow::Result<Vec<PathBuf>> {
    let length = fs::metadata(program()?)?.len();
    let entries =
        fs::read_dir(COPIES).map(|entries| entries.flatten().collect()).unwrap_or_else(|_| Vec::new());
    let is_ours = |path: &PathBuf| fs::metadata(path).is_ok_and(|found| found.len() == length);
    Ok(entries.into_iter().map(|entry| entry.path()).filter(is_ours).collect())
}

/// Sends a signal to all servers of a process and its descendants.
pub(super) fn signal_servers(pid: i32, signal: Signal) -> anyhow::Result<()> {
    of_servers(pid, signal, |_| true)
}

/// The same, but not to the one that listens.
pub(super) fn signal_sessions(pid: i32, signal: Signal) -> anyhow::Result<()> {
    of_servers(pid, signal, |line| !line.contains("[listener]"))
}

fn of_servers(pid: i32, signal: Signal, is_meant: impl Fn(&str) -> bool) -> anyhow::Result<()> {
    for process in descendants(pid)? {
        let line = command_line(process);
        if line.first().is_some_and(|word| word.contains("sshd") && is_meant(word)) {
            kill(process, signal)?;
        }
    }
    Ok(())
}

/// What a process has started, and what that has.
pub(super) fn descendants(pid: i32) -> anyhow::Result<Vec<i32>> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        let Ok(text) = fs::read_to_string(entry.path().join("stat")) else { continue };
        let after = text.rsplit_once(") ").map_or("", |(_, after)| after);
        let mut words = after.split(' ');
        let (state, parent) = (words.next(), words.next().and_then(|word| word.parse::<i32>().ok()));
        if state != Some("Z") {
            parents.extend(parent.map(|parent| (pid, parent)));
        }
    }
    let mut found = vec![pid];
    let mut next = 0;
    while let Some(above) = found.get(next).copied() {
        found.extend(parents.iter().filter(|(_, parent)| *parent == above).map(|(pid, _)| *pid));
        next += 1;
    }
    found.remove(0);
    Ok(found)
}

/// Whether there is a process with this in its command line.
pub(super) fn alive(word: &str) -> anyhow::Result<bool> {
    let pids = fs::read_dir("/proc")?.flatten();
    let mut pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    Ok(pids.any(|pid| command_line(pid).iter().any(|argument| argument.starts_with(word))))
}

/// The words of its command line; none when it has ended.
pub(super) fn command_line(pid: i32) -> Vec<String> {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words = line.split(|byte| *byte == 0).filter(|word| !word.is_empty());
    words.map(|word| OsString::from_vec(word.to_vec()).to_string_lossy().into_owned()).collect()
}

pub(super) fn kill(pid: i32, signal: Signal) -> anyhow::Result<()> {
    let pid = Pid::from_raw(pid).context("a process")?;
    match rustix::process::kill_process(pid, signal) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(error) => bail!("cannot signal {pid:?}: {error}"),
    }
}

/// The server's program, which wants to be called by its whole path.
fn sshd() -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut all = std::env::split_paths(&path).map(|folder| folder.join("sshd"));
    all.find(|path| path.is_file()).context("there is no sshd")
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let done = complete(command.stdin(Stdio::null()))?;
    ensure!(done.ending.is_success(), "{command:?}: {}: {}", done.ending.exit, done.stderr.text());
    Ok(())
}
