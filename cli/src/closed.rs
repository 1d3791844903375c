//! Which of stdin and stdout were closed when the process began: `command >&-`.
//!
//! The standard library opens `/dev/null` in their place before `main`, so that no file that is opened later gets their
//! numbers. Then they look like what a parent gives that wants nothing: what was closed has to be seen before.

use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::io::{Errno, fcntl_getfd};

static STDIN: AtomicBool = AtomicBool::new(false);
static STDOUT: AtomicBool = AtomicBool::new(false);

/// Runs before `main`.
#[ctor::ctor]
fn look() {
    STDIN.store(is_closed(rustix::stdio::stdin()), Ordering::Relaxed);
    STDOUT.store(is_closed(rustix::stdio::stdout()), Ordering::Relaxed);
}

fn is_closed(fd: BorrowedFd<'_>) -> bool {
    fcntl_getfd(fd).is_err()
}

/// Fails as reading from stdin would have failed.
pub(crate) fn stdin() -> Result<(), Errno> {
    refuse(&STDIN)
}

/// Fails as writing to stdout would have failed.
pub(crate) fn stdout() -> Result<(), Errno> {
    refuse(&STDOUT)
}

fn refuse(was_closed: &AtomicBool) -> Result<(), Errno> {
    if was_closed.load(Ordering::Relaxed) { Err(Errno::BADF) } else { Ok(()) }
}
