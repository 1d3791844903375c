//! What holds for every command of the registry, and what the README says of them.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::collections::HashSet;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use toolkit::{CommandTable as _, Registry};

#[test]
fn the_arguments_of_every_command_are_sound() {
    Registry::entries().for_each(|entry| (entry.command)().debug_assert());
}

#[test]
fn every_command_knows_its_name_and_what_it_does() {
    for entry in Registry::entries() {
        assert_eq!((entry.command)().get_name(), entry.name);
        let about = entry.about();
        assert!(
            (10..=100).contains(&about.chars().count()) && !about.ends_with('.'),
            "{}: {about}",
            entry.name
        );
    }
}

#[test]
fn every_help_has_examples_and_exit_status() {
    for entry in Registry::entries() {
        let help = (entry.command)().render_long_help().to_string();
        let (_, end) = help.split_once("\nExamples:\n").unwrap_or_else(|| panic!("{}: {help}", entry.name));
        assert!(end.contains("\nExit status:\n  0 ") && end.contains("\n  2 "), "{}: {help}", entry.name);
    }
}

#[test]
fn no_two_commands_are_called_alike() {
    let mut seen = HashSet::new();
    for entry in Registry::entries() {
        assert!(seen.insert(entry.words()), "{}", entry.name);
        assert!(seen.insert(entry.name.to_owned()) || entry.words() == entry.name, "{}", entry.name);
    }
}

const BEGIN: &str = "| command | what it does |\n|---|---|\n";

fn table() -> String {
    let mut table = BEGIN.to_owned();
    for section in Registry::SECTIONS {
        writeln!(table, "| **{}** | |", section.title).unwrap();
        for entry in section.entries {
            writeln!(table, "| `{}` | {} |", entry.name, entry.about()).unwrap();
        }
    }
    table
}

/// `SUBUNIT_BLESS=1` writes the table.
#[test]
fn the_readme_has_the_table_of_the_registry() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once("\n\n").unwrap();
    let expected = format!("{before}{}\n{after}", table());
    if env::var_os("SUBUNIT_BLESS").is_some() {
        fs::write(path, expected).unwrap();
    } else {
        assert!(readme == expected, "SUBUNIT_BLESS=1 writes this table:\n{}", table());
    }
}
