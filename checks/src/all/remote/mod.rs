//! Checks that are run elsewhere: on a host, over ssh, or in a container of Docker or Podman.
//!
//! The program that is run there is this one, which has all checks: a [`Node`] puts a statically linked copy of it
//! there, once for all targets, named after its digest and verified. Each target then has a process here, the
//! transport, that connects us to its check there ([`ssh`], or [`carry`] for a container); it is followed, and ended
//! in time, like a check of this machine. What to run goes through its input, secrets included ([`request`]), and
//! the end of that input ends the check there ([`far_end`]), whatever has become of us.

mod args;
mod binary;
mod carry;
mod command;
mod container;
mod far_end;
mod request;
mod site;
mod ssh;
mod state;

use std::ffi::OsStr;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use process::{Deadline, Interrupt, Wait};
use subunit::PacketBuf;

pub use args::RemoteArgs;
pub(super) use far_end::be;
pub use site::{Container, Host, Site};

use args::DELAY;
use binary::Program;
use command::Failure;
use container::ContainerTransport;
use request::Request;
use ssh::Ssh;
use state::LockedState;

use super::PROGRAM;
use super::child::{Ended, Input, Job};
use super::unit::Unit;

/// The first argument of a check whose arguments are its input; the second is its name.
pub(super) const ARGUMENTS: &str = "--internal-arguments";
/// The exit code for a transport that is lost.
const LOST: u8 = 255;
/// How long it may take to end the transport's process when it is late.
const ENDING: Duration = Duration::from_millis(500);
/// How long removing what was copied may take.
const REMOVING: Duration = Duration::from_secs(10);

/// What a process of this program does for a check that is run elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// At the far end: runs a check.
    FarEnd,
    /// At the far end: removes the program.
    Remove,
    /// Here: carries bytes between us and an engine.
    Carry,
}

impl Role {
    const ALL: [Role; 3] = [Role::FarEnd, Role::Remove, Role::Carry];

    /// The one that a first argument names.
    pub(super) fn of(argument: &OsStr) -> Option<Self> {
        Role::ALL.into_iter().find(|role| argument == role.word())
    }

    pub(super) fn main(self) -> ExitCode {
        match self {
            Role::FarEnd => far_end::main(),
            Role::Remove => far_end::remove(),
            Role::Carry => carry::main(),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Role::FarEnd => "--internal-far",
            Role::Remove => "--internal-remove",
            Role::Carry => "--internal-carry",
        }
    }
}

/// The nodes other than this machine.
#[derive(Debug, Default)]
pub(super) struct Remote(Vec<Arc<Node>>);

impl Remote {
    /// The nodes of these sites, reached as the arguments say.
    ///
    /// # Errors
    ///
    /// When there is no program that could be copied there.
    pub(super) fn new<'a>(args: &RemoteArgs, sites: impl Iterator<Item = &'a Site>) -> anyhow::Result<Self> {
        let mut nodes: Vec<Arc<Node>> = Vec::new();
        let mut program = None;
        for site in sites.filter(|site| site.is_remote()) {
            if nodes.iter().any(|node| node.site == *site) {
                continue;
            }
            let program = match &program {
                Some(program) => program,
                None => program.insert(Program::find(args.remote_binary.as_deref())?),
            };
            nodes.extend(Node::new(site, args, program.clone()).map(Arc::new));
        }
        Ok(Remote(nodes))
    }

    /// The node of a site; none for this machine.
    pub(super) fn node(&self, site: &Site) -> Option<Arc<Node>> {
        self.0.iter().find(|node| node.site == *site).cloned()
    }

    /// Removes what was copied, where that is asked for; why it could not be, where it could not.
    pub(super) fn clear(&self) -> Vec<String> {
        self.0.iter().filter_map(|node| node.clear()).collect()
    }
}

/// Where checks are run elsewhere: a site, how to get there, and the copy of the program there.
#[derive(Debug)]
pub(super) struct Node {
    site: Site,
    transport: Transport,
    program: Program,
    reach: Duration,
    is_kept: bool,
    /// Where the program is there, once somebody has looked.
    path: Mutex<Option<Result<String, Failure>>>,
}

#[derive(Debug)]
enum Transport {
    Ssh(Ssh),
    Container(ContainerTransport),
}

