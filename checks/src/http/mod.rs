//! `check-http`: does an address answer, as it should, in time, over connections that can be trusted?

mod args;
mod codes;
mod metrics;
mod target;

use net::Url;
use probe::{AnyTarget, Aspect, AspectFacts, Check, MetricKind, ProbeArgs, ProbeKind, target_names};

pub use args::CheckHttp;
pub use codes::StatusCodes;

use crate::network;
use metrics::METRICS;
use target::HttpTarget;

/// All that is looked at, in this order.
const ASPECTS: &[Aspect<HttpTarget>] = &[
    Aspect::new(
        &["resolve"],
        ProbeKind::Startup,
        "looks up the host's addresses",
        |target: &mut HttpTarget, limits| network::resolve(&target.route(), limits),
    )
    .when(HttpTarget::has_name),
    Aspect::new(
        &["connect"],
        ProbeKind::Startup,
        "connects, and says nothing",
        |target: &mut HttpTarget, limits| network::connect(&target.route(), limits),
    )
    .after(&["resolve"]),
    Aspect::new(
        &["tls", "certificate"],
        ProbeKind::Readiness,
        network::TLS,
        |target: &mut HttpTarget, limits| network::tls(&target.route(), limits),
    )
    .after(&["resolve", "connect"])
    .when(HttpTarget::is_secure),
    Aspect::new(
        &["status"],
        ProbeKind::Liveness,
        "asks, and looks at the status code",
        HttpTarget::look_at_status,
    )
    .after(&["resolve", "connect"]),
    Aspect::new(
        &["body"],
        ProbeKind::Readiness,
        "looks for patterns in the body, and at its size",
        HttpTarget::look_at_body,
    )
    .after(&["resolve", "connect", "status"]),
    Aspect::new(
        &["latency"],
        ProbeKind::Readiness,
        "asks several times, each over a new connection",
        HttpTarget::latency,
    )
    .after(&["resolve", "connect", "status"])
    .when(HttpTarget::is_safe),
];

impl Check for CheckHttp {
    const NAME: &'static str = "http";
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
        self.all_urls().next().is_some()
    }

    fn targets(&self) -> anyhow::Result<Vec<AnyTarget>> {
        let token = self.token.token()?;
        let client = self.net.client()?;
        let long: Vec<_> = self.all_urls().map(|url| format!("{}{}", url.authority(), url.path())).collect();
        let names: Vec<_> =
            self.all_urls().zip(&long).map(|(url, long)| (url.host(), long.as_str())).collect();
        let names = target_names(&self.probe.name, &names)?;
        let target = |(url, name): (&Url, String)| {
            let request = self.request(url, token.as_ref())?;
            let target = HttpTarget::new(name, request, client.clone(), token.clone(), self.clone());
            Ok(AnyTarget::new(target, ASPECTS))
        };
        self.all_urls().zip(names).map(target).collect()
    }

    fn nothing() -> &'static str {
        "no URL given; name the one to check, for example: check-http https://hub.example/hub/health"
    }
}
