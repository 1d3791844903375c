//! A file that exists in memory only, for children to read.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsRawFd as _;
use std::path::PathBuf;

use rustix::fs::{MemfdFlags, SeekFrom, memfd_create, seek};

/// A file without a place on any disk, which nobody has to remove: it is gone when this process is.
///
/// ```
/// let file = process::MemoryFile::new(b"one\ntwo\n")?;
/// assert_eq!(std::fs::read(file.path())?, b"one\ntwo\n");
/// # std::io::Result::Ok(())
/// ```
#[derive(Debug)]
pub struct MemoryFile(File);

impl MemoryFile {
    /// A file of these bytes, positioned at its beginning.
    ///
    /// # Errors
    ///
    /// When the kernel has no memory left for it.
    pub fn new(bytes: &[u8]) -> io::Result<Self> {
        let mut file = File::from(memfd_create("subunit", MemfdFlags::CLOEXEC)?);
        file.write_all(bytes)?;
        seek(&file, SeekFrom::Start(0))?;
        Ok(MemoryFile(file))
    }

    /// Where processes of this user can read it, on this machine, as long as this value lives.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), self.0.as_raw_fd()))
    }

    /// The file itself.
    #[must_use]
    pub fn into_file(self) -> File {
        self.0
    }
}
