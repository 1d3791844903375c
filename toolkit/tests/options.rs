//! The options of all commands: one name is one idea, and what they were called before is known.

use std::collections::{BTreeMap, BTreeSet};

use clap::{Arg, Command};
use toolkit::{CommandTable as _, Registry};

/// What an option was called before, or is called by python-subunit: both work, and the help shows one.
const OLD_NAMES: &[(&str, &str)] = &[
    ("output", "output-to"),
    ("route", "route-code"),
    ("routes", "route"),
    ("status", "outcome"),
    ("retries", "retry"),
    ("expect-fail", "expect-failure"),
    ("mime-type", "mimetype"),
    ("dir", "directory"),
    ("dir", "to"),
    ("exit-zero", "no-verdict"),
    ("properties", "property"),
];

/// Options that are known for the sake of scripts, or of our own processes, and not shown.
const HIDDEN: &[(&str, &str)] = &[
    ("check-", "internal-task"),
    ("subunit load", "partial"),
    ("subunit merge", "partial"),
    ("subunit-filter", "error"),
    ("subunit-filter", "match-details"),
    ("subunit-filter", "no-error"),
    ("subunit-ls", "allow-empty"),
    ("subunit-stats", "allow-empty"),
    ("subunit2csv", "allow-empty"),
    ("subunit2pyunit", "progress"),
];

/// Names with several kinds of value, and why; what is not listed has one.
const SEVERAL_KINDS: &[(&str, &[&str])] = &[
    // A command, whole or word by word.
    ("command", &["COMMAND", "WORD"]),
    // One source, or one of many, which have names.
    ("exec", &["COMMAND", "[NAME=]COMMAND"]),
    // python-subunit's: in `subunit-output` the name of a status is followed by a test, in `subunit-filter` and
    // `subunit-ls` it stands for all tests of that status; and checks leave out tests by their names.
    ("exists", &["", "TEST_ID"]),
    ("id", &["ID", "REGEX", "TEST_ID"]),
    ("skip", &["", "GLOB", "TEST_ID"]),
    ("success", &["", "TEST_ID"]),
    ("xfail", &["", "TEST_ID"]),
    // What is expected of what is looked at, or of the sources.
    ("expect", &["N", "REGEX", "STATE"]),
    // The one test that there is, or one of many.
    ("expect-fail", &["", "ID=REASON[,until=DATE]"]),
    // A run, or where a file is as good, that.
    ("run", &["RUN", "RUN|FILE"]),
    // A list, to print or to read.
    ("list", &["", "FILE"]),
    // Which tests are run: a pattern of their ids, and for suites all that a query can ask.
    ("only", &["GLOB", "QUERY"]),
    // What is looked at, which each component has a word for.
    ("path", &["DATABASE", "PATH", "REPOSITORY"]),
    // Of tests, and of HTTP.
    ("status", &["CODES", "STATUS"]),
];

fn commands() -> impl Iterator<Item = (&'static str, Command)> {
    Registry::entries().map(|entry| (entry.name, (entry.command)()))
}

/// What the help of an option shows as its value; nothing for a flag.
fn value(arg: &Arg) -> String {
    if !arg.get_action().takes_values() {
        return String::new();
    }
    let names = arg.get_value_names().unwrap_or_default();
    names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(" ")
}

#[test]
fn old_names_are_listed_here_and_nowhere_shown() {
    let mut found = BTreeSet::new();
    for (_, command) in commands() {
        for arg in command.get_arguments() {
            let shown: Vec<&str> = arg.get_visible_aliases().unwrap_or_default();
            let all = arg.get_all_aliases().unwrap_or_default();
            let long = arg.get_long().unwrap_or_default().to_owned();
            found.extend(
                all.into_iter()
                    .filter(|name| !shown.contains(name))
                    .map(|name| (long.clone(), name.to_owned())),
            );
        }
    }
    let listed = OLD_NAMES.iter().map(|(new, old)| ((*new).to_owned(), (*old).to_owned())).collect();
    assert_eq!(found, listed);
}

#[test]
fn hidden_options_are_listed_here() {
    let mut found = BTreeSet::new();
    for (name, command) in commands() {
        let hidden = command.get_arguments().filter(|arg| arg.is_hide_set());
        // All checks have the same.
        let name = if name.starts_with("check-") { "check-" } else { name };
        found.extend(hidden.map(|arg| (name.to_owned(), arg.get_long().unwrap_or_default().to_owned())));
    }
    let listed = HIDDEN.iter().map(|(command, name)| ((*command).to_owned(), (*name).to_owned())).collect();
    assert_eq!(found, listed);
}

