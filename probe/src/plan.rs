//! The tests of a run: the aspects of all targets, as far as they are selected.

use std::fmt;
use std::sync::Arc;

use anyhow::{bail, ensure};
use cli::suggest;
use subunit::{part, part_mut};

use super::asked::options_for;
use super::names::plain;
use super::ranges::{self, Wanted};
use super::select::Candidate;
use super::{
    AnyTarget, Asked, AspectFacts, Check, ExpectedFailure, Finding, Limits, MetricKind, ProbeArgs, Secret,
    Selection, Settings,
};

/// A test of a plan.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Its id: `CHECK.TARGET.ASPECT`.
    pub id: String,
    /// The aspect.
    pub aspect: &'static str,
    /// The ids of the tests that must not have failed, for this one to make sense.
    pub after: Vec<String>,
    /// What it does, for people.
    pub about: String,
    /// What holds for it.
    pub settings: Arc<Settings>,
    /// The numbers that ranges were given for and that are measured by now, if they are at all, each with the tests that
    /// may measure it.
    pub due: Vec<(String, Vec<String>)>,
}

/// The tests of a run, in order, and the targets that they look at.
///
/// [`Plan::add`] adds a check with its arguments, as the command line or a configuration file has them;
/// [`run`](super::run) runs what there is then.
#[derive(Default)]
pub struct Plan {
    tests: Vec<Planned>,
    /// What each test looks at.
    subjects: Vec<Subject>,
    targets: Vec<PlannedTarget>,
    /// All tests there are, whether selected or not.
    all: Vec<Candidate>,
    /// What the targets do not have though their check looks at it.
    absent: Vec<Absent>,
    /// What the command line gives ranges for.
    wanted: Vec<Wanted>,
    /// What options were given for that nothing looks at, since tests were left out by name.
    idle: Vec<String>,
}

/// An aspect that a target does not have.
struct Absent {
    /// The id that the test would have, and all other names.
    names: Vec<String>,
    command: fn() -> clap::Command,
}

impl Absent {
    fn aspect(&self) -> Option<&str> {
        self.names.get(1).map(String::as_str)
    }

    /// What it takes for a target to have it.
    fn need(&self) -> String {
        let options = options_for(&(self.command)(), self.aspect().unwrap_or_default());
        match options.is_empty() {
            true => "nothing that is checked here has it".to_owned(),
            false => format!("it takes {}", options.join(" or ")),
        }
    }
}

#[derive(Clone, Copy)]
enum Subject {
    /// The aspect of this number, of the target of that one.
    Aspect { target: usize, aspect: usize },
    /// There is no target: why that is a failure.
    Nothing(&'static str),
}

struct PlannedTarget {
    check: &'static str,
    target: AnyTarget,
    settings: Arc<Settings>,
}

impl Plan {
    /// Without tests.
    #[must_use]
    pub fn new() -> Self {
        Plan::default()
    }

    /// Adds the tests of a check: those that both its arguments and `also` select. When a test of the targets
    /// named in `after` fails, its tests are skipped; these targets have been added before.
    ///
    /// # Errors
    ///
    /// When the arguments contradict each other, or select by a pattern that matches nothing.
    pub fn add<C: Check>(&mut self, check: &C, also: &Selection, after: &[String]) -> anyhow::Result<()> {
        let shared = check.shared();
        ensure_state(shared, C::METRICS)?;
        let settings = Arc::new(Settings::new(shared, C::METRICS)?);
        let selection = shared.selection()?;
        let targets = check.targets()?;
        if targets.is_empty() {
            self.add_nothing::<C>(settings);
            return Ok(());
        }
        let before: Vec<_> = self.ids_of(after);
        let begin = self.all.len();
        for target in &targets {
            self.add_candidates::<C>(target, shared);
        }
        let own = part(&self.all, begin..).to_vec();
        self.ensure_matched(&selection, &own)?;
        ensure_of_use(&shared.asked, &own)?;
        let first = self.tests.len();
        let has_own = selection.is_narrow();
        let is_narrow = has_own || also.is_narrow();
        let selection = selection.widened(&own).unwrap_or(selection);
        let mut candidates = own.into_iter();
        for target in targets {
            self.ensure_alone::<C>(target.target().name())?;
            self.add_target::<C>(target, &mut candidates, [&selection, also], &before, &settings);
        }
        if has_own && shared.load_list.is_none() {
            let chosen: Vec<_> = part(&self.tests, first..).iter().map(|test| test.aspect).collect();
            self.idle.extend(shared.asked.idle(&chosen).map(|(option, aspects)| left_out(option, aspects)));
        }
        let wanted = Wanted::of::<C>(shared, part(&self.tests, first..), is_narrow);
        self.wanted.extend(wanted);
        Ok(())
    }

