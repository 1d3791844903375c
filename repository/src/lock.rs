//! Locks of the kernel, which a process that is killed cannot leave behind.

use std::fs::File;
use std::io::{self, Write};

/// A file with its lock, which is released when this is dropped.
///
/// Closing the file would not do: a process that was forked meanwhile has a copy of it until it executes
/// another program, and the lock would be held as long.
#[derive(Debug)]
pub(crate) struct Locked(File);

impl Locked {
    /// Waits for the lock.
    pub(crate) fn new(file: File) -> io::Result<Self> {
        file.lock()?;
        Ok(Locked(file))
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        // The lock goes with the last copy of the file, if not now.
        let _ = self.0.unlock();
    }
}

impl Write for Locked {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_that_a_forked_process_has_does_not_hold_the_lock() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let other = File::open(file.path()).unwrap();
        let locked = Locked::new(file.reopen().unwrap()).unwrap();
        // What a fork does too: one lock, two descriptors.
        let copy = locked.0.try_clone().unwrap();
        assert!(other.try_lock_shared().is_err());
        drop(locked);
        other.try_lock_shared().unwrap();
        drop(copy);
    }
}
