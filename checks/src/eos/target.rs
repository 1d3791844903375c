//! A path to check, and the helpers that touch it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::ensure;
use globset::{Glob, GlobMatcher};
use probe::helper::Answer;
use probe::{
    Finding, Helper, Level, Limits, Mount, Mounts, ProbeKind, Target, absolute, host, nonce, target_names,
};
use process::Deadline;

use super::args::CheckEos;
use super::native;
use super::pending;
use super::task::{EosFact, Task, Volume};

/// How long a helper may take to remove what one that was killed has left.
const CLEANING: Duration = Duration::from_secs(2);
/// How often to write and read by default.
const SAMPLES: u32 = 5;

/// The pattern of every type of file system.
const ANY: &str = "*";

/// The type of file system that is expected.
pub(super) fn fstype(args: &CheckEos) -> anyhow::Result<GlobMatcher> {
    let fstype = if args.fstype == "any" { ANY } else { &args.fstype };
    Ok(Glob::new(fstype)?.compile_matcher())
}

/// The places that the arguments name, else the EOS mounts there are, with the names of their targets.
pub(super) fn places(args: &CheckEos, fstype: &GlobMatcher) -> anyhow::Result<Vec<(PathBuf, String)>> {
    let mut places = Vec::new();
    for path in args.paths.iter().chain(&args.more_paths) {
        places.push(if is_url(path) { path.clone() } else { absolute(path)? });
    }
    for url in &args.native {
        ensure!(native::split(url).is_some(), "`{url}` is not root://HOST[:PORT]//PATH");
        places.push(PathBuf::from(url));
    }
    if places.is_empty() {
        places = Mounts::read()?.points(fstype, is_eos).map(ToOwned::to_owned).collect();
    }
    places.dedup();
    let names = names(&places, &args.probe.name)?;
    Ok(places.into_iter().zip(names).collect())
}

/// Whether it is a server without a mount.
pub(super) fn is_url(place: &Path) -> bool {
    place.to_str().is_some_and(|text| native::split(text).is_some())
}

fn names(places: &[PathBuf], given: &[String]) -> anyhow::Result<Vec<String>> {
    let lossy = |path: &Path| path.to_string_lossy().into_owned();
    let short = |path: &PathBuf| path.file_name().map_or_else(String::new, |name| lossy(Path::new(name)));
    let both: Vec<_> = places.iter().map(|path| (short(path), lossy(path))).collect();
    let both: Vec<_> = both.iter().map(|(short, long)| (short.as_str(), long.as_str())).collect();
    target_names(given, &both)
}

fn is_eos(mount: &Mount) -> bool {
    mount.fstype.contains("eos")
        || mount.source.to_ascii_lowercase().contains("eos")
        || (mount.point.starts_with("/eos") && mount.fstype.starts_with("fuse"))
}

/// A path to check.
pub(super) struct MountTarget {
    path: PathBuf,
    name: String,
    fstype: GlobMatcher,
    pub(super) args: CheckEos,
    helper: Helper,
    /// The path without links, once it was needed.
    resolved: Option<PathBuf>,
    /// Whether the mount was found to be as expected, once it was looked at.
    mounted: Option<bool>,
}

impl Target for MountTarget {
    fn name(&self) -> &str {
        &self.name
    }

    fn shown(&self) -> String {
        self.path.display().to_string()
    }
}

impl MountTarget {
    pub(super) fn new(path: PathBuf, name: String, fstype: GlobMatcher, args: CheckEos) -> Self {
        let helper = Helper::new("eos", path.as_os_str());
        MountTarget { path, name, fstype, args, helper, resolved: None, mounted: None }
    }

    pub(super) fn has_other_path(&self) -> bool {
        self.args.visible_through.is_some()
    }

