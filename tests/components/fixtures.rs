//! Mounts that fail as they are told, and are gone afterwards whatever happens.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use process::{Child, ProcessGroup, Signal};
use tempfile::TempDir;

/// After how many seconds a file system ends by itself.
const WATCHDOG: &str = "60";

/// A FUSE file system with faults.
pub(crate) struct Faulty {
    folder: TempDir,
    /// The process that serves.
    server: u32,
    watchdog: Child,
    /// Ends the watchdog when it is dropped.
    input: Option<ChildStdin>,
}

impl Faulty {
    /// Mounts one that has these faults: lines of `OPERATION FAULT`.
    pub(crate) fn mount(faults: &str) -> anyhow::Result<Self> {
        Faulty::mount_as("faulty", faults)
    }

    /// Mounts one of this name that has these faults.
    pub(crate) fn mount_as(name: &str, faults: &str) -> anyhow::Result<Self> {
        Faulty::mount_with(&[name], faults, |_| Ok(()))
    }

    /// Mounts one of this name, read-only, on a folder that `fill` has filled.
    pub(crate) fn mount_read_only(
        name: &str,
        faults: &str,
        fill: impl FnOnce(&Path) -> anyhow::Result<()>,
    ) -> anyhow::Result<Self> {
        Faulty::mount_with(&[name, "ro"], faults, fill)
    }

    fn mount_with(
        source: &[&str],
        faults: &str,
        fill: impl FnOnce(&Path) -> anyhow::Result<()>,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        for name in ["backing", "mount"] {
            fs::create_dir(folder.path().join(name))?;
        }
        fill(&folder.path().join("backing"))?;
        let control = folder.path().join("control");
        fs::write(&control, faults)?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_faulty-fs"));
        command
            .arg(folder.path().join("backing"))
            .arg(folder.path().join("mount"))
            .arg(control)
            .arg(WATCHDOG)
            .args(source);
        let mut watchdog = Child::spawn(command.stdin(Stdio::piped()).stdout(Stdio::piped()))?;
        let input = watchdog.take_stdin();
        let mut line = String::new();
        BufReader::new(watchdog.take_stdout().context("an output")?).read_line(&mut line)?;
        let server = line.trim().strip_prefix("ready ").and_then(|pid| pid.parse().ok());
        let server = server.with_context(|| format!("faulty-fs says {line:?}"))?;
        Ok(Faulty { folder, server, watchdog, input })
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("mount")
    }

    /// The folder below the mount.
    pub(crate) fn backing(&self) -> PathBuf {
        self.folder.path().join("backing")
    }

    /// What is below the mount.
    pub(crate) fn files(&self) -> anyhow::Result<Vec<PathBuf>> {
        let entries = fs::read_dir(self.backing())?;
        entries.map(|entry| Ok(entry?.path())).collect()
    }

    /// Has other faults from now on.
    pub(crate) fn set(&self, faults: &str) -> anyhow::Result<()> {
        Ok(fs::write(self.folder.path().join("control"), faults)?)
    }

    /// Sends the server a signal.
    pub(crate) fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let server = ProcessGroup::of(self.server).context("the server leads a group")?;
        Ok(server.signal(signal)?)
    }
}

impl Drop for Faulty {
    fn drop(&mut self) {
        drop(self.input.take());
        let ended = self.watchdog.wait_until(process::Deadline::after(Duration::from_secs(10)));
        if !matches!(ended, Ok(Some(_))) {
            // The server dies with its watchdog, which is killed when it is dropped.
            let _unmounted = umount2(&self.path(), MntFlags::MNT_DETACH);
        }
    }
}

/// A tmpfs of one megabyte.
pub(crate) struct Small {
    point: PathBuf,
    /// Removed when all is unmounted.
    _folder: TempDir,
}

impl Small {
    pub(crate) fn mount() -> anyhow::Result<Self> {
        Small::mount_at("small")
    }