    /// Adds what can be looked at of a target.
    fn add_candidates<C: Check>(&mut self, target: &AnyTarget, shared: &ProbeArgs) {
        let aspects = target.aspects();
        let of = |facts: &AspectFacts| id::<C>(target.target().name(), facts.name());
        let usual = ranges::usual(&aspects, shared, C::METRICS);
        self.all.extend(aspects.iter().map(|(_, facts)| Candidate {
            id: of(facts),
            names: facts.names,
            is_usual: usual.contains(&facts.name()),
        }));
        let is_absent = |facts: &AspectFacts| aspects.iter().all(|(_, other)| other.name() != facts.name());
        self.absent.extend(C::aspects().iter().filter(|facts| is_absent(facts)).map(|facts| {
            let names = facts.names.iter().map(|name| (*name).to_owned());
            Absent { names: std::iter::once(of(facts)).chain(names).collect(), command: C::command }
        }));
    }

    fn ensure_alone<C: Check>(&self, name: &str) -> anyhow::Result<()> {
        let is_double =
            |other: &PlannedTarget| other.check == C::NAME && other.target.target().name() == name;
        ensure!(!self.targets.iter().any(is_double), "two targets are named {name}: --name tells them apart");
        Ok(())
    }

    fn add_target<C: Check>(
        &mut self,
        target: AnyTarget,
        candidates: &mut dyn Iterator<Item = Candidate>,
        selections: [&Selection; 2],
        before: &[String],
        settings: &Arc<Settings>,
    ) {
        let mut settings = Arc::clone(settings);
        let tags = target.target().tags();
        if !tags.is_empty() {
            Arc::make_mut(&mut settings).tags.extend(tags);
        }
        let first = self.tests.len();
        for ((number, aspect), Candidate { id, names, is_usual }) in
            target.aspects().into_iter().zip(candidates)
        {
            let chosen = selections.iter().all(|selection| selection.chooses(&id, names));
            let named = selections.iter().any(|selection| selection.names(&id, names));
            if chosen && (is_usual || named) {
                let of = |aspect: &&str| self::id::<C>(target.target().name(), aspect);
                let after = before.iter().cloned().chain(aspect.after.iter().map(of)).collect();
                let about = format!("{} ({})", aspect.about, target.target().shown());
                let subject = Subject::Aspect { target: self.targets.len(), aspect: number };
                self.push((id, aspect.name()), after, about, &settings, subject);
            }
        }
        ranges::note_due(part_mut(&mut self.tests, first..));
        self.targets.push(PlannedTarget { check: C::NAME, target, settings });
    }

    fn add_nothing<C: Check>(&mut self, settings: Arc<Settings>) {
        let aspect = C::aspects().first().map_or("found", AspectFacts::name);
        let about = "looks for something to check".to_owned();
        let nothing = Subject::Nothing(C::nothing());
        self.push((id::<C>("any", aspect), aspect), Vec::new(), about, &settings, nothing);
    }

    fn push(
        &mut self,
        (id, aspect): (String, &'static str),
        after: Vec<String>,
        about: String,
        settings: &Arc<Settings>,
        subject: Subject,
    ) {
        let settings = Arc::clone(settings);
        self.tests.push(Planned { id, aspect, after, about, settings, due: Vec::new() });
        self.subjects.push(subject);
    }

    fn ids_of(&self, targets: &[String]) -> Vec<String> {
        let is_of = |subject: &Subject| match subject {
            Subject::Aspect { target, .. } => {
                let name = self.targets.get(*target).map(|planned| planned.target.target().name());
                targets.iter().any(|other| Some(plain(other).as_str()) == name)
            }
            Subject::Nothing(_) => false,
        };
        let tests = self.tests.iter().zip(&self.subjects);
        tests.filter(|(_, subject)| is_of(subject)).map(|(test, _)| test.id.clone()).collect()
    }

    /// Whether there is anything to do, and every pattern of `also` has matched something.
    ///
    /// # Errors
    ///
    /// When that is not so.
    pub fn ensure_selected(&self, also: &Selection) -> anyhow::Result<()> {
        self.ensure_matched(also, &self.all)?;
        if self.tests.is_empty() {
            bail!(
                "nothing is selected: --probe deep --list shows all tests, and what has side effects is run by \
                 --probe deep"
            );
        }
        if let Some(wanted) = Wanted::unmet(&self.wanted).find(|wanted| wanted.is_wrong()) {
            bail!("{}", self.why_unmet(wanted));
        }
        let is_known = |known: &&ExpectedFailure| {
            self.all.iter().any(|test| known.names(&test.id))
                || self.tests.iter().any(|test| known.names(&test.id))
        };
        let mut outages = self.tests.iter().flat_map(|test| &test.settings.expect_fail);
        match outages.find(|known| !is_known(known)) {
            Some(known) => bail!("the known outage `{}` is of no test that there is", known.reason),
            None => Ok(()),
        }
    }

    /// What was given on the command line and is of no use, for people.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let unmet = Wanted::unmet(&self.wanted).map(|wanted| self.why_unmet(wanted));
        unmet.chain(self.idle.iter().cloned()).collect()
    }

