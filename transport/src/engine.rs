//! The engine of containers, Docker or Podman: where it listens, and how it is asked.

use std::env;
use std::path::PathBuf;

use net::{Client, Exchange, Patience, Place, Request, Trust, Url};
use serde::Deserialize;

/// An engine of containers: where it listens, and the version of its API that is spoken.
#[derive(Clone, Debug)]
pub struct Engine {
    place: Place,
    /// Any address: the place is connected to whatever it says.
    base: Url,
    client: Client,
    /// `/v1.41`, once it has said so.
    prefix: String,
}

/// What an engine says of a command that it has created.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreatedExec {
    /// By which it is started, and asked for.
    pub id: String,
}

/// What an engine says of a command that was started.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ExecState {
    /// Once it has ended.
    pub exit_code: Option<i64>,
    /// Whether it has not ended.
    pub running: bool,
}

impl Engine {
    /// The engine at this place, else where the environment or habit says.
    ///
    /// # Errors
    ///
    /// When a variable of the environment does not name a place.
    pub fn new(place: Option<&Place>) -> anyhow::Result<Self> {
        let place = match place {
            Some(place) => place.clone(),
            None => usual_place()?,
        };
        let client = Client::new(Trust::new(&[], false, false)?, Some(place.clone()));
        let base = "http://engine".parse().map_err(anyhow::Error::msg)?;
        Ok(Engine { place, base, client, prefix: String::new() })
    }

    /// Where it listens.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Asks whether it is there; from then on the version of its API is spoken that it names.
    pub fn ping(&mut self, patience: &Patience) -> Exchange {
        let exchange = self.send(&self.get("/_ping"), patience);
        if let Ok(response) = &exchange.result
            && response.status == 200
            && let Some(version) = response.header("api-version").filter(|version| is_number(version))
        {
            self.prefix = format!("/v{version}");
        }
        exchange
    }

    /// A request without a body, to be changed or sent.
    #[must_use]
    pub fn get(&self, path: &str) -> Request {
        Request::get(self.url(path))
    }

    /// A request that sends JSON.
    #[must_use]
    pub fn post(&self, path: &str, body: &str) -> Request {
        Request::new("POST", self.url(path)).json(body)
    }

    /// Sends a request.
    #[must_use]
    pub fn send(&self, request: &Request, patience: &Patience) -> Exchange {
        self.client.send(request, patience)
    }

    /// What sends requests to it.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    fn url(&self, path: &str) -> Url {
        self.base.at(&format!("{}{path}", self.prefix))
    }
}

/// What to do about a reason for which an engine cannot be asked, to be put behind it; empty where nothing is known.
#[must_use]
pub fn permission_hint(reason: &str) -> &'static str {
    if reason.contains("denied") { ": run the check as root or in the group of the socket" } else { "" }
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
