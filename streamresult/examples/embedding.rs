//! A program with tests of its own that speaks subunit: it reports two self-checks as a stream on standard
//! output, keeps the accounting, and stops at the first failure.
//!
//! `cargo run -p streamresult --example embedding | subunit-ls`

use std::error::Error;
use std::io::{self, stdout};
use std::process::ExitCode;

use streamresult::{RunningTest, StreamResult, StreamResultExt, Summary};
use subunit::io::Writer;

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
    let test = RunningTest::start(result, test_id)?;
    match check() {
        Ok(()) => test.succeed(),
        Err(error) => test.fail(&format!("{error}\n")),
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
