//! Locks of the kernel, which a process that is killed cannot leave behind.

use std::fs::{File, TryLockError};
use std::io::{self, Write};

use crate::Wait;
use crate::timeouts::INTERVAL;

/// A file with its lock, which is released when this is dropped.
///
/// Closing the file would not do: a process that was forked meanwhile has a copy of it until it executes
/// another program, and the lock would be held as long.
///
/// ```
/// use process::{Deadline, Lock, Wait};
///
/// let file = tempfile::NamedTempFile::new()?;
/// let lock = Lock::wait_for(file.reopen()?)?;
/// assert!(Lock::take(file.reopen()?, Wait::until(Deadline::now()))?.is_none());
/// drop(lock);
/// assert!(Lock::take(file.reopen()?, Wait::until(Deadline::now()))?.is_some());
/// # std::io::Result::Ok(())
/// ```
#[derive(Debug)]
pub struct Lock {
    file: File,
    /// Whether others hold it, too, and longer than this value lives.
    is_shared: bool,
}

impl Lock {
    /// Takes the lock of a file, however long others have it.
    ///
    /// # Errors
    ///
    /// When the file cannot be locked at all.
    pub fn wait_for(file: File) -> io::Result<Self> {
        file.lock()?;
        Ok(Lock { file, is_shared: false })
    }

    /// Takes the lock of a file; while another process has it, waits for it. `None` when the wait is over first.
    ///
    /// # Errors
    ///
    /// When the file cannot be locked at all.
    pub fn take(file: File, wait: Wait<'_>) -> io::Result<Option<Self>> {
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Some(Lock { file, is_shared: false })),
                Err(TryLockError::Error(error)) => return Err(error),
                Err(TryLockError::WouldBlock) if wait.is_over() => return Ok(None),
                Err(TryLockError::WouldBlock) => {
                    let _over = wait.sleep(INTERVAL);
                }
            }
        }
    }

    /// The file once more, to be given to another process: the lock is held until the last of both has ended, whatever
    /// ends it.
    pub(crate) fn share(&mut self) -> io::Result<File> {
        let copy = self.file.try_clone()?;
        self.is_shared = true;
        Ok(copy)
    }

    /// The file.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if !self.is_shared {
            // The lock goes with the last copy of the file, if not now.
            let _goes_later = self.file.unlock();
        }
    }
}

impl Write for Lock {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Deadline, Interrupt};

    #[test]
    fn a_copy_that_a_forked_process_has_does_not_hold_the_lock() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let other = File::open(file.path()).unwrap();
        let mut lock = Lock::take(file.reopen().unwrap(), Wait::FOREVER).unwrap().unwrap();
        // What a fork does too: one lock, two descriptors.
        let copy = lock.file().try_clone().unwrap();
        assert!(other.try_lock_shared().is_err());
        drop(lock);
        other.try_lock_shared().unwrap();
        drop(copy);
    }

    #[test]
    fn one_that_is_shared_is_held_by_the_last() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut lock = Lock::take(file.reopen().unwrap(), Wait::FOREVER).unwrap().unwrap();
        let copy = lock.share().unwrap();
        drop(lock);
        let never = Interrupt::never();
        let soon = Wait { deadline: Deadline::after(Duration::from_millis(30)), interrupt: &never };
        assert!(Lock::take(file.reopen().unwrap(), soon).unwrap().is_none());
        drop(copy);
        assert!(Lock::take(file.reopen().unwrap(), Wait::FOREVER).unwrap().is_some());
    }
}
