//! `check-tcp`: does a port take connections, does it greet as it should, is its certificate to be trusted?

mod args;
mod metrics;
mod target;

use probe::{AnyTarget, Aspect, AspectFacts, Check, MetricKind, ProbeArgs, ProbeKind, target_names};

pub use args::{CheckTcp, Payload};

use crate::network;
use metrics::METRICS;
use target::TcpTarget;

/// All that is looked at, in this order.
const ASPECTS: &[Aspect<TcpTarget>] = &[
    Aspect::new(
        &["resolve"],
        ProbeKind::Startup,
        "looks up the host's addresses",
        |target: &mut TcpTarget, limits| network::resolve(&target.route, limits),
    )
    .when(TcpTarget::has_name),
    Aspect::new(
        &["connect"],
        ProbeKind::Startup,
        "connects, and says nothing",
        |target: &mut TcpTarget, limits| network::connect(&target.route, limits),
    )
    .after(&["resolve"]),
    Aspect::new(
        &["tls", "certificate"],
        ProbeKind::Readiness,
        network::TLS,
        |target: &mut TcpTarget, limits| network::tls(&target.route, limits),
    )
    .after(&["resolve", "connect"])
    .when(|target| target.args.tls),
    Aspect::new(
        &["banner"],
        ProbeKind::Liveness,
        "connects, says what it is told to, and listens",
        TcpTarget::banner,
    )
    .after(&["resolve", "connect"])
    .on_request(),
];

impl Check for CheckTcp {
    const NAME: &'static str = "tcp";
    const METRICS: &'static [MetricKind] = METRICS;

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
        self.all_places().next().is_some()
    }

    fn targets(&self) -> anyhow::Result<Vec<AnyTarget>> {
        let client = self.net.client()?;
        let names: Vec<_> = self.all_places().map(|place| (place.short(), place.to_string())).collect();
        let names: Vec<_> = names.iter().map(|(short, long)| (short.as_str(), long.as_str())).collect();
        let names = target_names(&self.probe.name, &names)?;
        let places = self.all_places().zip(names);
        let targets = places.map(|(place, name)| TcpTarget::new(name, place.clone(), client.trust(), self));
        Ok(AnyTarget::all(targets, ASPECTS))
    }

    fn nothing() -> &'static str {
        "no port given; name the one to check, for example: check-tcp host.example:22"
    }
}
