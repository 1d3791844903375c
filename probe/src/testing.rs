//! A check for tests: it finds what it is told to.
#![expect(clippy::unwrap_used, reason = "what tests stand on fails loudly")]

use std::sync::{Arc, Mutex};

use clap::Parser;
use cli::OptionFacts;

use super::{
    AnyTarget, Aspect, AspectFacts, Check, Finding, Limits, MetricKind, MetricUnit, ProbeArgs, ProbeKind,
    Secret, Target, Thresholds, target_names,
};

/// What it measures.
pub const KINDS: &[MetricKind] = &[
    MetricKind::new("load", MetricUnit::Count),
    MetricKind { counter: true, warning: Some("5"), ..MetricKind::new("errors", MetricUnit::Count) },
    MetricKind::new("changes", MetricUnit::Count).of(&["deep"]),
    MetricKind::new("replies", MetricUnit::Count).of(&["answer"]),
    MetricKind {
        percentiles: true,
        ..MetricKind::new("wait_seconds", MetricUnit::Seconds).of(&["alive", "ready"])
    },
];

/// Check what the tests say
#[derive(Parser, Clone, Debug)]
#[command(name = "check-fake", version)]
pub struct Fake {
    /// What is looked at.
    pub places: Vec<String>,
    /// What is found: `alive=broken`, `ready=load 3`
    #[arg(long = "found")]
    pub found: Vec<String>,
    /// What is looked at, too
    #[arg(long)]
    pub place: Vec<String>,
    /// What must not be shown
    #[arg(long)]
    pub secret: Option<String>,
    /// What to change, deep down
    #[arg(long, add = OptionFacts::of_aspects(&["deep"]))]
    pub change: Option<String>,
    /// What to ask
    #[arg(long, add = OptionFacts::of_aspects(&["answer"]))]
    pub ask: Option<String>,
    /// The arguments that all checks have.
    #[command(flatten)]
    pub shared: ProbeArgs,
}

/// The arguments that all checks have, from a command line.
pub fn args(args: &[&str]) -> ProbeArgs {
    let line = ["check-fake"].into_iter().chain(args.iter().copied());
    // Some are of use with a state file only.
    let line = line.chain(["--state-file=x"]);
    Fake::try_parse_from(line).unwrap().shared
}

const ASPECTS: &[Aspect<FakeTarget>] = &[
    Aspect::new(
        &["alive", "ping"],
        ProbeKind::Liveness,
        "looks whether it is alive",
        |target: &mut FakeTarget, _| target.look("alive"),
    ),
    Aspect::new(
        &["ready"],
        ProbeKind::Readiness,
        "looks whether it is ready",
        |target: &mut FakeTarget, _| target.look("ready"),
    )
    .after(&["alive"]),
    Aspect::new(&["deep"], ProbeKind::Deep, "changes it", |target: &mut FakeTarget, _| target.look("deep"))
        .after(&["alive", "ready"]),
    Aspect::new(&["answer"], ProbeKind::Readiness, "asks", |target: &mut FakeTarget, _| {
        target.look("answer")
    })
    .when(|target| target.is_asked),
    Aspect::new(&["hidden"], ProbeKind::Readiness, "asks in vain", |target: &mut FakeTarget, _| {
        target.look("hidden")
    })
    .when(|target| target.is_asked)
    .usual_when(|_| false),
];

impl Check for Fake {
    const NAME: &'static str = "fake";
    const METRICS: &'static [MetricKind] = KINDS;

    fn aspects() -> Vec<AspectFacts> {
        AspectFacts::of(ASPECTS)
    }

    fn shared(&self) -> &ProbeArgs {
        &self.shared
    }

    fn shared_mut(&mut self) -> &mut ProbeArgs {
        &mut self.shared
    }

    fn is_named(&self) -> bool {
        !self.places.is_empty() || !self.place.is_empty()
    }

    fn targets(&self) -> anyhow::Result<Vec<AnyTarget>> {
        let places: Vec<_> = self.places.iter().chain(&self.place).map(String::as_str).collect();
        let both: Vec<_> = places.iter().map(|place| (*place, *place)).collect();
        let names = target_names(&self.shared.name, &both)?;
        let target = |name| {
            let found = Arc::new(Mutex::new(self.found.clone()));
            FakeTarget { name, found, secret: self.secret.clone(), is_asked: self.ask.is_some() }
        };
        Ok(AnyTarget::all(names.into_iter().map(target), ASPECTS))
    }

    fn nothing() -> &'static str {
        "there is nothing to fake"
    }
}

struct FakeTarget {
    name: String,
    found: Arc<Mutex<Vec<String>>>,
    secret: Option<String>,
    is_asked: bool,
}

impl FakeTarget {
    fn look(&self, aspect: &str) -> Finding {
        let mut found = self.found.lock().unwrap();
        let is_of = |text: &String| text.split_once('=').is_some_and(|(name, _)| name == aspect);
        let text = found.iter().position(is_of).map(|position| found.remove(position));
        let word = text.as_deref().and_then(|text| text.split_once('=')).map_or("fine", |(_, word)| word);
        match word.split_once(' ').unwrap_or((word, "")) {
            ("fine", _) => Finding::fine(format!("{aspect} is fine")),
            ("broken", why) => Finding::broken(format!("broken {why}").trim_end().to_owned()),
            ("unknown", _) => Finding::unknown("no permission".to_owned()),
            ("skip", _) => Finding::skipped("not here".to_owned()),
            (metric, number) => Finding::fine(String::new()).with_metric(metric, number.parse().unwrap()),
        }
    }
}

impl Target for FakeTarget {
    fn name(&self) -> &str {
        &self.name
    }

    fn shown(&self) -> String {
        self.name.clone()
    }

    fn finish(&mut self, _: Limits<'_>) -> Option<Finding> {
        let found = self.found.lock().unwrap();
        found.contains(&"left".to_owned()).then(|| Finding::broken("it is still there".to_owned()))
    }

    fn secrets(&self) -> Vec<Secret> {
        self.secret.iter().map(|text| Secret::new(text)).collect()
    }
}

/// Whether the thresholds that numbers have of their own are ranges, and the aspects that measure them are there.
pub fn check_metrics(kinds: &'static [MetricKind], aspects: &[AspectFacts]) {
    let is_there = |name: &&str| aspects.iter().any(|facts| facts.name() == *name);
    let other = kinds.iter().flat_map(|kind| kind.aspects).find(|name| !is_there(name));
    assert_eq!(other, None);
    let thresholds = Thresholds::parse(kinds, &[], &[]).unwrap();
    for kind in kinds {
        let name = if kind.percentiles { format!("{}_max", kind.name) } else { kind.name.to_owned() };
        assert_eq!(thresholds.warning(&name).is_some(), kind.warning.is_some(), "{name}");
        assert_eq!(thresholds.critical(&name).is_some(), kind.critical.is_some(), "{name}");
    }
}
