//! The API server: where it is, how to log in, and what it answers.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::Context as _;
use net::{Client, Exchange, Request, Response, Url, encode};
use probe::{Finding, Limits, Secret, TokenArgs};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::model::{Failure, Pod, Pods};
use crate::container::CheckContainer;
use crate::network::{Evidence as _, NetArgs, one_operation};

/// Bytes of an answer.
const ANSWER: usize = 16 << 20;
/// Pods on a page of a list.
const PAGE: u32 = 200;
/// Pods of the users of a hub have it, with the user's name as it is; in their own names it is escaped.
const OF_USERS: &str = "hub.jupyter.org/username";
/// The name of the user's server; the default one has none.
const OF_SERVERS: &str = "hub.jupyter.org/servername";

/// Where the API server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Api {
    /// Where the pod in which this runs is told to find it.
    InCluster,
    /// At this address.
    At(Url),
}

impl FromStr for Api {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "in-cluster" => Ok(Api::InCluster),
            url => {
                url.parse().map(Api::At).map_err(|error| format!("neither `in-cluster` nor a URL: {error}"))
            }
        }
    }
}

/// A namespace of a cluster, and the token for it.
#[derive(Clone, Debug)]
pub(super) struct Cluster {
    base: Url,
    client: Client,
    token: Option<Secret>,
    namespace: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Version {
    git_version: String,
}

impl Cluster {
    /// The one that the arguments name.
    pub(super) fn new(api: &Api, args: &CheckContainer) -> anyhow::Result<Self> {
        let account = (*api == Api::InCluster).then(|| Account(args.service_account.clone()));
        let base = match api {
            Api::At(url) => url.clone(),
            Api::InCluster => own_server()?,
        };
        let mut net = args.net.clone();
        let (mut token, mut namespace) = (args.token.token()?, args.namespace.clone());
        if let Some(account) = account {
            let ca = account.0.join("ca.crt");
            if net.ca.is_empty() && ca.exists() {
                net = NetArgs { ca: vec![ca], ..net };
            }
            token = token.map_or_else(|| account.token(), Ok).map(Some)?;
            namespace = namespace.or_else(|| account.namespace());
        }
        let namespace = namespace.unwrap_or_else(|| "default".to_owned());
        Ok(Cluster { base, client: net.client()?, token, namespace })
    }

    pub(super) fn shown(&self) -> String {
        format!("the namespace {} of {}", self.namespace, self.base)
    }

    pub(super) fn namespace(&self) -> &str {
        &self.namespace
    }

    pub(super) fn secrets(&self) -> Vec<Secret> {
        self.token.iter().cloned().collect()
    }

    /// Whether the API server is ready, as it says itself.
    pub(super) fn ready(&self, limits: Limits<'_>) -> Finding {
        let exchange = self.get("/readyz?verbose", limits);
        let response = match exchange.answer() {
            Ok(response) => response,
            Err(finding) => return *finding,
        };
        if let Some(finding) = self.refusal(response) {
            return exchange.witness(finding);
        }
        if response.status != 200 {
            return exchange.witness(Finding::broken(format!(
                "the API server at {} {}",
                self.base,
                unready(response)
            )));
        }
        let version = self.get("/version", limits).json::<Version>(200).unwrap_or_default().git_version;
        let mut finding = Finding::fine(format!("Kubernetes {version} at {}", self.base));
        let total = exchange.measure(Finding::fine(String::new())).metrics;
        finding.metrics = total.into_iter().filter(|metric| metric.name == "total_seconds").collect();
        finding
    }

    /// The pod of exactly this name: `None` where there is none.
    pub(super) fn pod(&self, name: &str, limits: Limits<'_>) -> Result<Option<Pod>, Box<Finding>> {
        let exchange = self.get(&self.path_of(name, ""), limits);
        if exchange.answer()?.status == 404 {
            return Ok(None);
        }
        self.json::<Pod>(&exchange).map(|pod| Some(pod).filter(|pod| pod.metadata.name == name))
    }

    /// The pod of this user of a hub: the youngest, of those that are not being deleted where there are such.
    pub(super) fn pod_of(
        &self,
        user: &str,
        server: &str,
        limits: Limits<'_>,
    ) -> Result<Option<Pod>, Box<Finding>> {
        let is_of = |pod: &Pod| {
            let annotation = |name| pod.metadata.annotations.get(name).map_or("", String::as_str);
            annotation(OF_USERS) == user && annotation(OF_SERVERS) == server
        };
        let age =
            |pod: &Pod| (pod.metadata.deletion_timestamp.is_none(), pod.metadata.creation_timestamp.clone());
        let (mut found, mut next) = (Vec::new(), String::new());
        loop {
            let path = format!(
                "/api/v1/namespaces/{}/pods?labelSelector={}&limit={PAGE}&continue={}",
                encode(&self.namespace),
                encode(OF_USERS),
                encode(&next)
            );
            let page: Pods = self.json(&self.get(&path, limits))?;
            found.extend(page.items.into_iter().filter(is_of));
            next = page.metadata.next;
            if next.is_empty() {
                return Ok(found.into_iter().max_by_key(age));
            }
        }
    }