    /// On a folder of this name.
    pub(crate) fn mount_at(name: impl AsRef<OsStr>) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let point = folder.path().join(name.as_ref());
        fs::create_dir(&point)?;
        mount(Some("tmpfs"), &point, Some("tmpfs"), MsFlags::empty(), Some("size=1m"))?;
        Ok(Small { point, _folder: folder })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.point
    }

    /// Leaves no room on it.
    pub(crate) fn fill(&self) -> anyhow::Result<()> {
        match fs::write(self.path().join("all"), vec![0; 2 << 20]) {
            Err(error) if error.kind() == std::io::ErrorKind::StorageFull => Ok(()),
            done => bail!("filling it up: {done:?}"),
        }
    }

    pub(crate) fn make_read_only(&self) -> anyhow::Result<()> {
        let flags = MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
        Ok(mount(None::<&str>, self.path(), None::<&str>, flags, None::<&str>)?)
    }

    /// The same file system on another folder, through which nothing can be written.
    pub(crate) fn bind_read_only(&self, point: &Path) -> anyhow::Result<Bound> {
        mount(Some(self.path()), point, None::<&str>, MsFlags::MS_BIND, None::<&str>)?;
        let bound = Bound(point.to_owned());
        let flags = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
        mount(None::<&str>, point, None::<&str>, flags, None::<&str>)?;
        Ok(bound)
    }
}

/// A file system that is mounted on a second folder.
pub(crate) struct Bound(PathBuf);

impl Drop for Bound {
    fn drop(&mut self) {
        let _unmounted = umount2(&self.0, MntFlags::MNT_DETACH);
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _unmounted = umount2(self.path(), MntFlags::MNT_DETACH);
    }
}

/// An ext4 file system in a file, behind a block device of its own.
pub(crate) struct Disk(TempDir);

impl Disk {
    /// Mounts one with these options.
    pub(crate) fn mount(options: &str) -> anyhow::Result<Self> {
        let disk = Disk(tempfile::tempdir()?);
        let (image, point) = (disk.0.path().join("image"), disk.path());
        fs::File::create(&image)?.set_len(64 << 20)?;
        fs::create_dir(&point)?;
        run(Command::new("mke2fs").args(["-q", "-F", "-t", "ext4"]).arg(&image))?;
        run(Command::new("mount").arg("-o").arg(format!("loop,{options}")).arg(&image).arg(&point))?;
        Ok(disk)
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.0.path().join("mount")
    }

    /// Why there can be none: in a chroot or a container the kernel may not tell of devices.
    pub(crate) fn missing() -> Option<String> {
        let needed = ["/dev/loop-control", "/sys/dev/block"];
        let missing = needed.iter().find(|path| !Path::new(path).exists())?;
        Some(format!("there is no {missing}"))
    }

    /// How many bytes were read from the device so far.
    pub(crate) fn bytes_read(&self) -> anyhow::Result<u64> {
        let device = fs::metadata(self.path())?.dev();
        let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
        let text = fs::read_to_string(format!("/sys/dev/block/{major}:{minor}/stat"))?;
        let sectors = text.split_ascii_whitespace().nth(2).context("a count of sectors")?;
        Ok(sectors.parse::<u64>()? * 512)
    }
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let done = crate::pipeline::complete(command.stdin(Stdio::null()))?;
    anyhow::ensure!(done.ending.is_success(), "{command:?}: {}: {}", done.ending.exit, done.stderr.text());
    Ok(())
}

impl Drop for Disk {
    fn drop(&mut self) {
        // The device goes with its last mount.
        let _unmounted = umount2(&self.path(), MntFlags::MNT_DETACH);
    }
}

/// The kernel's account of FUSE connections.
pub(crate) struct Control(Option<&'static Path>);

/// Where it is mounted.
const CONNECTIONS: &str = "/sys/fs/fuse/connections";

impl Control {
    /// Why it cannot be mounted.
    pub(crate) fn missing() -> Option<String> {
        let is_there = Path::new(CONNECTIONS).is_dir();
        (!is_there).then(|| format!("there is no {CONNECTIONS} to mount fusectl on"))
    }

    /// Mounts it, unless it is mounted.
    pub(crate) fn mount() -> anyhow::Result<Self> {
        let point = Path::new(CONNECTIONS);
        if mountinfo()?.contains(" /sys/fs/fuse/connections ") {
            return Ok(Control(None));
        }
        mount(Some("fusectl"), point, Some("fusectl"), MsFlags::empty(), None::<&str>)?;
        Ok(Control(Some(point)))
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        if let Some(point) = self.0 {
            let _unmounted = umount2(point, MntFlags::MNT_DETACH);
        }
    }
}

/// What is mounted, a line each, as text: names of others need not be any.
pub(crate) fn mountinfo() -> anyhow::Result<String> {
    Ok(String::from_utf8_lossy(&fs::read("/proc/self/mountinfo")?).into_owned())
}

/// Looks again and again until it is so, for twenty seconds at most.
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let begin = Instant::now();
    while !is_so()? {
        if begin.elapsed() > Duration::from_secs(20) {
            bail!("for twenty seconds it was not so that {what}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
