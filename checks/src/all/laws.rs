//! What holds for the options and the aspects of all checks.

use std::ffi::OsString;

use clap::Arg;
use cli::OptionFacts;
use probe::{Plan, Selection};

use super::registry::{CHECKS, Entry};
use crate::config::Config;

/// What an option stands for nothing without.
const COMPANIONS: [(&str, &str); 3] =
    [("log-lines", "log-error = \"x\""), ("expect", "user = \"u\""), ("server-name", "user = \"u\"")];

fn options(entry: &Entry) -> Vec<Arg> {
    let all = (entry.command)();
    all.get_arguments().filter(|argument| argument.get_long().is_some()).cloned().collect()
}

/// Something to look at, as the check's own option says it.
fn target(check: &str) -> &'static str {
    match check {
        "command" => "command = \"true\"",
        "container" => "container = \"c\"",
        "cvmfs" => "path = \"a.ch\"",
        "database" => "path = \"hub.sqlite\"",
        "eos" => "path = \"/eos/u\"",
        "tcp" => "place = \"127.0.0.1:1\"",
        _ => "url = \"http://a/\"",
    }
}

/// A value that the option takes.
fn sample(option: &Arg, file: &str) -> String {
    if !option.get_action().takes_values() {
        return "true".to_owned();
    }
    if let Some(word) = option.get_possible_values().first() {
        return format!("{:?}", word.get_name());
    }
    let name = option.get_value_names().and_then(<[_]>::first).map(|name| name.as_str());
    let text = match name.unwrap_or_default() {
        "URL" => "http://127.0.0.1:1/",
        "ADDRESS" => "127.0.0.1",
        "N" => "5",
        "CODES" => "200",
        "SIZE" => "1kB",
        "VERSION" => "1.0",
        "NAME=VALUE" => "a=1",
        "FILE" => file,
        _ => "x",
    };
    format!("{text:?}")
}

/// The tests of a target with these lines.
fn tests(entry: &Entry, lines: &str, also: &Selection) -> Result<Vec<String>, String> {
    let (check, target) = (entry.name, target(entry.name));
    let text = format!("[[target]]\nname = \"it\"\ncheck = \"{check}\"\n{target}\n{lines}\n");
    let config = Config::parse(&text).map_err(|error| format!("{error:#}"))?;
    let mut plan = Plan::new();
    let args = [OsString::from(format!("check-{check}"))];
    let target = config.targets.first().ok_or("no target")?;
    let added =
        (entry.plan)(target, &config, &args, also, &mut plan).and_then(|_| plan.ensure_selected(also));
    added.map_err(|error| format!("{error:#}"))?;
    Ok(plan.tests().iter().map(|test| test.id.clone()).collect())
}

#[test]
fn every_option_says_what_it_is_about() {
    for entry in CHECKS {
        for option in options(entry) {
            let is_told = option.get::<OptionFacts>().is_some() || option.is_hide_set();
            let is_shared =
                ["only", "skip", "warning", "critical", "color"].map(Some).contains(&option.get_long());
            assert!(is_told || is_shared, "--{} of check-{}", option.get_long().unwrap(), entry.name);
        }
    }
}

#[test]
fn every_option_that_an_aspect_needs_selects_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "{}").unwrap();
    for entry in CHECKS {
        let aspects: Vec<_> = (entry.aspects)().iter().map(probe::AspectFacts::name).collect();
        for option in options(entry) {
            let long = option.get_long().unwrap();
            let needed = OptionFacts::of(&option).aspects;
            assert!(needed.iter().all(|name| aspects.contains(name)), "--{long} of check-{}", entry.name);
            if needed.is_empty() {
                continue;
            }
            let companion = COMPANIONS.iter().find(|(other, _)| *other == long && entry.name != "tcp");
            let lines = format!(
                "probe = \"startup\"\n{long} = {}\n{}",
                sample(&option, file.to_str().unwrap()),
                companion.map_or("", |(_, line)| line)
            );
            let tests = tests(entry, &lines, &Selection::default()).unwrap();
            let is_selected = |name: &&str| tests.contains(&format!("{}.it.{name}", entry.name));
            assert!(needed.iter().any(is_selected), "{lines}: {tests:?}");
        }
    }
}

#[test]
fn every_aspect_that_is_named_is_looked_at_or_what_it_takes_is_said() {
    for entry in CHECKS {
        for facts in (entry.aspects)() {
            for pattern in [facts.name().to_owned(), format!("{}.*.{}", entry.name, facts.name())] {
                let found = tests(entry, &format!("only = [{pattern:?}]"), &Selection::default());
                match found {
                    Ok(tests) => {
                        let id = format!("{}.it.{}", entry.name, facts.name());
                        assert!(tests.contains(&id), "{pattern}: {tests:?}");
                    }
                    Err(error) => {
                        let is_told = error.contains("it takes --") || error.contains("here has it");
                        assert!(is_told, "{pattern}: {error}");
                    }
                }
            }
        }
    }
}
