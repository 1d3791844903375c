//! One helper at a time: the lock that a helper holds for its life.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::{Lock, ProcState, Wait};

/// An operation is noted with the lock unless one was a tenth of its limit ago.
pub(super) const NOTED: u32 = 10;

/// The folder for locks of this user: `$XDG_RUNTIME_DIR/NAME`, else `NAME-UID` in the system's temporary folder, else
/// in `/dev/shm`, which can be written to where nothing else can. It is made when it is not there, for this user only.
///
/// # Errors
///
/// When none of these can be made, and none is there that belongs to this user alone.
pub fn folder(name: &str) -> io::Result<PathBuf> {
    let user = rustix::process::geteuid().as_raw();
    let own = format!("{name}-{user}");
    let runtime = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
    let shared = [env::temp_dir(), PathBuf::from("/dev/shm")].map(|folder| folder.join(&own));
    first_private(runtime.map(|runtime| runtime.join(name)).into_iter().chain(shared), user)
}

/// The first of these folders that is of this user alone, or can be made so.
fn first_private(folders: impl Iterator<Item = PathBuf>, user: u32) -> io::Result<PathBuf> {
    let mut reasons = Vec::new();
    for folder in folders {
        match make_private(&folder, user) {
            Ok(()) => return Ok(folder),
            Err(error) => reasons.push(format!("{}: {error}", folder.display())),
        }
    }
    let text = format!("no folder for it can be used ({})", reasons.join("; "));
    Err(io::Error::new(io::ErrorKind::PermissionDenied, text))
}

fn make_private(folder: &Path, user: u32) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let metadata = fs::symlink_metadata(folder)?;
    if !metadata.is_dir() || metadata.uid() != user || metadata.mode() & 0o077 != 0 {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is not of this user alone"));
    }
    Ok(())
}

/// The lock for one target: held by this process and by every helper that was started with it, so that it is
/// free again when the last of them has ended, whatever ended it.
#[derive(Debug)]
pub struct Guard {
    lock: Lock,
    note: Note,
}

impl Guard {
    /// Takes the lock `name` in `folder`; while another run holds it, waits for that.
    ///
    /// # Errors
    ///
    /// [`Refused::Busy`] when it was still held at the end of the wait, [`Refused::Failed`] when the file cannot be
    /// used.
    pub fn take(folder: &Path, name: &str, wait: Wait<'_>) -> Result<Self, Refused> {
        let path = folder.join(name);
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        match Lock::take(file.try_clone()?, wait)? {
            Some(lock) => {
                let Note { created, since, .. } = Note::read(&mut file)?;
                let mut guard = Guard { lock, note: Note { created, ..Note::default() } };
                // What it says of the last holder is not true of this one.
                if since.is_some() {
                    guard.save()?;
                }
                Ok(guard)
            }
            None => Err(Refused::Busy(Note::read(&mut file)?.into())),
        }
    }

    /// What helpers were about to create, in this run or before, and is not known to be gone.
    #[must_use]
    pub fn created(&self) -> &[OsString] {
        &self.note.created
    }

    /// Notes what is about to be created, for runs that come later, should this one not live to remove it.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn will_create(&mut self, paths: &[OsString]) -> io::Result<()> {
        self.note.created.extend_from_slice(paths);
        self.save()
    }

    /// Notes that these are gone, or were never made.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn forget(&mut self, paths: &[OsString]) -> io::Result<()> {
        self.note.created.retain(|path| !paths.contains(path));
        self.save()
    }

    /// Notes who holds the lock, and that an operation begins which may take so long.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn held_by(&mut self, pid: u32, limit: Duration) -> io::Result<()> {
        self.note_holder(pid, seconds_now(), limit)
    }

    pub(super) fn note_holder(&mut self, pid: u32, since: f64, limit: Duration) -> io::Result<()> {
        let created = std::mem::take(&mut self.note.created);
        self.note = Note { pid: Some(pid), since: Some(since), limit: Some(limit.as_secs_f64()), created };
        self.save()
    }

    /// Notes that no operation goes on: however long the lock is held from now on, nothing hangs.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn note_idle(&mut self) -> io::Result<()> {
        self.note.since = None;
        self.save()
    }

    /// Notes that another operation of the holder begins.
    pub(super) fn note_operation(&mut self) -> io::Result<()> {
        self.note.since = Some(seconds_now());
        self.save()
    }

    /// The lock once more, to be held by a helper.
    pub(crate) fn share(&mut self) -> io::Result<File> {
        self.lock.share()
    }

    fn save(&mut self) -> io::Result<()> {
        let mut line = serde_json::to_vec(&self.note)?;
        line.push(b'\n');
        let file = self.lock.file();
        file.rewind()?;
        file.write_all(&line)?;
        // Others may read at any time: what is after the line is cut off when the line is there.
        file.set_len(u64::try_from(line.len()).unwrap_or(u64::MAX))
    }
}

/// Why a lock was not had.
#[derive(Debug)]
pub enum Refused {
    /// Another run holds it.
    Busy(Busy),
    /// Another run holds it, and hangs.
    Hung(Busy),
    /// The lock's file cannot be used.
    Failed(io::Error),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Refused::Failed(error)
    }
}

