//! `check-eos`: is an EOS mount there, does it answer, does it keep what is written?
//!
//! It serves for any POSIX file system. The process that reports never touches the path: it handles words and
//! `/proc/self/mountinfo`, and leaves the rest to a helper that may hang (see [`process::helper`]).

mod args;
mod metrics;
mod native;
mod pending;
mod target;
mod task;

use std::ffi::OsStr;
use std::path::PathBuf;

use anyhow::ensure;
use probe::{AnyTarget, Aspect, AspectFacts, Check, Finding, Limits, MetricKind, ProbeArgs, ProbeKind};

pub use args::CheckEos;

use metrics::METRICS;
use native::NativeTarget;
use target::MountTarget;
use task::{Part, Task, Volume};

/// How an aspect of a mount is looked at.
type Look = fn(&mut MountTarget, Limits<'_>) -> Finding;

/// Without these nothing else makes sense.
const ALIVE: &[&str] = &["mounted", "responsive"];

/// All that is looked at, in this order: what only looks comes first. The other names are those of the checks that
/// these replace.
const ASPECTS: &[Aspect<MountTarget>] = &[
    Aspect::new(
        &["mounted", "mount"],
        ProbeKind::Startup,
        "looks for the mount in /proc/self/mountinfo",
        MountTarget::check_mounted,
    ),
    Aspect::new(
        &["requests-pending"],
        ProbeKind::Liveness,
        "counts for a moment what waits for the daemon of the mount",
        MountTarget::check_pending,
    )
    .after(&["mounted"])
    .usual_when(MountTarget::may_read_pending),
    RESPONSIVE,
    SPACE,
    deep(
        &["stale-probes"],
        "looks for files of this check that are older than an hour",
        MountTarget::check_stale,
    ),
    WRITABLE,
    deep(
        &["writable.write", "write"],
        "creates a small file, writes, syncs and closes it, deletes it",
        |mount, limits| mount.write(limits, |_, volume| Ok(Task::Writable(volume, Part::Write))),
    )
    .on_request(),
    deep(
        &["writable.exists", "exists"],
        "creates a small file, looks at its size and its content, deletes it",
        |mount, limits| mount.write(limits, |_, volume| Ok(Task::Writable(volume, Part::Exists))),
    )
    .on_request(),
    deep(
        &["writable.delete", "delete"],
        "creates a small file, renames and deletes it, looks whether it is gone",
        |mount, limits| mount.write(limits, |_, volume| Ok(Task::Writable(volume, Part::Delete))),
    )
    .on_request(),
    deep(
        &["visible"],
        "writes a small file and waits for it to be seen, and to be gone, on the other path",
        MountTarget::check_visible,
    )
    .when(MountTarget::has_other_path),
    deep(&["metadata"], "creates small files, looks at each, deletes them", |mount, limits| {
        mount.write(limits, |own, volume| Ok(Task::Metadata(Volume { samples: own.args.files, ..volume })))
    }),
    THROUGHPUT_WRITE,
    THROUGHPUT_READ,
    INTEGRITY,
];

/// What is looked at on a server without a mount, too.
const NATIVE: &[Aspect<NativeTarget>] = &[
    RESPONSIVE.of(|server, limits| settled(server.respond(limits))),
    SPACE.of(|server, limits| settled(server.space(limits))),
    WRITABLE.of(|server, limits| settled(server.writable(limits))),
    THROUGHPUT_WRITE.of(|server, limits| settled(server.throughput(false, limits))),
    THROUGHPUT_READ.of(|server, limits| settled(server.throughput(true, limits))),
    INTEGRITY.of(|server, limits| settled(server.integrity(limits))),
];

const RESPONSIVE: Aspect<MountTarget> = Aspect::new(
    &["responsive", "mount_sanity"],
    ProbeKind::Startup,
    "asks for attributes, for the file system's size and for one directory entry",
    |mount: &mut MountTarget, limits| mount.work(limits, |own| Task::Respond { eos: own.is_eos() }),
)
.after(&["mounted"]);

const SPACE: Aspect<MountTarget> = Aspect::new(
    &["space"],
    ProbeKind::Readiness,
    "asks how much room is left, in bytes and in files",
    |mount: &mut MountTarget, limits| mount.work(limits, |_| Task::Space),
)
.after(ALIVE);

const WRITABLE: Aspect<MountTarget> = deep(
    &["writable"],
    "creates a small file, syncs, closes, reads back through a new open, renames and deletes it",
    |mount, limits| mount.write(limits, |_, volume| Ok(Task::Writable(volume, Part::All))),
);

const THROUGHPUT_WRITE: Aspect<MountTarget> = deep(
    &["throughput.write", "throughput"],
    "writes a file, syncs and closes it, deletes it",
    |mount, limits| mount.write(limits, |_, volume| Ok(Task::Write(volume))),
);

const THROUGHPUT_READ: Aspect<MountTarget> = deep(
    &["throughput.read", "throughput"],
    "writes a file, reads it back past the page cache, deletes it",
    |mount, limits| {
        mount.write(limits, |own, volume| Ok(Task::Read(volume, own.args.read_file.clone().map(Into::into))))
    },
);

const INTEGRITY: Aspect<MountTarget> = deep(
    &["integrity", "checksum"],
    "writes a file, compares what is read back past the page cache, deletes it",
    |mount, limits| mount.write(limits, |own, volume| Ok(Task::Verify { volume, eos: own.is_eos() })),
);

const fn deep(names: &'static [&'static str], about: &'static str, look: Look) -> Aspect<MountTarget> {
    Aspect::new(names, ProbeKind::Deep, about, look).after(ALIVE)
}

fn settled(found: Result<Finding, Box<Finding>>) -> Finding {
    found.unwrap_or_else(|failed| *failed)
}

impl Check for CheckEos {
    const NAME: &'static str = "eos";
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
        !self.paths.is_empty() || !self.more_paths.is_empty() || !self.native.is_empty()
    }

    fn targets(&self) -> anyhow::Result<Vec<AnyTarget>> {
        let (fstype, token) = (target::fstype(self)?, self.token.token()?);
        let places = target::places(self, &fstype)?;
        // In a configuration file one token may be for all targets, which are named by an option.
        ensure!(
            token.is_none() || self.paths.is_empty() || places.iter().any(|(path, _)| target::is_url(path)),
            "a mount is looked at with the rights of its own, and not with a token: --token-file and --token-env are \
             for servers (root://…)"
        );
        let target = |(path, name): (PathBuf, String)| {
            let url = path.to_str().unwrap_or_default();
            match NativeTarget::new(url, name.clone(), token.clone(), self.clone()) {
                Some(server) => AnyTarget::new(server, NATIVE),
                None => AnyTarget::new(MountTarget::new(path, name, fstype.clone(), self.clone()), ASPECTS),
            }
        };
        Ok(places.into_iter().map(target).collect())
    }

    fn nothing() -> &'static str {
        "no EOS mount was found on this host; name a path to check: check-eos /eos/user"
    }

    fn help(&self, task: &OsStr) -> anyhow::Result<()> {
        task::help(task)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_looks_and_changes_nothing_is_not_deep() {
        let shallow = ASPECTS.iter().map(|aspect| aspect.facts).filter(|facts| facts.kind < ProbeKind::Deep);
        let names: Vec<_> = shallow.map(|facts| facts.name()).collect();
        assert_eq!(names, ["mounted", "requests-pending", "responsive", "space"]);
    }
}
