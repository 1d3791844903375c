//! A run as folders: one for each test, with a file for each attachment.
//!
//! A test is `DIR/ID/test.json` and `DIR/ID/ATTACHMENT`. Names are those of the stream, as far as any file system
//! takes them; all else stands as `%2F`. What no name can have, `~`, marks what we add: `ID~2` is another record whose
//! name is the same or differs in case only, `BEGINNING~HASH` stands for a long name.

mod folder;
mod names;
mod write;

pub use write::DiskWriter;
