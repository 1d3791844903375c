//! The command `subunit2disk`: a stream as folders, one for each test.

use std::path::PathBuf;

use cli::{Command, InputArgs, Streams, Verdict};
use formats::disk::DiskWriter;
use streamresult::{Records, Summary};

use crate::report::{left_out, write_global_statuses};

/// Write the tests of a subunit stream to folders
///
/// Each test gets a folder named after it, with test.json and a file for each attachment. In names, characters that
/// a file system could object to are escaped, like %2F; long names are cut and end in a hash; a number (`name~2`)
/// tells apart names that are the same, or differ only in case. Nothing that is in the directory already is changed,
/// no link is followed, and only the user may read what is written. Text between packets and files that belong to
/// no test are left out.
#[derive(clap::Parser, Debug)]
#[command(
    name = "subunit2disk",
    version,
    after_help = cli::help!(
        [Passed = "all tests were written, whatever they did"],
        "  subunit2disk -d logs run.subunit\n  \
           subunit-filter --no-skip <run.subunit | subunit2disk -d failures"
    )
)]
pub struct Disk {
    #[command(flatten)]
    input: InputArgs,
    /// Write to this directory, which is made if it does not exist
    #[arg(short, long = "dir", alias = "directory", value_name = "DIR", default_value = ".")]
    directory: PathBuf,
}

impl Command for Disk {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let input = self.input.open(streams.input, &streams.interrupt);
        let mut records = Records::new((DiskWriter::new(&self.directory)?, Summary::new()));
        streamresult::drive(input, &mut records)?;
        if let Some(line) = left_out(records.spool()) {
            writeln!(streams.errors, "{line}")?;
        }
        let (_, summary) = records.into_sink();
        write_global_statuses(streams.errors, &summary)?;
        Ok(Verdict::Passed)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use clap::CommandFactory as _;
    use subunit::{Event, File, Status, Tags, Timestamp, encode};

    use super::*;

    fn write(folder: &Path, events: &[Event<'_>], errors: &str) {
        let mut stream = b"loose\n".to_vec();
        events.iter().for_each(|event| encode(event, &mut stream).unwrap());
        let outcome = cli::run_with::<Disk>(&["-d", folder.to_str().unwrap()], &stream);
        assert_eq!((outcome.verdict, outcome.output(), outcome.errors()), (Verdict::Passed, "", errors));
    }

    fn with_file<'a>(name: &'a str, bytes: &'a [u8], event: Event<'a>) -> Event<'a> {
        Event { file: Some(File { name, bytes }), ..event }
    }

    #[test]
    fn the_arguments_are_sound() {
        Disk::command().debug_assert();
    }

    #[test]
    fn a_test_is_a_folder_with_all_that_came_with_it() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("new/logs");
        let interim = Event { status: None, ..Event::status("a/b", Status::Fail) };
        let timestamp = Some(Timestamp::from_seconds(1));
        write(
            &folder,
            &[
                Event { mime_type: Some("text/plain"), timestamp, ..with_file("log", b"one ", interim) },
                with_file("log", b"two", interim),
                with_file("test.json", b"mine", interim),
                Event {
                    tags: Tags::from(&["y", "x"]),
                    route_code: None,
                    ..with_file("../x", b"", Event::status("a/b", Status::Fail))
                },
                with_file("log", b"la", interim),
                with_file("log", b"te", interim),
                Event { status: Some(Status::Fail), ..Event::default() },
            ],
            "statuses without a test id: 1 fail\n",
        );
        let read = |name: &str| fs::read_to_string(folder.join("a%2Fb").join(name)).unwrap();
        assert_eq!(read("log"), "one two");
        assert_eq!(read("log~2"), "late");
        assert_eq!(read("test.json~2"), "mine");
        assert_eq!(read("%2E.%2Fx"), "");
        assert_eq!(
            read("test.json"),
            concat!(
                r#"{"details":["../x","log","test.json"],"id":"a/b","start":"1970-01-01 00:00:01+00:00","#,
                r#""status":"fail","stop":"1970-01-01 00:00:01+00:00","tags":["x","y"],"outcome":"fail","#,
                r#""route":null,"runnable":true,"duration":null,"files":["#,
                r#"{"name":"log","file":"log","mime":"text/plain","bytes":7},"#,
                r#"{"name":"test.json","file":"test.json~2","mime":null,"bytes":4},"#,
                r#"{"name":"../x","file":"%2E.%2Fx","mime":null,"bytes":0}]}"#,
                "\n"
            )
        );
    }

    #[test]
    fn a_second_run_changes_nothing_of_the_first() {
        let place = tempfile::tempdir().unwrap();
        let events = [with_file("log", b"x", Event::status("a", Status::Success))];
        write(place.path(), &events, "");
        write(place.path(), &events, "");
        assert!(place.path().join("a/log").is_file() && place.path().join("a~2/log").is_file());
    }
}
