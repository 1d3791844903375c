//! The interface by which a proxy takes orders.

use std::collections::BTreeMap;
use std::net::IpAddr;

use net::{Client, Exchange, Request, Url, encode};
use probe::{Finding, Limits, Secret};
use serde::Deserialize;

use crate::network::{Evidence as _, one_operation};

/// A route of the proxy. Whatever else is known of it does not matter here.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct RouteOf {
    /// Where it leads.
    #[serde(default)]
    pub(super) target: String,
    /// Whether the hub says that it is the hub's own.
    #[serde(default)]
    pub(super) hub: bool,
    /// When this check has made it, in seconds since 1970.
    #[serde(default, rename = "subunit_check")]
    pub(super) made: Option<u64>,
}

pub(super) type Routes = BTreeMap<String, RouteOf>;

/// The interface of a proxy.
#[derive(Clone)]
pub(super) struct Api {
    pub(super) client: Client,
    pub(super) url: Url,
    pub(super) token: Option<Secret>,
}

impl Api {
    /// What to answer where there is no token.
    pub(super) fn without_token() -> Finding {
        Finding::skipped(
            "there is no token: --token-file or --token-env names it, or CONFIGPROXY_AUTH_TOKEN holds it"
                .to_owned(),
        )
    }

    /// All routes.
    pub(super) fn routes(&self, limits: Limits<'_>) -> Result<(Exchange, Routes), Box<Finding>> {
        let Some(token) = &self.token else { return Err(Box::new(Api::without_token())) };
        let exchange = self.ask("GET", "", token.reveal(), "", limits);
        if exchange.answer()?.status == 403 {
            let reason = format!("{} refuses the token (403)", exchange.url);
            return Err(Box::new(exchange.witness(Finding::broken(reason))));
        }
        let routes = exchange.json(200)?;
        Ok((exchange, routes))
    }

    /// Asks for all routes with a token that nobody has: the status code.
    pub(super) fn ask_without_right(&self, limits: Limits<'_>) -> Exchange {
        self.ask("GET", "", "not-the-token", "", limits)
    }

    /// Adds a route.
    pub(super) fn add(
        &self,
        path: &str,
        target: &str,
        made: u64,
        limits: Limits<'_>,
    ) -> Result<(), Box<Finding>> {
        let body = serde_json::json!({ "target": target, "subunit_check": made }).to_string();
        self.expect("POST", path, &body, &[201], limits)
    }

    /// Removes a route; that there is none is as good.
    pub(super) fn remove(&self, path: &str, limits: Limits<'_>) -> Result<(), Box<Finding>> {
        self.expect("DELETE", path, "", &[204, 404], limits)
    }

    /// Whether there is such a route.
    pub(super) fn has(&self, path: &str, limits: Limits<'_>) -> Result<bool, Box<Finding>> {
        let exchange = self.ask("GET", path, self.token(), "", limits);
        match exchange.answer()?.status {
            200 => Ok(true),
            404 => Ok(false),
            _ => Err(unexpected(&exchange)),
        }
    }

    /// The address of this host on the way to the proxy.
    pub(super) fn local_address(&self, limits: Limits<'_>) -> Option<IpAddr> {
        self.ask("GET", "", self.token(), "", limits).trace.local.map(|address| address.ip())
    }

    fn token(&self) -> &str {
        self.token.as_ref().map_or("", Secret::reveal)
    }

    fn expect(
        &self,
        method: &str,
        path: &str,
        body: &str,
        statuses: &[u16],
        limits: Limits<'_>,
    ) -> Result<(), Box<Finding>> {
        let exchange = self.ask(method, path, self.token(), body, limits);
        if statuses.contains(&exchange.answer()?.status) { Ok(()) } else { Err(unexpected(&exchange)) }
    }

    fn ask(&self, method: &str, path: &str, token: &str, body: &str, limits: Limits<'_>) -> Exchange {
        let path: Vec<_> = path.split('/').map(encode).collect();
        let url = self.url.below("api/routes").below(path.join("/").trim_start_matches('/'));
        let url = if path.len() > 1 { url } else { self.url.below("api/routes") };
        let request = Request::new(method, url).header("authorization", &format!("token {token}"));
        let request = if body.is_empty() { request } else { request.json(body) };
        self.client.send(&Request { max_body: 16 << 20, ..request }, &one_operation(limits))
    }
}

fn unexpected(exchange: &Exchange) -> Box<Finding> {
    let described = exchange.result.as_ref().map(|response| response.describe()).unwrap_or_default();
    Box::new(exchange.witness(Finding::broken(format!("{} answers {described}", exchange.url))))
}