/// Who holds a lock.
#[derive(Debug)]
pub struct Busy {
    /// The holder's process id, where it was noted.
    pub pid: Option<u32>,
    /// Since when it is at the operation that goes on, if one does.
    pub since: Option<SystemTime>,
    /// How long its run lets an operation take.
    pub limit: Option<Duration>,
    /// What the holder does now.
    pub state: Option<ProcState>,
}

impl Busy {
    /// For how long the operation has gone on.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        self.since?.elapsed().ok()
    }

    /// Whether the operation takes longer than this, or than its own run lets it take.
    #[must_use]
    pub fn is_hung(&self, limit: Duration) -> bool {
        let limit = self.limit.map_or(limit, |own| own.min(limit));
        // Not each operation is noted.
        self.age().is_some_and(|age| age > limit.saturating_add(limit / NOTED))
    }
}

impl fmt::Display for Busy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("another run")?;
        if let Some(age) = self.age() {
            write!(formatter, " of {} s ago", age.as_secs())?;
        }
        match &self.state {
            Some(state) => write!(formatter, ": {}", state.summary()),
            None => Ok(()),
        }
    }
}

impl From<Note> for Busy {
    fn from(note: Note) -> Self {
        let time = |seconds: f64| Duration::try_from_secs_f64(seconds).ok();
        let since = note.since.and_then(time).and_then(|since| UNIX_EPOCH.checked_add(since));
        let limit = note.limit.and_then(time);
        Busy { pid: note.pid, since, limit, state: note.pid.map(ProcState::of) }
    }
}

/// The text of a lock's file: a line of JSON.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Note {
    pid: Option<u32>,
    /// Seconds since 1970.
    since: Option<f64>,
    /// Seconds.
    limit: Option<f64>,
    created: Vec<OsString>,
}

impl Note {
    fn read(file: &mut File) -> io::Result<Note> {
        let mut bytes = Vec::new();
        file.rewind()?;
        file.read_to_end(&mut bytes)?;
        let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        // A note that is damaged says nothing: the lock itself is the file's, and not the note's.
        Ok(serde_json::from_slice(line).unwrap_or_default())
    }
}

fn seconds_now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt as _;

    use super::*;
    use crate::Deadline;

    #[test]
    fn locks_are_where_nobody_else_can_be() {
        let place = tempfile::tempdir().unwrap();
        let user = fs::metadata(place.path()).unwrap().uid();
        let path = |name: &str| place.path().join(name);
        fs::write(path("file"), "").unwrap();
        DirBuilder::new().mode(0o755).create(path("open")).unwrap();
        std::os::unix::fs::symlink(place.path(), path("link")).unwrap();
        let bad = ["no/such", "file", "open", "link"].map(path);
        let all = bad.iter().cloned().chain([path("own")]);
        assert_eq!(first_private(all, user).unwrap(), path("own"));
        assert_eq!(fs::metadata(path("own")).unwrap().mode() & 0o777, 0o700);
        let error = first_private(bad.into_iter(), user).unwrap_err().to_string();
        assert!(error.contains("open: it is not of this user alone"), "{error}");
    }

    #[test]
    fn a_lock_is_had_by_one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = Guard::take(folder.path(), "eos-1", Wait::FOREVER).unwrap();
        first.held_by(std::process::id(), Duration::from_secs(5)).unwrap();
        let Err(Refused::Busy(busy)) = Guard::take(folder.path(), "eos-1", Wait::until(Deadline::now()))
        else {
            panic!("the lock was had twice");
        };
        assert_eq!(busy.pid, Some(std::process::id()));
        assert!(busy.age().unwrap() < Duration::from_secs(60));
        drop(first);
        Guard::take(folder.path(), "eos-1", Wait::until(Deadline::now())).unwrap();
    }

    #[test]
    fn what_was_left_behind_is_known_to_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let take = || Guard::take(folder.path(), "eos-2", Wait::FOREVER).unwrap();
        let [old, new] = [b"/mnt/\xff\n/.probe a".as_slice(), b"/mnt/.probe-b"];
        let [old, new] = [old, new].map(|path| OsString::from_vec(path.to_vec()));
        take().will_create(std::slice::from_ref(&old)).unwrap();
        assert_eq!(take().created(), std::slice::from_ref(&old));
        take().will_create(std::slice::from_ref(&new)).unwrap();
        assert_eq!(take().created(), [old.clone(), new.clone()]);
        take().forget(&[new]).unwrap();
        take().held_by(7, Duration::from_secs(5)).unwrap();
        assert_eq!(take().created(), [old]);
    }

    #[test]
    fn a_damaged_note_says_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("eos-3");
        for text in ["", "\n", "pid 7\n", "{\"pid\":7,\"crea"] {
            fs::write(&path, text).unwrap();
            assert!(Guard::take(folder.path(), "eos-3", Wait::FOREVER).unwrap().created().is_empty());
        }
        // As it is for a moment, while a shorter note takes the place of a longer one.
        fs::write(&path, "{\"pid\":7}\n\":[]}\n").unwrap();
        let _held = Guard::take(folder.path(), "eos-3", Wait::FOREVER).unwrap();
        let Err(Refused::Busy(busy)) = Guard::take(folder.path(), "eos-3", Wait::until(Deadline::now()))
        else {
            panic!("the lock was had twice");
        };
        assert_eq!(busy.pid, Some(7));
    }
}
