//! The tests of `check-eos`: which there are, and how each is run.

use anyhow::bail;
use globset::{Glob, GlobMatcher};

use super::args::CheckEos;
use super::aspect::Aspect;
use super::target::{Target, names};
use crate::probe::{Finding, Limits, Mount, Mounts, Planned, Probe, ProbeKind, Selection, absolute};

/// The id of the test that fails when there is nothing to test.
const NOTHING: &str = "eos.any.mounted";

/// The tests of all targets.
pub(super) struct EosProbe {
    targets: Vec<Target>,
    /// The target and the aspect of each test of the plan; none at all when no mount was found.
    tests: Vec<(usize, Aspect)>,
    plan: Vec<Planned>,
}

impl EosProbe {
    pub(super) fn new(args: &CheckEos) -> anyhow::Result<Self> {
        let targets = targets(args)?;
        let selection = args.probe.selection()?;
        if targets.is_empty() {
            return Ok(EosProbe::nothing());
        }
        let ids = |target: &Target, aspect: Aspect| format!("eos.{}.{}", target.name(), aspect.name());
        let (mut tests, mut plan, mut all) = (Vec::new(), Vec::new(), Vec::new());
        for (number, target) in targets.iter().enumerate() {
            for aspect in Aspect::ALL {
                let id = ids(target, aspect);
                if is_planned(&selection, args.probe.probe, &id, aspect) {
                    let after = aspect.after().iter().map(|aspect| ids(target, *aspect)).collect();
                    let about = format!("{} ({})", aspect.about(), target.shown());
                    tests.push((number, aspect));
                    plan.push(Planned { id: id.clone(), after, about });
                }
                all.push((id, aspect));
            }
        }
        let all: Vec<Vec<&str>> =
            all.iter().map(|(id, aspect)| [&[id.as_str()][..], aspect.names()].concat()).collect();
        if let Some(pattern) = selection.unmatched(&all) {
            bail!("`{pattern}` matches no test; --probe deep --list shows all there are");
        }
        if plan.is_empty() {
            bail!(
                "nothing is selected: --probe deep --list shows all tests, and what writes is run by --probe deep"
            );
        }
        Ok(EosProbe { targets, tests, plan })
    }

    fn nothing() -> Self {
        let about = "looks for EOS mounts in /proc/self/mountinfo".to_owned();
        let plan = vec![Planned { id: NOTHING.to_owned(), after: Vec::new(), about }];
        EosProbe { targets: Vec::new(), tests: Vec::new(), plan }
    }
}

impl Probe for EosProbe {
    fn plan(&self) -> &[Planned] {
        &self.plan
    }

    fn check(&mut self, test: usize, limits: Limits<'_>) -> Finding {
        let Some((target, aspect)) = self.tests.get(test).copied() else {
            let reason = "no EOS mount was found on this host; name a path to check: check-eos /eos/user";
            return Finding::broken(reason.to_owned());
        };
        match self.targets.get_mut(target) {
            Some(target) => target.check(aspect, limits),
            None => Finding::unknown("there is no such target".to_owned()),
        }
    }
}

fn is_planned(selection: &Selection, kind: ProbeKind, id: &str, aspect: Aspect) -> bool {
    let names = aspect.names();
    selection.chooses(id, names) && (aspect.kind() <= kind || selection.names(id, names))
}

fn targets(args: &CheckEos) -> anyhow::Result<Vec<Target>> {
    let fstype = if args.fstype == "any" { "*" } else { &args.fstype };
    let fstype = Glob::new(fstype)?.compile_matcher();
    let mut paths = Vec::new();
    for path in args.paths.iter().chain(&args.more_paths) {
        paths.push(absolute(path)?);
    }
    if paths.is_empty() {
        paths = found(&fstype)?;
    }
    paths.dedup();
    let names = names(&paths, &args.name)?;
    let targets = paths.into_iter().zip(names);
    Ok(targets.map(|(path, name)| Target::new(path, name, fstype.clone(), args.clone())).collect())
}

/// Where EOS is mounted on this host.
fn found(fstype: &GlobMatcher) -> anyhow::Result<Vec<std::path::PathBuf>> {
    Ok(Mounts::read()?.points(fstype, is_eos).map(ToOwned::to_owned).collect())
}

fn is_eos(mount: &Mount) -> bool {
    mount.fstype.contains("eos")
        || mount.source.to_ascii_lowercase().contains("eos")
        || (mount.point.starts_with("/eos") && mount.fstype.starts_with("fuse"))
}
