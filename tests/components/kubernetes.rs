//! `check-container --kubernetes` against an API server over TLS that answers as the real one is documented to.

use std::fs;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};
use subunit::Status::{Fail, Skip, Success};
use tempfile::TempDir;

use crate::pipeline::{Ended, Pipeline};
use crate::servers::{Authority, Server};
use crate::{Need, Scenario};

pub(crate) const SCENARIOS: &[Scenario] = &[
    scenario("components.kubernetes.healthy", healthy),
    scenario("components.kubernetes.in-cluster", in_cluster),
    scenario("components.kubernetes.of-a-user", of_a_user),
    scenario("components.kubernetes.crash-loop", crash_loop),
    scenario("components.kubernetes.out-of-memory", out_of_memory),
    scenario("components.kubernetes.not-ready", not_ready),
    scenario("components.kubernetes.no-such-pod", no_such_pod),
    scenario("components.kubernetes.bad-token", bad_token),
    scenario("components.kubernetes.unready-server", unready_server),
    scenario("components.kubernetes.frozen", frozen),
];

const fn scenario(id: &'static str, run: fn() -> anyhow::Result<()>) -> Scenario {
    Scenario { id, needs: &[Need::Program("python3"), Need::Program("openssl")], run }
}

const LIMIT: Duration = Duration::from_secs(45);
const TOKEN: &str = "a-token-of-the-checker";
const POD: &str = "jupyter-alice-40example-2eorg";
const PODS: &str = "/api/v1/namespaces/hub/pods";

/// An API server, and a folder as pods find it that have an account.
struct Cluster {
    folder: TempDir,
    server: Server,
    /// Kept for its certificates.
    _authority: Authority,
}

