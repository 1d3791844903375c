//! `subunit-mux`: many streams become one.
//!
//! A single file is passed on by a plain loop. Otherwise one thread reads all sources, each a task that takes
//! its turn, and another one writes: the `hub` says how the slow hold back nobody, the `output_queue` how a slow
//! reader holds back all.

mod args;
mod child;
mod control;
mod direct;
mod feed;
mod hub;
mod listen;
mod names;
mod output_queue;
mod rewrite;
mod serve;
mod source;
mod stream;

use std::io::{Read, Write, stdout};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use cli::value::{NamedCommand, NamedFile, RouteNames, duration};
use cli::{Command, PathError, Streams, Verdict};
use process::timeouts::GRACE_TEXT;
use rustix::pipe::fcntl_setpipe_size;
use streamresult::{TagChange, failure};

use args::{Address, ExitStatus};

use direct::Interruptible;
use hub::{Settings, Tally, failure_id};
use listen::BoundSocket;
use names::{Kind, SourceSpec, specs};
use serve::{Plan, PlannedSource};

/// Make one stream of many, each packet with its source's name before its route
///
/// Sources are files, FIFOs, commands and connections; stdin when nothing else is given. All are read at the
/// same time, and what one sends is passed on at once, whatever the others do. The packets of a source stay
/// in order. Text becomes the file "stdout" of the source's route, damage a failing test "subunit.parser".
#[derive(clap::Parser, Clone, Debug)]
#[command(
    name = "subunit-mux",
    version,
    after_help = cli::help!(
        [
            Passed = "all was passed on, whatever the tests did",
            Failed = "children failed: any of them, or all, as --exit-status says",
        ],
        "  subunit-mux x86=x86.subunit arm=arm.subunit | subunit2junitxml -o report.xml\n  \
           subunit-mux --exec 'w1=ssh w1 run-tests' --exec 'w2=ssh w2 run-tests' --exit-status any\n  \
           subunit-mux --listen unix:/run/user/1000/mux.sock > nightly.subunit\n  \
           subunit-mux --route host7 < run.subunit\n  \
           subunit-mux --stdin-route --exec 'dbg=python3 -m pdb test.py' < control.subunit"
    )
)]
pub struct Mux {
    /// Files and FIFOs to read; - is stdin. Without a NAME, a source is named by its number: 0, 1, …
    ///
    /// Files are counted first, then commands, then connections. A name that is taken already gets a suffix: -2.
    #[arg(value_name = "[NAME=]FILE")]
    files: Vec<NamedFile>,
    /// Run a command by `sh -c`, in a process group of its own, and read its output
    ///
    /// Its error output becomes the file "stderr" of its route. Unless it exits with 0, or its stream has a failure, a
    /// failing test "subunit-mux.NAME" says so. What stands before the first = is the name, unless it contains a blank
    /// or a quote; write `env A=1 command` to set a variable.
    #[arg(long, value_name = "[NAME=]COMMAND", help_heading = "Sources")]
    exec: Vec<NamedCommand>,
    /// Take connections, each of which is a source: unix:PATH or tcp:HOST:PORT
    ///
    /// With other sources, it listens until these have ended and no connection is open; alone, until SIGINT or
    /// SIGTERM. Port 0 means any free port, which is told on stderr. There is no authentication and no encryption:
    /// whoever can connect can write results. To a path only this user can connect, to a port every user of this
    /// machine, and with --listen-any those of other machines.
    #[arg(long, value_name = "ADDRESS", help_heading = "Sources")]
    listen: Vec<Address>,
    /// Let --listen take TCP connections from other machines
    #[arg(long, requires = "listen", help_heading = "Sources")]
    listen_any: bool,
    /// How many connections may be open at a time; more wait until one ends
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..), help_heading = "Sources")]
    max_connections: u32,
    /// Put no names before routes
    #[arg(long, help_heading = "Packets")]
    no_route: bool,
    /// Put this route code before all others: CODE/NAME; or just CODE, with --no-route or when stdin is the only source
    #[arg(long, value_name = "CODE", help_heading = "Packets")]
    route: Option<String>,
    /// Add no time to packets that have none
    #[arg(long, help_heading = "Packets")]
    no_stamp: bool,
    /// Add this tag to every packet
    #[arg(long, value_name = "TAG", help_heading = "Packets")]
    tag: Vec<String>,
    /// Read control packets from stdin, not a source: pieces of a file "stdin" go to the child that their route names
    ///
    /// If the route is just the child's name, the bytes go to its stdin, and the end of the file closes it. If the
    /// route is longer, the name is taken off and the child gets the packet, as another subunit-mux expects it.
    #[arg(long, requires = "exec", help_heading = "Sources")]
    stdin_route: bool,
    /// When to exit with 1
    #[arg(long, value_name = "WHEN", default_value = "none")]
    exit_status: ExitStatus,
    /// Treat a packet as text when it is not complete this long after its first byte: 500ms, 1m; without a unit, seconds
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Sources")]
    stall_timeout: Option<Duration>,
    /// Time between SIGTERM and SIGKILL for children, and for processes that they leave behind to close their output
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = GRACE_TEXT, help_heading = "Sources")]
    grace: Duration,
}

