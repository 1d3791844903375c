//! Which aspects are looked at because options were given for them.

use clap::parser::ValueSource;
use clap::{ArgMatches, Command};
use cli::OptionFacts;

/// The aspects that options were given for, with these options. An option that is given for nothing would be an
/// answer to a question that nobody asked: what it is about is looked at, whatever the kind of probe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked(Vec<(String, &'static [&'static str])>);

impl Asked {
    /// By what was given of these options, as they declare it.
    #[must_use]
    pub fn of(command: &Command, matches: &ArgMatches) -> Self {
        let given = command.get_arguments().filter_map(|argument| {
            let aspects = OptionFacts::of(argument).aspects;
            let is_given = !aspects.is_empty()
                && matches.value_source(argument.get_id().as_str()) == Some(ValueSource::CommandLine);
            is_given.then(|| (format!("--{}", argument.get_long().unwrap_or_default()), aspects))
        });
        Asked(given.collect())
    }

    /// Whether an option was given for this aspect.
    #[must_use]
    pub fn names(&self, aspect: &str) -> bool {
        self.0.iter().any(|(_, aspects)| aspects.contains(&aspect))
    }

    /// The first option that was given for none of these aspects, with what it is about.
    #[must_use]
    pub fn unmatched<'a>(&'a self, aspects: &[&str]) -> Option<(&'a str, &'static [&'static str])> {
        let is_idle = |names: &[&str]| !names.iter().any(|name| aspects.contains(name));
        self.0.iter().find(|(_, names)| is_idle(names)).map(|(option, names)| (option.as_str(), *names))
    }
}

/// The options by which one asks for an aspect.
pub(super) fn options_for(command: &Command, aspect: &str) -> Vec<String> {
    let is_for = |argument: &&clap::Arg| OptionFacts::of(argument).aspects.contains(&aspect);
    let longs = command.get_arguments().filter(is_for).filter_map(clap::Arg::get_long);
    longs.map(|long| format!("--{long}")).collect()
}
