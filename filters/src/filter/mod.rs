//! The command `subunit-filter`: the events of the tests that are wanted.

mod criteria;
mod pattern;
mod rename;
#[cfg(test)]
mod tests;
mod toggles;

use std::cell::Cell;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use cli::query::{Query, of_stream};
use cli::value::{duration, time};
use cli::{Command, InputArgs, Streams, Verdict};
use streamresult::{Between, Decision, Outcome, StreamResult, StreamResultExt as _, TextEdit};
use subunit::io::{Reader, Writer};
use subunit::{Event, Frame, Packet, PacketError, PacketErrorKind, Timestamp};

use criteria::{IdCriteria, Outcomes, Period, Tags, TestCriteria};
use pattern::{Pattern, Patterns};
use rename::{Fixups, Rename, rename};
use toggles::Toggles;

/// Where the help lists by what tests are chosen, besides their outcomes.
const CHOICE: &str = "Which tests";

/// Pass on the tests of a stream that are wanted, by outcome, id, tag, route, time
///
/// Successful tests and expected failures are dropped, unless a flag says otherwise, or one of --id, --route,
/// --status, --since, --until, --min-duration and --query says what is wanted. The events of a test are either all kept, as
/// they are, or all dropped. A test that never finished is kept, since nobody should overlook it, unless --status
/// or --query names others. Unexpected successes are failures, and kept.
///
/// A test is held back only until it is known whether it is wanted.
#[derive(clap::Parser, Debug)]
#[command(
    name = "subunit-filter",
    version,
    after_help = cli::help!(
        filter,
        "  make check | subunit-filter | subunit2text        (what went wrong)\n  \
           subunit-filter -s --xfail --with '^net\\.' run.subunit\n  \
           subunit-filter --with 'No space left' run.subunit\n  \
           subunit-filter --query 'is:failing -tag:slow' run.subunit | subunit2text\n  \
           subunit-filter --min-duration 10s --since 2h run.subunit | subunit-ls --times\n  \
           subunit-filter -F --fixup-expected-failures known.txt run.subunit"
    )
)]
pub struct Filter {
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    toggles: Toggles,
    /// Keep tests whose id, outcome or attachments (names and lines of text) match this regular expression; if repeated,
    /// any of them. (?i) ignores case
    #[arg(short = 'm', long, value_name = "REGEX", allow_hyphen_values = true, help_heading = CHOICE)]
    with: Vec<Pattern>,
    /// Drop tests whose id, outcome or attachments match this regular expression
    #[arg(long, value_name = "REGEX", allow_hyphen_values = true, help_heading = CHOICE)]
    without: Vec<Pattern>,
    /// Does nothing: --with and --without always look at all of a test
    #[arg(long, hide = true, help_heading = CHOICE)]
    match_details: bool,
    /// Keep tests whose id matches, whatever their outcome
    #[arg(long, value_name = "REGEX", allow_hyphen_values = true, help_heading = CHOICE)]
    id: Vec<Pattern>,
    /// Keep tests that have all of these tags
    #[arg(long, value_name = "TAG", allow_hyphen_values = true, help_heading = CHOICE)]
    with_tag: Vec<String>,
    /// Drop tests that have one of these tags
    #[arg(long, value_name = "TAG", allow_hyphen_values = true, help_heading = CHOICE)]
    without_tag: Vec<String>,
    /// Keep what came by this route, or one below it: `ci` also keeps `ci/1`
    #[arg(long, value_name = "CODE", help_heading = CHOICE)]
    route: Vec<String>,
    /// Keep tests that ended like this: exists, success, uxsuccess, skip, fail, xfail or unfinished
    #[arg(long, value_name = "STATUS", value_delimiter = ',', value_parser = outcome, help_heading = CHOICE)]
    status: Vec<Outcome>,
    /// Keep tests that were running at this time or later: 2026-01-31T12:00:00Z, 2026-01-31, @1769860800, or 10m for
    /// ten minutes ago
    #[arg(long, value_name = "TIME", value_parser = time, allow_hyphen_values = true, help_heading = CHOICE)]
    since: Option<Timestamp>,
    /// Keep tests that began at this time or earlier
    #[arg(long, value_name = "TIME", value_parser = time, allow_hyphen_values = true, help_heading = CHOICE)]
    until: Option<Timestamp>,
    /// Keep tests that took at least this long: 500ms, 1h30m; without a unit, seconds
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = CHOICE)]
    min_duration: Option<Duration>,
    /// Keep tests that this query means, such as 'is:fail tag:slow >10s boot': see `subunit help selectors`
    #[arg(long, value_name = "QUERY", value_parser = of_stream, allow_hyphen_values = true)]
    query: Option<Query>,
    /// A list of tests that are expected to fail: their failures become expected, their successes unexpected
    #[arg(long, value_name = "FILE")]
    fixup_expected_failures: Vec<PathBuf>,
    /// Replace in ids whatever matches the regular expression FROM; `\1` and `\g<name>` in TO are its groups
    #[arg(long, num_args = 2, value_names = ["FROM", "TO"], action = clap::ArgAction::Append, allow_hyphen_values = true)]
    rename: Vec<String>,
}

