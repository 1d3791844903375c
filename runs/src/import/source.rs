//! A repository of another tool, read and found to make sense; nothing of it has been imported yet.

use std::collections::{BTreeSet, HashSet};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use flate2::read::MultiGzDecoder;
use formats::v1;
use repository::{RunEnd, RunInfo, RunWriter};
use streamresult::{StreamResult, StreamResultExt as _, drive};
use subunit::{Event, Status, TEXT_TYPE, Timestamp};

use super::ducktape::Session;

/// A repository of another tool.
#[derive(Debug)]
pub(super) struct Source {
    /// Where it is.
    pub(super) path: PathBuf,
    /// Whose it is.
    pub(super) tool: String,
    /// Its runs, in their order.
    pub(super) runs: Vec<SourceRun>,
    /// The tests that fail, as the other tool sees it; none where it keeps no such set.
    pub(super) failing: Option<BTreeSet<String>>,
    /// What could not be read, or is not as it should be.
    pub(super) notes: Vec<String>,
}

/// A run of it.
#[derive(Debug)]
pub(super) struct SourceRun {
    /// Its number there.
    pub(super) name: String,
    /// The digest of its bytes; two runs with the same one are the same.
    pub(super) digest: String,
    pub(super) info: RunInfo,
    pub(super) end: RunEnd,
    pub(super) content: Content,
}

/// Where the events of a run are.
#[derive(Debug)]
pub(super) enum Content {
    /// In a file with lines of version 1.
    V1(PathBuf),
    /// In a file with packets.
    V2(PathBuf),
    /// In several files, put together.
    Parts(Vec<Part>),
    /// In none: all that is known of these tests is how long they took.
    Timings(Vec<(String, Duration)>, Timestamp),
    /// In a session of ducktape.
    Ducktape(Session),
}

/// A part of a run.
#[derive(Debug)]
pub(super) enum Part {
    /// All packets of a file, with this before their route codes.
    Routed(PathBuf, String),
    /// All packets of a file, as they are.
    Plain(PathBuf),
    /// The packets of a file that are not of these tests.
    Without(PathBuf, HashSet<String>),
    /// A compressed file, which becomes an attachment of the run.
    Attachment(PathBuf, &'static str),
}

impl SourceRun {
    /// Writes the run.
    pub(super) fn write(&self, writer: &mut RunWriter) -> anyhow::Result<()> {
        match &self.content {
            Content::V1(path) => in_file(v1::drive(open(path)?, writer), path),
            Content::V2(path) => Ok(writer.load(open(path)?)?),
            Content::Parts(parts) => parts.iter().try_for_each(|part| part.write(writer)),
            Content::Ducktape(session) => Ok(session.write(writer)?),
            Content::Timings(timings, at) => Ok(announce(timings, *at, writer)?),
        }
    }
}

impl Part {
    fn write(&self, writer: &mut RunWriter) -> anyhow::Result<()> {
        match self {
            Part::Plain(path) => Ok(writer.load(open(path)?)?),
            Part::Routed(path, route) => in_file(drive(open(path)?, &mut writer.routed(route)), path),
            Part::Without(path, tests) => {
                let is_other = |event: &Event<'_>| event.test_id.is_none_or(|id| !tests.contains(id));
                in_file(drive(open(path)?, &mut writer.filtered(is_other)), path)
            }
            Part::Attachment(path, name) => in_file(attach(path, name, writer), path),
        }
    }
}

/// Each test is announced, and seems to take as long as it did.
fn announce(
    timings: &[(String, Duration)],
    end: Timestamp,
    sink: &mut (impl StreamResult + ?Sized),
) -> io::Result<()> {
    for (id, duration) in timings {
        let text = format!("{} s\n", duration.as_secs_f64());
        let start = Timestamp::from_epoch(end.since_epoch().saturating_sub(*duration));
        sink.status(&Event {
            test_id: Some(id),
            mime_type: Some(TEXT_TYPE),
            eof: true,
            timestamp: start,
            runnable: true,
            ..Event::file("duration", text.as_bytes())
        })?;
        sink.status(&Event { timestamp: Some(end), ..Event::status(id, Status::Exists) })?;
    }
    Ok(())
}

/// Hands a compressed file on as one of the run as a whole, in pieces.
fn attach(path: &Path, name: &str, sink: &mut (impl StreamResult + ?Sized)) -> io::Result<()> {
    let mut content = MultiGzDecoder::new(File::open(path)?);
    let mut piece = Vec::new();
    loop {
        piece.clear();
        content.by_ref().take(64 * 1024).read_to_end(&mut piece)?;
        if piece.is_empty() {
            return Ok(());
        }
        let mime_type = Some(TEXT_TYPE);
        sink.status(&Event { mime_type, ..Event::file(name, &piece) })?;
    }
}

pub(super) fn open(path: &Path) -> anyhow::Result<BufReader<File>> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(BufReader::with_capacity(64 * 1024, file))
}

pub(super) fn in_file<T>(done: io::Result<T>, path: &Path) -> anyhow::Result<T> {
    done.with_context(|| format!("cannot import {}", path.display()))
}
