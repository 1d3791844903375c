//! A path to check, and the helpers that touch it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use globset::GlobMatcher;
use process::Deadline;
use process::helper::{Busy, Cause, Guard, Job, Refused, folder};

use super::args::CheckEos;
use super::aspect::Aspect;
use super::task::{Task, Volume};
use super::told::{Told, value};
use crate::probe::{Finding, Level, Limits, Mount, Mounts, host, nonce};

/// The time between asking a helper to end and killing it.
const GRACE: Duration = Duration::from_millis(300);
/// How long a helper may take to remove what one that was killed has left.
const CLEANING: Duration = Duration::from_secs(2);
/// How long to look for a signal while waiting for the lock.
const SLICE: Duration = Duration::from_millis(50);

/// A path to check.
pub(super) struct Target {
    path: PathBuf,
    name: String,
    fstype: GlobMatcher,
    args: CheckEos,
    guard: Option<Guard>,
    /// The path without links, once it was needed.
    resolved: Option<PathBuf>,
    /// Whether the mount was found to be as expected, once it was looked at.
    mounted: Option<bool>,
    /// Whether a helper was left behind.
    hung: bool,
}

impl Target {
    pub(super) fn new(path: PathBuf, name: String, fstype: GlobMatcher, args: CheckEos) -> Self {
        Target { path, name, fstype, args, guard: None, resolved: None, mounted: None, hung: false }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn shown(&self) -> String {
        self.path.display().to_string()
    }

    /// Looks at one aspect. Only a path that is mounted as expected is touched: what lies below an unmounted
    /// one is something else.
    pub(super) fn check(&mut self, aspect: Aspect, limits: Limits<'_>) -> Finding {
        if aspect == Aspect::Mounted {
            return self.check_mounted(limits);
        }
        if self.mounted.is_none() {
            let finding = self.check_mounted(limits);
            if finding.level != Level::Fine {
                return finding;
            }
        }
        let finding = match aspect {
            Aspect::Mounted | Aspect::Responsive => self.ask(&Task::Respond, &[], limits),
            Aspect::Space => self.ask(&Task::Space, &[], limits),
            _ => self.write(aspect, limits),
        };
        let finding = finding.map_or_else(|refused| *refused, |told| told.finding());
        self.with_mount(finding)
    }

    fn check_mounted(&mut self, limits: Limits<'_>) -> Finding {
        let finding = match self.find_mount(limits) {
            Ok(mount) => {
                let Mount { fstype, source, point, .. } = &mount;
                Finding::fine(format!("{fstype}, {source} on {}", point.display()))
            }
            Err(finding) => *finding,
        };
        self.mounted = Some(finding.level == Level::Fine);
        self.with_mount(finding)
    }

    /// The mount that the path is on, if it is of the expected type. Only when the path's words do not lead to
    /// one is it touched: it may lead there by a link, or be mounted on demand.
    fn find_mount(&mut self, limits: Limits<'_>) -> Result<Mount, Box<Finding>> {
        if let Ok(mount) = self.expected_mount(&self.path)? {
            return Ok(mount);
        }
        let told = self.ask(&Task::Resolve, &[], limits)?;
        let resolved = told.values(value::RESOLVED).next().map(PathBuf::from);
        let Some(resolved) = resolved else { return Err(Box::new(told.finding())) };
        let mount = self.expected_mount(&resolved)?;
        self.resolved = Some(resolved);
        mount.map_err(|found| {
            let (path, expected) = (self.path.display(), self.fstype.glob());
            let on = found.map_or_else(String::new, |mount| {
                format!(": the path is on {} ({})", mount.point.display(), mount.fstype)
            });
            let hint = "--fstype says what to expect, --fstype any accepts every directory";
            Box::new(Finding::broken(format!("nothing of type {expected} is mounted at {path}{on}; {hint}")))
        })
    }

    /// The mount that these words lead to: as expected, or not.
    fn expected_mount(&self, path: &Path) -> Result<Result<Mount, Option<Mount>>, Box<Finding>> {
        let mounts = Mounts::read().map_err(|error| {
            Box::new(Finding::unknown(format!("cannot read /proc/self/mountinfo: {error}")))
        })?;
        Ok(match mounts.covering(path) {
            Some(mount) if self.fstype.is_match(&mount.fstype) => Ok(mount.clone()),
            found => Err(found.cloned()),
        })
    }

    fn write(&mut self, aspect: Aspect, limits: Limits<'_>) -> Result<Told, Box<Finding>> {
        let volume = Volume {
            name: format!(".probe-{}-{}-{:016x}", host(), std::process::id(), nonce()),
            samples: self.args.samples,
            size: self.args.size,
            seed: nonce(),
            checksum: self.args.checksum,
        };
        self.check_directory()?;
        self.remove_left_behind(limits)?;
        let folder = self.folder();
        let creates = volume
            .names()
            .iter()
            .filter_map(|name| folder.join(name).to_str().map(str::to_owned))
            .collect::<Vec<_>>();
        let task = match aspect {
            Aspect::ThroughputWrite => Task::Write(volume),
            Aspect::ThroughputRead => Task::Read(volume),
            Aspect::Integrity => Task::Verify(volume),
            _ => Task::Writable(volume),
        };
        self.ask(&task, &creates, limits)
    }

    /// Where files are made.
    fn folder(&self) -> PathBuf {
        below(&self.path, self.args.dir.as_deref())
    }

    /// Files are only made on the mount that is checked.
    fn check_directory(&self) -> Result<(), Box<Finding>> {
        let base = self.resolved.as_ref().unwrap_or(&self.path);
        let place =
            |path: &Path| Ok::<_, Box<Finding>>(self.expected_mount(path)?.ok().map(|mount| mount.line));
        if place(base)? == place(&below(base, self.args.dir.as_deref()))? {
            return Ok(());
        }
        let (dir, path) = (self.folder(), self.path.display());
        Err(Box::new(Finding::unknown(format!("{} is not on the mount of {path}", dir.display()))))
    }

    /// Removes what earlier runs made and did not live to remove.
    fn remove_left_behind(&mut self, limits: Limits<'_>) -> Result<(), Box<Finding>> {
        self.take_guard(limits)?;
        let left = self.guard.as_ref().map(|guard| guard.created().to_vec()).unwrap_or_default();
        if left.is_empty() {
            return Ok(());
        }
        self.remove(left, limits)
    }

    fn remove(&mut self, paths: Vec<String>, limits: Limits<'_>) -> Result<(), Box<Finding>> {
        let told = self.ask(&Task::Remove(paths.clone()), &[], limits)?;
        if let Some(guard) = self.guard.as_mut().filter(|_| told.is_clean()) {
            // What is noted too long is only looked for once more.
            let _noted = guard.forget(&paths);
        }
        Ok(())
    }

    /// Has a helper do a task, and sees to it that nothing it made stays.
    fn ask(&mut self, task: &Task, creates: &[String], limits: Limits<'_>) -> Result<Told, Box<Finding>> {
        if self.hung {
            let reason = format!("an operation of an earlier test still hangs on {}", self.path.display());
            return Err(Box::new(Finding::skipped(reason)));
        }
        self.take_guard(limits)?;
        let told = self.start(task, creates, limits).map_err(|error| {
            Box::new(Finding::unknown(format!("cannot start a probe for {}: {error}", self.path.display())))
        })?;
        self.hung = told.ending.outcome.is_abandoned();
        if told.is_clean() {
            if let Some(guard) = &mut self.guard {
                let _noted = guard.forget(creates);
            }
        } else if !creates.is_empty() && !self.hung && told.ending.cause != Cause::Itself {
            let deadline = Deadline::after(CLEANING);
            let limits = Limits { operation: CLEANING, deadline, interrupt: &cli::Interrupt::never() };
            // When this fails, the next run will find the names in the lock's file.
            let _later = self.remove(creates.to_vec(), limits);
        }
        Ok(told)
    }

    fn start(&mut self, task: &Task, creates: &[String], limits: Limits<'_>) -> std::io::Result<Told> {
        let path = if task.writes() { self.folder() } else { self.path.clone() };
        let job = Job {
            program: None,
            arguments: vec![
                OsString::from("--internal-task"),
                OsString::from(serde_json::to_string(task)?),
                OsString::from("--"),
                path.clone().into_os_string(),
            ],
            operation: limits.operation,
            deadline: limits.deadline,
            grace: GRACE,
            guard: self.guard.as_mut(),
            creates: creates.to_vec(),
            interrupt: limits.interrupt.wake(),
        };
        let mut records = Vec::new();
        let ending = job.run(|record| records.push(record))?;
        Ok(Told::new(path.display().to_string(), limits.operation, records, ending))
    }

    fn take_guard(&mut self, limits: Limits<'_>) -> Result<(), Box<Finding>> {
        if self.guard.is_some() {
            return Ok(());
        }
        let failed = |error| Box::new(Finding::unknown(format!("cannot lock out other runs: {error}")));
        let folder = folder("subunit-checks").map_err(failed)?;
        let name = format!("eos-{:016x}", fnv(self.path.as_os_str().as_encoded_bytes()));
        let end = limits.deadline.earlier(Deadline::after(limits.operation));
        loop {
            match Guard::take(&folder, &name, Deadline::after(SLICE)) {
                Ok(guard) => {
                    self.guard = Some(guard);
                    return Ok(());
                }
                Err(Refused::Failed(error)) => return Err(failed(error)),
                Err(Refused::Busy(busy)) if end.has_passed() => return Err(Box::new(self.busy(&busy))),
                Err(Refused::Busy(_)) if limits.interrupt.verdict().is_some() => {
                    let reason = "a signal ended the check while it waited for another run";
                    return Err(Box::new(Finding::new(Level::Interrupted(reason.to_owned()))));
                }
                Err(Refused::Busy(_)) => {}
            }
        }
    }

    /// Another run's probe has not returned: this one adds none.
    fn busy(&self, busy: &Busy) -> Finding {
        let since = busy.since.map_or_else(
            || "an unknown time".to_owned(),
            |since| chrono::DateTime::<chrono::Utc>::from(since).format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        );
        let state = busy.state.as_ref().map_or_else(String::new, |state| format!(" ({})", state.summary()));
        let path = self.path.display();
        let reason = format!(
            "{path} is still hung since {since}: the probe of an earlier run has not returned{state}"
        );
        let evidence = busy.state.as_ref().map(ToString::to_string).unwrap_or_default();
        Finding { is_hung: true, ..Finding::broken(reason) }.with_text("proc-state.txt", evidence)
    }

    /// The finding with what the kernel says about the mount, unless all is fine.
    fn with_mount(&self, finding: Finding) -> Finding {
        if finding.level == Level::Fine {
            return finding;
        }
        let path = self.resolved.as_ref().unwrap_or(&self.path);
        let mount = Mounts::read().ok().and_then(|mounts| mounts.covering(path).cloned());
        let Some(mount) = mount else { return finding };
        let waiting = format!("/sys/fs/fuse/connections/{}/waiting", mount.minor);
        let waiting = std::fs::read_to_string(waiting).ok().filter(|_| mount.fstype.starts_with("fuse"));
        finding
            .with_text("mountinfo.txt", format!("{}\n", mount.line))
            .with_text("fuse-waiting.txt", waiting.unwrap_or_default())
    }
}

fn below(path: &Path, dir: Option<&Path>) -> PathBuf {
    dir.map_or_else(|| path.to_owned(), |dir| path.join(dir))
}

/// The name of each path: the given one, else its last part, else (where that is not enough) all of it.
pub(super) fn names(paths: &[PathBuf], given: &[String]) -> anyhow::Result<Vec<String>> {
    anyhow::ensure!(
        given.is_empty() || given.len() == paths.len(),
        "there are {} paths and {} names: --name is given once for each path, in the same order",
        paths.len(),
        given.len()
    );
    let last: Vec<_> = paths.iter().map(|path| named(path.file_name().map(Path::new))).collect();
    let is_doubled = |name: &String| last.iter().filter(|other| *other == name).count() > 1;
    let names: Vec<_> = match given {
        [] => last
            .iter()
            .zip(paths)
            .map(|(name, path)| if is_doubled(name) { named(Some(path)) } else { name.clone() })
            .collect(),
        given => given.iter().map(|name| named(Some(Path::new(name)))).collect(),
    };
    for (number, name) in names.iter().enumerate() {
        anyhow::ensure!(
            !names.iter().skip(number + 1).any(|other| other == name),
            "two targets are named {name}: --name tells them apart"
        );
    }
    Ok(names)
}

/// The path as a part of a test id.
fn named(path: Option<&Path>) -> String {
    let text = path.map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
    let plain = |letter: char| if letter.is_control() || letter.is_whitespace() { '_' } else { letter };
    let name: String = text.trim_matches('/').replace('/', "-").chars().map(plain).collect();
    if name.is_empty() { "root".to_owned() } else { name }
}

/// FNV-1a: a name for a lock that stays the same from release to release.
fn fnv(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_names(paths: &[&str], given: &[&str], expected: Option<&[&str]>) {
        let paths: Vec<_> = paths.iter().map(PathBuf::from).collect();
        let given: Vec<_> = given.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(
            names(&paths, &given).ok().as_deref(),
            expected
                .map(|names| { names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>() })
                .as_deref()
        );
    }

    #[test]
    fn targets_are_named_by_the_last_part_of_their_paths() {
        check_names(&["/eos/user", "/eos/my home", "/"], &[], Some(&["user", "my_home", "root"]));
        check_names(&["/eos/user", "/mnt/user"], &[], Some(&["eos-user", "mnt-user"]));
        check_names(&["/eos/user"], &["prod/a"], Some(&["prod-a"]));
        check_names(&["/a", "/b"], &["x", "x"], None);
        check_names(&["/a", "/b"], &["x"], None);
    }

    #[test]
    fn locks_are_named_by_the_published_hash() {
        assert_eq!(fnv(b"a"), 0xaf63_dc4c_8601_ec8c);
    }
}
