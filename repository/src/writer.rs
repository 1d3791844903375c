//! Writes a run: the bytes first, as they come; then what they mean.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};

use process::Lock;
use streamresult::StreamResult;
use subunit::{EncodeError, Event, Packet, Timestamp, encode_chunks, part};

use crate::derive::PIECE;
use crate::error::{Error, Result, at};
use crate::intake::{Intake, Tail};
use crate::layout::{self, NEW_PREFIX, RUNS, Replacement, RunFolder};
use crate::repository::Repository;
use crate::run::{RunEnd, RunFile, RunInfo, RunState, StoredRun, Tally};
use crate::run_id::RunId;
use crate::{results, run_json, seekable};

/// A run that is being written; from [`Repository::begin`].
///
/// Bytes are stored as they come, before anything is made of them. They come as a stream
/// ([`load`](RunWriter::load)), in pieces (as [`Write`]), or as events: a writer is a [`StreamResult`].
/// What was written and flushed survives whatever becomes of the process.
///
/// A writer that is not [finished](RunWriter::finish) leaves an incomplete run, with all that came.
///
/// ```
/// use repository::{Repository, RunEnd, RunInfo, RunState};
/// use streamresult::StreamResult;
/// use subunit::{Event, Status};
///
/// # let folder = tempfile::tempdir()?;
/// let repository = Repository::init(&folder)?;
/// let mut run = repository.begin(RunInfo { workers: Some(1), ..RunInfo::default() })?;
/// run.status(&Event::status("boot", Status::InProgress))?;
/// // Now the test may crash this process: it will be known that it began.
/// StreamResult::flush(&mut run)?;
/// run.status(&Event::status("boot", Status::Success))?;
/// let run = run.finish(RunEnd { exit: Some(0), ..RunEnd::default() })?;
/// assert_eq!((run.state, run.counts.success), (RunState::Complete, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct RunWriter {
    repository: Repository,
    /// Its number, if it has one.
    id: Option<RunId>,
    folder: RunFolder,
    /// The folder of a run that has no number yet; it vanishes with the writer.
    apart: Option<tempfile::TempDir>,
    info: RunInfo,
    /// The stream; this file is locked.
    raw: BufWriter<Lock>,
    intake: Intake,
    packet: Vec<u8>,
    /// Whether something that came could not be stored.
    has_failed: bool,
    /// Why an event could not be made a packet, the first time.
    refused: Option<EncodeError>,
}

impl RunWriter {
    /// A run that has its number from now on.
    pub(crate) fn new(repository: Repository, info: RunInfo) -> Result<Self> {
        let mut writer = RunWriter::apart(repository, info)?;
        writer.number(|_| Ok(()))?;
        Ok(writer)
    }

    /// A run that gets its number when it is finished.
    pub(crate) fn apart(repository: Repository, info: RunInfo) -> Result<Self> {
        let info = RunInfo { start: info.start.or_else(|| Some(Timestamp::now())), ..info };
        let runs = repository.path().join(RUNS);
        // The folder appears with the stream in it, locked: so there is no moment in which the run looks dead.
        let new = layout::new_folder(&runs, NEW_PREFIX)?;
        let folder = RunFolder(new.path().to_owned());
        let raw = lock_new(&folder)?;
        let file = RunFile::begun(RunState::Running, info);
        fs::write(folder.json(), run_json::text(&file)?).map_err(at("write", &folder.json()))?;
        let intake = Intake::new(&runs);
        let raw = BufWriter::with_capacity(PIECE, raw);
        let (info, packet, apart) = (file.info, Vec::new(), Some(new));
        let (id, has_failed, refused) = (None, false, None);
        Ok(RunWriter { repository, id, folder, apart, info, raw, intake, packet, has_failed, refused })
    }

    /// Gives the run its number, unless it has one.
    fn number(&mut self, announce: impl FnMut(RunId) -> io::Result<()>) -> Result<()> {
        let Some(new) = self.apart.take() else { return Ok(()) };
        let id = allocate(&self.repository, new, announce)?;
        self.folder = self.repository.folder(id);
        self.id = Some(id);
        Ok(())
    }

    /// The number of the run; of one [apart](Repository::begin_apart) it is not known yet.
    #[must_use]
    pub fn id(&self) -> RunId {
        self.id.unwrap_or(RunId(0))
    }

    /// Stores a stream, read to its end. Whenever reading may block, what came before is on disk.
    ///
    /// # Errors
    ///
    /// When reading or writing fails. What came is kept.
    pub fn load(&mut self, mut stream: impl Read) -> Result<()> {
        let mut piece = vec![0; PIECE];
        loop {
            let count = match stream.read(&mut piece) {
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(at("read", "the stream".as_ref())(error)),
            };
            self.take(part(&piece, ..count))?;
            self.flush_raw()?;
        }
    }

    /// Finishes the run: packs its stream, enters it in the index, and prunes to the limits that
    /// [are set](Repository::set_retention).
    ///
    /// # Errors
    ///
    /// When something that came could not be stored, an event that was refused included, or the run cannot be written.
    /// What came is kept, as an incomplete run.
    pub fn finish(self, end: RunEnd) -> Result<StoredRun> {
        self.finish_as(end, |_| Ok(()))
    }

