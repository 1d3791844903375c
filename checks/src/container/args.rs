//! The command line of `check-container`.

use cli::OptionFacts;
use std::path::PathBuf;

use net::Place;
use probe::{ProbeArgs, TokenArgs, help_end};

use crate::network::{MinTls, NetArgs};

pub use super::pods::Api;

const EXAMPLES: &str = "  check-container jupyterhub
  check-container --socket unix:/run/podman/podman.sock jupyterhub proxy
  check-container --log-error 'ERROR|Traceback' --image registry/hub:5 jupyterhub
  check-container --exec 'ls /scratch' jupyter-user2 | subunit2junitxml -o container.xml
  check-container --kubernetes in-cluster --user user2 --namespace hub
  check-container --kubernetes https://api.example:6443 --token-file checker.token --ca ca.crt hub-5d9c7
  check-container --list jupyterhub";

/// Check a container of Docker or Podman, or a pod of Kubernetes: running, healthy, not falling over
///
/// Each aspect is a test of its own, container.TARGET.ASPECT. Liveness is engine, exists and running; readiness, the
/// default, asks about health, restarts, oom, uptime, memory, cpu, pids, image and logs; with --exec
/// also exec, which runs a command in the container. Names are exact.
///
/// With --kubernetes the names are those of pods, and the engine is the API server. Memory and cpu are those that
/// the metrics server has measured; pids and exec there are not. The token takes a role with get and list of pods,
/// and get of pods/log (for --log-error) and of pods in metrics.k8s.io.
#[derive(clap::Parser, Clone, Debug)]
#[command(name = "check-container", version, after_help = help_end(EXAMPLES), max_term_width = 110)]
pub struct CheckContainer {
    /// Containers, by name or id; with --kubernetes pods, by name
    #[arg(value_name = "CONTAINER")]
    pub containers: Vec<String>,
    /// The same, as an option
    #[arg(long = "container", value_name = "CONTAINER", add = OptionFacts::TARGET)]
    pub more_containers: Vec<String>,
    /// Where the engine listens, unix:PATH or HOST:PORT (default: $DOCKER_HOST, $CONTAINER_HOST, else the usual
    /// sockets of Docker and Podman)
    #[arg(long, value_name = "PLACE", conflicts_with = "kubernetes", add = OptionFacts::TARGET)]
    pub socket: Option<Place>,
    /// Ask the API server of Kubernetes: its URL, or `in-cluster` for that of the cluster in which this runs in a pod
    #[arg(long, value_name = "URL", add = OptionFacts::TARGET)]
    pub kubernetes: Option<Api>,
    /// The namespace of the pods (default: that of the service account, else `default`)
    #[arg(long, value_name = "NAME", requires = "kubernetes", add = OptionFacts::TARGET)]
    pub namespace: Option<String>,
    /// The pod of this user of a hub, by the annotation that KubeSpawner gives it; may be repeated
    #[arg(long, value_name = "NAME", requires = "kubernetes", add = OptionFacts::TARGET)]
    pub user: Vec<String>,
    /// Which server of the users (default: the one without a name)
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true, requires = "user", add = OptionFacts::TARGET)]
    pub server_name: String,
    /// The folder in which a pod finds its token, the certificate of the cluster and its namespace
    #[arg(
        long,
        value_name = "FOLDER",
        default_value = "/var/run/secrets/kubernetes.io/serviceaccount",
        requires = "kubernetes", add = OptionFacts::TARGET)]
    pub service_account: PathBuf,
    /// For the API server of Kubernetes.
    #[command(flatten)]
    pub token: TokenArgs,
    /// For the API server of Kubernetes.
    #[command(flatten)]
    pub net: NetArgs,
    /// The image that the container must run: its name, or the id that begins so
    #[arg(long, value_name = "IMAGE", add = OptionFacts::of_aspects(&["image"]))]
    pub image: Option<String>,
    /// Fail when a line of the log matches this
    #[arg(long, value_name = "REGEX", add = OptionFacts::of_aspects(&["logs"]))]
    pub log_error: Option<regex::Regex>,
    /// How many lines of the log to look at, from the last one back
    #[arg(long, value_name = "N", default_value_t = 200, requires = "log_error", value_parser = clap::value_parser!(u32).range(1..=100_000), add = OptionFacts::of_aspects(&["logs"]))]
    pub log_lines: u32,
    /// Run this command in the container, by /bin/sh; it must exit with 0
    #[arg(long, value_name = "COMMAND", conflicts_with = "kubernetes", add = OptionFacts::of_aspects(&["exec"]))]
    pub exec: Option<String>,
    /// The options that all checks have.
    #[command(flatten)]
    pub probe: ProbeArgs,
}

impl CheckContainer {
    /// Whether there are arguments that only an API server can use.
    pub(super) fn has_options_of_kubernetes(&self) -> bool {
        let NetArgs { ca, insecure, min_tls, connect_to } = &self.net;
        let has_token = self.token.token_file.is_some() || self.token.token_env.is_some();
        has_token || !ca.is_empty() || *insecure || *min_tls != MinTls::default() || connect_to.is_some()
    }
}
