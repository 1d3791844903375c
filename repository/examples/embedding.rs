//! A test runner that stores its runs and looks back at them.
//!
//! ```text
//! cargo run -p subunit-store --example embedding
//! ```
//!
//! Run it several times: one of its tests fails every other time.

use std::error::Error;
use std::io::{self, Write};

use repository::{Flakiness, Repository, RunEnd, RunInfo};
use streamresult::{Records, StreamResult, StreamResultExt, record_fn};
use subunit::{Event, File, Status};

/// A test: its id, and what it does.
type Test = (&'static str, fn(u32) -> Result<(), String>);

const TESTS: [Test; 3] = [
    ("text.trims", |_| expect(" a ".trim() == "a", "a space is left")),
    ("text.splits", |_| expect("a/b".split('/').count() == 2, "there are not two parts")),
    ("weather.is_fine", |day| expect(day % 2 == 0, "it rained")),
];

fn expect(holds: bool, otherwise: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise.to_owned()) }
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::temp_dir().join("embedding-example");
    std::fs::create_dir_all(&folder)?;
    let repository = match Repository::find(&folder) {
        Err(repository::Error::NoRepository { .. }) => Repository::init(&folder)?,
        found => found?,
    };

    let info = RunInfo { command: std::env::args().next(), workers: Some(1), ..RunInfo::default() };
    let mut run = repository.begin(info)?;
    let number = run.id();
    // A time for each event; any other adaptor of streamresult can stand here too.
    run_tests(&mut (&mut run).stamped(), number.0)?;
    let run = run.finish(RunEnd { names_all_tests: true, ..RunEnd::default() })?;

    let mut out = io::stdout().lock();
    writeln!(out, "run {}: {:?}, {:?}", run.id, run.standing(), run.counts)?;
    for time in repository.slowest(run.id, 1)? {
        writeln!(out, "slowest: {} took {:?}", time.test_id, time.duration)?;
    }
    for failure in repository.failing()?.tests {
        writeln!(out, "failing since run {}: {}", failure.run, failure.test_id)?;
        let mut attachments = Records::new(record_fn(|record| {
            for file in record.attachments() {
                writeln!(io::stdout(), "  {}: {}", file.name(), file.text(1000)?)?;
            }
            Ok(())
        }));
        drop(out);
        repository.log(failure.run, &failure.test_id, None, &mut attachments)?;
        out = io::stdout().lock();
    }
    for test in repository.flaky(Flakiness::default())? {
        writeln!(out, "flaky: {} failed in {} of {} runs", test.test_id, test.failures, test.runs)?;
    }
    Ok(())
}

fn run_tests(result: &mut impl StreamResult, day: u32) -> io::Result<()> {
    result.start_run()?;
    for (id, test) in TESTS {
        result.status(&Event::status(id, Status::InProgress))?;
        // Should the test take the process down, it is known which one it was.
        result.flush()?;
        match test(day) {
            Ok(()) => result.status(&Event::status(id, Status::Success))?,
            Err(reason) => {
                let file = Some(File { name: "reason", bytes: reason.as_bytes() });
                let mime_type = Some("text/plain;charset=utf8");
                result.status(&Event { file, mime_type, eof: true, ..Event::status(id, Status::Fail) })?;
            }
        }
    }
    result.stop_run()
}
