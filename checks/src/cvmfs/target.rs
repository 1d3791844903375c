//! A repository to check, and the helper that touches it.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use globset::{Glob, GlobMatcher};
use net::Client;
use probe::{Finding, Helper, Level, Limits, Mount, Mounts, Target, absolute, target_names};

use super::args::CheckCvmfs;
use super::attributes::Attributes;
use super::judge::{Judge, Judgement};
use super::servers;
use super::task::{CvmfsFact, Sample, Task};

/// How many files to look at by default.
const SAMPLES: u32 = 5;

/// The repositories that the arguments name, else those that are mounted.
pub(super) fn targets(args: &CheckCvmfs) -> anyhow::Result<Vec<Repository>> {
    let source = Glob::new(&args.source)?.compile_matcher();
    let mut paths = Vec::new();
    for repository in args.repositories.iter().chain(&args.more_repositories) {
        // A name alone is that of a repository.
        let is_name = repository.components().count() == 1 && repository.is_relative();
        paths.push(if is_name { Path::new("/cvmfs").join(repository) } else { absolute(repository)? });
    }
    if paths.is_empty() {
        let mounts = Mounts::read()?;
        paths.extend(mounts.visible().filter(|mount| is_cvmfs(mount)).map(|mount| mount.point.clone()));
    }
    paths.dedup();
    let lossy = |path: &Path| path.to_string_lossy().into_owned();
    let both: Vec<_> = paths.iter().map(|path| (last(path), lossy(path))).collect();
    let both: Vec<_> = both.iter().map(|(short, long)| (short.as_str(), long.as_str())).collect();
    let names = target_names(&args.probe.name, &both)?;
    let client = args.net.client()?;
    let target = |(path, name)| Repository::new(path, name, source.clone(), client.clone(), args);
    Ok(paths.into_iter().zip(names).map(target).collect())
}

fn is_cvmfs(mount: &Mount) -> bool {
    mount.fstype.starts_with("fuse") && (mount.source == "cvmfs2" || mount.point.starts_with("/cvmfs"))
}

