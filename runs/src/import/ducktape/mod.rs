//! Sessions of ducktape: a folder each, with a report of all tests and a folder of files a test.

mod events;
mod report;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use repository::{RunEnd, RunInfo};

use super::inspect::Digest;
use super::source::{Content, Source, SourceRun};
pub(super) use events::Session;
use report::Report;

/// Where ducktape puts its sessions, unless it is told otherwise.
const RESULTS: &str = "results";
/// The file without which a session has not ended.
const REPORT: &str = "report.json";
/// What a session says while it runs, import errors included.
const LOG: &str = "session_log.info";

/// Reads a session, or all sessions of a folder of results.
pub(super) fn read(folder: Option<&Path>) -> anyhow::Result<Source> {
    let path = folder.unwrap_or(Path::new(RESULTS)).to_owned();
    let mut notes = Vec::new();
    let sessions =
        if path.join(REPORT).is_file() { vec![path.clone()] } else { sessions(&path, &mut notes)? };
    let runs = sessions.into_iter().map(run).collect::<anyhow::Result<_>>()?;
    Ok(Source { path, tool: "ducktape".to_owned(), runs, failing: None, notes })
}

/// The sessions of a folder, in the order of their names; `latest` is a link to one of them.
fn sessions(path: &Path, notes: &mut Vec<String>) -> anyhow::Result<Vec<PathBuf>> {
    let failed = || format!("cannot read {}", path.display());
    let mut sessions = Vec::new();
    for entry in fs::read_dir(path).with_context(failed)? {
        let entry = entry.with_context(failed)?;
        if !entry.file_type().with_context(failed)?.is_dir() {
            continue;
        }
        let session = entry.path();
        if session.join(REPORT).is_file() {
            sessions.push(session);
        } else if session.join(LOG).is_file() {
            notes.push(format!(
                "{} has no {REPORT}, since it did not end: it is not imported",
                session.display()
            ));
        }
    }
    if sessions.is_empty() && notes.is_empty() {
        bail!("{} has no session of ducktape in it: a folder with {REPORT}", path.display());
    }
    sessions.sort();
    Ok(sessions)
}

fn run(path: PathBuf) -> anyhow::Result<SourceRun> {
    let file = path.join(REPORT);
    let bytes = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let report: Report = serde_json::from_str(&report::without_nan(&String::from_utf8_lossy(&bytes)))
        .with_context(|| format!("{} is not a report of ducktape", file.display()))?;
    // Without it, there is nothing to be told of what could not be imported.
    let log = fs::read(path.join(LOG)).unwrap_or_default();
    let mut digest = Digest::default();
    digest.push(&bytes);
    digest.push(&log);
    let [start, end] = [report.start_time, report.stop_time].map(report::timestamp);
    let name = fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
    let name = name.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(SourceRun {
        digest: digest.text(),
        info: RunInfo {
            command: Some("ducktape".to_owned()),
            arguments: vec![name.clone()],
            start: Some(start),
            ..RunInfo::default()
        },
        end: RunEnd { end: Some(end), ..RunEnd::default() },
        content: Content::Ducktape(Session::new(path, report, &String::from_utf8_lossy(&log))),
        name,
    })
}
