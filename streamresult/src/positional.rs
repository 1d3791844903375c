//! A file that is read and written at given places, by several threads at once.
//!
//! A file has one position, which all who seek and then read share: two threads that do so get each other's bytes.
//! Where the system can read at a place, that is asked of it; elsewhere one waits for the other.

use std::fs::File;
use std::io;
#[cfg(not(any(unix, windows)))]
use std::{
    io::{Read, Seek, SeekFrom, Write},
    sync::{Mutex, PoisonError},
};

/// A file without a position.
#[derive(Debug)]
pub(crate) struct PositionalFile {
    #[cfg(any(unix, windows))]
    file: File,
    #[cfg(not(any(unix, windows)))]
    file: Mutex<File>,
}

impl PositionalFile {
    pub(crate) fn new(file: File) -> Self {
        PositionalFile {
            #[cfg(any(unix, windows))]
            file,
            #[cfg(not(any(unix, windows)))]
            file: Mutex::new(file),
        }
    }

    /// Writes all of these bytes from the place `at` on.
    pub(crate) fn write_all_at(&self, mut bytes: &[u8], mut at: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.write_at(bytes, at) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    bytes = subunit::part(bytes, count..);
                    at += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Fills a slice with what stands from the place `at` on.
    pub(crate) fn read_exact_at(&self, mut into: &mut [u8], mut at: u64) -> io::Result<()> {
        while !into.is_empty() {
            match self.read_at(into, at) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    into = subunit::part_mut(into, count..);
                    at += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Makes the file this long.
    pub(crate) fn set_len(&self, len: u64) -> io::Result<()> {
        #[cfg(any(unix, windows))]
        let file = &self.file;
        #[cfg(not(any(unix, windows)))]
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.set_len(len)
    }

    #[cfg(unix)]
    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::write_at(&self.file, bytes, at)
    }

    #[cfg(unix)]
    fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(&self.file, into, at)
    }

    #[cfg(windows)]
    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_write(&self.file, bytes, at)
    }

    #[cfg(windows)]
    fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_read(&self.file, into, at)
    }

    #[cfg(not(any(unix, windows)))]
    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<usize> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(at))?;
        file.write(bytes)
    }

    #[cfg(not(any(unix, windows)))]
    fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<usize> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(at))?;
        file.read(into)
    }
}