fn last(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A repository to check.
pub(super) struct Repository {
    path: PathBuf,
    name: String,
    /// The name that it must have.
    fqrn: String,
    source: GlobMatcher,
    args: CheckCvmfs,
    client: Client,
    helper: Helper,
    /// Whether it was found to be mounted, once it was looked at.
    mounted: Option<bool>,
    /// Once they were asked for.
    attributes: Option<Attributes>,
}

impl Target for Repository {
    fn name(&self) -> &str {
        &self.name
    }

    fn shown(&self) -> String {
        self.path.display().to_string()
    }
}

impl Repository {
    fn new(path: PathBuf, name: String, source: GlobMatcher, client: Client, args: &CheckCvmfs) -> Self {
        let helper = Helper::new("cvmfs", path.as_os_str());
        let fqrn = args.fqrn.clone().unwrap_or_else(|| last(&path));
        Repository {
            path,
            name,
            fqrn,
            source,
            args: args.clone(),
            client,
            helper,
            mounted: None,
            attributes: None,
        }
    }

    fn ask(&mut self, task: &Task, limits: Limits<'_>) -> Finding {
        let answer = self.helper.ask(task, self.path.as_os_str(), &[], limits);
        answer.map_or_else(|refused| *refused, |answer| answer.finding())
    }

    /// Has a helper do a task, once it is known that the repository is mounted.
    pub(super) fn work(&mut self, task: impl FnOnce(&Self) -> Task, limits: Limits<'_>) -> Finding {
        match self.ensure_mounted(limits) {
            Ok(()) => {
                let task = task(self);
                self.ask(&task, limits)
            }
            Err(finding) => *finding,
        }
    }

    /// The files to look at.
    pub(super) fn sample(&self) -> Sample {
        Sample {
            files: self.args.file.iter().map(Into::into).collect(),
            count: self.args.probe.samples.unwrap_or(SAMPLES),
        }
    }

    /// How many bytes to read at most.
    pub(super) fn most(&self) -> u64 {
        self.args.max_bytes
    }

    /// Looks whether it is mounted, unless that was looked at before.
    fn ensure_mounted(&mut self, limits: Limits<'_>) -> Result<(), Box<Finding>> {
        if self.mounted.is_some() {
            return Ok(());
        }
        let finding = self.mount(limits);
        if finding.level == Level::Fine { Ok(()) } else { Err(Box::new(finding)) }
    }

    /// Enters it, which mounts it where that is done on demand, and looks for what is mounted there then.
    pub(super) fn mount(&mut self, limits: Limits<'_>) -> Finding {
        let finding = self.find_mount(limits);
        self.mounted = Some(finding.level == Level::Fine);
        finding
    }

    fn find_mount(&mut self, limits: Limits<'_>) -> Finding {
        let entered = self.ask(&Task::Enter, limits);
        if entered.level != Level::Fine {
            return entered;
        }
        let mounts = match Mounts::read() {
            Ok(mounts) => mounts,
            Err(error) => return Finding::unknown(format!("cannot read /proc/self/mountinfo: {error}")),
        };
        let path = self.path.display();
        match mounts.covering(&self.path) {
            Some(mount) if self.is_expected(mount) && mount.is_read_only() => {
                Finding::fine(format!("{}, {} on {}", mount.fstype, mount.source, mount.point.display()))
            }
            Some(mount) if self.is_expected(mount) => {
                Finding::warning(format!("{path} can be written to, unlike a CVMFS client's mount"))
                    .with_text("mountinfo.txt", format!("{}\n", mount.line))
            }
            None if self.source.glob().glob() == "*" => Mounts::accepted_unseen(),
            None => Mounts::unseen(&self.path, "--source '*' accepts every file system"),
            found => {
                let line = found.map(|mount| format!("{}\n", mount.line)).unwrap_or_default();
                let on = found.map_or_else(String::new, |mount| {
                    format!(": the path is on {} ({}, {})", mount.point.display(), mount.fstype, mount.source)
                });
                Finding::broken(format!("no CVMFS repository is mounted at {path}{on}"))
                    .with_text("mountinfo.txt", line)
            }
        }
    }

    fn is_expected(&self, mount: &Mount) -> bool {
        self.source.is_match(&mount.source) || self.source.is_match(&mount.fstype)
    }

    /// The finding that `judge` draws from the attributes of the client.
    fn on_attributes(
        &mut self,
        limits: Limits<'_>,
        judge: impl FnOnce(&Self, &Attributes, f64) -> Finding,
    ) -> Finding {
        let attributes = match self.ensure_mounted(limits).and_then(|()| self.attributes(limits)) {
            Ok(attributes) => attributes,
            Err(finding) => return *finding,
        };
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let finding = judge(self, &attributes, now);
        if finding.level == Level::Fine {
            finding
        } else {
            finding.with_text("attributes.txt", attributes.shown())
        }
    }

    pub(super) fn judge(&mut self, judge: Judgement, limits: Limits<'_>) -> Finding {
        self.on_attributes(limits, |own, attributes, now| {
            Judge { args: &own.args, fqrn: &own.fqrn, attributes, now }.judge(judge)
        })
    }

    pub(super) fn freshness(&mut self, limits: Limits<'_>) -> Finding {
        self.on_attributes(limits, |own, attributes, now| {
            servers::freshness(&own.args, attributes, now, &own.client, limits)
        })
    }

    pub(super) fn network(&mut self, limits: Limits<'_>) -> Finding {
        self.on_attributes(limits, |own, attributes, _| {
            servers::network(&own.args, attributes, &own.client, limits)
        })
    }

    fn attributes(&mut self, limits: Limits<'_>) -> Result<Attributes, Box<Finding>> {
        if let Some(attributes) = &self.attributes {
            return Ok(attributes.clone());
        }
        let answer = self.helper.ask(&Task::Attributes, self.path.as_os_str(), &[], limits)?;
        if !answer.is_clean() {
            return Err(Box::new(answer.finding()));
        }
        let own = answer.own().cloned();
        let attributes: Attributes = own.map(|CvmfsFact::Attribute { name, value }| (name, value)).collect();
        self.attributes = Some(attributes.clone());
        Ok(attributes)
    }
}
