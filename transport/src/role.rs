//! What a process of this program does for a transport.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

use super::{carry, far_end, lead};

/// What a process of this program does for a transport, by its first argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// At the far end: runs what a [`NodeRequest`](crate::NodeRequest) says, for as long as its input goes on.
    FarEnd,
    /// At the far end: leads the command that a [`Led`](crate::Led) says, and hears orders on its input.
    Lead,
    /// At the far end: removes a file.
    Remove,
    /// Here: carries bytes between us and an engine.
    Carry,
}

impl Role {
    const ALL: [Role; 4] = [Role::FarEnd, Role::Lead, Role::Remove, Role::Carry];

    /// The one that a first argument names.
    #[must_use]
    pub fn of(argument: &OsStr) -> Option<Self> {
        Role::ALL.into_iter().find(|role| argument == role.word())
    }

    /// Does it with the arguments that follow, and gives the code to exit with.
    #[must_use]
    pub fn main(self, args: &[OsString]) -> ExitCode {
        match self {
            Role::FarEnd => far_end::main(),
            Role::Lead => lead::main(),
            Role::Remove => far_end::remove(Path::new(args.first().map_or(OsStr::new(""), |path| path))),
            Role::Carry => carry::main(),
        }
    }

    /// The argument that names it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Role::FarEnd => "--internal-far",
            Role::Lead => "--internal-lead",
            Role::Remove => "--internal-remove",
            Role::Carry => "--internal-carry",
        }
    }
}
