//! The engine: where it listens, and what it answers.

use std::env;
use std::path::PathBuf;

use net::{Client, Exchange, Place, Request, Url, encode};
use probe::{Finding, Limits};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::inspect::Inspect;
use crate::network::{Evidence as _, NetArgs, one_operation};

/// Where it listens, and the version of its API that is spoken.
#[derive(Clone, Debug)]
pub(crate) struct Engine {
    place: Place,
    /// Any address: the place is connected to whatever it says.
    base: Url,
    client: Client,
    /// `/v1.41`, once it has said so.
    prefix: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Version {
    version: String,
    platform: Platform,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Platform {
    name: String,
}

impl Engine {
    /// The engine at this place, else where the environment or habit says.
    pub(crate) fn new(place: Option<&Place>) -> anyhow::Result<Self> {
        let place = match place {
            Some(place) => place.clone(),
            None => usual_place()?,
        };
        let client = NetArgs { connect_to: Some(place.clone()), ..NetArgs::default() }.client()?;
        let base = "http://engine".parse().map_err(anyhow::Error::msg)?;
        Ok(Engine { place, base, client, prefix: String::new() })
    }

    /// Where it listens.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    pub(crate) fn shown(&self) -> String {
        self.place.to_string()
    }

    /// Whether it answers.
    pub(crate) fn ping(&mut self, limits: Limits<'_>) -> Finding {
        let exchange = self.get("/_ping", limits);
        let response = match exchange.answer() {
            Ok(response) if response.status == 200 => response,
            Ok(response) => {
                let reason = format!("the engine at {} answers {}", self.place, response.describe());
                return exchange.witness(Finding::broken(reason));
            }
            Err(finding) => return self.explained(*finding),
        };
        if let Some(version) = response.header("api-version").filter(|version| is_number(version)) {
            self.prefix = format!("/v{version}");
        }
        let total = exchange.measure(Finding::fine(String::new())).metrics;
        let version = self.get("/version", limits).json::<Version>(200).unwrap_or_default();
        let name = if version.platform.name.is_empty() { "engine" } else { &version.platform.name };
        let mut finding = Finding::fine(format!("{name} {} at {}", version.version, self.place));
        finding.metrics = total.into_iter().filter(|metric| metric.name == "total_seconds").collect();
        finding
    }

    /// A finding about a missing answer, with what to do where permission is missing.
    fn explained(&self, mut finding: Finding) -> Finding {
        if let probe::Level::Unknown(reason) = &mut finding.level
            && reason.contains("denied")
        {
            reason.push_str(": run the check as root or in the group of the socket");
        }
        finding
    }

    /// What it says of a container: `None` where there is none of exactly this name or id.
    pub(super) fn inspect(
        &self,
        container: &str,
        limits: Limits<'_>,
    ) -> Result<Option<Inspect>, Box<Finding>> {
        let exchange = self.get(&format!("/containers/{}/json", encode(container)), limits);
        if exchange.answer()?.status == 404 {
            return Ok(None);
        }
        let found: Inspect = exchange.json(200)?;
        // Engines take the beginning of an id for the id.
        let is_named = found.name.trim_start_matches('/') == container;
        Ok((is_named || container.len() >= 12 && found.id.starts_with(container)).then_some(found))
    }

    /// The answer to a request for JSON.
    pub(crate) fn json<T: DeserializeOwned>(
        &self,
        path: &str,
        limits: Limits<'_>,
    ) -> Result<T, Box<Finding>> {
        self.get(path, limits).json(200)
    }

    pub(crate) fn get(&self, path: &str, limits: Limits<'_>) -> Exchange {
        self.client.send(&self.get_request(path), &one_operation(limits))
    }

    /// A request without a body, to be changed.
    pub(crate) fn get_request(&self, path: &str) -> Request {
        Request::get(self.url(path))
    }

    /// The same, of an answer that may be as long as this.
    pub(crate) fn get_long(&self, path: &str, max_body: usize, limits: Limits<'_>) -> Exchange {
        self.client.send(&Request { max_body, ..Request::get(self.url(path)) }, &one_operation(limits))
    }

    /// A request that sends JSON.
    pub(crate) fn post(&self, path: &str, body: &str) -> Request {
        Request::new("POST", self.url(path)).json(body)
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    fn url(&self, path: &str) -> Url {
        self.base.at(&format!("{}{path}", self.prefix))
    }
}

fn is_number(version: &str) -> bool {
    !version.is_empty() && version.chars().all(|letter| letter.is_ascii_digit() || letter == '.')
}

/// `$DOCKER_HOST`, `$CONTAINER_HOST`, or the first of the usual sockets that is there.
fn usual_place() -> anyhow::Result<Place> {
    for name in ["DOCKER_HOST", "CONTAINER_HOST"] {
        let Ok(text) = env::var(name) else { continue };
        let text = text.replacen("unix://", "unix:", 1);
        let text = text.strip_prefix("tcp://").unwrap_or(&text);
        return text.parse().map_err(|error| anyhow::anyhow!("${name}: {error}"));
    }
    let runtime =
        env::var_os("XDG_RUNTIME_DIR").map(|folder| PathBuf::from(folder).join("podman/podman.sock"));
    let usual = ["/var/run/docker.sock", "/run/podman/podman.sock"].map(PathBuf::from);
    let found = usual.iter().chain(&runtime).find(|path| path.exists());
    Ok(Place::Unix(found.or(usual.first()).cloned().unwrap_or_default()))
}
