//! Keeps track of how far each test of a stream has got.

use std::collections::HashMap;
use std::io;

use subunit::{Event, File, Status};

use super::finding::Finding;
use formats::compact_map::CompactMap;

/// Bytes of ids of unfinished tests that are kept at most; beyond that, a test is reported by its offset alone.
const NAMES: usize = 8 << 20;

/// The tests of a stream: what is running in full, what has finished as a mark.
#[derive(Default)]
pub(crate) struct TestTracker {
    marks: CompactMap<TestState>,
    running: HashMap<u64, Running>,
    /// The files of the run as a whole.
    files: Files,
    names: usize,
}

/// What is known of a test that is not running. Closed: these are all the ways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum TestState {
    #[default]
    Unknown,
    Announced,
    Finished,
}

/// A test that has begun, or has files, and no final status.
struct Running {
    offset: u64,
    begun: bool,
    /// Route code and id, while there is room for them.
    name: Option<(Option<Box<str>>, Box<str>)>,
    files: Files,
}

impl TestTracker {
    /// Takes an event, and tells what is wrong with it.
    pub(crate) fn event(
        &mut self,
        event: &Event<'_>,
        offset: u64,
        mut tell: impl FnMut(&Finding<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let piece = FilePiece::of(event, &self.marks);
        let Some(id) = event.test_id else { return self.files.take(piece, tell) };
        let hash = self.marks.hash(event.route_code, id);
        let running = self.running.get(&hash).map(|test| test.begun);
        if let Some(finding) = self.status(hash, running, event) {
            tell(&finding)?;
        }
        match (running, event.status) {
            (None, Some(Status::Exists)) => {
                let mark = self.marks.get(hash);
                self.marks.set(hash, if mark == TestState::Finished { mark } else { TestState::Announced });
                Ok(())
            }
            // A test that is running may be announced, usually by a list of all tests.
            (Some(_), Some(Status::Exists)) => Ok(()),
            (None, None) if self.marks.get(hash) == TestState::Finished => Ok(()),
            (_, Some(status)) if status.is_final() => {
                let told = self.running.get_mut(&hash).map(|test| test.files.take(piece, tell));
                self.finish(hash);
                told.unwrap_or(Ok(()))
            }
            _ => self.run(hash, event, id, offset).files.take(piece, tell),
        }
    }

    /// What is wrong with an event after those that came before.
    fn status<'a>(&self, hash: u64, running: Option<bool>, event: &Event<'a>) -> Option<Finding<'a>> {
        match running {
            None => at_rest(self.marks.get(hash), event),
            Some(begun) => (begun && event.status == Some(Status::InProgress))
                .then_some(Finding::BeganAgain { had_finished: false }),
        }
    }

    /// The test with this hash, which is running now if it was not before.
    fn run(&mut self, hash: u64, event: &Event<'_>, id: &str, offset: u64) -> &mut Running {
        let names = &mut self.names;
        let test = self.running.entry(hash).or_insert_with(|| {
            let len = id.len() + event.route_code.map_or(0, str::len);
            let name = (*names + len <= NAMES).then(|| {
                *names += len;
                (event.route_code.map(Box::from), Box::from(id))
            });
            Running { offset, begun: false, name, files: Files::default() }
        });
        test.begun |= event.status == Some(Status::InProgress);
        test
    }

    fn finish(&mut self, hash: u64) {
        self.marks.set(hash, TestState::Finished);
        let name = self.running.remove(&hash).and_then(|test| test.name);
        if let Some((route, id)) = name {
            self.names -= id.len() + route.map_or(0, |route| route.len());
        }
    }

    /// Tells the tests that are running, by place, route code and id, in the order of their beginning.
    pub(crate) fn unfinished(
        self,
        mut tell: impl FnMut(u64, Option<&str>, Option<&str>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut tests: Vec<Running> = self.running.into_values().collect();
        tests.sort_unstable_by_key(|test| test.offset);
        tests.iter().try_for_each(|test| {
            let (route, id) = test.name.as_ref().map(|(route, id)| (route.as_deref(), &**id)).unzip();
            tell(test.offset, route.flatten(), id)
        })
    }
}

/// What is wrong with an event of a test that is not running.
fn at_rest<'a>(mark: TestState, event: &Event<'a>) -> Option<Finding<'a>> {
    match (mark, event.status) {
        (TestState::Announced, Some(Status::Exists)) => Some(Finding::AnnouncedTwice),
        (TestState::Finished, Some(Status::Exists)) => Some(Finding::LateAnnouncement),
        (TestState::Finished, Some(Status::InProgress)) => Some(Finding::BeganAgain { had_finished: true }),
        (TestState::Finished, Some(status)) => Some(Finding::LateStatus(status)),
        (TestState::Finished, None) => Some(Finding::LateFile(event.file.map(|file| file.name))),
        (TestState::Unknown | TestState::Announced, _) => None,
    }
}

/// The files of one test, by the hashes of their names.
#[derive(Default)]
struct Files(HashMap<u64, FileMark>);

/// What is known of a file.
#[derive(Clone, Copy, Default)]
struct FileMark {
    /// The hash of its MIME type, once it was given.
    mime: Option<u64>,
    ended: bool,
}

/// A piece of a file, with the hashes that it is known by.
#[derive(Clone, Copy)]
struct FilePiece<'a> {
    name: &'a str,
    name_hash: u64,
    mime_type: Option<(&'a str, u64)>,
    eof: bool,
}

impl<'a> FilePiece<'a> {
    fn of(event: &Event<'a>, marks: &CompactMap<TestState>) -> Option<Self> {
        let File { name, .. } = event.file?;
        Some(FilePiece {
            name,
            name_hash: marks.hash(event.route_code, name),
            mime_type: event.mime_type.map(|mime_type| (mime_type, marks.hash(None, mime_type))),
            eof: event.eof,
        })
    }
}

impl Files {
    /// Takes a piece of a file, if it is one, and tells what is wrong with it.
    fn take(
        &mut self,
        piece: Option<FilePiece<'_>>,
        mut tell: impl FnMut(&Finding<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let Some(FilePiece { name: file, name_hash, mime_type, eof }) = piece else { return Ok(()) };
        let mark = self.0.entry(name_hash).or_default();
        if mark.ended {
            tell(&Finding::AfterEof(file))?;
        }
        mark.ended = eof;
        match (mark.mime, mime_type) {
            (Some(before), Some((mime_type, hash))) if before != hash => {
                tell(&Finding::MimeType { file, mime_type })
            }
            (before, now) => {
                mark.mime = before.or(now.map(|(_, hash)| hash));
                Ok(())
            }
        }
    }
}
