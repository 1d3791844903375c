//! `check-jupyterhub`: does a hub answer, does it take the token, does a server start for a user, and stop again?
//!
//! What is asked goes the way that browsers go: through the proxy. That one goes on answering when the hub behind it
//! is dead, and is silent when the hub is frozen. Judgements are functions of what the hub said, which is
//! read tolerantly: its interface changes with its versions, and what a token may see depends on its scopes.

mod args;
mod earlier;
mod hub;
mod judge;
mod metrics;
mod model;
mod monitoring;
mod pages;
mod progress;
mod routes;
mod server;
mod services;
mod target;
#[cfg(test)]
mod tests;

use anyhow::ensure;
use probe::{
    AnyTarget, Aspect, AspectFacts, Check, Finding, Limits, MetricKind, ProbeArgs, ProbeKind, target_names,
};

pub use args::CheckJupyterhub;

use hub::Hub;
use metrics::METRICS;
use server::UserServer;
use target::HubTarget;

use crate::network;

/// How an aspect of a hub is looked at.
type Look = fn(&mut HubTarget, Limits<'_>) -> Finding;

/// All that is looked at, in this order.
const ASPECTS: &[Aspect<HubTarget>] = &[
    Aspect::new(&["health"], ProbeKind::Startup, "asks the hub how it is (/hub/health)", HubTarget::health),
    Aspect::new(&["tls", "certificate"], ProbeKind::Readiness, network::TLS, HubTarget::tls)
        .when(HubTarget::is_secure),
    readiness(&["version", "check_api"], "asks the hub for its version", HubTarget::version),
    readiness(&["token"], "asks the hub whose token it is, what it allows, and until when", |hub, limits| {
        hub.with_token(HubTarget::token, limits)
    }),
    authorized(&["users"], "reads the list of all users, page by page", |hub, limits| {
        hub.with_token(HubTarget::users, limits)
    }),
    authorized(
        &["services"],
        "reads the list of services, and asks each that has an address how it is",
        |hub, limits| hub.with_token(HubTarget::services, limits),
    ),
    authorized(&["proxy-routes"], "compares the proxy's routes with the servers that run", |hub, limits| {
        hub.with_token(HubTarget::proxy_routes, limits)
    }),
    readiness(&["metrics"], "reads the hub's metrics", HubTarget::metrics),
    readiness(
        &["latency", "ttfb"],
        "asks the hub for its version several times, each over a new connection",
        HubTarget::latency,
    ),
    deep(
        &["server.start", "create_session"],
        "asks the hub to start a server for a user who has none",
        |hub, limits| hub.with_server(UserServer::start, limits),
    )
    .after(&["health", "token"]),
    deep(
        &["server.ready", "create_session", "check_session", "servers", "spawners"],
        "follows the start until the user's server is ready",
        |hub, limits| hub.with_server(UserServer::ready, limits),
    )
    .after(&["health", "token", "server.start"]),
    deep(
        &["server.api", "check_session", "servers"],
        "asks the user's server for its version and its state",
        |hub, limits| hub.with_server(UserServer::api, limits),
    )
    .after(&["health", "token", "server.start", "server.ready"]),
    deep(
        &["server.stop", "stop_session"],
        "asks the hub to stop the server that this check has started",
        |hub, limits| hub.with_server(UserServer::stop, limits),
    )
    .after(&["health", "token", "server.start", "server.ready"]),
    deep(
        &["server.gone", "stop_session"],
        "waits until the user's server is gone, and asks whether it really is",
        |hub, limits| hub.with_server(UserServer::gone, limits),
    )
    .after(&["health", "token", "server.start", "server.stop"]),
];

const fn readiness(names: &'static [&'static str], about: &'static str, look: Look) -> Aspect<HubTarget> {
    Aspect::new(names, ProbeKind::Readiness, about, look).after(&["health"])
}

const fn authorized(names: &'static [&'static str], about: &'static str, look: Look) -> Aspect<HubTarget> {
    Aspect::new(names, ProbeKind::Readiness, about, look).after(&["health", "token"])
}

const fn deep(names: &'static [&'static str], about: &'static str, look: Look) -> Aspect<HubTarget> {
    Aspect::new(names, ProbeKind::Deep, about, look)
}

impl Check for CheckJupyterhub {
    const NAME: &'static str = "jupyterhub";
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
        ensure!(self.all_urls().count() <= 1, "one hub at a time: each has tokens and users of its own");
        let Some(url) = self.all_urls().next() else { return Ok(Vec::new()) };
        ensure!(self.user.as_deref() != Some(""), "--user is empty");
        let names = target_names(&self.probe.name, &[(url.host(), &url.authority())])?;
        let hub = Hub::new(url, self.net.client()?, self.token.token()?);
        let options = self.options()?;
        let target = |name| HubTarget::new(name, hub.clone(), options.clone(), self.clone());
        Ok(AnyTarget::all(names.into_iter().map(target), ASPECTS))
    }

    fn nothing() -> &'static str {
        "no hub given; name the one to check, for example: check-jupyterhub https://hub.example"
    }
}
