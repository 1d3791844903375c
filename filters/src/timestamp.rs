//! The command `subunit-timestamp`: gives times to events, or moves those that they have.

use cli::value::{Offset, offset};
use cli::{Command, InputArgs, Streams, Verdict};
use streamresult::{Edit, TextEdit, edit_packets};
use subunit::{Event, Timestamp};

/// Give the current time to the events of a stream that have none
///
/// Options also change the times that events have. Text between packets stays as it is.
#[derive(clap::Parser, Debug)]
#[command(
    name = "subunit-timestamp",
    version,
    after_help = cli::help!(
        filter,
        "  make check | subunit-timestamp | subunit2junitxml >report.xml\n  \
           subunit-timestamp --offset -2h recorded.subunit     (a clock that was two hours ahead)\n  \
           subunit-timestamp --shift-to-now recorded.subunit   (as if it had begun just now)"
    )
)]
pub struct TimestampStream {
    #[command(flatten)]
    input: InputArgs,
    /// Give the current time to all events, whatever time they have
    #[arg(long, conflicts_with_all = ["offset", "shift_to_now"])]
    overwrite: bool,
    /// Move the times that events have by this much: 1.5s, 1h30m, 2d, -5s; without a unit, seconds
    #[arg(long, value_name = "DURATION", value_parser = offset, allow_hyphen_values = true)]
    offset: Option<Offset>,
    /// Move the times that events have so that the first of them is now
    #[arg(long, conflicts_with = "offset")]
    shift_to_now: bool,
}

impl Command for TimestampStream {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        streams.terminal.refuse_packets()?;
        let mut clock = self.clock(Timestamp::now);
        let input = self.input.open(streams.input, &streams.interrupt);
        edit_packets(input, streams.output, TextEdit::Keep, |packet, out| {
            let old = packet.timestamp();
            let timestamp = Some(clock.time(old)?);
            if timestamp == old {
                return Ok(Edit::Keep);
            }
            Edit::replace(out, &Event { timestamp, ..packet.event() })
        })?;
        Ok(Verdict::Passed)
    }
}

impl TimestampStream {
    fn clock<C: FnMut() -> Timestamp>(&self, now: C) -> Clock<C> {
        let change = match (self.overwrite, self.shift_to_now, self.offset) {
            (true, ..) => Change::Overwrite,
            (_, true, _) => Change::ShiftToNow,
            (_, _, Some(offset)) => Change::Move(offset),
            _ => Change::None,
        };
        Clock { change, now }
    }
}

/// What becomes of the times that events have. Closed: these are the options.
#[derive(Clone, Copy, Debug)]
enum Change {
    None,
    Overwrite,
    Move(Offset),
    /// A move that is not known before the first time.
    ShiftToNow,
}

struct Clock<C> {
    change: Change,
    now: C,
}

impl<C: FnMut() -> Timestamp> Clock<C> {
    /// The time for an event that has this one.
    fn time(&mut self, old: Option<Timestamp>) -> std::io::Result<Timestamp> {
        let Some(old) = old else { return Ok((self.now)()) };
        match self.change {
            Change::None => Ok(old),
            Change::Overwrite => Ok((self.now)()),
            Change::Move(offset) => offset.of(old).ok_or_else(|| out_of_range(old)),
            Change::ShiftToNow => {
                let now = (self.now)();
                self.change = Change::Move(Offset::between(old, now));
                Ok(now)
            }
        }
    }
}

fn out_of_range(old: Timestamp) -> std::io::Error {
    let time = formats::time::rfc3339(old);
    std::io::Error::other(format!(
        "moving {time} by this much leaves the years 1970 to 2106, which are all that subunit can express"
    ))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use cli::run_with;
    use subunit::{PacketBuf, Status};

    use super::*;

    fn at(seconds: u32) -> Timestamp {
        Timestamp::new(seconds, 7).unwrap()
    }

    /// The seconds of events after the command; the clock says 100, 101 and so on.
    fn check(args: &[&str], times: &[Option<u32>], expected: &[u32]) {
        let command = TimestampStream::parse_from(["subunit-timestamp"].iter().chain(args));
        let mut now = 99;
        let mut clock = command.clock(|| {
            now += 1;
            at(now)
        });
        let found: Vec<u32> = times.iter().map(|time| clock.time(time.map(at)).unwrap().seconds()).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn only_what_has_no_time_gets_one_unless_options_say_otherwise() {
        let times = [Some(7), None, Some(9)];
        check(&[], &times, &[7, 100, 9]);
        check(&["--overwrite"], &times, &[100, 101, 102]);
        check(&["--offset", "-5s"], &times, &[2, 100, 4]);
        check(&["--offset=1m"], &times, &[67, 100, 69]);
        check(&["--shift-to-now"], &times, &[100, 101, 102]);
    }

    #[test]
    fn a_stream_with_times_stays_as_it_is() {
        let event = Event { timestamp: Some(at(1)), ..Event::status("a", Status::Fail) };
        let packet = PacketBuf::encode(&event).unwrap();
        let stream = [b"text \xff", packet.as_bytes(), b"\xb3\x29"].concat();
        assert_eq!(run_with::<TimestampStream>(&[], &stream).output, stream);
    }

    #[test]
    fn a_time_that_cannot_be_said_is_an_error() {
        let event = Event { timestamp: Some(at(1)), ..Event::default() };
        let packet = PacketBuf::encode(&event).unwrap();
        let outcome = run_with::<TimestampStream>(&["--offset=-5s"], packet.as_bytes());
        let line = "subunit-timestamp: moving 1970-01-01T00:00:01.000000007Z by this much \
                    leaves the years 1970 to 2106, which are all that subunit can express\n";
        assert_eq!((outcome.verdict, outcome.errors()), (Verdict::Error, line));
        assert_eq!(run_with::<TimestampStream>(&["--offset=1x"], b"").verdict, Verdict::Error);
    }
}
