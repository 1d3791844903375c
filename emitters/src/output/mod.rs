//! `subunit-output`: one event, from the command line.

mod attachments;
mod status_writer;

use anyhow::ensure;
use cli::value::{self, ValueError};
use cli::{Command, Streams, Verdict};
use subunit::{Event, Status, Timestamp};

use attachments::Attachments;
use status_writer::StatusWriter;

/// Write events of a stream: the status of a test, its attachments, or both
///
/// Files without a status belong to the test of --id, or to the run as a whole. They are read and written piece by
/// piece, whatever their size, and what comes through a pipe goes out before waiting for more. Several may write to
/// one pipe at the same time: each write is whole packets, and short enough for the pipe to keep it whole.
#[derive(clap::Parser, Clone, Debug)]
#[command(
    name = "subunit-output",
    version,
    override_usage = "subunit-output [STATUS TEST_ID] [OPTIONS]",
    after_help = cli::help!(
        [Passed = "all was written, whatever the status says"],
        "  subunit-output --inprogress boot; ./boot >boot.log 2>&1\n  \
           subunit-output --fail boot --attach-file boot.log --mime-type 'text/plain;charset=utf8'\n  \
           subunit-output --skip net --attach-file - --file-name reason <<< 'no network'\n  \
           make 2>&1 | subunit-output --id build --attach-file - --file-name stdout\n  \
           subunit-output --success boot --timestamp 2026-01-31T12:00:00Z --tag nightly --route host7"
    )
)]
pub struct Output {
    #[command(flatten, next_help_heading = "Status")]
    status: StatusArgs,
    #[command(flatten)]
    attachments: Attachments,
    /// The test that files are of, where no status is to be said
    #[arg(long, value_name = "TEST_ID", allow_hyphen_values = true, conflicts_with = "StatusArgs")]
    id: Option<String>,
    /// More of the files comes with later calls: do not say that they end here
    #[arg(long, conflicts_with = "eof")]
    no_eof: bool,
    /// Say that the files end here, as is usual; without --attach-file, that the one of --file-name ends
    #[arg(long)]
    eof: bool,
    /// Tag the test with this; may be repeated
    #[arg(long = "tag", value_name = "TAG", allow_hyphen_values = true)]
    tags: Vec<String>,
    /// The time of the events: 2026-01-31T12:00:00Z, seconds since 1970, '10m ago' (default: that of the clock)
    #[arg(long, value_name = "TIME", value_parser = timestamp)]
    timestamp: Option<Timestamp>,
    /// Put this route code on the events
    #[arg(long = "route", alias = "route-code", value_name = "CODE")]
    route_code: Option<String>,
    /// Say that the test cannot be run by its id alone
    #[arg(long)]
    not_runnable: bool,
}

/// The status of a test, one at most.
#[derive(clap::Args, Clone, Debug, Default)]
#[group(multiple = false)]
struct StatusArgs {
    /// The test exists
    #[arg(long, value_name = "TEST_ID", allow_hyphen_values = true)]
    exists: Option<String>,
    /// The test has begun
    #[arg(long, value_name = "TEST_ID", allow_hyphen_values = true)]
    inprogress: Option<String>,
    /// The test passed
    #[arg(long, value_name = "TEST_ID", allow_hyphen_values = true)]
    success: Option<String>,
    /// The test failed
    #[arg(long, value_name = "TEST_ID", allow_hyphen_values = true)]
    fail: Option<String>,
    /// The test was skipped
    #[arg(long, value_name = "TEST_ID", allow_hyphen_values = true)]
    skip: Option<String>,
    /// The test failed, as was expected
    #[arg(long, value_name = "TEST_ID", allow_hyphen_values = true)]
    xfail: Option<String>,
    /// The test passed, but was expected to fail
    #[arg(long, value_name = "TEST_ID", allow_hyphen_values = true)]
    uxsuccess: Option<String>,
}

impl StatusArgs {
    fn status(&self) -> Option<(Status, &str)> {
        let all = [
            (Status::Exists, &self.exists),
            (Status::InProgress, &self.inprogress),
            (Status::Success, &self.success),
            (Status::Fail, &self.fail),
            (Status::Skip, &self.skip),
            (Status::XFail, &self.xfail),
            (Status::UxSuccess, &self.uxsuccess),
        ];
        all.into_iter().find_map(|(status, id)| Some((status, id.as_deref()?)))
    }
}

impl Command for Output {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        streams.terminal.refuse_packets()?;
        let files = self.attachments.open(streams.input)?;
        let name = self.attachments.name_alone();
        ensure!(name.is_none() || self.eof, "cannot specify --file-name without --attach-file or --eof");
        let (status, id) = match self.status.status() {
            Some((status, id)) => (Some(status), Some(id)),
            None => (None, self.id.as_deref()),
        };
        // As in the reference: an empty id is no id, so a failure whose id was lost still fails the run.
        let base = Event {
            test_id: id.filter(|id| !id.is_empty()),
            runnable: !self.not_runnable,
            route_code: self.route_code.as_deref(),
            ..Event::default()
        };
        let tags = once_each(&self.tags);
        let mut writer = StatusWriter::new(streams.output, base, status, &tags, self.timestamp);
        match name {
            Some(name) => writer.end_of(name)?,
            None => writer.files(files, !self.no_eof, &streams.interrupt)?,
        }
        Ok(Verdict::Passed)
    }
}

fn once_each(tags: &[String]) -> Vec<&str> {
    let mut list: Vec<&str> = Vec::new();
    for tag in tags {
        if !list.contains(&tag.as_str()) {
            list.push(tag);
        }
    }
    list
}

/// Reads a time; a plain number is seconds since 1970, as `date +%s.%N` has it, with or without the `@`.
fn timestamp(text: &str) -> Result<Timestamp, ValueError> {
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if text.starts_with(|first: char| first.is_ascii_digit()) && is_number(text) {
        return value::time(&format!("@{text}"));
    }
    value::time(text)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use subunit::Packet;

    use super::*;

    #[test]
    fn the_arguments_are_sound() {
        Output::command().debug_assert();
    }

    #[test]
    fn a_status_is_one_packet() {
        let outcome =
            cli::run_with::<Output>(&["--fail", "-x", "--timestamp", "7.5", "--tag", "b", "--tag", "b"], b"");
        let packet = Packet::parse(&outcome.output).unwrap();
        let event = packet.event();
        assert_eq!((event.test_id, event.status, event.runnable), (Some("-x"), Some(Status::Fail), true));
        assert_eq!(event.timestamp, Timestamp::new(7, 500_000_000));
        assert_eq!((event.tags.iter().collect::<Vec<_>>(), outcome.verdict), (vec!["b"], Verdict::Passed));
    }

    #[test]
    fn a_plain_number_is_seconds_since_1970() {
        let check = |text, expected: Option<(u32, u32)>| {
            let expected =
                expected.map(|(seconds, nanoseconds)| Timestamp::new(seconds, nanoseconds).unwrap());
            assert_eq!(timestamp(text).ok(), expected, "{text}");
        };
        check("1970-01-01T01:00:07+01:00", Some((7, 0)));
        check("1700000000", Some((1_700_000_000, 0)));
        check("1700000000.000000001", Some((1_700_000_000, 1)));
        check("0.5", Some((0, 500_000_000)));
        for wrong in ["", "1.2.3", "4294967296", "noon"] {
            check(wrong, None);
        }
    }
}
