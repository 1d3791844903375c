//! What a check makes of the engine's answers.

use net::{Client, Exchange, Place, Request, encode};
use probe::{Finding, Limits};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use transport::permission_hint;

use super::inspect::Inspect;
use crate::network::{Evidence as _, one_operation};

/// The engine, whose answers become findings.
#[derive(Clone, Debug)]
pub(super) struct Engine(transport::Engine);

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
    pub(super) fn new(place: Option<&Place>) -> anyhow::Result<Self> {
        transport::Engine::new(place).map(Engine)
    }

    pub(super) fn shown(&self) -> String {
        self.0.place().to_string()
    }

    /// Whether it answers.
    pub(super) fn ping(&mut self, limits: Limits<'_>) -> Finding {
        let exchange = self.0.ping(&one_operation(limits));
        match exchange.answer() {
            Ok(response) if response.status == 200 => {}
            Ok(response) => {
                let reason = format!("the engine at {} answers {}", self.shown(), response.describe());
                return exchange.witness(Finding::broken(reason));
            }
            Err(finding) => return explained(*finding),
        }
        let total = exchange.measure(Finding::fine(String::new())).metrics;
        let version = self.get("/version", limits).json::<Version>(200).unwrap_or_default();
        let name = if version.platform.name.is_empty() { "engine" } else { &version.platform.name };
        let mut finding = Finding::fine(format!("{name} {} at {}", version.version, self.shown()));
        finding.metrics = total.into_iter().filter(|metric| metric.name == "total_seconds").collect();
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
    pub(super) fn json<T: DeserializeOwned>(
        &self,
        path: &str,
        limits: Limits<'_>,
    ) -> Result<T, Box<Finding>> {
        self.get(path, limits).json(200)
    }

    pub(super) fn get(&self, path: &str, limits: Limits<'_>) -> Exchange {
        self.0.send(&self.0.get(path), &one_operation(limits))
    }

    /// The same, of an answer that may be as long as this.
    pub(super) fn get_long(&self, path: &str, max_body: usize, limits: Limits<'_>) -> Exchange {
        self.0.send(&Request { max_body, ..self.0.get(path) }, &one_operation(limits))
    }

    /// A request that sends JSON.
    pub(super) fn post(&self, path: &str, body: &str) -> Request {
        self.0.post(path, body)
    }

    pub(super) fn client(&self) -> &Client {
        self.0.client()
    }
}

/// A finding about a missing answer, with what to do where permission is missing.
fn explained(mut finding: Finding) -> Finding {
    if let probe::Level::Unknown(reason) = &mut finding.level {
        let hint = permission_hint(reason);
        reason.push_str(hint);
    }
    finding
}
