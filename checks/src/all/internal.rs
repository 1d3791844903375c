//! Which of the processes that a check, or `check-all`, starts this one is.
//!
//! All of them are this program once more. What one is to be is said by its first arguments, and by nothing else: not
//! by its name, which is for people who look at a list of processes, and not by a variable, which a plugin would
//! inherit.

use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

use probe::helper::CHECK;
use transport::Role;

use super::registry::Entry;
use super::remote;

/// Is the process that these arguments are of, when a check or `check-all` has started it; `args` is the whole command
/// line. `None` is a process that people have started.
#[must_use]
pub fn internal(args: &[OsString]) -> Option<ExitCode> {
    let word = args.get(1)?;
    if let Some(role) = Role::of(word) {
        return Some(role.main(args.get(2..).unwrap_or_default()));
    }
    let rest = args.get(3..).unwrap_or_default();
    match word.to_str()? {
        CHECK => {
            let entry = entry(args.get(2))?;
            Some((entry.main)(&[&[called(entry)][..], rest].concat()))
        }
        remote::ARGUMENTS => Some(remote::be(entry(args.get(2))?)),
        _ => None,
    }
}

/// The check that is named.
fn entry(name: Option<&OsString>) -> Option<&'static Entry> {
    Entry::of(name.map(OsString::as_os_str).and_then(OsStr::to_str)?)
}

/// The name of the command of a check.
fn called(entry: &Entry) -> OsString {
    OsString::from(format!("check-{}", entry.name))
}
