//! By folders that are held open.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{CWD, Dir, FileType, Mode, OFlags, fstat, mkdirat, openat};
use rustix::io::Errno;

use super::no_regular_file;

const PRIVATE_FILE: Mode = Mode::RUSR.union(Mode::WUSR);
const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// A folder.
#[derive(Debug)]
pub(crate) struct Place(OwnedFd);

impl Place {
    /// Opens the folder at a path that the user gave.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Ok(Place(openat(CWD, path, FOLDER, Mode::empty())?))
    }

    /// The names that are in it.
    pub(crate) fn names(&self) -> io::Result<Vec<String>> {
        let entries = Dir::read_from(&self.0)?;
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    /// Makes a folder in it for the user alone.
    pub(crate) fn make_folder(&self, name: &str) -> io::Result<()> {
        Ok(mkdirat(&self.0, name, Mode::RWXU)?)
    }

    /// Makes a file in it for the user alone; what is there stays, whatever it is.
    pub(crate) fn make_file(&self, name: &str) -> io::Result<File> {
        // This neither follows a link nor opens what is there.
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(File::from(open_beneath(&self.0, name.as_ref(), flags, PRIVATE_FILE)?))
    }

    /// A folder in it.
    pub(crate) fn folder(&self, name: &Path) -> io::Result<Place> {
        Ok(Place(open_beneath(&self.0, name, FOLDER | OFlags::NOFOLLOW, Mode::empty())?))
    }

    /// A regular file in it, to be read.
    pub(crate) fn file(&self, name: &Path) -> io::Result<File> {
        // Opening a pipe must not wait for its writer.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let opened = open_beneath(&self.0, name, flags, Mode::empty())?;
        if FileType::from_raw_mode(fstat(&opened)?.st_mode) != FileType::RegularFile {
            return Err(no_regular_file());
        }
        Ok(File::from(opened))
    }
}

/// Opens a name of one component in a folder: no link is followed, whatever it is and however it got there.
fn open_beneath(folder: &OwnedFd, name: &Path, flags: OFlags, mode: Mode) -> rustix::io::Result<OwnedFd> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{ResolveFlags, openat2};
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        match openat2(folder, name, flags, mode, resolve) {
            // Old kernels do not know the call, and some sandboxes refuse it.
            Err(Errno::NOSYS | Errno::PERM) => {}
            opened => return opened,
        }
    }
    openat(folder, name, flags, mode)
}
