//! `check-proxy`: does a configurable-http-proxy serve, does it take orders, do its routes lead anywhere?
//!
//! The proxy goes on serving when its hub is dead, and is silent when it is stopped: each aspect looks at another
//! part of the way from a browser to a server.

mod api;
mod args;
mod canary;
mod lag;
mod metrics;
mod responder;
mod routes;
mod target;
mod websocket;

use anyhow::ensure;
use probe::{AnyTarget, Aspect, AspectFacts, Check, MetricKind, ProbeArgs, ProbeKind, target_names};

pub use args::CheckProxy;

use api::Api;
use canary::Kind;
use metrics::METRICS;
use target::ProxyTarget;

use crate::network;

/// All that is looked at, in this order.
const ASPECTS: &[Aspect<ProxyTarget>] = &[
    Aspect::new(
        &["health"],
        ProbeKind::Startup,
        "asks the proxy itself how it is (/_chp_healthz)",
        ProxyTarget::health,
    ),
    Aspect::new(&["tls", "certificate"], ProbeKind::Readiness, network::TLS, ProxyTarget::tls)
        .when(ProxyTarget::is_secure),
    Aspect::new(
        &["api"],
        ProbeKind::Readiness,
        "asks for the routes, with the token and with a wrong one, which must be refused",
        ProxyTarget::api,
    ),
    Aspect::new(
        &["hub-route"],
        ProbeKind::Readiness,
        "asks the hub how it is through the proxy, and directly when that fails",
        ProxyTarget::hub_route,
    )
    .after(&["health", "api"]),
    Aspect::new(
        &["routes"],
        ProbeKind::Readiness,
        "connects to the target of each route, and removes those of a check that was killed",
        ProxyTarget::routes,
    )
    .after(&["api"]),
    Aspect::new(
        &["latency"],
        ProbeKind::Readiness,
        "asks the proxy itself several times",
        ProxyTarget::latency,
    )
    .after(&["health"]),
    Aspect::new(&["eventloop-lag"], ProbeKind::Readiness, "reads the proxy's metrics", ProxyTarget::lag)
        .after(&["health"])
        .when(ProxyTarget::has_metrics),
    Aspect::new(
        &["canary"],
        ProbeKind::Deep,
        "adds a route to a server of its own, asks through the proxy, removes the route",
        |target: &mut ProxyTarget, limits| target.deep(Kind::Request, limits),
    )
    .after(&["health", "api"]),
    Aspect::new(
        &["websocket"],
        ProbeKind::Deep,
        "adds a route to a server of its own, opens a WebSocket through the proxy, removes the route",
        |target: &mut ProxyTarget, limits| target.deep(Kind::WebSocket, limits),
    )
    .after(&["health", "api"]),
];

impl Check for CheckProxy {
    const NAME: &'static str = "proxy";
    const METRICS: &'static [MetricKind] = METRICS;
    const VARIABLES: &'static [&'static str] = &[args::VARIABLE];

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
        ensure!(self.all_urls().count() <= 1, "one proxy at a time: each has an API of its own");
        let Some(url) = self.all_urls().next() else { return Ok(Vec::new()) };
        let client = self.net.client()?;
        let names = target_names(&self.probe.name, &[(url.host(), &url.authority())])?;
        let api = Api { client: client.clone(), url: self.api_url.clone(), token: self.token()? };
        let target = |name| ProxyTarget::new(name, url.clone(), client.clone(), api.clone(), self);
        Ok(AnyTarget::all(names.into_iter().map(target), ASPECTS))
    }

    fn nothing() -> &'static str {
        "no proxy given; name the one to check, for example: check-proxy http://127.0.0.1:8000"
    }
}
