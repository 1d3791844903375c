//! Records to folders.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::hash::BuildHasher as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use foldhash::quality::RandomState;
use streamresult::{Extent, Outcome, Record, RecordSink};
use subunit::{Event, Status, Timestamp};

use super::folder::Folder;
use crate::json::Object;
use crate::{place, time};

const SUMMARY: &str = "test.json";
/// Longer files are copied in pieces.
const AT_ONCE: usize = 64 << 10;
/// At most this many finished tests can get late attachments.
const WINDOW: usize = 100_000;
/// At most this many files of late attachments are held open.
const OPEN_LATE: usize = 16;

/// Writes a run as folders; see [the module](super).
///
/// Nothing that exists is changed, no link is followed, and only the user may read what is written. `test.json` is
/// written last: a folder that has it is whole.
#[derive(Debug)]
pub struct DiskWriter {
    path: PathBuf,
    folder: Folder,
    /// The numbers of the folders of the last finished tests, by the hashes of their keys.
    numbers: HashMap<u64, u64, RandomState>,
    finished: VecDeque<(u64, u64)>,
    late: VecDeque<Late>,
    state: RandomState,
}

/// A file of a finished test that is still growing.
#[derive(Debug)]
struct Late {
    key: u64,
    name: String,
    file: File,
}

impl DiskWriter {
    /// Writes into the folder at `path`, which is made if it does not exist.
    ///
    /// # Errors
    ///
    /// When it cannot be made or opened.
    pub fn new(path: &Path) -> io::Result<Self> {
        let made = place::make_private(path).and_then(|()| Folder::open(path));
        let folder = made.map_err(|error| in_writing(path, None, error))?;
        Ok(DiskWriter {
            path: path.to_owned(),
            folder,
            numbers: HashMap::default(),
            finished: VecDeque::new(),
            late: VecDeque::new(),
            state: RandomState::default(),
        })
    }

    fn key(&self, route_code: Option<&str>, test_id: &str) -> u64 {
        self.state.hash_one((route_code, test_id))
    }

    fn write(&mut self, record: &Record<'_>) -> io::Result<()> {
        let (mut folder, number) = self.folder.make_folder(record.test_id())?;
        folder.reserve(SUMMARY);
        let mut files = Vec::new();
        for attachment in record.attachments() {
            let (mut file, name) = folder.make_file(attachment.name())?;
            if attachment.kept() <= AT_ONCE as u64 {
                file.write_all(&attachment.head(AT_ONCE)?)?;
            } else {
                io::copy(&mut attachment.reader(), &mut file)?;
            }
            files.push(name);
        }
        folder.make_reserved(SUMMARY)?.write_all(&summary(record, &files))?;
        if record.outcome() != Outcome::Exists {
            self.finish(self.key(record.route_code(), record.test_id()), number);
        }
        Ok(())
    }

    fn finish(&mut self, key: u64, number: u64) {
        if self.finished.len() == WINDOW {
            // A test that finished again has another number by now.
            if let Some((oldest, _)) =
                self.finished.pop_front().filter(|(key, number)| self.numbers.get(key) == Some(number))
            {
                self.numbers.remove(&oldest);
            }
        }
        self.finished.push_back((key, number));
        self.numbers.insert(key, number);
    }

    /// The file that a late piece goes to: a new one for the first piece.
    fn late_file(&mut self, event: &Event<'_>, test_id: &str, name: &str) -> io::Result<&mut File> {
        let key = self.key(event.route_code, test_id);
        let at = match self.late.iter().position(|late| late.key == key && late.name == name) {
            Some(at) => at,
            None => {
                let mut folder = match self.numbers.get(&key) {
                    Some(number) => self.folder.find_folder(test_id, *number)?,
                    None => self.folder.make_folder(test_id)?.0,
                };
                folder.reserve(SUMMARY);
                let (file, _) = folder.make_file(name)?;
                if self.late.len() == OPEN_LATE {
                    self.late.pop_front();
                }
                self.late.push_back(Late { key, name: name.to_owned(), file });
                self.late.len() - 1
            }
        };
        self.late.get_mut(at).map(|late| &mut late.file).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl RecordSink for DiskWriter {
    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        self.write(record).map_err(|error| in_writing(&self.path, Some(record.test_id()), error))
    }

    fn late(&mut self, event: &Event<'_>, _: Option<Extent>) -> io::Result<()> {
        let (Some(test_id), Some(file)) = (event.test_id, event.file) else { return Ok(()) };
        let written = self.late_file(event, test_id, file.name).and_then(|out| out.write_all(file.bytes));
        written.map_err(|error| in_writing(&self.path, Some(test_id), error))
    }
}

fn in_writing(path: &Path, test_id: Option<&str>, error: io::Error) -> io::Error {
    let path = path.display();
    let what = match test_id {
        Some(test_id) => format!("cannot write {test_id:?} to {path}: {error}"),
        None => format!("cannot write to {path}: {error}"),
    };
    io::Error::new(error.kind(), what)
}

/// The summary of a test: the keys of python-subunit, then our own.
fn summary(record: &Record<'_>, files: &[String]) -> Vec<u8> {
    let mut names: Vec<&str> = record.attachments().map(|attachment| attachment.name()).collect();
    names.sort_unstable();
    let mut tags: Vec<&str> = record.tags().iter().collect();
    tags.sort_unstable();
    let has_stopped = record.outcome() != Outcome::Unfinished;
    let mut out = Vec::new();
    let mut object = Object::new(&mut out);
    object.strings("details", names);
    object.string("id", record.test_id());
    push_time("start", record.first(), &mut object);
    object.string("status", record.status().map_or("unknown", Status::as_str));
    push_time("stop", record.last().filter(|_| has_stopped), &mut object);
    object.strings("tags", tags);
    object.string("outcome", record.outcome().as_str());
    object.optional("route", record.route_code());
    object.truth("runnable", record.runnable());
    object.seconds("duration", record.duration());
    push_files(record, files, &mut object);
    object.end();
    out.push(b'\n');
    out
}

/// The attachments in order: the name in the stream, the name on disk, type and size.
fn push_files(record: &Record<'_>, files: &[String], object: &mut Object<'_>) {
    let out = object.key("files");
    out.push(b'[');
    for (number, (attachment, file)) in record.attachments().zip(files).enumerate() {
        if number > 0 {
            out.push(b',');
        }
        let mut entry = Object::new(out);
        entry.string("name", attachment.name());
        entry.string("file", file);
        entry.optional("mime", attachment.mime_type());
        entry.number("bytes", attachment.len());
        entry.end();
    }
    out.push(b']');
}

fn push_time(key: &str, time: Option<Timestamp>, object: &mut Object<'_>) {
    let mut text = Vec::new();
    if let Some(time) = time {
        time::push_python(time, &mut text);
    }
    object.optional(key, time.and(std::str::from_utf8(&text).ok()));
}
