//! Which command a command line asks for.
//!
//! The name by which the program was called tells, or else the first word. Only the parser of the chosen command is
//! built, besides the small one here: a program that starts in a millisecond can be called in a shell loop.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;
use clap::Parser as _;
use cli::{Command, Streams, Verdict};
use runs::OnRepository;
use runs::compare::Compare;
use runs::info::Info;

use crate::entry::{CommandTable as _, Entry, ResolvedCommand};
use crate::help;
use crate::registry::Registry;

/// `subunit`, as long as it is not known which command is meant.
#[derive(clap::Parser, Debug)]
#[command(
    name = "subunit",
    version,
    disable_help_flag = true,
    disable_help_subcommand = true,
    override_usage = help::USAGE
)]
pub struct Subunit {
    #[arg(short = 'C', long = "repository", value_name = "DIR")]
    repository: Option<PathBuf>,
    #[arg(short, long)]
    help: bool,
    #[command(subcommand)]
    command: Option<CommandWords>,
}

#[derive(clap::Subcommand, Debug)]
enum CommandWords {
    #[command(external_subcommand)]
    All(Vec<OsString>),
}

/// Runs the program.
#[must_use]
pub fn main(args: &[OsString]) -> ExitCode {
    if let Some(code) = checks::all::internal(args) {
        return code;
    }
    if let Some(entry) = called_as(args.first()) {
        return (entry.main)(args);
    }
    match Subunit::try_parse_from(args).ok().and_then(|subunit| subunit.call()) {
        Some((entry, args)) => (entry.main)(&args),
        None => cli::main_of::<Subunit>(args),
    }
}

/// The command that has the name of the program.
fn called_as(program: Option<&OsString>) -> Option<&'static Entry> {
    let name = Path::new(program?).file_name()?.to_str()?;
    Registry::entries().find(|entry| entry.link().is_some() && entry.is_named(name))
}

impl Subunit {
    /// The command that is meant, and its command line.
    fn call(&self) -> Option<(&'static Entry, Vec<OsString>)> {
        let CommandWords::All(words) = self.command.as_ref().filter(|_| !self.help)?;
        let known: Vec<_> = words.iter().map_while(|word| word.to_str()).collect();
        let ResolvedCommand { entry, called, words: named } = Registry::find(&known)?;
        let place = self.repository.iter().flat_map(|path| [OsString::from("-C"), path.into()]);
        let rest = words.iter().skip(named).cloned();
        let args: Vec<_> = [called.into()].into_iter().chain(place).chain(rest).collect();
        Some((of_runs(entry, &args).unwrap_or(entry), args))
    }
}

/// `subunit stats` and `subunit diff` were about stored runs before they were about streams, and are when they name
/// no file.
fn of_runs(entry: &Entry, args: &[OsString]) -> Option<&'static Entry> {
    let (is_meant, word) = match (args.first()?.to_str()?, entry.name) {
        ("subunit stats", _) => (OnRepository::<Info>::try_parse_from(args).is_ok(), "info"),
        ("subunit diff", _) => (OnRepository::<Compare>::try_parse_from(args).is_ok(), "compare"),
        _ => return None,
    };
    Registry::find(&[word]).filter(|_| is_meant).map(|found| found.entry)
}

impl Command for Subunit {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        match self.command {
            _ if self.help => {
                help::overview::<Registry>(streams.output)?;
                Ok(Verdict::Passed)
            }
            Some(CommandWords::All(words)) => bail!("{}", help::unknown::<Registry>(&asked(&words))),
            None => {
                help::overview::<Registry>(streams.errors)?;
                Ok(Verdict::Error)
            }
        }
    }
}

/// The words that should have named a command.
fn asked(words: &[OsString]) -> String {
    let count = if words.first().is_some_and(|word| word == "check") { 2 } else { 1 };
    let words: Vec<_> = words.iter().take(count).map(OsString::as_os_str).collect();
    words.join(OsStr::new(" ")).to_string_lossy().into_owned()
}
