//! A program with tests of its own that speaks subunit: it reports two self-checks as a stream on standard
//! output, keeps the accounting, and stops at the first failure.
//!
//! `cargo run -p streamresult --example embedding | subunit-ls`

use std::error::Error;
use std::io::{self, stdout};
use std::process::ExitCode;

use streamresult::{StreamResult, StreamResultExt, Summary};
use subunit::io::Writer;
use subunit::{Event, File, Status};

/// A check: its id, and what it does.
type Check = (&'static str, fn() -> Result<(), Box<dyn Error>>);

const CHECKS: [Check; 2] = [("selfcheck.clock", clock), ("selfcheck.disk", disk)];

fn main() -> io::Result<ExitCode> {
    let mut summary = Summary::new();
    let mut failed = false;
    let mut result = (Writer::new(stdout().lock()), &mut summary)
        .tagged(["selfcheck"], [""; 0])
        .stamped()
        .fail_fast(|_| failed = true);

    result.start_run()?;
    for (test_id, check) in CHECKS {
        run(test_id, check, &mut result)?;
        if result.raised() {
            break;
        }
    }
    result.stop_run()?;
    Ok(if summary.is_success() && summary.ran() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs a check as a test: its beginning, its end, and why it failed.
fn run(
    test_id: &str,
    check: impl Fn() -> Result<(), Box<dyn Error>>,
    result: &mut impl StreamResult,
) -> io::Result<()> {
    result.status(&Event::status(test_id, Status::InProgress))?;
    // Whoever looks on sees what is running.
    result.flush()?;
    match check() {
        Ok(()) => result.status(&Event::status(test_id, Status::Success)),
        Err(error) => {
            let reason = format!("{error}\n");
            result.status(&Event {
                file: Some(File { name: "reason", bytes: reason.as_bytes() }),
                mime_type: Some("text/plain;charset=utf8"),
                eof: true,
                ..Event::status(test_id, Status::Fail)
            })
        }
    }
}

fn clock() -> Result<(), Box<dyn Error>> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    if now.as_secs() < 1_600_000_000 {
        return Err("the clock was never set".into());
    }
    Ok(())
}

fn disk() -> Result<(), Box<dyn Error>> {
    Ok(std::fs::metadata(std::env::temp_dir()).map(drop)?)
}
