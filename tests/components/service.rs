//! A whole service and one file that names it: hub, proxy, database, storage and container, checked together.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use process::Signal;
use subunit::Status::{Fail, Skip, Success};
use tempfile::TempDir;

use crate::container::{Engine, IMAGE};
use crate::fixtures::{Faulty, eventually};
use crate::jupyterhub::{Hub, missing};
use crate::pipeline::{Ended, Pipeline};
use crate::{Need, Scenario};

pub(crate) const SCENARIOS: &[Scenario] = &[
    scenario("components.service.well", well),
    scenario("components.service.hub-dead", hub_dead),
    scenario("components.service.storage-hung", storage_hung),
];

const fn scenario(id: &'static str, run: fn() -> anyhow::Result<()>) -> Scenario {
    Scenario { id, needs: NEEDS, run }
}

const NEEDS: &[Need] = &[
    Need::Fuse,
    Need::Program("dockerd"),
    Need::Program("docker"),
    Need::Program("busybox"),
    Need::Program("node"),
    Need::Program("npm"),
    Need::Program("python3"),
    Need::Program("timeout"),
    Need::Brought(missing),
];

/// A real server takes seconds to start, on a busy machine many.
const PATIENT: [&str; 1] = ["--timeout=50s"];
const LIMIT: Duration = Duration::from_secs(90);
/// How long all may take where something hangs.
const SHORT: [&str; 4] = ["--op-timeout=1s", "--timeout=5s", "--plan-timeout=12s", "--skip=server.*"];
const SHORT_LIMIT: Duration = Duration::from_secs(12);

/// The service, and what says where it is.
struct Service {
    hub: Arc<Hub>,
    storage: Faulty,
    _engine: Engine,
    folder: TempDir,
}

impl Service {
    fn start() -> anyhow::Result<Self> {
        let engine = Engine::docker()?;
        engine.container("ok", &["--memory=64m", "--pids-limit=20", IMAGE])?;
        let (hub, storage, folder) = (Hub::own()?, Faulty::mount("")?, tempfile::tempdir()?);
        fs::write(folder.path().join("proxy.token"), hub.proxy_token())?;
        let text = format!(
            "[[target]]\nname = 'storage'\ncheck = 'eos'\npath = '{storage}'\nprobe = 'deep'\nskip = ['throughput']\n\
             [[target]]\nname = 'proxy'\ncheck = 'proxy'\nurl = '{url}'\napi-url = '{api}'\n\
             token-file = '{folder}/proxy.token'\nprobe = 'deep'\n\
             [[target]]\nname = 'hub'\ncheck = 'jupyterhub'\nurl = '{url}'\nafter = ['proxy']\nuser = 'probe'\n\
             token-file = '{token}'\nprobe = 'deep'\n\
             [[target]]\nname = 'database'\ncheck = 'database'\npath = '{database}'\nhub = '{url}'\n\
             token-file = '{token}'\nafter = ['hub']\nthresholds.free_percent = {{ warning = '0:', critical = '0:' }}\n\
             [[target]]\nname = 'container'\ncheck = 'container'\ncontainer = 'ok'\nsocket = '{socket}'\n\
             thresholds.uptime_seconds = {{ warning = '0:' }}\n",
            storage = storage.path().display(),
            url = hub.url(),
            api = hub.api_url(),
            folder = folder.path().display(),
            token = hub.token("checker"),
            database = hub.path("hub.sqlite").display(),
            socket = engine.place(),
        );
        fs::write(folder.path().join("checks.toml"), text)?;
        Ok(Service { hub, storage, _engine: engine, folder })
    }

    fn check(&self, arguments: &[&str]) -> anyhow::Result<Ended> {
        Pipeline::of_all(self.folder.path(), &self.folder.path().join("checks.toml"), arguments).run()
    }
}

fn expect_green(ended: &Ended, tests: &[&str]) -> anyhow::Result<()> {
    tests.iter().try_for_each(|test| ended.expect(test, Success, "").map(|_| ()))
}

const STORAGE: [&str; 3] = ["eos.storage.responsive", "eos.storage.writable", "eos.storage.integrity"];
const PROXY: [&str; 4] =
    ["proxy.proxy.health", "proxy.proxy.api", "proxy.proxy.hub-route", "proxy.proxy.canary"];
const HUB: [&str; 4] = [
    "jupyterhub.hub.health",
    "jupyterhub.hub.token",
    "jupyterhub.hub.proxy-routes",
    "jupyterhub.hub.server.gone",
];
const DATABASE: [&str; 4] = [
    "database.database.open",
    "database.database.integrity",
    "database.database.orphans",
    "database.database.cross",
];
const CONTAINER: [&str; 3] =
    ["container.container.running", "container.container.oom", "container.container.restarts"];

fn well() -> anyhow::Result<()> {
    let service = Service::start()?;
    let ended = service.check(&PATIENT)?;
    for tests in [&STORAGE[..], &PROXY, &HUB, &DATABASE, &CONTAINER] {
        expect_green(&ended, tests)?;
    }
    service.hub.expect_no_server("probe")?;
    ended.expect_end(0, LIMIT)
}

/// The proxy is well when the hub is not: neither hides the other, nor what is well besides.
fn hub_dead() -> anyhow::Result<()> {
    let service = Service::start()?;
    service.hub.signal(Signal::KILL)?;
    eventually("the hub is gone", || Ok(service.hub.ask("GET", "health", "")?.contains(" 503 ")))?;
    let ended = service.check(&SHORT)?;
    ended.expect("proxy.proxy.health", Success, "")?.expect("proxy.proxy.hub-route", Fail, "")?;
    ended.expect("jupyterhub.hub.health", Skip, "it builds on proxy, of which proxy.proxy.")?;
    for tests in [&STORAGE[..], &CONTAINER] {
        expect_green(&ended, tests)?;
    }
    ended.expect_end(1, SHORT_LIMIT)
}

fn storage_hung() -> anyhow::Result<()> {
    let service = Service::start()?;
    service.storage.set("statfs hang\n")?;
    let ended = service.check(&SHORT)?;
    ended.expect("eos.storage.responsive", Fail, "hangs")?;
    ended.expect("eos.storage.writable", Skip, "eos.storage.responsive")?;
    for tests in [&PROXY[..], &HUB[..3], &DATABASE, &CONTAINER] {
        expect_green(&ended, tests)?;
    }
    ended.expect_end(1, SHORT_LIMIT)
}
