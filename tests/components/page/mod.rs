//! Pages in a browser: Chromium, driven by Playwright, looks at what `subunit2html` writes.
//!
//! What it looks for is in `look.js`: no word on the console, no request, no finding of axe, keys, sizes of windows.

mod site;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::ensure;
use subunit::Status::{self, Fail, InProgress, Skip, Success, XFail};
use subunit::io::Writer;
use subunit::{Event, Timestamp};

use crate::pipeline::{binary, complete_within, target};
use crate::{Need, Scenario};

pub(crate) const SCENARIOS: &[Scenario] = &[
    scenario("components.page.small", small),
    scenario("components.page.hostile", hostile),
    scenario("components.page.large", large),
    scenario("components.page.site", site::site),
    Scenario { id: "components.page.query", needs: &[Need::Program("node")], run: query },
];

const BROWSER: &[Need] =
    &[Need::Program("chromium"), Need::Program("node"), Need::Program("npm"), Need::Brought(missing)];

const fn scenario(id: &'static str, run: fn() -> anyhow::Result<()>) -> Scenario {
    Scenario { id, needs: BROWSER, run }
}

const LIMIT: Duration = Duration::from_secs(90);
/// What a page of 100 000 tests may take.
const LARGEST: u64 = 15 << 20;

fn missing() -> Option<String> {
    modules().err().map(|error| format!("there is no Playwright: {error:#}"))
}

/// Where the packages are that drive the browser and look at the page, fetched once and kept with what was built.
fn modules() -> anyhow::Result<PathBuf> {
    const PACKAGES: [&str; 2] = ["playwright-core@1.65.1", "axe-core@4.14.1"];
    let folder = target().join("components").join("page");
    fs::create_dir_all(&folder)?;
    let lock = File::create(folder.join("lock"))?;
    lock.lock()?;
    let modules = folder.join("node_modules");
    if !modules.join("axe-core/axe.min.js").exists() {
        crate::may_fetch()?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"])
            .arg(&folder)
            .args(PACKAGES);
        let finished = complete_within(Duration::from_secs(120), npm.stdin(Stdio::null()))?;
        ensure!(finished.ending.is_success(), "npm install: {}", finished.stderr.text());
    }
    Ok(modules)
}

/// A run in a file.
struct Run {
    folder: tempfile::TempDir,
    stream: Writer<File>,
    at: f64,
}

impl Run {
    fn new() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let stream = Writer::new(File::create(folder.path().join("run.subunit"))?);
        Ok(Run { folder, stream, at: 1e9 })
    }

    /// A test of a tenth of a second, with a file.
    fn test(&mut self, id: &str, status: Status, file: (&str, &str, &[u8])) -> anyhow::Result<()> {
        let (name, mime_type, bytes) = file;
        let event = Event { test_id: Some(id), ..Event::default() };
        self.stream.write(&Event { status: Some(InProgress), timestamp: Some(self.time()), ..event })?;
        for piece in bytes.chunks(1 << 20) {
            let file = Some(subunit::File { name, bytes: piece });
            self.stream.write(&Event { file, mime_type: Some(mime_type), ..event })?;
        }
        self.at += 0.1;
        self.stream.write(&Event { status: Some(status), timestamp: Some(self.time()), ..event })?;
        Ok(())
    }

    fn time(&self) -> Timestamp {
        let nanoseconds = (self.at.fract() * 1e9) as u32;
        Timestamp::new(self.at as u32, nanoseconds).unwrap_or_default()
    }

    /// Writes the page and has it looked at; the page may take this many bytes.
    fn look(self, case: &str, most: u64) -> anyhow::Result<()> {
        let Run { folder, mut stream, .. } = self;
        stream.flush()?;
        let page = folder.path().join("run.html");
        let mut html = Command::new(binary("subunit2html"));
        html.arg("--exit-zero").arg("-o").arg(&page).arg(folder.path().join("run.subunit"));
        let finished = complete_within(LIMIT, &mut html)?;
        ensure!(finished.ending.is_success(), "subunit2html: {}", finished.stderr.text());
        let len = fs::metadata(&page)?.len();
        ensure!(len < most, "the page has {len} bytes");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("components/page/look.js");
        let mut node = Command::new("node");
        node.arg(script).arg(&page).arg(case).env("NODE_PATH", modules()?);
        let finished = complete_within(LIMIT, node.stdin(Stdio::null()))?;
        ensure!(finished.ending.is_success(), "{}{}", finished.stdout.text(), finished.stderr.text());
        Ok(())
    }
}

const TEXT: &str = "text/plain;charset=utf8";

fn small() -> anyhow::Result<()> {
    let mut run = Run::new()?;
    for (number, status) in [Success, Success, Fail, Skip, XFail, Success, Success].into_iter().enumerate() {
        run.test(&format!("net.boot.test_{number}"), status, ("reason", TEXT, b"it broke\n"))?;
    }
    run.look("small", 200 << 10)
}

/// Ids and attachments that would do something if they could, and one of 50 MB.
fn hostile() -> anyhow::Result<()> {
    const SCRIPT: &str = "<script>window.bad = 1</script>";
    let mut run = Run::new()?;
    let all: String = (1..0x300).filter_map(char::from_u32).collect();
    let ids = [
        "</script>",
        "</noscript></pre><img src=x onerror='window.bad = 1'>",
        "<!--",
        "]]>",
        "a\n</style>\tb",
        &all,
    ];
    for id in ids {
        let id = format!("{id}{SCRIPT}");
        for status in [Success, Fail] {
            run.test(&id, status, (&id, "text/html", id.as_bytes()))?;
            run.test(
                &id,
                status,
                (
                    "x.svg",
                    "image/svg+xml",
                    b"<svg onload='window.bad = 1'><script>window.bad = 1</script></svg>",
                ),
            )?;
        }
    }
    let huge = SCRIPT.repeat(50_000_000 / SCRIPT.len());
    run.test("huge", Fail, ("log", TEXT, huge.as_bytes()))?;
    run.look("hostile", 1 << 20)
}

fn large() -> anyhow::Result<()> {
    let mut run = Run::new()?;
    for number in 0..100_000 {
        let status = if number % 25_000 == 7 { Fail } else { Success };
        let id = format!("tests/package_{}/test_module_{}.py::test {number}", number / 5000, number / 50);
        run.test(&id, status, ("traceback", TEXT, if status == Fail { b"KeyError: 1" } else { b"" }))?;
    }
    run.look("large", LARGEST)
}

/// The parser of queries that the page has, with the table of the other one.
fn query() -> anyhow::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut node = Command::new("node");
    node.arg(folder.join("components/page/query.js"))
        .arg(folder.join("../page/src/assets/query.js"))
        .arg(folder.join("../cli/src/query/cases.json"));
    let finished = complete_within(LIMIT, node.stdin(Stdio::null()))?;
    ensure!(finished.ending.is_success(), "{}{}", finished.stdout.text(), finished.stderr.text());
    Ok(())
}
