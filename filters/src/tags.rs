//! The command `subunit-tags`: adds tags to a stream and takes others away.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser};
use cli::{Command, InputArgs, Streams, Verdict};
use foldhash::fast::RandomState;
use streamresult::{Edit, TagChange, TextEdit, edit_packets};
use subunit::{Event, Packet, PacketBuf, Tags};

/// Add tags to the events of a stream, and take others away
///
/// Every event of the stream, also those of the run as a whole, gets each TAG and loses each -TAG; a tag that is both
/// added and taken away is taken away. Without any tag, the stream stays as it is.
#[derive(clap::Parser, Debug)]
#[command(
    name = "subunit-tags",
    version,
    disable_help_flag = true,
    disable_version_flag = true,
    override_usage = "subunit-tags [--input FILE]... [--] [TAG | -TAG]...",
    after_help = cli::help!(
        filter,
        "  subunit-tags nightly <run.subunit >tagged.subunit\n  \
           subunit-tags arm64 -slow <run.subunit | subunit-filter --with-tag network\n  \
           subunit-tags --input a.subunit --input b.subunit nightly\n  \
           subunit-tags -- --help     (takes away the tag -help)"
    )
)]
struct Args {
    /// A tag to add, or `-TAG` to take it away. After `--` nothing is an option
    #[arg(value_name = "TAG", value_parser = change)]
    changes: Vec<Change>,
    /// Read this stream instead of stdin (`-` is stdin); may be repeated
    #[arg(long, value_name = "FILE")]
    input: Vec<PathBuf>,
    /// Print help
    #[arg(long, action = clap::ArgAction::HelpLong)]
    help: Option<bool>,
    /// Print version
    #[arg(long, action = clap::ArgAction::Version)]
    version: Option<bool>,
}

#[derive(Clone, Debug)]
enum Change {
    Add(String),
    Discard(String),
}

fn change(text: &str) -> Result<Change, String> {
    let (change, tag): (fn(String) -> Change, &str) = match text.strip_prefix('-') {
        Some(tag) => (Change::Discard, tag),
        None => (Change::Add, text),
    };
    if tag.is_empty() { Err("a tag has a name".to_owned()) } else { Ok(change(tag.to_owned())) }
}

/// The command: its arguments are put in order first, because what begins with a dash may be a tag.
#[derive(Debug)]
pub struct TagStream(Args);

impl Command for TagStream {
    fn arguments(args: &[OsString]) -> Vec<OsString> {
        options_first(args.iter().cloned())
    }

    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        streams.terminal.refuse_packets()?;
        let TagStream(Args { changes, input, .. }) = self;
        let input = InputArgs { files: input }.open(streams.input, &streams.interrupt);
        let change = tag_change(changes);
        // Most packets have no tags, and all of those get the same.
        let added = change.apply(Tags::default()).unwrap_or_default();
        let mut changed = Changed::default();
        edit_packets(input, streams.output, TextEdit::Keep, |packet, out| match packet.tags() {
            none if none.is_empty() && added.is_empty() => Ok(Edit::Keep),
            none if none.is_empty() => Edit::replace(out, &with_tags(&packet.event(), &added)),
            _ => match changed.of(packet, &change)? {
                None => Ok(Edit::Keep),
                Some(tags) => Edit::replace(out, &Event { tags, ..packet.event() }),
            },
        })?;
        Ok(Verdict::Passed)
    }
}

/// What becomes of tags, by their bytes: many packets have the same.
#[derive(Default)]
struct Changed(HashMap<Vec<u8>, Option<PacketBuf>, RandomState>);

/// At most this many lists of tags are remembered.
const LISTS: usize = 256;

impl Changed {
    /// The tags that a packet has after the change; `None` where they stay.
    fn of(&mut self, packet: &Packet<'_>, change: &TagChange) -> io::Result<Option<Tags<'_>>> {
        let bytes = packet.tags_bytes().unwrap_or_default();
        if !self.0.contains_key(bytes) {
            if self.0.len() >= LISTS {
                self.0.clear();
            }
            let tags = change.apply(packet.tags());
            // In the form in which a packet has them, they are written without another look.
            let tags =
                tags.map(|tags| PacketBuf::encode(&with_tags(&Event::default(), &tags))).transpose()?;
            self.0.insert(bytes.to_vec(), tags);
        }
        let changed = self.0.get(bytes).and_then(Option::as_ref);
        Ok(changed.map(|changed| changed.packet().tags()))
    }
}

fn tag_change(changes: Vec<Change>) -> TagChange {
    let (mut add, mut discard) = (Vec::new(), Vec::new());
    for change in changes {
        match change {
            Change::Add(tag) => add.push(tag),
            Change::Discard(tag) => discard.push(tag),
        }
    }
    TagChange::new(add, discard)
}

/// The event with these tags; none at all are absent: an empty list would clear the test's.
fn with_tags<'a>(event: &Event<'a>, tags: &'a [&'a str]) -> Event<'a> {
    let tags = if tags.is_empty() { Tags::default() } else { Tags::from(tags) };
    Event { tags, ..*event }
}

