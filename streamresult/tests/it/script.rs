//! Events as lines of text, and what became of them as lines too.

use std::io;

use streamresult::{Extent, Record, RecordSink, StreamResult};
use subunit::{Event, File, Status, Tags, Timestamp};

/// Pushes a run, one event a line: `id status file=name:bytes mime=type eof tags=a,b t=7 route=r norun`.
/// An id or status of `-` is none.
pub(crate) fn run(script: &str, result: &mut dyn StreamResult) {
    result.start_run().unwrap();
    events(script, result);
    result.stop_run().unwrap();
}

/// Pushes the events of a script.
pub(crate) fn events(script: &str, result: &mut dyn StreamResult) {
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        push(line, result);
    }
}

fn push(line: &str, result: &mut dyn StreamResult) {
    let mut words = line.split(' ');
    let test_id = words.next().filter(|word| *word != "-");
    let status: Option<Status> = words.next().and_then(|word| word.parse().ok());
    let mut event = Event { test_id, status, runnable: true, ..Event::default() };
    let mut tags = None;
    for word in words {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        match name {
            "file" => {
                let (name, bytes) = value.split_once(':').unwrap();
                event.file = Some(File { name, bytes: bytes.as_bytes() });
            }
            "mime" => event.mime_type = Some(value),
            "eof" => event.eof = true,
            "route" => event.route_code = Some(value),
            "norun" => event.runnable = false,
            "t" => {
                event.timestamp = Some(Timestamp::from_seconds(value.parse().unwrap()));
            }
            "tags" => {
                tags = Some(value.split(',').filter(|tag| !tag.is_empty()).collect::<Vec<_>>());
            }
            _ => panic!("{word}"),
        }
    }
    event.tags = tags.as_deref().map(Tags::from).unwrap_or_default();
    result.status(&event).unwrap();
}

/// An event as it would stand in a script.
pub(crate) fn line(event: &Event<'_>) -> String {
    let status = event.status.map_or("-", Status::as_str);
    let mut line = format!("{} {status}", event.test_id.unwrap_or("-"));
    if let Some(file) = event.file {
        line += &format!(" file={}:{}", file.name, file.bytes.escape_ascii());
    }
    if let Some(mime_type) = event.mime_type {
        line += &format!(" mime={mime_type}");
    }
    if event.eof {
        line += " eof";
    }
    if !event.tags.is_absent() {
        line += &format!(" tags={}", event.tags.iter().collect::<Vec<_>>().join(","));
    }
    if let Some(timestamp) = event.timestamp {
        line += &format!(" t={}", timestamp.seconds());
    }
    if let Some(route_code) = event.route_code {
        line += &format!(" route={route_code}");
    }
    if !event.runnable {
        line += " norun";
    }
    line
}

/// Writes down events and calls.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines(pub(crate) Vec<String>);

impl StreamResult for Lines {
    fn start_run(&mut self) -> io::Result<()> {
        self.0.push("start".to_owned());
        Ok(())
    }

    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.0.push(line(event));
        Ok(())
    }

    fn stop_run(&mut self) -> io::Result<()> {
        self.0.push("stop".to_owned());
        Ok(())
    }
}

/// Writes down records, and what belongs to none.
impl RecordSink for Lines {
    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        self.0.push(describe(record));
        Ok(())
    }

    fn late(&mut self, event: &Event<'_>, _: Option<Extent>) -> io::Result<()> {
        self.0.push(format!("late: {}", line(event)));
        Ok(())
    }

    fn global(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.0.push(format!("global: {}", line(event)));
        Ok(())
    }

    fn global_status(&mut self, event: &Event<'_>, status: Status) -> io::Result<()> {
        self.0.push(format!("global {status}: {}", line(event)));
        Ok(())
    }
}

/// `id outcome first..last #events tags {name:type:bytes}`, where there is something to tell.
pub(crate) fn describe(record: &Record<'_>) -> String {
    let mut line = format!("{} {}", record.test_id(), record.outcome());
    if let Some(route_code) = record.route_code() {
        line = format!("{route_code}:{line}");
    }
    if let (Some(first), Some(last)) = (record.first(), record.last()) {
        line += &format!(" {}..{}", first.seconds(), last.seconds());
    }
    line += &format!(" #{}", record.events());
    if !record.tags().is_empty() {
        line += &format!(" {:?}", record.tags().iter().collect::<Vec<_>>());
    }
    for file in record.attachments() {
        let bytes = io::read_to_string(file.reader()).unwrap();
        line += &format!(" {{{}:{}:{bytes}}}", file.name(), file.mime_type().unwrap_or("-"));
        if file.left_out() != 0 {
            line += &format!(" ({} more)", file.left_out());
        }
    }
    line
}

/// Compares lines with those of an indented text.
pub(crate) fn check_lines(got: &[String], expected: &str) {
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(got, expected);
}