impl Command for Mux {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        streams.terminal.refuse_packets()?;
        let Streams { input, output, errors, interrupt, .. } = streams;
        let mut names = RouteNames::default();
        let (settings, mut sources) = self.plan(&mut names)?;
        widen_output();
        let is_single = self.listen.is_empty() && self.stall_timeout.is_none();
        let tally = match &mut *sources {
            [PlannedSource { kind: Kind::Stdin, .. }] if is_single => {
                pass_one(sources.remove(0), Path::new("stdin"), input, output)?
            }
            [PlannedSource { kind: Kind::File(path), .. }] if is_single && path.is_file() => {
                let path = path.clone();
                pass_one(sources.remove(0), &path, Interruptible::open(&path, &interrupt), output)?
            }
            _ => {
                let bound = self.bind(errors)?;
                let plan = Plan { settings, sources, bound, names, input, is_control: self.stdin_route };
                serve::run(plan, output, &interrupt)?
            }
        };
        for error in &tally.errors {
            writeln!(errors, "subunit-mux: {error}")?;
        }
        Ok(self.verdict(&tally))
    }
}

impl Mux {
    /// What to read, under which names, and what becomes of it.
    fn plan(&self, names: &mut RouteNames) -> anyhow::Result<(Settings, Vec<PlannedSource>)> {
        let specs = specs(&self.files, &self.exec, !self.listen.is_empty());
        let reads_stdin = specs.iter().any(|spec| spec.kind == Kind::Stdin);
        ensure!(!(self.stdin_route && reads_stdin), "with --stdin-route, stdin cannot be a source");
        let is_stdin_alone = self.listen.is_empty() && *specs == [SourceSpec::STDIN];
        let settings = Settings {
            route: self.route.clone().filter(|route| !route.is_empty()),
            has_names: !self.no_route && !is_stdin_alone,
            tags: (!self.tag.is_empty()).then(|| Arc::new(TagChange::new(self.tag.iter().cloned(), [""; 0]))),
            stamp: !self.no_stamp,
            grace: self.grace,
            stall: self.stall_timeout,
            connections: self.max_connections as usize,
        };
        let sources = specs.into_iter().map(|SourceSpec { name, kind }| {
            let name = names.give(name.or_else(|| is_stdin_alone.then(|| "stdin".to_owned())));
            let rewrite = settings.rewrite(&name).with_context(|| format!("{name:?} is not a route"))?;
            Ok(PlannedSource { name, kind, rewrite })
        });
        let sources = sources.collect::<anyhow::Result<_>>()?;
        Ok((settings, sources))
    }

    fn bind(&self, errors: &mut dyn Write) -> anyhow::Result<Vec<BoundSocket>> {
        let bind = |address: &Address| {
            let bound = BoundSocket::new(address, self.listen_any)?;
            if let Some(chosen) = bound.chosen(address) {
                writeln!(errors, "subunit-mux: listening on tcp:{chosen}")?;
            }
            Ok(bound)
        };
        self.listen.iter().map(bind).collect()
    }

    fn verdict(&self, tally: &Tally) -> Verdict {
        if !tally.errors.is_empty() {
            Verdict::Error
        } else if self.exit_status.has_failed(tally.failed, tally.children) {
            Verdict::Failed
        } else {
            Verdict::Passed
        }
    }
}

/// Makes room in the pipe to our reader, where it is one: so writing and reading go on side by side.
fn widen_output() {
    // It need not be a pipe, nor may be made larger.
    let _ = fcntl_setpipe_size(stdout(), 1 << 20);
}

/// Passes on one source alone.
fn pass_one(
    source: PlannedSource,
    path: &Path,
    input: impl Read,
    output: &mut dyn Write,
) -> anyhow::Result<Tally> {
    let PlannedSource { name, mut rewrite, .. } = source;
    let mut tally = Tally::default();
    if let Err(error) = direct::pass(input, &mut rewrite, output)? {
        let reason = format!("{:#}", anyhow::Error::from(PathError::wrap("read", path, error)));
        let mut event = Vec::new();
        rewrite.event(&failure(&failure_id(&name), &reason), &mut event);
        output.write_all(&event)?;
        tally.errors.push(reason);
    }
    Ok(tally)
}