impl Node {
    fn new(site: &Site, args: &RemoteArgs, program: Program) -> Option<Self> {
        let reach = args.reach_timeout;
        let transport = match site.clone() {
            Site::Here => return None,
            Site::Ssh(host) => {
                let (options, config) = (args.ssh_options.clone(), args.ssh_config.clone());
                Transport::Ssh(Ssh { host, options, config, time: reach })
            }
            Site::Container(container) => {
                Transport::Container(ContainerTransport { container, engine: args.engine.clone() })
            }
        };
        let (site, is_kept) = (site.clone(), !args.no_cache);
        Some(Node { site, transport, program, reach, is_kept, path: Mutex::new(None) })
    }

    /// Checks a unit there, and hands its packets on.
    pub(super) fn check(
        &self,
        unit: &Unit,
        left: Duration,
        interrupt: &Interrupt,
        mut on_packet: impl FnMut(PacketBuf),
    ) -> Ended {
        let end = Deadline::after(left);
        let failed = |error: anyhow::Error| Failure::new(format!("{error:#}"));
        let job = self.path(end, interrupt).and_then(|path| {
            let own = unit.time.saturating_sub(self.reach);
            let left = end.remaining().unwrap_or(own).min(own);
            let (kept, state) =
                unit.state.as_deref().map(LockedState::open).transpose().map_err(failed)?.unzip();
            Ok((self.job(unit, state, &path, left)?, kept))
        });
        match job {
            Ok((job, kept)) => job.run(interrupt, |packet| {
                let is_state = kept.as_ref().is_some_and(|kept| kept.take(&packet.packet()));
                if !is_state {
                    on_packet(packet);
                }
            }),
            Err(Failure::Interrupted) => Ended { interrupted: true, ..Ended::default() },
            Err(Failure::Failed { reason, stderr }) => Ended { stderr, ..Ended::broken(reason) },
        }
    }

    /// Where the program is there; the first one who asks has it brought there, and the others wait for that.
    fn path(&self, end: Deadline, interrupt: &Interrupt) -> Result<String, Failure> {
        let mut path = self.path.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(path) = &*path {
            return path.clone();
        }
        let wait = Wait { deadline: end.earlier(Deadline::after(self.reach)), interrupt };
        let found = match &self.transport {
            Transport::Ssh(ssh) => ssh.prepare(&self.program, wait),
            Transport::Container(container) => container.prepare(&self.program, wait),
        };
        path.insert(found).clone()
    }

    /// The process here that connects us to the check there.
    fn job(&self, unit: &Unit, state: Option<String>, path: &str, left: Duration) -> Result<Job, Failure> {
        let failed = |error: anyhow::Error| Failure::new(format!("{error:#}"));
        let own = left.saturating_sub(DELAY).max(left / 2);
        let milliseconds = u64::try_from(own.as_millis()).unwrap_or(u64::MAX);
        let request = Request::new(unit.entry, &unit.settings(own), unit.ids(), state, milliseconds);
        let mut request = request.and_then(|request| request.line()).map_err(failed)?;
        let command = match &self.transport {
            Transport::Ssh(ssh) => ssh.far(path, Role::FarEnd.word()),
            Transport::Container(container) => {
                let order = container.order(path, Role::FarEnd.word())?;
                let mut line = serde_json::to_vec(&order).map_err(|error| failed(error.into()))?;
                line.push(b'\n');
                request.splice(..0, line);
                let mut command = Command::new(PROGRAM);
                command.arg0("check-all").arg(Role::Carry.word());
                command
            }
        };
        Ok(Job {
            command,
            called: format!("check-{} on {}", unit.entry.name, self.site),
            input: Input::Request { request, place: self.site.to_string() },
            tests: unit.ids(),
            deadline: Deadline::after(left.saturating_sub(ENDING)),
        })
    }

    fn clear(&self) -> Option<String> {
        let path = self.path.lock().unwrap_or_else(PoisonError::into_inner).take()?.ok()?;
        if self.is_kept {
            return None;
        }
        let wait = Wait::until(Deadline::after(REMOVING));
        let removed = match &self.transport {
            Transport::Ssh(ssh) => ssh.remove(&path, wait),
            Transport::Container(container) => container.remove(&path, wait),
        };
        match removed {
            Err(Failure::Failed { reason, .. }) => Some(format!("{path} is left on {}: {reason}", self.site)),
            Ok(()) | Err(Failure::Interrupted) => None,
        }
    }
}