    /// Only a path that is mounted as expected is touched: what lies below an unmounted one is something else.
    fn ensure_mounted(&mut self, limits: Limits<'_>) -> Result<(), Box<Finding>> {
        if self.mounted.is_some() {
            return Ok(());
        }
        let finding = self.check_mounted(limits);
        if finding.level == Level::Fine { Ok(()) } else { Err(Box::new(finding)) }
    }

    /// Does what takes a mount, and says what the kernel knows of it unless all is fine.
    fn on_mount(
        &mut self,
        limits: Limits<'_>,
        look: impl FnOnce(&mut Self) -> Result<Answer<EosFact>, Box<Finding>>,
    ) -> Finding {
        if let Err(finding) = self.ensure_mounted(limits) {
            return *finding;
        }
        let finding = look(self).map_or_else(|refused| *refused, |answer| answer.finding());
        self.with_mount(finding)
    }

    /// Has a helper do a task that only looks.
    pub(super) fn work(&mut self, limits: Limits<'_>, task: impl FnOnce(&Self) -> Task) -> Finding {
        self.on_mount(limits, |own| {
            let task = task(own);
            own.ask(&task, limits)
        })
    }

    /// Has a helper do a task that makes files of its own.
    pub(super) fn write(
        &mut self,
        limits: Limits<'_>,
        task: impl FnOnce(&Self, Volume) -> Result<Task, Box<Finding>>,
    ) -> Finding {
        self.on_mount(limits, |own| {
            own.check_directory()?;
            own.remove_left_behind(limits)?;
            let task = task(own, own.volume())?;
            own.ask(&task, limits)
        })
    }

    /// What is written.
    fn volume(&self) -> Volume {
        Volume {
            name: format!(".probe-{}-{}-{:016x}", host(), std::process::id(), nonce()),
            samples: self.args.probe.samples.unwrap_or(SAMPLES),
            size: self.args.size,
            seed: nonce(),
            checksum: self.args.checksum,
        }
    }

    pub(super) fn check_stale(&mut self, limits: Limits<'_>) -> Finding {
        self.on_mount(limits, |own| {
            own.check_directory()?;
            own.ask(&Task::Stale(host(), own.args.remove_stale), limits)
        })
    }

    pub(super) fn check_visible(&mut self, limits: Limits<'_>) -> Finding {
        self.write(limits, |own, volume| Ok(Task::Visible(volume, own.elsewhere()?, limits.operation_time())))
    }

    pub(super) fn check_mounted(&mut self, limits: Limits<'_>) -> Finding {
        let expects_rw = self.args.expect_rw || self.args.probe.probe == ProbeKind::Deep;
        let found = self.find_mount(limits);
        let is_read_only = found.as_ref().is_ok_and(|mount| mount.as_ref().is_some_and(Mount::is_read_only));
        let finding = match found {
            Ok(Some(Mount { fstype, point, .. })) if expects_rw && is_read_only => Finding::broken(format!(
                "{fstype} on {} is read-only: nothing can be written there",
                point.display()
            )),
            Ok(Some(Mount { fstype, source, point, .. })) => {
                Finding::fine(format!("{fstype}, {source} on {}", point.display()))
            }
            Ok(None) => Mounts::accepted_unseen(),
            Err(finding) => *finding,
        };
        self.mounted = Some(finding.level == Level::Fine);
        self.with_mount(finding)
    }

    /// The mount that the path is on, if it is of the expected type. Only when the path's words do not lead to
    /// one is it touched: it may lead there by a link, or be mounted on demand.
    fn find_mount(&mut self, limits: Limits<'_>) -> Result<Option<Mount>, Box<Finding>> {
        let found = self.found_mount(&self.path)?;
        if found.is_expected {
            return Ok(found.mount);
        }
        let answer = self.ask(&Task::Resolve, limits)?;
        let resolved = answer.own().map(|EosFact::Resolved(path)| PathBuf::from(path)).next();
        let Some(resolved) = resolved else { return Err(Box::new(answer.finding())) };
        let Found { mount, is_expected } = self.found_mount(&resolved)?;
        self.resolved = Some(resolved);
        if is_expected {
            return Ok(mount);
        }
        Err(Box::new(unexpected(&self.path, &self.fstype, mount.as_ref())))
    }

