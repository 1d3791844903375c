//! A proxy, and the aspects that only ask.

use net::{Client, Exchange, Request, Url};
use probe::{Finding, Limits, Secret, Target, listed};

use super::api::{Api, Routes};
use super::args::CheckProxy;
use super::canary::{Canary, Kind, is_canary};
use super::{lag, routes};
use crate::network::{self, Evidence as _, one_operation};

/// Where the proxy itself answers.
const HEALTH_PATH: &str = "/_chp_healthz";
/// Where the hub answers, below its route.
const HUB_HEALTH: &str = "hub/health";
/// How often to ask by default.
const SAMPLES: u32 = 5;

/// A proxy to check.
pub(super) struct ProxyTarget {
    name: String,
    url: Url,
    client: Client,
    api: Api,
    args: CheckProxy,
    canary: Canary,
}

impl ProxyTarget {
    pub(super) fn new(name: String, url: Url, client: Client, api: Api, args: &CheckProxy) -> Self {
        let canary = Canary::new(url.clone(), client.clone(), api.clone(), args.canary_address);
        ProxyTarget { name, url, client, api, args: args.clone(), canary }
    }

    pub(super) fn health(&mut self, limits: Limits<'_>) -> Finding {
        let exchange = self.client.send(&Request::get(self.url.at(HEALTH_PATH)), &one_operation(limits));
        let finding = match healthy(&exchange) {
            Ok(()) => exchange.witness(Finding::fine("the proxy says it is OK".to_owned())),
            Err(finding) => *finding,
        };
        exchange.measure(finding)
    }

    pub(super) fn is_secure(&self) -> bool {
        self.url.is_secure()
    }

    pub(super) fn has_metrics(&self) -> bool {
        self.args.metrics_url.is_some()
    }

    pub(super) fn tls(&mut self, limits: Limits<'_>) -> Finding {
        network::tls(&self.client.route(&self.url), limits)
    }

    pub(super) fn api(&mut self, limits: Limits<'_>) -> Finding {
        let (exchange, routes) = match self.api.routes(limits) {
            Ok(found) => found,
            Err(finding) => return *finding,
        };
        let wrong = self.api.ask_without_right(limits);
        let finding = match wrong.answer() {
            Ok(response) if response.status == 403 => {
                exchange.witness(Finding::fine(format!("{} routes; a wrong token is refused", routes.len())))
            }
            Ok(_) => {
                let reason = format!("{} takes orders from everyone: it accepts a wrong token", exchange.url);
                wrong.witness(Finding::broken(reason))
            }
            Err(finding) => return *finding,
        };
        exchange.measure(finding)
    }

    pub(super) fn hub_route(&mut self, limits: Limits<'_>) -> Finding {
        let routes = match self.api.routes(limits) {
            Ok((_, routes)) => routes,
            Err(finding) => return *finding,
        };
        let Some((path, target)) = hub(&routes) else {
            let paths: Vec<_> = routes.keys().map(String::as_str).collect();
            return Finding::broken(format!("no route leads to a hub; there are: {}", paths.join(" ")));
        };
        let below = |url: Url| url.at(path).below(HUB_HEALTH);
        let exchange = self.client.send(&Request::get(below(self.url.clone())), &one_operation(limits));
        match exchange.answer() {
            Ok(response) if response.status == 200 => {
                let fine = Finding::fine(format!("{path} leads to {target}, which answers"));
                exchange.measure(exchange.witness(fine))
            }
            Ok(response) => {
                let through = response.describe();
                let direct = self.ask_hub(target, &below, limits);
                let reason = format!("through the proxy, {} answers {through}\n{direct}", exchange.url);
                exchange.witness(Finding::broken(reason))
            }
            Err(finding) => *finding,
        }
    }

    /// What the hub says for itself, in words.
    fn ask_hub(&self, target: &str, below: &dyn Fn(Url) -> Url, limits: Limits<'_>) -> String {
        let Ok(url) = target.parse::<Url>() else { return format!("the route leads to `{target}`") };
        let direct = Client::clone(&self.client).without_detour();
        let exchange = direct.send(&Request::get(below(url)), &one_operation(limits));
        match &exchange.result {
            Ok(response) if response.status == 200 => format!("the hub itself, {}, is well", exchange.url),
            Ok(response) => format!("the hub itself, {}, answers {}", exchange.url, response.describe()),
            Err(fault) => format!("the hub itself: {fault}"),
        }
    }

    pub(super) fn routes(&mut self, limits: Limits<'_>) -> Finding {
        let mut routes = match self.api.routes(limits) {
            Ok((_, routes)) => routes,
            Err(finding) => return *finding,
        };
        let removed = self.canary.remove_left_behind(&routes, limits);
        // Those of other runs lead to somebody for a moment only.
        routes.retain(|path, route| !is_canary(path, route));
        let mut finding = routes::look(&routes, self.args.max_routes, limits);
        if !removed.is_empty() {
            let own = format!("removed what a killed run of this check had left behind{}", listed(&removed));
            finding.summary = finding.summary.map(|summary| format!("{summary}; {own}"));
        }
        finding
    }

    pub(super) fn latency(&mut self, limits: Limits<'_>) -> Finding {
        let samples = self.args.probe.samples.unwrap_or(SAMPLES);
        let request = Request::get(self.url.at(HEALTH_PATH));
        network::latency(&self.client, &request, samples, healthy, limits)
    }

    pub(super) fn lag(&mut self, limits: Limits<'_>) -> Finding {
        match &self.args.metrics_url {
            Some(url) => lag::look(&self.client, url, limits),
            None => Finding::skipped("there is no --metrics-url".to_owned()),
        }
    }

    pub(super) fn deep(&mut self, kind: Kind, limits: Limits<'_>) -> Finding {
        match self.api.token {
            Some(_) => self.canary.look(kind, limits),
            None => Api::without_token(),
        }
    }
}

/// Whether the proxy says that it is well.
fn healthy(exchange: &Exchange) -> Result<(), Box<Finding>> {
    let health: serde_json::Value = exchange.json(200)?;
    match health.get("status").and_then(serde_json::Value::as_str) {
        Some("OK") => Ok(()),
        _ => {
            let reason = format!("{} does not say that the proxy is OK: {health}", exchange.url);
            Err(Box::new(exchange.witness(Finding::broken(reason))))
        }
    }
}

/// The route that the hub says is its own, else that of all which has no route.
fn hub(routes: &Routes) -> Option<(&str, &str)> {
    let own = routes.iter().find(|(_, route)| route.hub);
    let (path, route) = own.or_else(|| routes.get_key_value("/"))?;
    Some((path, &route.target))
}

impl Target for ProxyTarget {
    fn name(&self) -> &str {
        &self.name
    }

    fn shown(&self) -> String {
        self.url.to_string()
    }

    fn finish(&mut self, limits: Limits<'_>) -> Option<Finding> {
        self.canary.clean_up(limits)
    }

    fn tags(&self) -> Vec<String> {
        self.args.net.tags()
    }

    fn secrets(&self) -> Vec<Secret> {
        self.api.token.iter().cloned().collect()
    }
}
