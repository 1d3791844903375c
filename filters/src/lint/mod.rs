//! The command `subunit-lint`: what is wrong with a stream.

mod finding;
mod test_tracker;

use std::io::{self, Read, Write};

use cli::{ColorArgs, Command, InputArgs, JsonArgs, OutputArgs, Shared, Streams, Verdict, VerdictArgs};
use formats::json::Object;
use formats::packet_watch::PacketWatch;
use formats::text::Tone;
use formats::visible;
use subunit::io::Reader;
use subunit::{Event, Frame, Timestamp};

use crate::report::ReportWriter;
use crate::sources::{self, name};
use finding::Finding;
use formats::compact_map::CompactMap;
use test_tracker::TestTracker;

/// Check a stream for what its readers will stumble over
///
/// Each finding is a line: its offset in the stream, in bytes, the test that it is about, what is wrong, and its kind:
/// damage, unfinished, after-final, not-unique, mime, after-eof, time or no-test. A test is identified by its route
/// code and its id.
#[derive(clap::Parser, Debug)]
#[command(
    name = "subunit-lint",
    version,
    after_help = cli::help!(
        [
            Passed = "nothing was found",
            Failed = "something was found",
            Nothing = "a stream has no packet: it is empty, or something else",
        ],
        "  subunit-lint run.subunit\n  \
           my-test-runner | subunit-lint\n  \
           subunit-lint run.subunit | grep -v '\\[time\\]$'"
    )
)]
pub struct Lint {
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    verdict: VerdictArgs,
    #[command(flatten)]
    json: JsonArgs,
    #[command(flatten)]
    color: ColorArgs,
}

impl Command for Lint {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let Streams { input, output, errors, terminal, interrupt } = streams;
        let (json, color) = (self.json.json, self.output.is_stdout() && self.color.output(&terminal));
        let mut page = ReportWriter::new(self.output.open(&Shared::new(output))?);
        let mut findings = Findings { output: &mut page, json, color, stream: None, count: 0 };
        let mut has_empty = false;
        sources::each(&self.input, input, &interrupt, |path, input| {
            if self.input.files.len() > 1 {
                findings.stream = Some(path.to_string_lossy().into_owned());
            }
            let packets = Checks::default().run(input, &mut findings)?;
            if packets.is_empty() {
                has_empty = true;
                writeln!(errors, "subunit-lint: {}: {packets}", name(path))?;
            }
            Ok(())
        })?;
        let count = findings.count;
        page.finish()?;
        Ok(self.verdict.apply(match (count, has_empty) {
            (1.., _) => Verdict::Failed,
            (0, true) => Verdict::Nothing,
            (0, false) => Verdict::Passed,
        }))
    }
}

/// Where findings go.
struct Findings<'o> {
    output: &'o mut dyn Write,
    json: bool,
    color: bool,
    /// The stream, where there are several.
    stream: Option<String>,
    count: u64,
}

impl Findings<'_> {
    fn tell(
        &mut self,
        offset: u64,
        route: Option<&str>,
        id: Option<&str>,
        finding: &Finding<'_>,
    ) -> io::Result<()> {
        self.count += 1;
        if self.json {
            return self.output.write_all(&self.object(offset, route, id, finding));
        }
        if let Some(stream) = &self.stream {
            write!(self.output, "{}:", visible::line(stream))?;
        }
        write!(self.output, "{offset}: ")?;
        if let Some(id) = id {
            write!(self.output, "{}", visible::line(id))?;
            if let Some(route) = route {
                write!(self.output, " ({})", visible::line(route))?;
            }
            write!(self.output, ": ")?;
        }
        write!(self.output, "{} ", visible::line(&finding.to_string()))?;
        Tone::Notice.write(&format!("[{}]", finding.kind()), self.color, self.output)?;
        writeln!(self.output)
    }

    /// A finding as a line of JSON.
    fn object(&self, offset: u64, route: Option<&str>, id: Option<&str>, finding: &Finding<'_>) -> Vec<u8> {
        let mut line = Vec::new();
        let mut object = Object::new(&mut line);
        object.optional("stream", self.stream.as_deref());
        object.number("offset", offset);
        object.optional("id", id);
        object.optional("route", route);
        object.string("kind", finding.kind());
        object.string("message", &finding.to_string());
        object.end();
        line.push(b'\n');
        line
    }
}

/// What is known of one stream.
#[derive(Default)]
struct Checks {
    tests: TestTracker,
    /// The last time of each route.
    times: CompactMap<Timestamp>,
}

impl Checks {
    /// Checks a stream, and says whether there was a packet in it.
    fn run(mut self, input: impl Read, findings: &mut Findings<'_>) -> io::Result<PacketWatch> {
        let mut packets = PacketWatch::default();
        let take = |findings: &mut Findings<'_>, frame: Frame<'_>, offset| {
            packets.frame(&frame);
            match frame {
                Frame::Packet(packet) => self.event(&packet.event(), offset, findings),
                Frame::Corrupt(bytes, error) => {
                    findings.tell(offset, None, None, &Finding::Damage(bytes.len(), error))
                }
                Frame::Text(_) => Ok(()),
            }
        };
        Reader::new(input).each(findings, take, |findings| findings.output.flush())?;
        self.tests.unfinished(|offset, route, id| findings.tell(offset, route, id, &Finding::Unfinished))?;
        Ok(packets)
    }