    /// The mount that these words lead to: as expected, or not.
    fn found_mount(&self, path: &Path) -> Result<Found, Box<Finding>> {
        let mounts = Mounts::read().map_err(|error| {
            Box::new(Finding::unknown(format!("cannot read /proc/self/mountinfo: {error}")))
        })?;
        Ok(Found::new(&self.fstype, mounts.covering(path)))
    }

    /// The mount that the path is on now.
    fn mount(&self) -> Option<Mount> {
        let path = self.resolved.as_ref().unwrap_or(&self.path);
        Mounts::read().ok().and_then(|mounts| mounts.covering(path).cloned())
    }

    /// Whether it is EOS itself, which has attributes that other file systems need not take well.
    pub(super) fn is_eos(&self) -> bool {
        let mount = self.mount();
        mount.is_some_and(|mount| [mount.fstype, mount.source].iter().any(|text| text.contains("eos")))
    }

    /// Whether it is not already known that this user may not read what waits.
    pub(super) fn may_read_pending(&self) -> bool {
        let mount = self.found_mount(&self.path).ok().filter(|found| found.is_expected);
        mount.and_then(|found| found.mount).is_none_or(|mount| pending::may_read(&mount))
    }

    pub(super) fn check_pending(&mut self, limits: Limits<'_>) -> Finding {
        if let Err(finding) = self.ensure_mounted(limits) {
            return *finding;
        }
        match self.mount() {
            Some(mount) => pending::check(&mount, limits),
            None => Finding::skipped("only FUSE tells what waits, and no mount is known there".to_owned()),
        }
    }

    /// The folder where files are made, by the other path.
    fn elsewhere(&self) -> Result<OsString, Box<Finding>> {
        let other = self.args.visible_through.as_deref().map(absolute).transpose();
        let other = other.map_err(|error| Box::new(Finding::unknown(error.to_string())))?;
        Ok(below(&other.unwrap_or_default(), self.args.dir.as_deref()).into())
    }

    /// Where files are made.
    fn folder(&self) -> PathBuf {
        below(&self.path, self.args.dir.as_deref())
    }

    /// Files are only made on the mount that is checked.
    fn check_directory(&self) -> Result<(), Box<Finding>> {
        let base = self.resolved.as_ref().unwrap_or(&self.path);
        let place = |path: &Path| {
            let Found { mount, is_expected } = self.found_mount(path)?;
            Ok::<_, Box<Finding>>(is_expected.then(|| mount.map(|mount| mount.line)))
        };
        if place(base)? == place(&below(base, self.args.dir.as_deref()))? {
            return Ok(());
        }
        let (dir, path) = (self.folder(), self.path.display());
        Err(Box::new(Finding::unknown(format!("{} is not on the mount of {path}", dir.display()))))
    }

    /// Removes what earlier runs made and did not live to remove.
    fn remove_left_behind(&mut self, limits: Limits<'_>) -> Result<(), Box<Finding>> {
        let left = self.helper.left_behind(limits)?;
        if left.is_empty() { Ok(()) } else { self.remove(left.clone(), &left, limits) }
    }

    /// Removes files, by their names in the folder or by their paths, and those that are noted with them.
    fn remove(
        &mut self,
        files: Vec<OsString>,
        noted: &[OsString],
        limits: Limits<'_>,
    ) -> Result<(), Box<Finding>> {
        let answer = self.ask(&Task::Remove(files), limits)?;
        if answer.is_clean() {
            self.helper.forget(noted);
        }
        Ok(())
    }

