//! Checks that are run elsewhere: on a host, over ssh, or in a container of Docker or Podman.
//!
//! The crate [`transport`] brings this program there, which has all checks, and leads what runs there. Each target
//! has a process here that stands for its check there, and is followed, and ended in time, like a check of this
//! machine. What to run goes through its input, secrets included: [`words`].

mod args;
mod state;
mod words;

use std::ffi::OsString;
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStringExt as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use process::{Deadline, Interrupt, Wait};
use subunit::PacketBuf;
use transport::{
    Container, Node, NodeCommand, NodeFailure, NodeProgram, NodeRequest, Role, Site, Ssh, Transport,
};

pub use args::RemoteArgs;

use args::DELAY;
use state::KeptState;

use super::child::{Ended, Input, Job};
use super::registry::Entry;
use super::unit::Unit;

/// The first argument of a check whose arguments are its input; the second is its name.
pub(super) const ARGUMENTS: &str = "--internal-arguments";
/// How long it may take to end the transport's process when it is late.
const ENDING: Duration = Duration::from_millis(500);
/// How long removing what was copied may take.
const REMOVING: Duration = Duration::from_secs(10);

/// The nodes other than this machine.
#[derive(Debug, Default)]
pub(super) struct Remote {
    nodes: Vec<Arc<Node>>,
    reach_timeout: Duration,
    /// Whether what was copied is to be removed.
    no_cache: bool,
}

impl Remote {
    /// The nodes of these sites, reached as the arguments say.
    ///
    /// # Errors
    ///
    /// When there is no program that could be copied there.
    pub(super) fn new<'a>(args: &RemoteArgs, sites: impl Iterator<Item = &'a Site>) -> anyhow::Result<Self> {
        let mut nodes: Vec<Arc<Node>> = Vec::new();
        let mut program = None;
        for site in sites {
            let Some(transport) = transport(site, args) else { continue };
            if nodes.iter().any(|node| node.site() == site) {
                continue;
            }
            let program = match &program {
                Some(program) => program,
                None => program.insert(NodeProgram::find(args.remote_binary.as_deref())?),
            };
            nodes.push(Arc::new(Node::new(site.clone(), transport, program.clone(), args.reach_timeout)));
        }
        Ok(Remote { nodes, reach_timeout: args.reach_timeout, no_cache: args.no_cache })
    }

    /// What checks a unit at its site, if that is not this machine.
    pub(super) fn check_at(&self, site: &Site) -> Option<RemoteCheck> {
        let node = self.nodes.iter().find(|node| node.site() == site)?;
        Some(RemoteCheck { node: Arc::clone(node), reach_timeout: self.reach_timeout })
    }

    /// Removes what was copied, where that is asked for; why it could not be, where it could not.
    pub(super) fn clear(&self) -> Vec<String> {
        let nodes = self.nodes.iter().filter(|_| self.no_cache);
        nodes.filter_map(|node| node.remove_program(Wait::until(Deadline::after(REMOVING)))).collect()
    }
}

/// The way to a site; none to this machine.
fn transport(site: &Site, args: &RemoteArgs) -> Option<Box<dyn Transport>> {
    Some(match site.clone() {
        Site::Here => return None,
        Site::Ssh(host) => {
            let (options, config) = (args.ssh_options.clone(), args.ssh_config.clone());
            Box::new(Ssh { host, options, config, connect_timeout: args.reach_timeout })
        }
        Site::Container(name) => Box::new(Container::new(name, args.engine.clone())),
    })
}

/// Checks units at a node.
#[derive(Debug)]
pub(super) struct RemoteCheck {
    node: Arc<Node>,
    reach_timeout: Duration,
}

impl RemoteCheck {
    /// Checks a unit there, and hands its packets on.
    pub(super) fn run(
        &self,
        unit: &Unit,
        left: Duration,
        interrupt: &Interrupt,
        mut on_packet: impl FnMut(PacketBuf),
    ) -> Ended {
        let end = Deadline::after(left);
        let job = self.node.program(end, interrupt).and_then(|path| {
            let own = unit.time.saturating_sub(self.reach_timeout);
            let left = end.remaining().unwrap_or(own).min(own);
            self.job(unit, path, left, interrupt)
                .map_err(|error| NodeFailure::new(process::chain(error.as_ref())))
        });
        let (job, mut kept) = match job {
            Ok(job) => job,
            Err(NodeFailure::Interrupted) => return Ended { interrupted: true, ..Ended::default() },
            Err(NodeFailure::Failed { reason, stderr }) => return Ended { stderr, ..Ended::broken(reason) },
        };
        let mut ended = job.run(self.node.transport(), interrupt, |packet| {
            let is_state = kept.as_mut().is_some_and(|kept| kept.take(&packet.packet()));
            if !is_state {
                on_packet(packet);
            }
        });
        if let Some(kept) = kept {
            ended.add_errors(&kept.warnings(unit.entry.name));
        }
        ended
    }

    /// What is run there, and the state that comes back.
    fn job(
        &self,
        unit: &Unit,
        path: String,
        left: Duration,
        interrupt: &Interrupt,
    ) -> anyhow::Result<(Job, Option<KeptState>)> {
        let own = left.saturating_sub(DELAY).max(left / 2);
        let mut words = unit.settings(own).iter().map(words::word).collect::<anyhow::Result<Vec<_>>>()?;
        let open = |path| KeptState::open(unit.entry.name, path, interrupt);
        let (kept, state) = unit.state.as_deref().map(open).transpose()?.unzip();
        words.extend(state);
        words.push(words::load_list(unit.ids()));
        let (check, site) = (unit.entry.name, self.node.site());
        let request = NodeRequest::new(format!("check-{check}"), &[ARGUMENTS, check], own);
        let request = request.words(words).variables(unit.entry.variables).line()?;
        let job = Job {
            command: NodeCommand::new(path).arg(Role::FarEnd.word()).called("check-all"),
            called: format!("check-{check} on {site}"),
            input: Input::Request { request, place: site.to_string() },
            tests: unit.ids(),
            deadline: Deadline::after(left.saturating_sub(ENDING)),
        };
        Ok((job, kept))
    }
}

/// Is the check, with the arguments that the input holds: a command line can be seen by everyone.
pub(super) fn be(entry: &Entry) -> ExitCode {
    let mut bytes = Vec::new();
    let _read = io::stdin().read_to_end(&mut bytes);
    let words = bytes.split(|byte| *byte == 0).map(|word| OsString::from_vec(word.to_vec()));
    let called = OsString::from(format!("check-{}", entry.name));
    let arguments: Vec<_> = std::iter::once(called).chain(words).collect();
    (entry.main)(&arguments)
}
