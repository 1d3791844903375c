//! A folder in which names are looked up and made, none of which leads out of it.
//!
//! Where the system can hold a folder open, what happens to its path later does not matter, and no link is followed
//! however it got there. Elsewhere each name is looked at before it is used: a link that is there is not followed, one
//! that somebody puts there in between is.

#[cfg(not(unix))]
#[path = "by_path.rs"]
mod system;
#[cfg(unix)]
#[path = "held_open.rs"]
mod system;

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::path::Path;

pub(crate) use system::Place;

/// Makes a folder, and those above it, that only the user may look into.
pub(crate) fn make_private(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Makes a file that was not there, which all may read.
pub(crate) fn make_public(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o644);
    options.open(path)
}

#[cold]
fn no_regular_file() -> io::Error {
    io::Error::other("it is no regular file")
}