impl Cluster {
    /// One with these answers besides the usual ones: paths and bodies.
    fn start(answers: &[(&str, Value)]) -> anyhow::Result<Self> {
        let authority = Authority::new()?;
        let pair = authority.issue("IP:127.0.0.1", 30)?;
        let folder = tempfile::tempdir()?;
        let told = folder.path().join("answers.json");
        write(&told, answers)?;
        let script = folder.path().join("server.py");
        fs::write(&script, include_str!("kubernetes/server.py"))?;
        let (server, _) = Server::start("python3", |command, [port]: [u16; 1]| {
            command.arg(&script).arg(port.to_string());
            command.arg(&pair.certificate).arg(&pair.key).arg(&told);
        })?;
        fs::copy(authority.trusted(), folder.path().join("ca.crt"))?;
        fs::write(folder.path().join("token"), format!("{TOKEN}\n"))?;
        fs::write(folder.path().join("namespace"), "hub")?;
        Ok(Cluster { folder, server, _authority: authority })
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Checks it from outside of the cluster.
    fn check(&self, arguments: &[&str]) -> anyhow::Result<Ended> {
        let (url, ca, token) = (self.server.url("https", ""), self.file("ca.crt"), self.file("token"));
        let outside =
            ["--kubernetes", &url, "--namespace=hub", "--ca", &ca, "--token-file", &token].map(str::to_owned);
        let outside: Vec<_> = outside.iter().map(String::as_str).collect();
        Pipeline::of("container", self.folder.path(), &[&outside[..], arguments].concat()).run()
    }
}

fn write(path: &std::path::Path, answers: &[(&str, Value)]) -> anyhow::Result<()> {
    let answer = |status: u16, body: Value| json!({ "status": status, "body": body });
    let path_of_pod = format!("{PODS}/{POD}");
    let mut all = serde_json::Map::new();
    let version = json!({"major": "1", "minor": "32", "gitVersion": "v1.32.2", "platform": "linux/amd64"});
    all.insert("/version".to_owned(), answer(200, version));
    all.insert("/readyz".to_owned(), answer(200, json!("[+]ping ok\n[+]etcd ok\nreadyz check passed\n")));
    all.insert(path_of_pod, answer(200, pod(&[])?));
    for (path, body) in answers {
        let status = if *path == "/readyz" { 500 } else { 200 };
        all.insert((*path).to_owned(), answer(status, body.clone()));
    }
    Ok(fs::write(path, json!({ "token": TOKEN, "answers": all }).to_string())?)
}

/// A pod that has run for hours, with these parts of it changed: a path, and what is there.
fn pod(changes: &[(&str, Value)]) -> anyhow::Result<Value> {
    let mut pod: Value = serde_json::from_str(include_str!("../../checks/src/container/pods/pod.json"))?;
    for (path, value) in changes {
        let (parent, name) = path.rsplit_once('/').context("a path")?;
        let parent = pod.pointer_mut(parent).with_context(|| format!("there is no {parent}"))?;
        parent.as_object_mut().context("an object")?.insert(name.to_owned(), value.clone());
    }
    Ok(pod)
}

const STATUS: &str = "/status/containerStatuses/0";

fn healthy() -> anyhow::Result<()> {
    let usage = json!({
        "kind": "PodMetrics", "apiVersion": "metrics.k8s.io/v1beta1", "metadata": {"name": POD}, "window": "15s",
        "containers": [{"name": "notebook", "usage": {"cpu": "250123456n", "memory": "524288Ki"}}]
    });
    let usage_path = format!("/apis/metrics.k8s.io/v1beta1/namespaces/hub/pods/{POD}");
    let log_path = format!("{PODS}/{POD}/log");
    let cluster = Cluster::start(&[(&usage_path, usage), (&log_path, json!("started\nERROR one\n"))])?;
    let ended = cluster.check(&["--image", "scipy-notebook:2026-02", "--log-error=^FATAL", POD])?;
    for aspect in ["engine", "exists", "running", "health", "restarts", "oom", "uptime", "memory", "cpu"] {
        ended.expect(aspect, Success, "")?;
    }
    ended.expect("image", Success, "")?.expect("logs", Success, "")?.expect_end(0, LIMIT)?;

    let bounded = ["-c", "memory_percent=20", "-c", "cpu_percent=10", "--only=memory", "--only=cpu", POD];
    let ended = cluster.check(&bounded)?;
    ended.expect("memory", Fail, "memory_percent = 25 %")?.expect("cpu", Fail, "cpu_percent = 12.5")?;
    let ended = cluster.check(&["--log-error=^ERROR", "--only=logs", POD])?;
    ended
        .expect("logs", Fail, "1 lines of its log match ^ERROR, the last one: ERROR one")?
        .expect_end(1, LIMIT)?;
    // Without its authority it is not believed.
    let url = cluster.server.url("https", "");
    let ended = Pipeline::of("container", cluster.folder.path(), &["--kubernetes", &url, POD]).run()?;
    ended.expect("engine", Fail, "TLS with")?.expect("running", Skip, "")?.expect_end(1, LIMIT)
}

/// As it runs in a pod: the address is in the environment, all else in the folder of the service account.
fn in_cluster() -> anyhow::Result<()> {
    let cluster = Cluster::start(&[])?;
    let account = cluster.folder.path().display().to_string();
    let arguments =
        ["--kubernetes=in-cluster", "--service-account", &account, "--skip=memory", "--skip=cpu", POD];
    let pipeline = Pipeline::of("container", cluster.folder.path(), &arguments);
    let ended = pipeline
        .env("KUBERNETES_SERVICE_HOST", "127.0.0.1")
        .env("KUBERNETES_SERVICE_PORT", cluster.server.port.to_string())
        .run()?;
    ended.expect("engine", Success, "")?.expect("health", Success, "")?.expect_end(0, LIMIT)
}

/// By the user's name as it is, whatever it was made to in the pod's name; and of nobody else.
fn of_a_user() -> anyhow::Result<()> {
    let annotations = |user: &str| json!({ "hub.jupyter.org/username": user });
    let other = pod(&[
        ("/metadata/annotations", annotations("alice@example.org.evil")),
        ("/metadata/name", json!("jupyter-other")),
        ("/status/phase", json!("Failed")),
    ])?;
    let named = annotations("alice@example.org");
    let old = pod(&[
        ("/metadata/annotations", named),
        ("/metadata/name", json!("jupyter-old")),
        ("/metadata/deletionTimestamp", json!("2026-03-01T09:00:00Z")),
    ])?;
    let first = json!({"kind": "PodList", "metadata": {"continue": "next/page"}, "items": [other, old]});
    let last = json!({"kind": "PodList", "metadata": {}, "items": [pod(&[])?]});
    let list =
        |next: &str| format!("{PODS}?labelSelector=hub.jupyter.org%2Fusername&limit=200&continue={next}");
    let cluster = Cluster::start(&[(&list(""), first), (&list("next%2Fpage"), last)])?;
    let check = |user| cluster.check(&["--only=running", "--user", user]);
    check("alice@example.org")?.expect("running", Success, "")?.expect_end(0, LIMIT)?;
    // A user whose name begins like that of somebody who has a pod has none.
    let ended = check("alice@example")?;
    ended
        .expect("running", Fail, "no pod of the user alice@example in the namespace hub")?
        .expect_end(1, LIMIT)
}

fn crash_loop() -> anyhow::Result<()> {
    let state =
        json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed"}});
    let last = json!({"terminated": {"exitCode": 3, "reason": "Error"}});
    let changes = [
        (format!("{STATUS}/state"), state),
        (format!("{STATUS}/lastState"), last),
        (format!("{STATUS}/restartCount"), json!(7)),
    ];
    // The phase of such a pod stays `Running`.
    let cluster = with_pod(&changes)?;
    let ended = cluster.check(&["--only=running", "--only=restarts", POD])?;
    ended.expect("running", Fail, "the container notebook does not run: CrashLoopBackOff")?;
    ended.expect("restarts", Fail, "7 restarts, the last end: Error (exit code 3)")?.expect_end(1, LIMIT)
}

fn out_of_memory() -> anyhow::Result<()> {
    let last =
        json!({"terminated": {"exitCode": 137, "reason": "OOMKilled", "finishedAt": "2026-03-01T11:00:00Z"}});
    let cluster = with_pod(&[(format!("{STATUS}/lastState"), last.clone())])?;
    let ended = cluster.check(&["--only=oom", POD])?;
    ended.expect("oom", Success, "and runs again")?.expect_tag("oom", "warning")?.expect_end(0, LIMIT)?;
    let cluster = with_pod(&[(format!("{STATUS}/state"), last)])?;
    let ended = cluster.check(&["--only=oom", "--only=memory", POD])?;
    ended.expect("oom", Fail, "was ended for want of memory")?;
    ended.expect("memory", Skip, "no metrics server")?.expect_end(1, LIMIT)
}

fn not_ready() -> anyhow::Result<()> {
    let unready = json!([{"type": "Ready", "status": "False", "reason": "ContainersNotReady",
        "message": "containers with unready status: [notebook]"}]);
    let cluster = with_pod(&[("/status/conditions".to_owned(), unready)])?;
    let ended = cluster.check(&["--only=running", "--only=health", POD])?;
    ended.expect("running", Success, "")?;
    ended.expect("health", Fail, "it is not ready: ContainersNotReady: containers with")?.expect_end(1, LIMIT)
}

fn no_such_pod() -> anyhow::Result<()> {
    let cluster = Cluster::start(&[])?;
    let ended = cluster.check(&["jupyter-alice"])?;
    ended.expect("engine", Success, "")?.expect(
        "exists",
        Fail,
        "there is no pod jupyter-alice in the namespace hub",
    )?;
    ended.expect("running", Skip, "container.it.exists")?.expect_end(1, LIMIT)
}

/// Who may not look knows nothing about the pod.
fn bad_token() -> anyhow::Result<()> {
    let cluster = Cluster::start(&[])?;
    fs::write(cluster.file("token"), "another-token")?;
    let ended = cluster.check(&[POD])?;
    ended.expect("engine", Fail, "refuses the token: 401 Unauthorized")?.expect_tag("engine", "unknown")?;
    ended.expect("running", Skip, "")?.expect_end(1, LIMIT)?;
    let (url, ca) = (cluster.server.url("https", ""), cluster.file("ca.crt"));
    let without = ["--kubernetes", &url, "--ca", &ca, "--namespace=hub", POD];
    let ended = Pipeline::of("container", cluster.folder.path(), &without).run()?;
    ended.expect("engine", Success, "")?.expect(
        "exists",
        Fail,
        "the token does not allow it (403 Forbidden",
    )?;
    ended.expect_tag("exists", "infrastructure")?.expect_end(1, LIMIT)
}

fn unready_server() -> anyhow::Result<()> {
    let said = json!("[+]ping ok\n[-]etcd failed: reason withheld\nreadyz check failed\n");
    let cluster = Cluster::start(&[("/readyz", said)])?;
    let ended = cluster.check(&[POD])?;
    ended.expect("engine", Fail, "is not ready (500): etcd failed: reason withheld")?;
    ended.expect("exists", Skip, "container.it.engine")?;
    ended.expect("running", Skip, "container.it.exists")?.expect_end(1, LIMIT)
}

fn frozen() -> anyhow::Result<()> {
    let cluster = Cluster::start(&[])?;
    cluster.server.freeze()?;
    let ended = cluster.check(&["--op-timeout=1s", "--timeout=3s", "--plan-timeout=4s", POD])?;
    ended.expect("engine", Fail, "did no TLS handshake within 1 s")?.expect("running", Skip, "")?;
    ended.expect_end(1, Duration::from_secs(4))
}

fn with_pod(changes: &[(String, Value)]) -> anyhow::Result<Cluster> {
    let changes: Vec<_> = changes.iter().map(|(path, value)| (path.as_str(), value.clone())).collect();
    let path = format!("{PODS}/{POD}");
    Cluster::start(&[(&path, pod(&changes)?)])
}