impl CommandFactory for TagStream {
    fn command() -> clap::Command {
        Args::command()
    }

    fn command_for_update() -> clap::Command {
        Args::command_for_update()
    }
}

impl FromArgMatches for TagStream {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Args::from_arg_matches(matches).map(TagStream)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0.update_from_arg_matches(matches)
    }
}

impl Parser for TagStream {}

/// The arguments with all options before a `--`, and all tags after it.
fn options_first(mut args: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut options: Vec<OsString> = args.next().into_iter().collect();
    let mut tags = Vec::new();
    while let Some(arg) = args.next() {
        if arg == "--" {
            break;
        } else if arg.as_encoded_bytes().starts_with(b"--") {
            // Its beginning is enough.
            let takes_value = b"--input".starts_with(arg.as_encoded_bytes());
            options.push(arg);
            options.extend(takes_value.then(|| args.next()).flatten());
        } else {
            tags.push(arg);
        }
    }
    options.push("--".into());
    options.into_iter().chain(tags).chain(args).collect()
}

#[cfg(test)]
mod tests {
    use cli::run_with;
    use subunit::io::{Reader, Writer};
    use subunit::{Frame, MAX_PACKET, Status};

    use super::*;

    /// The tags of the event that comes out for one with these tags.
    fn check(args: &[&str], tags: Tags<'_>, expected: &[&str]) {
        let event = Event { tags, ..Event::status("a", Status::Success) };
        let packet = PacketBuf::encode(&event).unwrap();
        let outcome = run_with::<TagStream>(args, packet.as_bytes());
        assert_eq!((outcome.verdict, outcome.errors()), (Verdict::Passed, ""));
        let found = PacketBuf::parse(outcome.output.into()).unwrap();
        assert_eq!(found.event().tags.iter().collect::<Vec<_>>(), expected);
        assert_eq!(Event { tags, ..found.event() }, event);
    }

    #[test]
    fn tags_are_added_and_taken_away() {
        check(&["nightly"], Tags::default(), &["nightly"]);
        check(&["b", "-a"], Tags::from(&["a", "c"]), &["c", "b"]);
        check(&["a", "-a"], Tags::from(&["a"]), &[]);
        check(&[], Tags::from(&["b", "a", "b"]), &["b", "a", "b"]);
    }

    #[test]
    fn what_begins_with_a_dash_is_a_tag_unless_it_is_an_option() {
        check(&["-h", "-V", "-host"], Tags::from(&["h", "V", "host", "x"]), &["x"]);
        check(&["--", "--help"], Tags::from(&["-help"]), &[]);
        check(&["x", "--input", "-"], Tags::default(), &["x"]);
        for (arg, start) in [("--help", "Add tags"), ("--version", "subunit-tags ")] {
            let outcome = run_with::<TagStream>(&["nightly", arg], b"");
            assert!(outcome.output().starts_with(start), "{}", outcome.output());
        }
        for wrong in ["--nightly", "", "-"] {
            assert_eq!(run_with::<TagStream>(&[wrong], b"").verdict, Verdict::Error, "{wrong:?}");
        }
    }

    #[test]
    fn text_and_damage_stay_in_place() {
        let stream = b"text \xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b more\n\xb3\x29\x01\x0c\x03fo";
        let outcome = run_with::<TagStream>(&["x"], stream);
        let tagged = b"text \xb3\x29\x81\x0f\x03foo\x01\x01x";
        assert!(outcome.output.starts_with(tagged), "{:?}", outcome.output.escape_ascii().to_string());
        assert!(outcome.output.ends_with(b" more\n\xb3\x29\x01\x0c\x03fo"));
        assert_eq!(run_with::<TagStream>(&[], stream).output, stream);
    }

    #[test]
    fn a_packet_that_gets_too_long_is_split() {
        let content = vec![b'x'; MAX_PACKET - 30];
        let mut writer = Writer::new(Vec::new());
        writer.write(&Event { eof: true, ..Event::file("log", &content) }).unwrap();
        let outcome = run_with::<TagStream>(&["nightly-build-of-the-whole"], &writer.into_inner().unwrap());
        let mut reader = Reader::new(&*outcome.output);
        let (mut packets, mut bytes) = (0, 0);
        while let Some(frame) = reader.next_frame().unwrap() {
            let Frame::Packet(packet) = frame else { panic!("{frame:?}") };
            packets += 1;
            bytes += packet.file().unwrap().bytes.len();
        }
        assert_eq!((packets, bytes), (2, content.len()));
    }
}