    /// What the metrics server measured of a pod: `None` where there is none.
    pub(super) fn usage<T: DeserializeOwned>(
        &self,
        name: &str,
        limits: Limits<'_>,
    ) -> Result<Option<T>, Box<Finding>> {
        let namespace = encode(&self.namespace);
        let path = format!("/apis/metrics.k8s.io/v1beta1/namespaces/{namespace}/pods/{}", encode(name));
        let exchange = self.get(&path, limits);
        match exchange.answer()?.status {
            404 | 503 => Ok(None),
            _ => self.json(&exchange).map(Some),
        }
    }

    /// The last lines of a container's log.
    pub(super) fn log(
        &self,
        pod: &str,
        container: &str,
        lines: u32,
        limits: Limits<'_>,
    ) -> Result<String, Box<Finding>> {
        let path =
            format!("/log?container={}&tailLines={lines}&limitBytes={}", encode(container), ANSWER / 4);
        let exchange = self.get(&self.path_of(pod, &path), limits);
        let response = exchange.answer()?;
        match response.status {
            200 => Ok(response.text()),
            _ => Err(Box::new(self.refusal(response).unwrap_or_else(|| {
                Finding::unknown(format!(
                    "the API server does not give the log of {container}: {}",
                    words(response)
                ))
            })))
            .map_err(|finding: Box<Finding>| Box::new(exchange.witness(*finding))),
        }
    }

    fn path_of(&self, pod: &str, more: &str) -> String {
        format!("/api/v1/namespaces/{}/pods/{}{more}", encode(&self.namespace), encode(pod))
    }

    fn get(&self, path: &str, limits: Limits<'_>) -> Exchange {
        let mut request = Request { max_body: ANSWER, ..Request::get(self.base.below(path)) };
        if let Some(token) = &self.token {
            request = request.header("authorization", &format!("Bearer {}", token.reveal()));
        }
        self.client.send(&request, &one_operation(limits))
    }

    /// What was asked for, where it was not refused.
    fn json<T: DeserializeOwned>(&self, exchange: &Exchange) -> Result<T, Box<Finding>> {
        let response = exchange.answer()?;
        let finding = match response.status {
            200 => match response.json() {
                Ok(found) => return Ok(found),
                Err(error) => Finding::broken(format!("{}: {error}", exchange.url)),
            },
            _ => self.refusal(response).unwrap_or_else(|| {
                Finding::broken(format!("the API server at {} answers {}", self.base, words(response)))
            }),
        };
        // A pod's environment may hold secrets that this check knows nothing of.
        Err(Box::new(if response.status == 200 { finding } else { exchange.witness(finding) }))
    }

    /// The finding when the token is refused, or does not allow it: that says nothing about pods.
    fn refusal(&self, response: &Response) -> Option<Finding> {
        let said = words(response);
        match response.status {
            401 if self.token.is_none() => Some(Finding::unknown(format!(
                "the API server wants a token ({said}): --token-file or --token-env names it"
            ))),
            401 => Some(Finding::unknown(format!("the API server refuses the token: {said}"))),
            403 => Some(Finding::unknown(format!(
                "the token does not allow it ({said}): it takes a role with get and list of pods, and get of \
                 pods/log and of pods in metrics.k8s.io"
            ))),
            _ => None,
        }
    }
}

/// What the server says where it is not ready: the parts of it that fail.
fn unready(response: &Response) -> String {
    let text = response.text();
    let failing: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("[-]")).collect();
    match failing.as_slice() {
        [] => format!("is not ready: {}", words(response)),
        failing => format!("is not ready ({}): {}", response.status, failing.join(", ")),
    }
}

/// The status, and what the API says of an error.
fn words(response: &Response) -> String {
    match response.json::<Failure>() {
        Ok(Failure { message }) if !message.is_empty() => {
            format!("{} {}: {message}", response.status, response.reason)
        }
        _ => response.describe(),
    }
}

/// Where Kubernetes tells the pods in a cluster that its API is.
fn own_server() -> anyhow::Result<Url> {
    let name = "KUBERNETES_SERVICE_HOST";
    let host = env::var(name).with_context(|| {
        format!("this is not a pod of a cluster (there is no ${name}): --kubernetes URL names an API server")
    })?;
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let port = env::var("KUBERNETES_SERVICE_PORT").unwrap_or_else(|_| "443".to_owned());
    format!("https://{host}:{port}").parse().map_err(anyhow::Error::msg)
}

/// The folder in which a pod finds its service account.
struct Account(PathBuf);

impl Account {
    fn token(&self) -> anyhow::Result<Secret> {
        let file = TokenArgs { token_file: Some(self.0.join("token")), token_env: None };
        file.token()?.context("the service account has no token")
    }

    fn namespace(&self) -> Option<String> {
        let path: &Path = &self.0.join("namespace");
        let text = fs::read_to_string(path).ok()?;
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    }
}