    /// The same, for a run [apart](Repository::begin_apart): `announce` is called with the number that it is about to
    /// get, and again with the next one when somebody else got that first.
    ///
    /// # Errors
    ///
    /// As [`finish`](RunWriter::finish), and when `announce` fails. Of a run apart nothing is kept then.
    pub fn finish_as(
        mut self,
        end: RunEnd,
        announce: impl FnMut(RunId) -> io::Result<()>,
    ) -> Result<StoredRun> {
        self.flush_raw()?;
        if self.has_failed || self.refused.is_some() {
            let why =
                self.refused.map(|error| format!(": an event was refused: {error}")).unwrap_or_default();
            let error = io::Error::other(format!("not all of the stream could be stored{why}"));
            return Err(at("finish", &self.folder.0)(error));
        }
        let end = RunEnd { end: end.end.or_else(|| Some(Timestamp::now())), ..end };
        let state = match end {
            RunEnd { interrupted: true, .. } => RunState::Interrupted,
            RunEnd { incomplete: true, .. } => RunState::Incomplete,
            _ => RunState::Complete,
        };
        let tally = pack_and_count(
            &self.folder,
            std::mem::replace(&mut self.intake, Intake::new(&std::env::temp_dir())),
        )?;
        let file = RunFile { end: Some(end), tally: Some(tally), ..RunFile::begun(state, self.info.clone()) };
        run_json::write(&self.folder, &file)?;
        layout::sync_folder(&self.folder.0)?;
        self.number(announce)?;
        let id = self.id();
        let RunWriter { repository, folder, raw, .. } = self;
        layout::sync_folder(&repository.path().join(RUNS))?;
        layout::remove(&folder.raw())?;
        let run = repository.run(id);
        drop(raw);
        repository.prune_by_itself();
        run
    }

    /// Stores bytes, then interprets them.
    fn take(&mut self, bytes: &[u8]) -> Result<()> {
        let taken = self.raw.write_all(bytes).and_then(|()| self.intake.push(bytes));
        self.check(taken)
    }

    fn flush_raw(&mut self) -> Result<()> {
        let flushed = self.raw.flush();
        self.check(flushed)
    }

    fn check(&mut self, done: io::Result<()>) -> Result<()> {
        self.has_failed |= done.is_err();
        done.map_err(at("write", &self.folder.raw()))
    }
}

/// Events are stored as packets. They are written when there are 64 KiB of them, and when the writer is flushed.
impl StreamResult for RunWriter {
    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.packet.clear();
        if let Err(error) = encode_chunks(event, &mut self.packet) {
            // Whoever ignores this is told again by `finish`: what was to be stored may have been a failure.
            self.refused.get_or_insert(error);
            return Err(error.into());
        }
        let packet = std::mem::take(&mut self.packet);
        let taken = self.take(&packet);
        self.packet = packet;
        Ok(taken?)
    }

    fn packet(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        Ok(self.take(packet.as_bytes())?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(self.flush_raw()?)
    }

    fn stop_run(&mut self) -> io::Result<()> {
        Ok(self.flush_raw()?)
    }
}

/// Any bytes, in any pieces: packets, text between them, damage.
impl Write for RunWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.take(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(self.flush_raw()?)
    }
}

/// Makes the file of the stream in a folder that nobody knows yet, and locks it.
fn lock_new(folder: &RunFolder) -> Result<Lock> {
    let path = folder.raw();
    let file = OpenOptions::new().append(true).create_new(true).open(&path).map_err(at("make", &path))?;
    Lock::wait_for(file).map_err(at("lock", &path))
}

/// Gives a folder the next free number. Renaming makes sure that nobody else gets it: a folder that exists is never
/// empty, and so is not replaced.
fn allocate(
    repository: &Repository,
    new: tempfile::TempDir,
    mut announce: impl FnMut(RunId) -> io::Result<()>,
) -> Result<RunId> {
    let last = layout::run_ids(repository.path())?.last().map_or(0, |id| id.0);
    for number in last.saturating_add(1)..=u32::MAX {
        let id = RunId(number);
        let folder = repository.folder(id).0;
        announce(id).map_err(at("announce", &folder))?;
        match fs::rename(new.path(), &folder) {
            Err(error) if layout::is_taken(&error) => continue,
            renamed => renamed.map_err(at("make", &folder))?,
        }
        let _ = new.keep();
        return Ok(id);
    }
    Err(at("number", repository.path())(io::ErrorKind::StorageFull.into()))
}

/// Packs the stream and writes the results, both at the same time.
fn pack_and_count(folder: &RunFolder, intake: Intake) -> Result<Tally> {
    let (packed, counted) = std::thread::scope(|scope| {
        let packing = std::thread::Builder::new().spawn_scoped(scope, || pack(folder));
        let counted = count(folder, intake);
        let packed = match packing {
            Ok(packing) => packing.join().unwrap_or_else(|_| Err(lost(folder, "packing it failed"))),
            // Where there can be no more threads, one does both.
            Err(_) => pack(folder),
        };
        (packed, counted)
    });
    let ((packed, bytes), (tally, results)) = (packed?, counted?);
    if bytes != tally.bytes {
        return Err(lost(folder, "it has another length than what came"));
    }
    results.put(false)?;
    packed.put(true)?;
    Ok(tally)
}

fn lost(folder: &RunFolder, what: &str) -> Error {
    Error::damaged(&folder.raw(), what)
}

fn pack(folder: &RunFolder) -> Result<(Replacement, u64)> {
    let (from, to) = (folder.raw(), folder.compressed());
    let raw = File::open(&from).map_err(at("read", &from))?;
    let packed = Replacement::new(&to)?;
    let bytes = seekable::compress(raw, packed.file.as_file()).map_err(at("write", &to))?;
    Ok((packed, bytes))
}

fn count(folder: &RunFolder, intake: Intake) -> Result<(Tally, Replacement)> {
    let to = folder.results();
    let written = intake.finish(Tail::Damage).and_then(|(tally, rows)| {
        let replacement = Replacement::new(&to)?;
        results::write(rows, replacement.file.as_file())?;
        Ok((tally, replacement))
    });
    written.map_err(at("write", &to))
}
