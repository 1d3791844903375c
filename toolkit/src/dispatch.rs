//! Which command a command line asks for.
//!
//! The name by which the program was called tells, or else the first word. Only the parser of the chosen command is
//! built, besides the small one here: a program that starts in a millisecond can be called in a shell loop.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::iter::successors;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;
use clap::Parser as _;
use cli::{Codes, Command, Streams, Verdict};
use runs::OnRepository;
use runs::compare::Compare;
use runs::info::Info;

use crate::entry::{CommandTable as _, Entry, ResolvedCommand};
use crate::help;
use crate::registry::Registry;

/// More links than this, one leading to the next, are a circle.
const LONGEST_CHAIN: usize = 8;

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
    if let Some(code) = checks::all::internal(args).or_else(|| runs::run::guard::internal(args)) {
        return code;
    }
    cli::set_version(env!("SUBUNIT_VERSION"));
    let program = args.first().map(Path::new).unwrap_or(Path::new(""));
    if let Some(entry) = called_as(program) {
        return (entry.main)(args);
    }
    if let Some(name) = program.file_name().filter(|name| is_of_a_check(name)) {
        return cli::main_of::<Subunit>(&[name, name].map(OsString::from));
    }
    match Subunit::try_parse_from(args).ok().and_then(|subunit| subunit.call()) {
        Some((entry, args)) => (entry.main)(&args),
        None => cli::main_of::<Subunit>(args),
    }
}

/// The command that has the name of the program, or of a link that the program is called through, or with whose name
/// the program's begins, as monitoring calls a check with a target: `check_eos_user`.
fn called_as(program: &Path) -> Option<&'static Entry> {
    let name = program.file_name()?.to_str()?;
    if name == "subunit" {
        return None;
    }
    named(name).or_else(|| links(program).find_map(|name| named(name.to_str()?))).or_else(|| variant(name))
}

fn named(name: &str) -> Option<&'static Entry> {
    Registry::entries().find(|entry| entry.link().is_some() && entry.is_named(name))
}

/// The names of the links, one leading to the next, from this one to the program.
fn links(program: &Path) -> impl Iterator<Item = OsString> {
    let is_path = program.parent().is_some_and(|folder| !folder.as_os_str().is_empty());
    let folders = env::var_os("PATH").filter(|_| !is_path).unwrap_or_default();
    let found = env::split_paths(&folders).map(|folder| folder.join(program)).find(|path| path.is_symlink());
    let target = |link: &PathBuf| Some(link.parent()?.join(fs::read_link(link).ok()?));
    successors(found.or_else(|| is_path.then(|| program.to_owned())), target)
        .skip(1)
        .take(LONGEST_CHAIN)
        .filter_map(|path| path.file_name().map(OsStr::to_owned))
}

/// The check with whose name this one begins; what follows is not a letter.
fn variant(name: &str) -> Option<&'static Entry> {
    let asked = name.strip_prefix("check_").or_else(|| name.strip_prefix("check-"))?.to_ascii_lowercase();
    let rest = |entry: &Entry| asked.strip_prefix(entry.component()?)?.chars().next().or(Some(' '));
    Registry::entries().find(|entry| rest(entry).is_some_and(|next| !next.is_ascii_alphabetic()))
}

/// Whether monitoring, or a person, means a check by this name.
fn is_of_a_check(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| name.starts_with("check_") || name.starts_with("check-"))
}

impl Subunit {
    /// The command that is meant, and its command line.
    fn call(&self) -> Option<(&'static Entry, Vec<OsString>)> {
        let CommandWords::All(words) = self.command.as_ref().filter(|_| !self.help)?;
        let known: Vec<_> = words.iter().map_while(|word| word.to_str()).collect();
        let ResolvedCommand { entry, called, words: named } = Registry::find(&known)?;
        let rest: Vec<_> = words.iter().skip(named).cloned().collect();
        let args = |place: Vec<OsString>| [vec![called.clone().into()], place, rest.clone()].concat();
        let Some(path) = &self.repository else {
            let args = args(Vec::new());
            return Some((of_runs(entry, &args).unwrap_or(entry), args));
        };
        let with_place = args(vec![OsString::from("-C"), path.into()]);
        let entry = of_runs(entry, &with_place).unwrap_or(entry);
        // A command that needs no repository does not mind to be told where one is.
        Some((entry, if takes_repository(entry) { with_place } else { args(Vec::new()) }))
    }
}

fn takes_repository(entry: &Entry) -> bool {
    (entry.command)().get_arguments().any(|arg| arg.get_short() == Some('C'))
}

/// `subunit stats` and `subunit diff` were about stored runs before they were about streams, and are when they name
/// no file.
fn of_runs(entry: &Entry, args: &[OsString]) -> Option<&'static Entry> {
    let (is_meant, word) = match (args.first()?.to_str()?, entry.name) {
        ("subunit stats", _) => {
            let is_of_stream = args.iter().any(|arg| arg == "--json");
            (!is_of_stream && OnRepository::<Info>::try_parse_from(args).is_ok(), "info")
        }
        ("subunit diff", _) => {
            let names_files = args.iter().skip(1).any(is_of_a_file);
            let parsed = OnRepository::<Compare>::try_parse_from(args);
            let is_of_files = parsed.as_ref().is_ok_and(OnRepository::is_of_files);
            (!is_of_files && (!names_files || parsed.is_ok()), "compare")
        }
        _ => return None,
    };
    Registry::find(&[word]).filter(|_| is_meant).map(|found| found.entry)
}

/// Whether it looks like the name of a file, or there is one of this name.
fn is_of_a_file(arg: &OsString) -> bool {
    let text = arg.to_string_lossy();
    !text.starts_with('-') && (text.contains(['.', '/']) || Path::new(arg).exists())
}

impl Command for Subunit {
    fn codes(args: &[OsString]) -> Codes {
        let is_plugin = |program: &OsString| program.to_string_lossy().starts_with("check_");
        if args.first().is_some_and(is_plugin) { Codes::Plugin } else { Codes::House }
    }

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
