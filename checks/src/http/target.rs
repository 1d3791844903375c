//! An address, and what it answers.

use net::{Client, Exchange, Place, Request, Response, Route, hide};
use probe::{Finding, Limits, Secret, Target};
use regex::bytes::Regex;

use super::args::CheckHttp;
use super::metrics::BODY_BYTES;
use crate::network::{self, Evidence as _, one_operation};

/// How often to ask by default.
const SAMPLES: u32 = 5;

/// An address to check.
pub(super) struct HttpTarget {
    name: String,
    request: Request,
    client: Client,
    token: Option<Secret>,
    args: CheckHttp,
    /// What `status` was answered, until `body` has looked at it.
    exchange: Option<Exchange>,
}

impl HttpTarget {
    pub(super) fn new(
        name: String,
        request: Request,
        client: Client,
        token: Option<Secret>,
        args: CheckHttp,
    ) -> Self {
        HttpTarget { name, request, client, token, args, exchange: None }
    }

    pub(super) fn route(&self) -> Route {
        self.client.route(&self.request.url)
    }

    /// Whether there is a name to be resolved.
    pub(super) fn has_name(&self) -> bool {
        matches!(self.route().place, Place::Tcp { .. })
    }

    pub(super) fn is_secure(&self) -> bool {
        self.request.url.is_secure()
    }

    /// Whether the request changes nothing, so that it may be repeated.
    pub(super) fn is_safe(&self) -> bool {
        ["GET", "HEAD"].contains(&self.request.method.as_str())
    }

    /// The answer, where it has a status code that is expected.
    fn expected<'a>(&self, exchange: &'a Exchange) -> Result<&'a Response, Box<Finding>> {
        let response = exchange.answer()?;
        if let (1.., Some(location)) = (self.request.redirects, exchange.leads_to()) {
            return Err(Box::new(exchange.witness(Finding::broken(leads_on(exchange, location)))));
        }
        if self.args.status.has(response.status) {
            return Ok(response);
        }
        let (url, codes) = (&exchange.url, &self.args.status);
        let reason = format!("{url} answers {}; expected: {codes}", response.describe());
        Err(Box::new(exchange.witness(Finding::broken(reason))))
    }

    pub(super) fn look_at_status(&mut self, limits: Limits<'_>) -> Finding {
        let exchange = self.client.send(&self.request, &one_operation(limits));
        let finding = match self.expected(&exchange) {
            Ok(response) => exchange.witness(Finding::fine(status_line(&exchange, response))),
            Err(finding) => *finding,
        };
        let finding = exchange.measure(finding);
        self.exchange = Some(exchange);
        finding
    }

    pub(super) fn look_at_body(&mut self, limits: Limits<'_>) -> Finding {
        let exchange = match self.exchange.take() {
            Some(exchange) => exchange,
            None => self.client.send(&self.request, &one_operation(limits)),
        };
        let response = match self.expected(&exchange) {
            Ok(response) => response,
            Err(finding) => return *finding,
        };
        let finding = match self.objections(response) {
            objections if objections.is_empty() => {
                Finding::fine(format!("a body of {} bytes", response.body.len()))
            }
            objections => Finding::broken(format!("{}: {}", exchange.url, objections.join("; "))),
        };
        let bytes = u32::try_from(response.body.len()).unwrap_or(u32::MAX);
        exchange.witness(finding.with_metric(BODY_BYTES, f64::from(bytes)))
    }

    pub(super) fn latency(&mut self, limits: Limits<'_>) -> Finding {
        let samples = self.args.probe.samples.unwrap_or(SAMPLES);
        let accept = |exchange: &Exchange| self.expected(exchange).map(drop);
        network::latency(&self.client, &self.request, samples, accept, limits)
    }

    /// What is wrong with a body.
    fn objections(&self, response: &Response) -> Vec<String> {
        let missing = |regex: &&Regex| !regex.is_match(&response.body);
        let present = |regex: &&Regex| regex.is_match(&response.body);
        let args = &self.args;
        let missing =
            args.matches.iter().filter(missing).map(|regex| format!("the body does not match `{regex}`"));
        let present = args.no_match.iter().filter(present).map(|regex| format!("the body matches `{regex}`"));
        let long = response.is_cut.then(|| {
            format!("the body is longer than {} bytes, only its beginning was looked at", response.body.len())
        });
        long.into_iter().chain(missing).chain(present).collect()
    }
}

fn status_line(exchange: &Exchange, response: &Response) -> String {
    let line = format!("{} {}", response.status, response.reason);
    match response.header("location") {
        Some(location) if (300..400).contains(&response.status) => format!("{line}, to {}", hide(location)),
        _ if exchange.redirects() > 0 => format!("{line} of {}, by redirects", exchange.url),
        _ => line.trim_end().to_owned(),
    }
}

/// That following redirects came to no end.
fn leads_on(exchange: &Exchange, location: &str) -> String {
    let (count, location) = (exchange.redirects(), hide(location));
    let were = if count == 1 { "redirect was" } else { "redirects were" };
    let first = exchange.hops().next().map_or_else(String::new, |hop| hop.url.to_string());
    format!("{first}: {count} {were} followed, and it leads on to {location}")
}

impl Target for HttpTarget {
    fn name(&self) -> &str {
        &self.name
    }

    fn shown(&self) -> String {
        self.request.url.to_string()
    }

    fn secrets(&self) -> Vec<Secret> {
        let headers = self.request.headers.iter().filter(|(name, _)| process::is_secret_name(name));
        let headers = headers.map(|(_, value)| Secret::new(value));
        self.token.iter().cloned().chain(headers).collect()
    }

    fn tags(&self) -> Vec<String> {
        self.args.net.tags()
    }
}
