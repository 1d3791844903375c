//! `subunit help`: the commands, one of them, or a topic.

use std::io::{self, Write};
use std::marker::PhantomData;

use anyhow::bail;
use cli::{ColorArgs, Command, Streams, Verdict, suggest};

use crate::entry::{CommandTable, Entry, ResolvedCommand};
use crate::topics::{TOPICS, Topic};

/// How `subunit` is called.
pub(crate) const USAGE: &str = "subunit [-C DIR] COMMAND [ARGUMENTS]...";
/// The options of the program itself, and what they do.
pub(crate) const OPTIONS: [(&str, &str); 3] = [
    ("-C, --repository DIR", "Use the repository in DIR (for commands of the repository)"),
    ("-h, --help", "List the commands"),
    ("-V, --version", "Print version"),
];

/// Show what commands there are, one of them, or a topic
///
/// Without COMMAND or TOPIC, all of them are listed.
#[derive(clap::Parser, Debug)]
#[command(
    name = "subunit help",
    version,
    after_help = cli::help!(
        [Passed = "the help was shown"],
        "  subunit help\n  \
           subunit help load\n  \
           subunit help check eos\n  \
           subunit help exit-codes"
    )
)]
pub struct Help<T: CommandTable> {
    /// A command (`ls`, `check eos`, `subunit-ls`) or a topic: concepts, exit-codes, formats, json, routes,
    /// selectors
    #[arg(value_name = "COMMAND | TOPIC")]
    words: Vec<String>,
    #[arg(skip)]
    table: PhantomData<T>,
}

impl<T: CommandTable> Command for Help<T> {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        let Some(asked) = words.first() else {
            overview::<T>(streams.output)?;
            return Ok(Verdict::Passed);
        };
        if let Some(topic) = TOPICS.iter().find(|topic| topic.name == *asked) {
            topic.text.iter().try_for_each(|piece| streams.output.write_all(piece.as_bytes()))?;
            return Ok(Verdict::Passed);
        }
        match T::find(&words) {
            Some(found) if found.words == words.len() => {
                let color = ColorArgs::default().output(&streams.terminal);
                one(found, color, streams.output)?;
                Ok(Verdict::Passed)
            }
            _ => bail!("{}", unknown::<T>(&words.join(" "))),
        }
    }
}

/// The help of a command.
fn one(
    ResolvedCommand { entry, called, .. }: ResolvedCommand,
    color: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let help = (entry.command)().bin_name(called).render_long_help();
    if color { write!(out, "{}", help.ansi()) } else { write!(out, "{help}") }
}

/// Lists the commands, one per line.
pub(crate) fn overview<T: CommandTable>(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "Work with subunit streams of test results, and keep runs\n\nUsage: {USAGE}")?;
    for section in T::SECTIONS {
        writeln!(out, "\n{}:", section.title)?;
        for entry in section.entries {
            writeln!(out, "  {:17} {}", entry.words(), entry.about())?;
        }
    }
    writeln!(out, "\nTopics of `subunit help`:")?;
    for Topic { name, about, .. } in TOPICS {
        writeln!(out, "  {name:17} {about}")?;
    }
    writeln!(out, "\nOptions:")?;
    for (option, about) in OPTIONS {
        writeln!(out, "  {option:20}  {about}")?;
    }
    out.write_all(END.as_bytes())
}

const END: &str = "
`subunit ls --help` or `subunit help ls` shows one command. `subunit links DIR` makes a name for each that needs no
`subunit` before it: subunit-ls, subunit2csv, tap2subunit, check-eos.
";

/// What may stand behind `subunit help`, without the second words: `ls`, `check`, `exit-codes`.
pub(crate) fn first_words<T: CommandTable>() -> impl Iterator<Item = &'static str> {
    let commands = T::entries().filter(|entry| entry.component().is_none()).map(Entry::word);
    commands.chain(["check"]).chain(TOPICS.iter().map(|topic| topic.name))
}

/// Says that there is no such command, and what may be meant.
pub(crate) fn unknown<T: CommandTable>(asked: &str) -> String {
    let words: Vec<String> = T::entries().map(Entry::words).collect();
    let names = T::entries().map(|entry| entry.name);
    let topics = TOPICS.iter().map(|topic| topic.name);
    let meant = suggest(asked, words.iter().map(String::as_str).chain(names).chain(topics));
    let end = if meant.is_empty() { ";" } else { &meant };
    format!("there is no command `{asked}`{end} `subunit help` lists all")
}
