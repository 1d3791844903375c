//! The events of a session.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Component, Path, PathBuf};

use streamresult::{StreamResult, failure};
use subunit::{Event, Status, TEXT_TYPE, Timestamp};

use super::report::{Report, TestResult, timestamp};

/// How much of the end of a file is taken: logs of a failed test may have many gigabytes.
const MOST: u64 = 16 << 20;
/// What of a file is in one event.
const PIECE: u64 = 64 << 10;
/// The test that tells of the session.
const SESSION: &str = "ducktape.session";
/// What ducktape says of a file whose tests it leaves out, and then ends with 0.
const NOT_IMPORTED: &str = "]: Failed to import ";

/// A session: its report, and the modules that it could not import.
#[derive(Debug)]
pub(in super::super) struct Session {
    path: PathBuf,
    report: Report,
    /// Each with what is said of it.
    not_imported: Vec<(String, String)>,
}

impl Session {
    pub(super) fn new(path: PathBuf, report: Report, log: &str) -> Self {
        let errors = log.lines().filter(|line| line.starts_with("[ERROR"));
        let module = |line: &str| {
            let (_, said) = line.split_once(NOT_IMPORTED)?;
            let (module, _) = said.split_once(',')?;
            Some((module.to_owned(), format!("Failed to import {said}\n")))
        };
        let mut not_imported: Vec<_> = errors.filter_map(module).collect();
        not_imported.dedup();
        Session { path, report, not_imported }
    }

    /// Writes all that is known of the session.
    pub(in super::super) fn write(&self, sink: &mut dyn StreamResult) -> io::Result<()> {
        let (start, end) = (timestamp(self.report.start_time), timestamp(self.report.stop_time));
        let mut fail = |id: &str, text: &str, at: Timestamp| {
            sink.status(&Event { timestamp: Some(at), ..failure(id, text) })
        };
        for (module, text) in &self.not_imported {
            fail(module, text, start)?;
        }
        for (id, client) in self.report.lost() {
            let exit =
                client.exitcode.map_or_else(|| "no exit code".to_owned(), |code| format!("exit code {code}"));
            let status = client.status.to_lowercase();
            fail(id, &format!("its process left no result: {exit}, {status}\n"), end)?;
        }
        let wrong = self.report.disagreements();
        if !wrong.is_empty() {
            fail(SESSION, &wrong.concat(), end)?;
        }
        self.report.results.iter().try_for_each(|result| self.test(result, sink))
    }

    fn test(&self, result: &TestResult, sink: &mut dyn StreamResult) -> io::Result<()> {
        let id = result.test_id.as_str();
        let (start, end) = (timestamp(result.start_time), timestamp(result.stop_time));
        sink.status(&Event { timestamp: Some(start), ..Event::status(id, Status::InProgress) })?;
        let text = |name, text: &str, sink: &mut dyn StreamResult| {
            let text = if text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") };
            sink.status(&Event { timestamp: Some(end), ..Event::test(id).with_text(name, &text) })
        };
        if let Some(name) = summary_name(result) {
            text(name, &result.summary, sink)?;
        }
        if result.status().is_none() {
            text("reason", &format!("ducktape says {}, which is not known", result.test_status), sink)?;
        }
        if !result.data.is_null() {
            let event = Event::test(id).with_mime_type("application/json");
            let data = result.data.to_string();
            sink.status(&Event { timestamp: Some(end), ..event.with_file("metrics.json", data.as_bytes()) })?;
        }
        if let Some(folder) = within(&self.path, &result.relative_results_dir) {
            attach_all(&folder, "", &Event { timestamp: Some(end), ..Event::test(id) }, sink)?;
        }
        let tags: &[&str] = if result.is_flaky() { &["flaky"] } else { &[] };
        let status = Event::status(id, result.status().unwrap_or(Status::Fail));
        sink.status(&Event { timestamp: Some(end), ..status.with_tags(tags) })
    }
}

/// What a test's summary is called, where it says more than its status.
fn summary_name(result: &TestResult) -> Option<&'static str> {
    match result.status() {
        _ if result.summary.trim().is_empty() => None,
        Some(Status::Success) => result.is_flaky().then_some("attempts"),
        Some(Status::Skip) => Some("reason"),
        _ => Some("traceback"),
    }
}

/// A folder in another one, unless it leads out of it or says nothing.
fn within(folder: &Path, relative: &str) -> Option<PathBuf> {
    let is_plain = Path::new(relative).components().all(|part| matches!(part, Component::Normal(_)));
    (is_plain && !relative.is_empty()).then(|| folder.join(relative))
}

/// Hands on the files of a folder, each by its path in it. What ducktape writes of its own results is no news.
fn attach_all(folder: &Path, before: &str, event: &Event<'_>, sink: &mut dyn StreamResult) -> io::Result<()> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    let mut entries: Vec<_> = entries.collect::<io::Result<_>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type()?;
        if kind.is_dir() {
            let inner = format!("{before}{}/", without_object(&name));
            attach_all(&entry.path(), &inner, event, sink)?;
        } else if kind.is_file() && !(before.is_empty() && is_own(&name)) {
            attach(&entry.path(), &format!("{before}{name}"), event, sink)?;
        }
    }
    Ok(())
}

fn is_own(name: &str) -> bool {
    ["report.json", "report.txt", "data.json"].contains(&name)
}

/// `Web-0` of `Web-0-140140684963664`: the number is a Python object's, and another one each time.
fn without_object(name: &str) -> &str {
    match name.rsplit_once('-') {
        Some((service, number)) if number.len() > 8 && number.bytes().all(|byte| byte.is_ascii_digit()) => {
            service
        }
        _ => name,
    }
}

/// Hands on a file, or its end.
fn attach(path: &Path, name: &str, event: &Event<'_>, sink: &mut dyn StreamResult) -> io::Result<()> {
    let mut file = File::open(path)?;
    let left_out = file.metadata()?.len().saturating_sub(MOST);
    let mut piece = |bytes: &[u8], eof: bool| {
        let file = Some(subunit::File { name, bytes });
        sink.status(&Event { file, mime_type: Some(TEXT_TYPE), eof, ..*event })
    };
    if left_out > 0 {
        file.seek(SeekFrom::Start(left_out))?;
        piece(format!("({left_out} bytes before this are left out)\n").as_bytes(), false)?;
    }
    let mut file = file.take(MOST);
    loop {
        let mut bytes = Vec::new();
        file.by_ref().take(PIECE).read_to_end(&mut bytes)?;
        piece(&bytes, bytes.is_empty())?;
        if bytes.is_empty() {
            return Ok(());
        }
    }
}