#[test]
fn a_name_is_one_idea() {
    let mut values: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (_, command) in commands() {
        for arg in command.get_arguments() {
            if let Some(long) = arg.get_long() {
                values.entry(long.to_owned()).or_default().insert(value(arg));
            }
        }
    }
    values.retain(|_, values| values.len() > 1);
    let listed = SEVERAL_KINDS
        .iter()
        .map(|(name, values)| ((*name).to_owned(), values.iter().map(|value| (*value).to_owned()).collect()))
        .collect();
    assert_eq!(values, listed);
}

/// As python's argparse takes it: what begins one option only is enough, in the new spelling and in the old.
#[test]
fn beginnings_are_enough() {
    let check = |name: &str, args: &[&str]| {
        let entry = Registry::entries().find(|entry| entry.name == name).unwrap();
        let command = (entry.command)().infer_long_args(true);
        let line = std::iter::once(name).chain(args.iter().copied());
        assert!(command.try_get_matches_from(line).is_ok(), "{name} {args:?}");
    };
    for option in ["--output-to=x", "--output=x", "--outp=x", "--output-t=x", "--no-pass", "--forw"] {
        check("subunit2junitxml", &[option]);
    }
    for option in ["--mimetype=a/b", "--mime=a/b", "--mime-type=a/b", "--mimet=a/b"] {
        check("subunit-output", &["--attach-file=x", option]);
    }
    for option in ["--directory=x", "--direc=x", "--dir=x"] {
        check("subunit2disk", &[option]);
    }
    for option in ["--route", "--routes", "--exists", "--times"] {
        check("subunit-ls", &[option]);
    }
    check("subunit-filter", &["--only", "--fixup=/dev/null", "--error", "--no-error", "-e"]);
    check("subunit-exec", &["a", "--retry=1", "--expect-failure", "--route-code=x", "--", "true"]);
    check("subunit-exec", &["a", "--retries=1", "--expect-fail", "--route=x", "--", "true"]);
}

/// Commands that print data and have no `--json`, and why.
const WITHOUT_JSON: &[&str] = &[
    // They write a format of their own; `subunit2json` is that for packets, with their bytes.
    "subunit-dump",
    "subunit2csv",
    "subunit2disk",
    "subunit2github",
    "subunit2html",
    "subunit2json",
    "subunit2junitxml",
    "subunit2openmetrics",
    "subunit2otlp",
    "subunit2markdown",
    "subunit2pyunit",
    "subunit2tap",
    "subunit2text",
    "subunit export",
    // Each of its pages has JSON beside it.
    "subunit serve",
    // They do something, and say what they did.
    "subunit import",
    "subunit init",
    "subunit load",
    "subunit merge",
    "subunit pin",
    "subunit prune",
    "subunit rebuild",
    "subunit unpin",
];

#[test]
fn what_prints_data_prints_it_for_programs() {
    let sections = ["Report what is in a stream", "Keep runs in a repository, and ask about them"];
    let reports = Registry::SECTIONS.iter().filter(|section| sections.contains(&section.title));
    let without: BTreeSet<&str> = reports
        .flat_map(|section| section.entries)
        .filter(|entry| !has((entry.command)(), "json"))
        .map(|entry| entry.name)
        .collect();
    assert_eq!(without, WITHOUT_JSON.iter().copied().collect());
}

/// What shows people how tests ended, besides all checks.
const COLORED: &[&str] = &[
    "subunit compare",
    "subunit failing",
    "subunit history",
    "subunit last",
    "subunit log",
    "subunit run",
    "subunit show",
    "subunit-diff",
    "subunit-lint",
    "subunit2text",
];

#[test]
fn color_is_one_option_wherever_there_is_colour() {
    for (name, command) in commands() {
        let expected = COLORED.contains(&name) || name.starts_with("check-");
        let color = command.get_arguments().find(|arg| arg.get_long() == Some("color"));
        assert_eq!(color.is_some(), expected, "{name}");
        let Some(color) = color else { continue };
        let values: Vec<_> = color.get_possible_values();
        let values: Vec<&str> = values.iter().map(|value| value.get_name()).collect();
        assert_eq!(values, ["auto", "always", "never"], "{name}");
    }
}

fn has(command: Command, long: &str) -> bool {
    command.get_arguments().any(|arg| arg.get_long() == Some(long))
}

/// As many options as can be read in one go.
const AT_ONCE: usize = 14;

#[test]
fn many_options_are_listed_in_groups() {
    for (name, command) in commands() {
        let shown = command.get_arguments().filter(|arg| !arg.is_hide_set() && !arg.is_positional());
        let without_group = shown.filter(|arg| arg.get_help_heading().is_none()).count();
        assert!(without_group <= AT_ONCE, "{name}: {without_group}");
    }
}
