//! What storing and asking costs: one figure a call, so that memory can be measured from outside.
//!
//! ```text
//! measure make TESTS FILE            a stream: two packets a test, 1 % failures with a file of 1 KiB
//! measure init FOLDER
//! measure load FOLDER FILE [TIMES]
//! measure last|slowest|list|failing|flaky|history|stats|rebuild|diff FOLDER
//! ```

use std::error::Error;
use std::fs::{self, File};
use std::hint::black_box;
use std::io::{self, BufWriter, Write};
use std::time::{Duration, Instant};

use repository::{Flakiness, Repository, RunEnd, RunInfo, RunRef};
use subunit::io::Writer;
use subunit::{Event, Status, Timestamp};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let started = Instant::now();
    let said = match arguments[..] {
        ["make", tests, file] => make(tests.parse()?, file)?,
        ["init", folder] => {
            fs::create_dir_all(folder)?;
            format!("{}", Repository::init(folder)?.path().display())
        }
        ["load", folder, file] => load(folder, file, 1)?,
        ["load", folder, file, times] => load(folder, file, times.parse()?)?,
        [question, folder] => ask(&Repository::open(folder)?, question)?,
        _ => return Err("see the head of this file".into()),
    };
    writeln!(io::stdout(), "{:8.1} ms  {}  {said}", started.elapsed().as_secs_f64() * 1e3, arguments[0])?;
    Ok(())
}

fn ask(repository: &Repository, question: &str) -> Result<String, Box<dyn Error>> {
    Ok(match question {
        "last" => {
            let mut stream = repository.stream(RunRef::LATEST)?;
            format!("{} bytes", io::copy(&mut stream, &mut BufWriter::new(File::create("/dev/null")?))?)
        }
        "slowest" => format!("{:?}", repository.slowest(RunRef::LATEST, 10)?.first()),
        "list" => format!("{} runs", black_box(repository.runs()?).len()),
        "failing" => format!("{} tests", repository.failing()?.tests.len()),
        "flaky" => {
            let asked = Flakiness { runs: 1000, ..Flakiness::default() };
            format!("{} tests", repository.flaky(asked)?.len())
        }
        "history" => format!("{} results", repository.history(&id(500))?.len()),
        "stats" => format!("{:?}", repository.stats()?),
        "rebuild" => format!("{:?}", repository.rebuild()),
        "diff" => {
            let mut tests = 0_u64;
            repository.diff(RunRef::Back(2), RunRef::LATEST, |_| tests += 1)?;
            format!("{tests} tests")
        }
        _ => return Err("no such question".into()),
    })
}

fn load(folder: &str, file: &str, times: u32) -> Result<String, Box<dyn Error>> {
    let repository = Repository::open(folder)?;
    let mut longest = Duration::ZERO;
    for _ in 0..times {
        let started = Instant::now();
        let run = repository.load(File::open(file)?, RunInfo::default(), RunEnd::default())?;
        longest = longest.max(started.elapsed());
        black_box(run);
    }
    Ok(format!("longest {longest:?}"))
}

fn id(number: u64) -> String {
    format!("package_{}.tests.test_{}.TestCase.test_behaviour_{number}", number % 7, number / 200)
}

fn make(tests: u64, file: &str) -> Result<String, Box<dyn Error>> {
    let mut writer = Writer::new(File::create(file)?);
    let mut clock = 1_700_000_000_000_000_000_u64;
    for number in 0..tests {
        let id = id(number);
        let mut event = |event: Event<'_>, noise: u64| {
            clock += 1_000_000 + number.wrapping_mul(0x9E37_79B9_7F4A_7C15 ^ noise) % 2_000_000;
            let timestamp = Timestamp::from_epoch(Duration::from_nanos(clock));
            writer.write(&Event { timestamp, ..event })
        };
        event(Event::status(&id, Status::InProgress), 1)?;
        if number % 100 == 99 {
            let log: String = (0..16)
                .map(|line| {
                    format!("{number:>10} line {line:>4} of the traceback of a test, which is long\n")
                })
                .collect();
            let file = Event::file("traceback", log.get(..1024).unwrap_or(&log).as_bytes());
            event(Event { test_id: Some(&id), ..file }, 2)?;
            event(Event::status(&id, Status::Fail), 3)?;
        } else {
            event(Event::status(&id, Status::Success), 4)?;
        }
    }
    writer.into_inner()?;
    Ok(format!("{} bytes", fs::metadata(file)?.len()))
}
