//! `subunit completions`: what shells complete.

use std::fs;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::builder::PossibleValuesParser;
use clap_complete::{Generator, Shell, generate};
use cli::{Command, Streams, Verdict};

use crate::entry::CommandTable;
use crate::help;

/// Write what a shell needs to complete all commands
///
/// Both `subunit` with its commands and each command under its own name are completed. Without --dir, this writes one
/// script to stdout; with it, a file for each name, which shells load when they need it.
#[derive(clap::Parser, Debug)]
#[command(
    name = "subunit completions",
    version,
    after_help = cli::help!(
        [Passed = "they were written"],
        "  source <(subunit completions bash)\n  \
           subunit completions bash --dir ~/.local/share/bash-completion/completions\n  \
           subunit completions zsh --dir ~/.zfunc\n  \
           subunit completions fish --dir ~/.config/fish/completions\n  \
           subunit completions powershell >>$PROFILE"
    )
)]
pub struct Completions<T: CommandTable> {
    /// Which shell
    #[arg(value_name = "SHELL", value_enum)]
    shell: ShellName,
    /// Write files to this folder, which is made if it does not exist
    #[arg(long = "dir", alias = "to", value_name = "DIR")]
    to: Option<PathBuf>,
    #[arg(skip)]
    table: PhantomData<T>,
}

/// The shells that are tested. Open: others may follow.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum ShellName {
    Bash,
    Zsh,
    Fish,
    Powershell,
}

impl ShellName {
    fn generator(self) -> Shell {
        match self {
            ShellName::Bash => Shell::Bash,
            ShellName::Zsh => Shell::Zsh,
            ShellName::Fish => Shell::Fish,
            ShellName::Powershell => Shell::PowerShell,
        }
    }
}

impl<T: CommandTable> Command for Completions<T> {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let shell = self.shell.generator();
        for (name, mut command) in all::<T>() {
            match &self.to {
                None => streams.output.write_all(&script(shell, &mut command, name))?,
                Some(folder) => write(shell, name, &mut command, folder)?,
            }
        }
        Ok(Verdict::Passed)
    }
}

fn write(shell: Shell, name: &str, command: &mut clap::Command, folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let path = folder.join(shell.file_name(name));
    let failed = || format!("cannot write {}", path.display());
    fs::write(&path, script(shell, command, name)).with_context(failed)
}

/// The script for a name. What generates it panics when it cannot write, which a vector always can.
fn script(shell: Shell, command: &mut clap::Command, name: &str) -> Vec<u8> {
    let mut script = Vec::new();
    generate(shell, command, name, &mut script);
    script
}

/// The command lines of all names.
fn all<T: CommandTable>() -> impl Iterator<Item = (&'static str, clap::Command)> {
    let alone = T::entries().filter_map(|entry| Some((entry.link()?, (entry.command)())));
    [("subunit", whole::<T>())].into_iter().chain(alone)
}

/// `subunit` with all its commands; no command line is parsed with it.
fn whole<T: CommandTable>() -> clap::Command {
    let mut whole =
        clap::Command::new("subunit").version(env!("CARGO_PKG_VERSION")).disable_help_subcommand(true).arg(
            clap::arg!(-C --repository <DIR> "Use the repository in DIR")
                .value_hint(clap::ValueHint::DirPath),
        );
    let mut check = clap::Command::new("check").about("Check a running service");
    for entry in T::entries() {
        let mut command = (entry.command)();
        if entry.name == "subunit help" {
            let words = help::first_words::<T>().map(clap::builder::PossibleValue::new);
            command = command.mut_arg("words", |arg| arg.value_parser(PossibleValuesParser::new(words)));
        }
        match entry.component() {
            Some(component) => check = check.subcommand(command.name(component)),
            None => whole = whole.subcommand(command.name(entry.word())),
        }
    }
    whole.subcommand(check)
}