fn outcome(word: &str) -> Result<Outcome, String> {
    let known = Outcome::ALL.into_iter().find(|outcome| outcome.as_str() == word);
    known.ok_or_else(|| format!("not one of {}", Outcome::ALL.map(Outcome::as_str).join(", ")))
}

impl Command for Filter {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        streams.terminal.refuse_packets()?;
        let changes = self.changes()?;
        let (address, wanted) = self.questions();
        let input = Reader::new(self.input.open(streams.input, &streams.interrupt));
        let text = if self.toggles.keeps_text() { TextEdit::Keep } else { TextEdit::Drop };
        let pass = FrameFilter { address, changes, text };
        let output = Writer::new(streams.output);
        if !wanted.needs_tests() {
            pass.copy(input, output, |writer| writer)?;
            return Ok(Verdict::Passed);
        }
        let failed = Cell::new(Ok(()));
        let held = output.held(|waiting| {
            wanted.decide(waiting).unwrap_or_else(|error| {
                failed.set(Err(error));
                Decision::Wait
            })
        });
        pass.copy(input, held, |held| held.get_mut())?;
        failed.into_inner().context("cannot read what was held back")?;
        Ok(Verdict::Passed)
    }
}

impl Filter {
    fn changes(&self) -> anyhow::Result<Changes> {
        let (pairs, _) = self.rename.as_chunks();
        let renames = pairs.iter().map(|[from, to]| Rename::new(from, to)).collect::<anyhow::Result<_>>()?;
        Ok(Changes { renames, fixups: Fixups::read(&self.fixup_expected_failures)? })
    }

    /// What is asked of each event, and what of each test.
    fn questions(&self) -> (IdCriteria, TestCriteria) {
        let selected = !self.id.is_empty()
            || !self.route.is_empty()
            || !self.status.is_empty()
            || self.since.is_some()
            || self.until.is_some()
            || self.min_duration.is_some()
            || self.query.is_some();
        let address = IdCriteria { routes: self.route.clone(), ids: Patterns::new(&self.id) };
        let wanted = TestCriteria {
            outcomes: Outcomes::new(&self.toggles, selected, &self.status),
            tags: Tags { with: self.with_tag.clone(), without: self.without_tag.clone() },
            period: Period { since: self.since, until: self.until },
            min_duration: self.min_duration,
            query: self.query.clone(),
            with: Patterns::new(&self.with),
            without: Patterns::new(&self.without),
        };
        (address, wanted)
    }
}

/// What becomes of an event before it is asked whether it is wanted.
struct Changes {
    renames: Vec<Rename>,
    fixups: Fixups,
}

