//! `subunit man`: manual pages.

use std::fs;
use std::io::{self, Write};
use std::marker::PhantomData;
use std::path::PathBuf;

use anyhow::Context as _;
use clap_mangen::roff::{Roff, bold, roman};
use cli::{Command, Streams, Verdict};

use crate::entry::{CommandTable, Entry};
use crate::help::{OPTIONS, USAGE};

/// Write a manual page for each command
///
/// DIR is made if it does not exist. It gets subunit.1 and a page for each command, such as subunit-ls.1,
/// subunit-load.1 and check-eos.1.
#[derive(clap::Parser, Debug)]
#[command(
    name = "subunit man",
    version,
    after_help = cli::help!(
        [Passed = "all pages were written"],
        "  subunit man ~/.local/share/man/man1 && man subunit-load"
    )
)]
pub struct Man<T: CommandTable> {
    /// The folder to write them to
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    #[arg(skip)]
    table: PhantomData<T>,
}

impl<T: CommandTable> Command for Man<T> {
    fn run(self, _: Streams<'_>) -> anyhow::Result<Verdict> {
        let folder = &self.folder;
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let mut pages = vec![("subunit".to_owned(), overview::<T>()?)];
        for entry in T::entries() {
            pages.push((name(entry), page(entry)?));
        }
        for (name, page) in pages {
            let path = folder.join(format!("{name}.1"));
            fs::write(&path, page).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(Verdict::Passed)
    }
}

/// The name of the page of a command.
fn name(entry: &Entry) -> String {
    entry.name.replace(' ', "-")
}

fn manual(command: clap::Command) -> clap_mangen::Man {
    clap_mangen::Man::new(command).manual("subunit toolkit")
}

/// The page of a command: what its help says, in the order of manual pages.
fn page(entry: &Entry) -> io::Result<Vec<u8>> {
    let command = (entry.command)().display_name(name(entry)).bin_name(entry.name);
    let end = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let man = manual(command);
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    write_end(&end, &mut page)?;
    see_also(["subunit(1)".to_owned()].into_iter(), &mut page)?;
    Ok(page)
}

/// The end of a help as sections: each begins with a line of its own, as `Examples:`; lines stay lines.
fn write_end(text: &str, page: &mut Vec<u8>) -> io::Result<()> {
    let mut roff = Roff::new();
    for line in text.lines() {
        if let Some(title) = line.strip_suffix(':').filter(|title| !title.starts_with(' ')) {
            roff.control("fi", []).control("SH", [&*title.to_uppercase()]).control("nf", []);
        } else {
            roff.text([roman(line)]);
        }
    }
    roff.control("fi", []).to_writer(page)
}

fn see_also(pages: impl Iterator<Item = String>, page: &mut Vec<u8>) -> io::Result<()> {
    let pages: Vec<String> = pages.collect();
    Roff::new().control("SH", ["SEE ALSO"]).text([roman(pages.join(", "))]).to_writer(page)
}

/// The page of the program: all commands, one per line.
fn overview<T: CommandTable>() -> io::Result<Vec<u8>> {
    let command =
        clap::Command::new("subunit").about("work with subunit streams of test results, and keep runs");
    let man = manual(command.version(env!("CARGO_PKG_VERSION")));
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    let mut roff = Roff::new();
    roff.control("SH", ["SYNOPSIS"]).text([roman(USAGE)]);
    roff.control("SH", ["OPTIONS"]);
    for (option, about) in OPTIONS {
        roff.control("TP", []).text([bold(option)]).text([roman(about)]);
    }
    for section in T::SECTIONS {
        roff.control("SH", [&*section.title.to_uppercase()]);
        for entry in section.entries {
            roff.control("TP", [])
                .text([bold(format!("subunit {}", entry.words()))])
                .text([roman(entry.about())]);
        }
    }
    roff.to_writer(&mut page)?;
    page.flush()?;
    see_also(T::entries().map(|entry| format!("{}(1)", name(entry))), &mut page)?;
    Ok(page)
}
