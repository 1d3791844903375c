//! What a process of this program does for a transport.

use std::ffi::OsStr;
use std::process::ExitCode;

use super::{carry, far_end};

/// What a process of this program does for a transport, by its first argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// At the far end: runs what a [`NodeRequest`](crate::NodeRequest) says, for as long as its input goes on.
    FarEnd,
    /// At the far end: removes a file; without another argument the program itself.
    Remove,
    /// Here: carries bytes between us and an engine.
    Carry,
}

impl Role {
    const ALL: [Role; 3] = [Role::FarEnd, Role::Remove, Role::Carry];

    /// The one that a first argument names.
    #[must_use]
    pub fn of(argument: &OsStr) -> Option<Self> {
        Role::ALL.into_iter().find(|role| argument == role.word())
    }

    /// Does it, and gives the code to exit with.
    #[must_use]
    pub fn main(self, args: &[std::ffi::OsString]) -> ExitCode {
        match self {
            Role::FarEnd => far_end::main(),
            Role::Remove => far_end::remove(args.first().map(std::path::Path::new)),
            Role::Carry => carry::main(),
        }
    }

    /// The argument that names it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Role::FarEnd => "--internal-far",
            Role::Remove => "--internal-remove",
            Role::Carry => "--internal-carry",
        }
    }
}