/// What is done to each frame.
struct FrameFilter {
    address: IdCriteria,
    changes: Changes,
    text: TextEdit,
}

impl FrameFilter {
    /// Reads all frames. Packets that pass go to `sink`; other bytes to its `writer`, in their place.
    fn copy<R, W, S>(
        &self,
        mut input: Reader<R>,
        mut sink: S,
        writer: fn(&mut S) -> &mut Writer<W>,
    ) -> io::Result<()>
    where
        R: Read,
        W: Write,
        S: StreamResult,
    {
        let mut tail = Tail::default();
        let passed = self.frames(&mut input, &mut sink, writer, &mut tail);
        // What is held comes out also when reading has failed.
        let stopped = sink.stop_run();
        let ended = tail.write(writer(&mut sink)).and_then(|()| sink.flush());
        passed.and(stopped).and(ended)
    }

    /// Passes the frames on. Half a packet at the very end of the stream is left in `tail`: what comes out after it
    /// would be taken for its other half by readers that trust its length.
    fn frames<R, W, S>(
        &self,
        input: &mut Reader<R>,
        sink: &mut S,
        writer: fn(&mut S) -> &mut Writer<W>,
        tail: &mut Tail,
    ) -> io::Result<()>
    where
        R: Read,
        W: Write,
        S: StreamResult,
    {
        let mut between = Between::default();
        let take = |sink: &mut S, frame: Frame<'_>, _| {
            tail.write(writer(sink))?;
            match &frame {
                Frame::Corrupt(bytes, error) if is_truncated(error) => tail.hold(bytes, between.is_in_line()),
                Frame::Packet(packet) => self.packet(packet, sink)?,
                other => between.copy(other, self.text, writer(sink))?,
            }
            between.passed(&frame);
            Ok(())
        };
        input.each(sink, take, S::flush)
    }

    fn packet<S: StreamResult>(&self, packet: &Packet<'_>, sink: &mut S) -> io::Result<()> {
        if self.text == TextEdit::Drop && packet.status().is_none() && packet.test_id().is_none() {
            return Ok(());
        }
        let new_id = self.changes.new_id(packet);
        if !self.address.admits(packet, new_id.as_deref()) {
            return Ok(());
        }
        let status = self.changes.new_status(packet, new_id.as_deref());
        if new_id.is_none() && status == packet.status() {
            return sink.packet(packet);
        }
        let event = packet.event();
        sink.status(&Event { test_id: new_id.as_deref().or(event.test_id), status, ..event })
    }
}

/// Half a packet, which may be the end of the stream.
#[derive(Default)]
struct Tail {
    bytes: Vec<u8>,
    was_in_line: bool,
}

impl Tail {
    fn hold(&mut self, bytes: &[u8], was_in_line: bool) {
        self.bytes.extend_from_slice(bytes);
        self.was_in_line = was_in_line;
    }

    /// Writes what is held, if anything is.
    fn write<W: Write>(&mut self, output: &mut Writer<W>) -> io::Result<()> {
        if self.bytes.is_empty() {
            return Ok(());
        }
        output.write_damage(&std::mem::take(&mut self.bytes), self.was_in_line)
    }
}

fn is_truncated(error: &PacketError) -> bool {
    matches!(error.kind(), PacketErrorKind::Truncated(_))
}

impl Changes {
    fn new_id(&self, packet: &Packet<'_>) -> Option<String> {
        if self.renames.is_empty() { None } else { rename(&self.renames, packet.test_id()?) }
    }

    fn new_status(&self, packet: &Packet<'_>, new_id: Option<&str>) -> Option<subunit::Status> {
        let status = packet.status();
        if self.fixups.is_empty() || status.is_none() {
            return status;
        }
        let id = new_id.or_else(|| packet.test_id());
        id.map_or(status, |id| self.fixups.status(id, status))
    }
}