    fn why_unmet(&self, wanted: &Wanted) -> String {
        let is_of = |absent: &&Absent| absent.aspect().is_some_and(|aspect| wanted.aspects.contains(&aspect));
        wanted.why(self.absent.iter().find(is_of).map(Absent::need))
    }

    /// What `also` was when this plan was made, where a pattern of it matches only tests that are run when they are
    /// asked for: then as asking for them, for a plan that is made anew.
    #[must_use]
    pub fn widened(&self, also: &Selection) -> Option<Selection> {
        also.widened(&self.all)
    }

    fn ensure_matched(&self, selection: &Selection, tests: &[Candidate]) -> anyhow::Result<()> {
        let Some(pattern) = selection.unmatched(tests) else { return Ok(()) };
        let mut absent = self.absent.iter().filter(|absent| Selection::is_match(pattern, &absent.names));
        match absent.next() {
            Some(absent) => bail!("`{pattern}` matches no test: {}", absent.need()),
            None => {
                let known = tests.iter().flat_map(Candidate::all_names);
                let absent = self.absent.iter().flat_map(|absent| &absent.names).map(String::as_str);
                let suggestion = suggest(pattern, known.chain(absent));
                let all =
                    if suggestion.is_empty() { "; --probe deep --list shows all there are" } else { "" };
                bail!("`{pattern}` matches no test{suggestion}{all}")
            }
        }
    }

    /// The tests, in the order in which they are run.
    #[must_use]
    pub fn tests(&self) -> &[Planned] {
        &self.tests
    }

    /// Runs one of them, within its limits.
    pub fn look(&mut self, test: usize, limits: Limits<'_>) -> Finding {
        match self.subjects.get(test) {
            Some(Subject::Aspect { target, aspect }) => match self.targets.get_mut(*target) {
                Some(planned) => planned.target.look(*aspect, limits),
                None => Finding::unknown("there is no such target".to_owned()),
            },
            Some(Subject::Nothing(reason)) => Finding::broken((*reason).to_owned()),
            None => Finding::unknown("there is no such test".to_owned()),
        }
    }

    /// Has all targets remove what they made; what they could not, as tests of their own.
    pub fn finish(&mut self, limits: Limits<'_>) -> Vec<(Planned, Finding)> {
        let mut left = Vec::new();
        for PlannedTarget { check, target, settings } in &mut self.targets {
            if let Some(finding) = target.finish(limits) {
                let id = format!("{check}.{}.clean-up", target.target().name());
                let about = format!("removes what was made ({})", target.target().shown());
                let settings = Arc::clone(settings);
                let test =
                    Planned { id, aspect: "clean-up", after: Vec::new(), about, settings, due: Vec::new() };
                left.push((test, finding));
            }
        }
        left
    }

    /// What no attachment may show.
    #[must_use]
    pub fn secrets(&self) -> Vec<Secret> {
        self.targets.iter().flat_map(|planned| planned.target.target().secrets()).collect()
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Plan").field("tests", &self.tests).finish_non_exhaustive()
    }
}

fn id<C: Check>(target: &str, aspect: &str) -> String {
    format!("{}.{target}.{aspect}", C::NAME)
}

/// Whether what is compared with the last run can be.
fn ensure_state(shared: &ProbeArgs, kinds: &[MetricKind]) -> anyhow::Result<()> {
    let is_change = |name: &str| kinds.iter().any(|kind| kind.has(name) && kind.is_change(name));
    let mut ranges = shared.asked.ranges.iter().filter(|_| shared.state_file.is_none());
    match ranges.find(|(_, name)| is_change(name)) {
        Some((option, name)) => {
            bail!("{option} {name}: it is counted from one run to the next, which takes --state-file")
        }
        None => Ok(()),
    }
}

/// That nothing that is selected looks at what an option is about.
fn left_out(option: &str, aspects: &[&str]) -> String {
    let only: Vec<_> = aspects.iter().map(|aspect| format!("--only {aspect}")).collect();
    let (aspects, only) = (aspects.join(" and "), only.join(" or "));
    format!("{option} is for {aspects}: nothing that is selected looks at it; {only} does")
}

/// Whether there is something to look at for each option that asks for it.
fn ensure_of_use(asked: &Asked, tests: &[Candidate]) -> anyhow::Result<()> {
    let names: Vec<_> = tests.iter().filter_map(|test| test.names.first().copied()).collect();
    match asked.idle(&names).next() {
        Some((option, aspects)) => {
            bail!("{option} is for {}, which nothing that is checked here has", aspects.join(" and "))
        }
        None => Ok(()),
    }
}
