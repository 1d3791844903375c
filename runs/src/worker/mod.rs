//! `subunit worker`: executables, each a test, as their names come in.

mod executable;
mod search;
#[cfg(test)]
mod tests;

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;

use cli::{Command, Streams, Verdict};
use runner::suite::id_of;
use subunit::io::Writer;
use subunit::{Event, File, Status, Timestamp};

/// Run executables as tests, as their names come in on stdin
///
/// Each executable file in the folders that are named is a test, and so is each file that is named itself. Exit code 0
/// is a success, 77 is a skip, and any other is a failure, as is a signal. What it writes is the files "stdout" and
/// "stderr" of the test. What it leaves running 100 ms after its end is ended, and that is a failure with the tag
/// "leaked".
///
/// Names come in as lines, in which \n, \r and \\ stand for the ends of lines and a backslash; an empty line is the end.
/// The first packet has a file "subunit-worker.json", which says that the worker is ready. So whoever sends the names
/// gives each of many workers the next one when it is ready for it, and so does `subunit run`.
#[derive(clap::Parser, Clone, Debug)]
#[command(
    name = "subunit worker",
    version,
    after_help = cli::help!(
        [Passed = "all names were worked off, whatever became of the tests"],
        "  subunit worker --list tests | subunit-ls --exists\n  \
           printf '%s\\n' tests/boot tests/login | subunit worker tests | subunit2text"
    )
)]
pub struct Worker {
    /// Files, and folders to search
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    /// List the tests, and run none
    #[arg(long)]
    list: bool,
}

impl Command for Worker {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        streams.terminal.refuse_packets()?;
        let tests = search::executables(&self.paths)?;
        let mut output = Writer::new(streams.output);
        if self.list {
            for id in tests.keys() {
                output.write(&at_this_time(Event::status(id, Status::Exists)))?;
            }
            output.flush()?;
            return Ok(Verdict::Passed);
        }
        let hello =
            format!(r#"{{"protocol":1,"feed":"stdin-lines","lookahead":0,"listed":{}}}"#, tests.len());
        let file = File { name: "subunit-worker.json", bytes: hello.as_bytes() };
        let hello =
            Event { file: Some(file), mime_type: Some("application/json"), eof: true, ..Event::default() };
        output.write(&at_this_time(hello))?;
        output.flush()?;
        for line in BufReader::new(streams.input).lines() {
            let id = id_of(&line?);
            if id.is_empty() || streams.interrupt.has_come() {
                break;
            }
            match tests.get(&id) {
                Some(path) => executable::run(&id, path, &mut output, &streams.interrupt)?,
                None => output
                    .write(&at_this_time(streamresult::failure(&id, "no such test in this worker\n")))?,
            }
            output.flush()?;
        }
        Ok(Verdict::Passed)
    }
}

fn at_this_time(event: Event<'_>) -> Event<'_> {
    Event { timestamp: Some(Timestamp::now()), ..event }
}
