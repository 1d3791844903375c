//! `check-cvmfs`: is a CVMFS repository there, is it the one that was asked for, is it fresh, does it read?
//!
//! What the client knows about itself comes from the magic extended attributes of the repository's root, each
//! asked for by its name: lists may leave them out. Everything that touches the mount is done by a helper.

mod args;
mod attributes;
mod judge;
mod metrics;
mod published;
mod servers;
mod target;
mod task;

use std::ffi::OsStr;

use probe::{AnyTarget, Aspect, AspectFacts, Check, Finding, Limits, MetricKind, ProbeArgs, ProbeKind};

pub use args::CheckCvmfs;

use metrics::METRICS;
use target::Repository;
use task::Task;

/// How an aspect of a repository is looked at.
type Look = fn(&mut Repository, Limits<'_>) -> Finding;

/// All that is looked at, in this order. The other names are those of the checks that these replace.
const ASPECTS: &[Aspect<Repository>] = &[
    Aspect::new(
        &["automount", "mounted", "mount"],
        ProbeKind::Startup,
        "enters the repository, which mounts it, and looks for it in /proc/self/mountinfo",
        Repository::mount,
    ),
    Aspect::new(
        &["responsive"],
        ProbeKind::Startup,
        "asks for attributes, for the file system's size and for one directory entry",
        |repository: &mut Repository, limits| repository.work(|_| Task::Respond, limits),
    )
    .after(&["automount"]),
    readiness(
        &["identity"],
        "compares the repository's own name with the one that was asked for",
        |repository, limits| repository.judge(judge::identity, limits),
    ),
    readiness(
        &["errors"],
        "asks how many reads have failed since it was mounted, and when the last did",
        |repository, limits| repository.judge(judge::errors, limits),
    ),
    readiness(
        &["freshness"],
        "compares the revision that is mounted with the one that is published",
        Repository::freshness,
    ),
    readiness(
        &["failover"],
        "asks whether the first server and a proxy are in use, or those to fall back on",
        |repository, limits| repository.judge(judge::failover, limits),
    ),
    readiness(
        &["cache"],
        "asks how often the cache was cleaned up, and how often it was hit",
        |repository, limits| repository.judge(judge::cache, limits),
    ),
    readiness(&["fds"], "asks how many of its file descriptors are in use", |repository, limits| {
        repository.judge(judge::fds, limits)
    }),
    readiness(&["catalogs"], "asks how many catalogs are loaded", |repository, limits| {
        repository.judge(judge::catalogs, limits)
    }),
    readiness(&["version"], "asks which version of the client serves the mount", |repository, limits| {
        repository.judge(judge::version, limits)
    }),
    readiness(
        &["ttfb.warm", "ttfb"],
        "opens files again and again and reads their first byte",
        |repository, limits| {
            repository.work(|own| Task::FirstByte { sample: own.sample(), cold: false }, limits)
        },
    ),
    deep(
        &["ttfb.cold"],
        "opens files that are not in the client's cache and reads their first byte",
        |repository, limits| {
            repository.work(|own| Task::FirstByte { sample: own.sample(), cold: true }, limits)
        },
    ),
    deep(&["throughput"], "reads whole files", |repository, limits| {
        repository.work(|own| Task::Throughput { sample: own.sample(), most: own.most() }, limits)
    }),
    deep(
        &["integrity"],
        "compares the hashes of files with those of their cached copies",
        |repository, limits| {
            repository.work(|own| Task::Integrity { sample: own.sample(), most: own.most() }, limits)
        },
    ),
    deep(&["network"], "asks each of the repository's servers for its manifest", Repository::network),
];

const fn readiness(names: &'static [&'static str], about: &'static str, look: Look) -> Aspect<Repository> {
    Aspect::new(names, ProbeKind::Readiness, about, look).after(&["automount", "responsive"])
}

const fn deep(names: &'static [&'static str], about: &'static str, look: Look) -> Aspect<Repository> {
    Aspect::new(names, ProbeKind::Deep, about, look).after(&["automount", "responsive"])
}

impl Check for CheckCvmfs {
    const NAME: &'static str = "cvmfs";
    const METRICS: &'static [MetricKind] = METRICS;
    const OF_SESSIONS: bool = true;

    fn aspects() -> Vec<AspectFacts> {
        AspectFacts::of(ASPECTS)
    }

    fn shared(&self) -> &ProbeArgs {
        &self.probe
    }

    fn shared_mut(&mut self) -> &mut ProbeArgs {
        &mut self.probe
    }

    fn is_named(&self) -> bool {
        !self.repositories.is_empty() || !self.more_repositories.is_empty()
    }

    fn targets(&self) -> anyhow::Result<Vec<AnyTarget>> {
        Ok(AnyTarget::all(target::targets(self)?, ASPECTS))
    }

    fn nothing() -> &'static str {
        "no CVMFS mount was found on this host; name a repository to check: check-cvmfs sft.cern.ch"
    }

    fn help(&self, task: &OsStr) -> anyhow::Result<()> {
        task::help(task)
    }
}