    /// Has a helper do a task, and sees to it that nothing it made stays.
    fn ask(&mut self, task: &Task, limits: Limits<'_>) -> Result<Answer<EosFact>, Box<Finding>> {
        let looks = matches!(task, Task::Resolve | Task::Respond { .. } | Task::Space);
        let path = if looks { self.path.clone() } else { self.folder() };
        let creates = task.creates();
        let noted: Vec<_> = creates.iter().map(|name| path.join(name).into_os_string()).collect();
        let answer = self.helper.ask(task, path.as_os_str(), &noted, limits)?;
        if !creates.is_empty() && self.helper.may_have_left(&answer) {
            let deadline = Deadline::after(CLEANING);
            let limits = Limits { operation: CLEANING, deadline, interrupt: &process::Interrupt::never() };
            // When this fails, the next run will find the names in the lock's file.
            let _later = self.remove(creates, &noted, limits);
        }
        Ok(answer)
    }

    /// The finding with what the kernel says about the mount, unless all is fine.
    fn with_mount(&self, finding: Finding) -> Finding {
        if finding.level == Level::Fine {
            return finding;
        }
        let Some(mount) = self.mount() else { return finding };
        let waiting = format!("/sys/fs/fuse/connections/{}/waiting", mount.minor);
        let waiting = std::fs::read_to_string(waiting).ok().filter(|_| mount.fstype.starts_with("fuse"));
        finding
            .with_text("mountinfo.txt", format!("{}\n", mount.line))
            .with_text("fuse-waiting.txt", waiting.unwrap_or_default())
    }
}

/// What a path is on.
struct Found {
    /// In a chroot its root is on no mount that is listed.
    mount: Option<Mount>,
    is_expected: bool,
}

impl Found {
    fn new(fstype: &GlobMatcher, mount: Option<&Mount>) -> Self {
        let accepts_all = fstype.glob().glob() == ANY;
        let is_expected = mount.map_or(accepts_all, |mount| fstype.is_match(&mount.fstype));
        Found { mount: mount.cloned(), is_expected }
    }
}

fn unexpected(path: &Path, fstype: &GlobMatcher, found: Option<&Mount>) -> Finding {
    let expected = fstype.glob();
    let hint = "--fstype says what to expect, --fstype any accepts every directory";
    match found {
        Some(Mount { point, fstype, .. }) => Finding::broken(format!(
            "nothing of type {expected} is mounted at {}: the path is on {} ({fstype}); {hint}",
            path.display(),
            point.display()
        )),
        None => Mounts::unseen(path, hint),
    }
}

fn below(path: &Path, dir: Option<&Path>) -> PathBuf {
    dir.map_or_else(|| path.to_owned(), |dir| path.join(dir))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, path: &str, is_expected: bool, words: &str) {
        // As in a chroot: what its root is on is not listed.
        let mounts = Mounts::parse(b"9 1 0:5 / /proc rw - proc proc rw\n8 1 0:6 / /eos rw - fuse eosxd rw\n");
        let fstype = Glob::new(pattern).unwrap().compile_matcher();
        let found = Found::new(&fstype, mounts.covering(Path::new(path)));
        assert_eq!(found.is_expected, is_expected, "{pattern} {path}");
        if !is_expected {
            let finding = unexpected(Path::new(path), &fstype, found.mount.as_ref());
            let is_unknown = matches!(finding.level, Level::Unknown(_));
            assert_eq!(is_unknown, found.mount.is_none());
            assert!(finding.level.reason().unwrap().starts_with(words), "{finding:?}");
        }
    }

    #[test]
    fn any_is_every_directory_also_in_a_chroot() {
        check("*", "/work", true, "");
        check("*", "/proc/self", true, "");
        check("fuse*", "/eos/user", true, "");
    }

    #[test]
    fn a_mount_that_cannot_be_told_is_not_a_wrong_one() {
        check("fuse*", "/work", false, "cannot tell what is mounted at /work");
        check(
            "fuse*",
            "/proc",
            false,
            "nothing of type fuse* is mounted at /proc: the path is on /proc (proc)",
        );
    }
}