    fn event(&mut self, event: &Event<'_>, offset: u64, findings: &mut Findings<'_>) -> io::Result<()> {
        let mut tell =
            |finding: &Finding<'_>| findings.tell(offset, event.route_code, event.test_id, finding);
        if let Some(finding) = self.time(event) {
            tell(&finding)?;
        }
        if let (None, Some(status)) = (event.test_id, event.status) {
            tell(&Finding::NoTest(status))?;
        }
        self.tests.event(event, offset, tell)
    }

    fn time(&mut self, event: &Event<'_>) -> Option<Finding<'static>> {
        let time = event.timestamp?;
        let route = self.times.hash(event.route_code, "");
        let before = self.times.get(route);
        self.times.set(route, time);
        (time < before).then_some(Finding::TimeGoesBack { before, time })
    }
}

#[cfg(test)]
mod tests {
    use cli::run_with;
    use subunit::{File, PacketBuf, Status};

    use super::*;

    /// Events in short: an id, a status, a time, `@route`, `name:type` of a file, `eof`.
    fn packet(line: &str) -> Vec<u8> {
        let words: Vec<&str> = line.split(' ').collect();
        let file = words.iter().find_map(|word| word.split_once(':'));
        let event = Event {
            test_id: words.first().filter(|id| **id != "-").copied(),
            status: words.iter().find_map(|word| word.parse::<Status>().ok()),
            file: file.map(|(name, _)| File { name, bytes: b"text" }),
            mime_type: file.map(|(_, mime)| mime).filter(|mime| !mime.is_empty()),
            eof: words.contains(&"eof"),
            route_code: words.iter().find_map(|word| word.strip_prefix('@')),
            timestamp: words.iter().find_map(|word| word.parse().ok()).map(Timestamp::from_seconds),
            ..Event::default()
        };
        PacketBuf::encode(&event).unwrap().as_bytes().to_vec()
    }

    /// The findings, each as the number of its packet and what follows the offset.
    fn check(lines: &[&str], expected: &[(usize, &str)]) {
        let mut offsets = Vec::new();
        let mut stream = Vec::new();
        for line in lines {
            offsets.push(stream.len());
            stream.extend(packet(line));
        }
        let outcome = run_with::<Lint>(&[], &stream);
        let expected: String =
            expected.iter().map(|(number, text)| format!("{}: {text}\n", offsets[*number])).collect();
        assert_eq!(outcome.output(), expected);
        let verdict = match expected.is_empty() {
            true if lines.is_empty() => Verdict::Nothing,
            true => Verdict::Passed,
            false => Verdict::Failed,
        };
        assert_eq!(outcome.verdict, verdict);
    }

    #[test]
    fn a_sound_stream_has_no_findings() {
        check(&[], &[]);
        check(
            &["a exists", "b exists", "a inprogress", "a log:x", "a log:", "a success", "b fail", "- out:"],
            &[],
        );
        check(&["a inprogress @1", "a inprogress @2", "a fail @2", "a fail @1"], &[]);
    }

    #[test]
    fn tests_that_never_finish_are_told_where_they_began() {
        let lines = ["a inprogress", "b inprogress @0", "c log:", "a exists", "a log:"];
        let expected = [(0, "a: never finished"), (1, "b (0): never finished"), (2, "c: never finished")];
        check(&lines, &expected.map(|(at, text)| (at, &*format!("{text} [unfinished]").leak())));
    }

    #[test]
    fn what_comes_after_the_final_status_is_told() {
        let lines = ["a success", "a log:", "a fail", "a inprogress", "a success", "a exists"];
        check(
            &lines,
            &[
                (1, "a: a piece of log after the final status [after-final]"),
                (2, "a: another final status, fail [after-final]"),
                (3, "a: began again after it had finished [not-unique]"),
                (5, "a: announced after it had finished [after-final]"),
            ],
        );
    }

    #[test]
    fn ids_that_are_not_unique_are_told() {
        check(
            &["a exists", "a exists", "a inprogress", "a inprogress", "a fail"],
            &[
                (1, "a: announced twice [not-unique]"),
                (3, "a: began again while it was running [not-unique]"),
            ],
        );
    }

    #[test]
    fn files_have_one_type_and_one_end() {
        check(
            &["a log:x", "a log:y", "a log: eof", "a log:", "a fail", "- out:x", "- out:y @0", "- out:z"],
            &[
                (1, "a: log has another MIME type, y, than before [mime]"),
                (3, "a: log goes on after its end [after-eof]"),
                (7, "out has another MIME type, z, than before [mime]"),
            ],
        );
    }

    #[test]
    fn times_go_forward_on_each_route() {
        check(
            &["a exists 5", "b exists 4 @0", "c exists 3", "d exists 4", "- fail"],
            &[
                (2, "c: time goes back by 2.0 s, from 1970-01-01T00:00:05Z to 1970-01-01T00:00:03Z [time]"),
                (4, "fail without a test [no-test]"),
            ],
        );
    }

    #[test]
    fn damage_is_told_with_its_reason() {
        let mut stream = packet("a success");
        stream[5] ^= 1;
        let outcome = run_with::<Lint>(&[], &stream);
        assert!(outcome.output().starts_with("0: 10 damaged bytes: checksum is "), "{}", outcome.output());
        assert!(outcome.output().ends_with(" (at byte 6) [damage]\n"), "{}", outcome.output());
    }
}
