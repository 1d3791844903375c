//! Places that commands run at, and how to get there: this machine, hosts over ssh, containers.
//!
//! A [`Site`] is the address of a place, and a [`Transport`] the way there. Whatever the way is, a command at a place
//! has a process *here* that stands for it, which is followed like any other ([`process::Follow`]): what it reads,
//! writes and ends with is what the command there does. For [`Local`] it is the command itself, for [`Ssh`] the
//! system's ssh, for [`Container`] this program once more, which speaks to the engine.
//!
//! What has to hold when something between dies, and why it is done as it is:
//!
//! - *Signals do not travel.* Neither ssh nor an engine hands one on. What does come through, whatever dies on the way,
//!   is the end of an input. So what runs there is led by a process of this program, the [far end](Role::FarEnd),
//!   that ends it when its own input ends.
//! - *Command lines and environments can be seen by everyone* who is there. What the far end has to do, secrets
//!   included, is one line on its input: a [`NodeRequest`].
//! - *The program that is there is this one*: a [`Node`] puts a statically linked copy of it there, once, named after
//!   its digest and verified, so that both ends are always of the same version.
//! - *An end that is not known is not an end.* When the way breaks, nothing says whether the command still runs:
//!   [`NodeExit::Lost`] is neither an exit code nor a signal.
//!
//! What runs for long and is told what to do meanwhile is [led](Led): its process, its outputs and its end come as
//! [`Told`], and [`Order`]s go to it by the input that it already has.
//!
//! Every operation has a [`Wait`]: no transport hangs for longer than whoever asked wants to wait.

mod carry;
mod command;
mod container;
mod engine;
mod exit;
mod failure;
mod far_end;
mod file;
mod lead;
mod local;
mod look;
mod node;
mod program;
mod request;
mod role;
mod site;
mod ssh;

use std::fmt;

use process::{Exit, Follow, Following, Wait};

pub use command::NodeCommand;
pub use container::Container;
pub use engine::{CreatedExec, Engine, ExecState, permission_hint};
pub use exit::NodeExit;
pub use failure::NodeFailure;
pub use file::NodeFile;
pub use lead::{Heard, Leading, Led, LedEnd, Order, Place, Told};
pub use local::Local;
pub use look::Look;
pub use node::Node;
pub use program::{BINARY, NodeProgram, PROGRAM};
pub use request::{NodeRequest, Word, kept_file};
pub use role::Role;
pub use site::{ContainerName, Host, LOCAL, Site, is_user};
pub use ssh::Ssh;

/// A way to a place that commands run at.
///
/// ```
/// use std::time::Duration;
/// use process::{Deadline, Follow, Timeouts, Wait};
/// use transport::{Local, NodeCommand, NodeExit, NodeFile, Transport};
///
/// let wait = Wait::until(Deadline::after(Duration::from_secs(10)));
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("greet").display().to_string();
/// let script = NodeFile { path: &path, content: b"#!/bin/sh\necho hello\n", mode: 0o755 };
/// Local.put(&script, wait)?;
///
/// let command = NodeCommand::new("/bin/sh").arg(&path);
/// let mut written = Vec::new();
/// let ending = Local.spawn(&command, Follow::new(wait, Timeouts::COMMAND))?.to_the_end(
///     &mut |_: process::Source, bytes: &[u8]| {
///         written.extend_from_slice(bytes);
///         Ok(())
///     },
/// )?;
/// assert_eq!((written.as_slice(), Local.exit(&ending.exit)), (&b"hello\n"[..], NodeExit::Process(ending.exit)));
/// Local.remove(&path, wait)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Transport: fmt::Debug + Send + Sync {
    /// Looks what kind of machine the place is, and whether this program is there.
    ///
    /// # Errors
    ///
    /// When the place cannot be reached in time, or no folder there can hold programs.
    fn look(&self, program: &NodeProgram, wait: Wait<'_>) -> Result<Look, NodeFailure>;

    /// Starts a command there; what it gives is the process here that stands for it. What the command reads is
    /// [`Follow::input`]; how it ended says [`Transport::exit`].
    ///
    /// # Errors
    ///
    /// When the process here cannot be started.
    fn spawn<'a>(&self, command: &NodeCommand, follow: Follow<'a>) -> Result<Following<'a>, NodeFailure>;

    /// How a command there ended whose process here ended like this.
    fn exit(&self, exit: &Exit) -> NodeExit;

    /// Puts a file there, whole or not at all, in place of one that is there.
    ///
    /// # Errors
    ///
    /// When it is not there in time, or what is there is not what was put.
    fn put(&self, file: &NodeFile<'_>, wait: Wait<'_>) -> Result<(), NodeFailure>;

    /// The content of a file there; `None` if there is no such file.
    ///
    /// # Errors
    ///
    /// When it cannot be had in time, or is longer than this many bytes.
    fn get(&self, path: &str, limit: usize, wait: Wait<'_>) -> Result<Option<Vec<u8>>, NodeFailure>;

    /// Removes a file there, and its folder if that is one for programs and nothing else is in it. A file that is not
    /// there is removed.
    ///
    /// # Errors
    ///
    /// When that is not done in time.
    fn remove(&self, path: &str, wait: Wait<'_>) -> Result<(), NodeFailure>;
}
