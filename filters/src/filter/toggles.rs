//! The flags of `subunit-filter` that override each other: the last one of a kind counts.

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches};
use streamresult::Outcome;

/// What the flags said; `None` is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Toggles {
    success: Option<bool>,
    failure: Option<bool>,
    skip: Option<bool>,
    xfail: Option<bool>,
    text: Option<bool>,
}

impl Toggles {
    /// Whether tests with this outcome stay. `selected` says that other options tell what is wanted: then
    /// passing tests stay too unless a flag says otherwise.
    ///
    /// Three outcomes always do: unexpected success, which is a failure that is not a `fail`, unfinished, which
    /// nobody should overlook, and `exists`, which is not one.
    pub(crate) fn keeps(self, outcome: Outcome, selected: bool) -> bool {
        match outcome {
            Outcome::Success => self.success.unwrap_or(selected),
            Outcome::XFail => self.xfail.unwrap_or(selected),
            Outcome::Fail => self.failure.unwrap_or(true),
            Outcome::Skip => self.skip.unwrap_or(true),
            Outcome::Exists | Outcome::UxSuccess | Outcome::Unfinished => true,
        }
    }

    /// Whether text between packets, and files that belong to no test, stay.
    pub(crate) fn keeps_text(self) -> bool {
        self.text.unwrap_or(true)
    }
}

/// A flag: its name, its letter, what `--help` says, and what it sets.
struct Flag(&'static str, Option<char>, &'static str, fn(&mut Toggles));

const FLAGS: [Flag; 13] = [
    Flag("success", Some('s'), "Keep successful tests", |flags| flags.success = Some(true)),
    Flag("no-success", None, "Drop successful tests, which is the default", |flags| {
        flags.success = Some(false);
    }),
    Flag("xfail", None, "Keep tests that failed as expected", |flags| flags.xfail = Some(true)),
    Flag("no-xfail", None, "Drop tests that failed as expected, which is the default", |flags| {
        flags.xfail = Some(false);
    }),
    Flag("failure", None, "Keep failed tests, which is the default", |flags| flags.failure = Some(true)),
    Flag("no-failure", Some('f'), "Drop failed tests", |flags| flags.failure = Some(false)),
    Flag("skip", None, "Keep skipped tests, which is the default", |flags| flags.skip = Some(true)),
    Flag("no-skip", None, "Drop skipped tests", |flags| flags.skip = Some(false)),
    Flag("error", None, "For scripts: the protocol has no errors beside failures", |_| {}),
    Flag("no-error", Some('e'), "For scripts: the protocol has no errors beside failures", |_| {}),
    Flag(
        "passthrough",
        None,
        "Keep text between packets, and files of no test, which is the default",
        |flags| {
            flags.text = Some(true);
        },
    ),
    Flag("no-passthrough", None, "Drop text between packets, and files of no test", |flags| {
        flags.text = Some(false);
    }),
    Flag(
        "only-genuine-failures",
        Some('F'),
        "Short for --no-success --no-skip --no-xfail --no-passthrough",
        |flags| {
            let no = Some(false);
            *flags = Toggles { success: no, skip: no, xfail: no, text: no, ..*flags };
        },
    ),
];

impl clap::Args for Toggles {
    fn augment_args(command: clap::Command) -> clap::Command {
        command.args(FLAGS.iter().map(|Flag(name, letter, help, _)| {
            let arg = Arg::new(*name).long(*name).help(*help).action(ArgAction::Count);
            // They are known for the sake of scripts, and do nothing.
            let arg = arg.hide(name.ends_with("error"));
            match letter {
                Some(letter) => arg.short(*letter),
                None => arg,
            }
        }))
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Toggles::augment_args(command)
    }
}

impl clap::FromArgMatches for Toggles {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut toggles = Toggles::default();
        toggles.update_from_arg_matches(matches)?;
        Ok(toggles)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        let given = |name| matches.value_source(name) == Some(ValueSource::CommandLine);
        let mut flags: Vec<(usize, &Flag)> = FLAGS
            .iter()
            .filter(|flag| given(flag.0))
            .filter_map(|flag| Some((matches.indices_of(flag.0)?.next_back()?, flag)))
            .collect();
        flags.sort_by_key(|(place, _)| *place);
        flags.into_iter().for_each(|(_, Flag(.., set))| set(self));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, FromArgMatches as _};

    use super::*;

    fn check(args: &[&str], kept: &[Outcome], text: bool) {
        let command = Toggles::augment_args(clap::Command::new("x"));
        let matches = command.try_get_matches_from(["x"].iter().chain(args)).unwrap();
        let toggles = Toggles::from_arg_matches(&matches).unwrap();
        let found: Vec<Outcome> =
            Outcome::ALL.into_iter().filter(|outcome| toggles.keeps(*outcome, false)).collect();
        let always = [Outcome::Exists, Outcome::UxSuccess, Outcome::Unfinished];
        let mut expected: Vec<Outcome> = always.iter().chain(kept).copied().collect();
        expected.sort_unstable();
        assert_eq!((found, toggles.keeps_text()), (expected, text), "{args:?}");
    }

    #[test]
    fn the_last_flag_of_a_kind_counts() {
        use Outcome::{Fail, Skip, Success, XFail};
        check(&[], &[Fail, Skip], true);
        check(&["-s", "--xfail"], &[Fail, Skip, Success, XFail], true);
        check(&["-s", "--no-success", "-s"], &[Fail, Skip, Success], true);
        check(&["-f", "-e", "--no-skip"], &[], true);
        check(&["-F"], &[Fail], false);
        check(&["-F", "-s", "--passthrough"], &[Fail, Success], true);
        check(&["-s", "--passthrough", "-F"], &[Fail], false);
        check(&["-sF"], &[Fail], false);
    }
}
