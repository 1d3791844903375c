//! Which aspects are looked at because options were given for them.

use clap::parser::ValueSource;
use clap::{ArgMatches, Command};
use cli::OptionFacts;

/// The options that give ranges.
const RANGES: [&str; 2] = ["warning", "critical"];

/// What options were given for. An option that is given for nothing would be an answer to a question that nobody
/// asked: what it is about is looked at, whatever the kind of probe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// These options, with the aspects that they are about.
    options: Vec<(String, &'static [&'static str])>,
    /// The numbers that ranges were given for, each with the option.
    pub ranges: Vec<(String, String)>,
}

impl Asked {
    /// By what was given of these options, as they declare it.
    #[must_use]
    pub fn of(command: &Command, matches: &ArgMatches) -> Self {
        let is_given = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
        let options = command.get_arguments().filter_map(|argument| {
            let aspects = OptionFacts::of(argument).aspects;
            let is_given = !aspects.is_empty() && is_given(argument.get_id().as_str());
            is_given.then(|| (format!("--{}", argument.get_long().unwrap_or_default()), aspects))
        });
        let of = |id: &'static str| {
            let texts = matches.try_get_many::<String>(id).ok().flatten().into_iter().flatten();
            let names = texts.filter_map(|text| text.split_once('=').map(|(name, _)| name.to_owned()));
            names.map(move |name| (format!("--{id}"), name))
        };
        let ranges = RANGES.into_iter().filter(|id| is_given(id)).flat_map(of);
        Asked { options: options.collect(), ranges: ranges.collect() }
    }

    /// Whether an option was given for this aspect.
    #[must_use]
    pub fn names(&self, aspect: &str) -> bool {
        self.options.iter().any(|(_, aspects)| aspects.contains(&aspect))
    }

    /// The options that were given for none of these aspects, each with what it is about.
    pub fn idle(&self, aspects: &[&str]) -> impl Iterator<Item = (&str, &'static [&'static str])> {
        let is_idle = |names: &[&str]| !names.iter().any(|name| aspects.contains(name));
        let idle = self.options.iter().filter(move |(_, names)| is_idle(names));
        idle.map(|(option, names)| (option.as_str(), *names))
    }
}

/// The options by which one asks for an aspect.
pub(super) fn options_for(command: &Command, aspect: &str) -> Vec<String> {
    let is_for = |argument: &&clap::Arg| OptionFacts::of(argument).aspects.contains(&aspect);
    let longs = command.get_arguments().filter(is_for).filter_map(clap::Arg::get_long);
    longs.map(|long| format!("--{long}")).collect()
}
