//! A command without its type, and how it is found by what people call it.

use std::ffi::OsString;
use std::fmt::Debug;
use std::process::ExitCode;

use cli::Command;

/// A command: its name, and what can be done with it.
///
/// ```
/// use toolkit::Entry;
///
/// const LS: Entry = Entry::of::<filters::ls::Ls>("subunit-ls");
/// assert_eq!((LS.words(), LS.link()), ("ls".to_owned(), Some("subunit-ls")));
/// assert_eq!(LS.about(), "List the tests of a subunit stream");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// What it is called: `subunit-ls`, or `subunit load` where it has no name without `subunit`.
    pub name: &'static str,
    /// Its command line, which is built when this is called.
    pub command: fn() -> clap::Command,
    /// Runs the whole program. The first argument is the name by which it was called.
    pub main: fn(&[OsString]) -> ExitCode,
}

impl Entry {
    /// The entry of a command.
    #[must_use]
    pub const fn of<C: Command>(name: &'static str) -> Self {
        Entry { name, command: C::command, main: cli::main_of::<C> }
    }

    /// The words after `subunit` that call it: `ls`, `2csv`, `check eos`, `tap2subunit`.
    #[must_use]
    pub fn words(&self) -> String {
        match self.component() {
            Some(component) => format!("check {component}"),
            None => self.word().to_owned(),
        }
    }

    /// What a check checks: `eos`.
    pub(crate) fn component(&self) -> Option<&'static str> {
        self.name.strip_prefix("check-")
    }

    /// The word after `subunit` that calls it: `check-eos` for a check.
    pub(crate) fn word(&self) -> &'static str {
        match self.name.strip_prefix("subunit") {
            Some(rest) => rest.trim_start_matches(['-', ' ']),
            None => self.name,
        }
    }

    /// The name of a link by which it is called.
    #[must_use]
    pub fn link(&self) -> Option<&'static str> {
        (!self.name.contains(' ')).then_some(self.name)
    }

    /// Whether this is its name; monitoring spells the name of a check `check_eos`.
    #[must_use]
    pub fn is_named(&self, name: &str) -> bool {
        match (name.strip_prefix("check_"), self.component()) {
            (Some(asked), Some(component)) => asked == component,
            _ => name == self.name,
        }
    }

    /// What it is, in a line.
    #[must_use]
    pub fn about(&self) -> String {
        (self.command)().get_about().map(ToString::to_string).unwrap_or_default()
    }

    /// What it is called when it is called by this word after `subunit`, if it is.
    pub(crate) fn called_by(&self, word: &str) -> Option<String> {
        if self.is_named(word) {
            return Some(word.to_owned());
        }
        (word == self.word()).then(|| format!("subunit {word}"))
    }
}

/// Commands that belong together.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// What they are for.
    pub title: &'static str,
    /// The commands.
    pub entries: &'static [Entry],
}

/// A list of commands. Commands that show the registry are themselves in it, and know it only through this trait.
pub trait CommandTable: Debug + Send + Sync + 'static {
    /// All commands.
    const SECTIONS: &'static [Section];

    /// All commands, one after the other.
    fn entries() -> impl Iterator<Item = &'static Entry> {
        Self::SECTIONS.iter().flat_map(|section| section.entries)
    }

    /// The command that these words after `subunit` name, how many of the words do, and what it is called then.
    fn find(words: &[&str]) -> Option<ResolvedCommand> {
        if let [first @ "check", second, ..] = words {
            let name = format!("{first}-{second}");
            let entry = Self::entries().find(|entry| entry.is_named(&name))?;
            return Some(ResolvedCommand { entry, called: name, words: 2 });
        }
        let word = words.first()?;
        let found =
            |entry: &'static Entry| Some(ResolvedCommand { entry, called: entry.called_by(word)?, words: 1 });
        Self::entries().find_map(found)
    }
}

/// A command, and how it was called.
#[derive(Clone, Debug)]
pub struct ResolvedCommand {
    /// Which command it is.
    pub entry: &'static Entry,
    /// The name that it goes by in messages and usage texts.
    pub called: String,
    /// How many words named it.
    pub words: usize,
}
