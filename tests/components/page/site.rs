//! The site in a browser: what `subunit serve` answers, live, and its end with event streams open.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, ensure};
use repository::{Repository, RunEnd, RunInfo};
use subunit::Status::{Fail, Success};
use subunit::io::Writer;
use subunit::{Event, Status};

use super::{LIMIT, modules};
use crate::pipeline::{binary, complete_within};

fn stream(tests: &[(&str, Status)]) -> anyhow::Result<Vec<u8>> {
    let mut writer = Writer::new(Vec::new());
    for (id, status) in tests {
        writer.write(&Event { route_code: Some("ash/hub"), ..Event::status(id, *status) })?;
    }
    Ok(writer.into_inner()?)
}

/// A site that ends with the scenario.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(super) fn site() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let repository = Repository::init(folder.path())?;
    for status in [Success, Fail] {
        let tests = [("<img src=x onerror='window.bad = 1'>", Fail), ("tcp.hub.connect", status)];
        repository.load(&*stream(&tests)?, RunInfo::default(), RunEnd::default())?;
    }
    let mut running = repository.begin(RunInfo::default())?;
    running.write_all(&stream(&[("first", Success)])?)?;
    running.flush()?;
    let mut serve = Command::new(binary("subunit"));
    serve.args(["serve", "--listen", "127.0.0.1:0", "-C"]).arg(folder.path());
    let mut served = Served(serve.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?);
    let mut address = String::new();
    BufReader::new(served.0.stdout.take().context("it has an output")?).read_line(&mut address)?;
    // The browser asks for more when it has seen the first test.
    let mut node = Command::new("node");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("components/page/site.js");
    let more = folder.path().join("more");
    node.arg(script).arg(address.trim()).arg(&more).env("NODE_PATH", modules()?).stdin(Stdio::null());
    let writing = std::thread::spawn(move || -> anyhow::Result<()> {
        while !more.exists() {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        running.write_all(&stream(&[("second", Fail)])?)?;
        running.flush()?;
        while !more.with_extension("end").exists() {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        running.finish(RunEnd::default())?;
        Ok(())
    });
    let finished = complete_within(LIMIT, &mut node)?;
    ensure!(finished.ending.is_success(), "{}{}", finished.stdout.text(), finished.stderr.text());
    writing.join().ok().context("writing the run failed")??;
    Ok(())
}
