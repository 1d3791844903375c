//! The command line of `check-all`.

use std::ffi::OsString;

use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory as _};
use cli::OptionFacts;
use probe::{ProbeArgs, help_end};

use super::remote::RemoteArgs;

const EXAMPLES: &str = "  check-all | subunit-mux | subunit2junitxml -o checks.xml
  check-all --config /etc/subunit/subunit-checks.toml --probe deep --jobs 4
  check-all --config test.yaml --only 'jupyterhub.*'
  check-all --check-config && check-all --list
  check-all --print-config --name user
  check-all --target ssh:root@worker1 --target ssh:root@worker2 --only 'eos.*'
  check-all --config test.yaml --session alice --remote-binary /usr/lib/subunit/subunit-static
  check-all --format openmetrics -o /var/lib/node_exporter/checks.prom";

/// Check all targets of a configuration file in parallel, here, over ssh or in containers
///
/// Each target is checked by its check, in a process of its own, as many at a time as --jobs says; one that names
/// others in `after` is checked after them, or skipped when one of their tests fails. All results are one stream,
/// with the route code HOST/TARGET for each target, where HOST is from where it was looked at. A check that dies,
/// hangs or writes nonsense is a failure of the tests it did not end. The file is subunit-checks.toml, or the
/// test.yaml of SWAN's testing framework as it is.
///
/// Targets can be looked at from elsewhere: a target with `on = "ssh:worker1"` is checked there, over ssh, one with
/// `on = "container:hub"` in that container; --target says so for all targets, --session for storage and CVMFS. The
/// program that is copied there once, into a private folder and under the name of its content, is this one, which
/// has to be linked statically for that. What then cannot be reached is a failure (tags unknown, infrastructure) of
/// all tests that were to be run there.
#[derive(clap::Parser, Clone, Debug)]
#[command(
    name = "check-all",
    version,
    after_help = help_end(EXAMPLES),
    max_term_width = 110,
    mut_arg("config", |arg| arg.help(
        "The file (default: subunit-checks.toml here, else in the user's or the system's configuration folder)"
    )),
    mut_arg("name", |arg| arg.help("Check only the target of this name; may be repeated")),
    mut_arg("route_code", |arg| arg.help(
        "What stands for HOST in the route codes HOST/TARGET of what is looked at from here; empty for TARGET alone \
         (default: the host's short name)"
    )),
    mut_arg("plan_timeout", |arg| arg.help(
        "How long all targets together may take (default: as long as those that wait for each other may)"
    )),
    mut_arg("warning", |arg| arg.help(
        "Warn when the metric is outside of the range, in all checks that have it: `response_seconds=500ms`"
    )),
    mut_arg("state_file", |arg| arg.help(
        "Keep what the next run shall know in FILE.TARGET, for each target (FILE.TARGET.PLACE from elsewhere): \
         counters are compared with those of the last run"
    ))
)]
pub struct CheckAll {
    /// How many targets to check at a time
    #[arg(short, long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub jobs: u32,
    /// Only print what the file says: all options in force for each target, as a file
    #[arg(long, group = "instead")]
    pub print_config: bool,
    /// Only check whether the file is valid
    #[arg(long, group = "instead")]
    pub check_config: bool,
    /// Only print what a file may hold, as a JSON schema, for editors
    #[arg(long, group = "instead")]
    pub schema: bool,
    /// The options that all checks have.
    #[command(flatten)]
    pub probe: ProbeArgs,
    /// Where to look from: the last ones, since their heading is that of all that follow.
    #[command(flatten)]
    pub remote: RemoteArgs,
}

/// What was given on a command line of `check-all` for the checks, tags and ranges apart from the rest.
#[derive(Clone, Debug, Default)]
pub(super) struct Given {
    /// Options.
    pub(super) options: Vec<OsString>,
    /// `--warning` and `--critical`, by their names.
    pub(super) ranges: Vec<(&'static str, String)>,
}

impl Given {
    /// What this command line gives, the program's name first.
    pub(super) fn new(args: &[OsString]) -> anyhow::Result<Self> {
        let command = CheckAll::command();
        let matches = command.clone().try_get_matches_from(args)?;
        let mut given = Given::default();
        for argument in command.get_arguments() {
            let id = argument.get_id().as_str();
            let Some(long) = argument.get_long() else { continue };
            let is_passed_on = OptionFacts::of(argument).is_for_all_targets();
            if is_passed_on && matches.value_source(id) == Some(ValueSource::CommandLine) {
                given.options.extend(values(&matches, id).map(|value| option(long, &value)));
            }
        }
        for id in ["warning", "critical"] {
            let texts = values(&matches, id).map(|value| value.to_string_lossy().into_owned());
            given.ranges.extend(texts.map(|text| (id, text)));
        }
        Ok(given)
    }
}

/// The values of an option, as they were given or are by default.
pub(super) fn values(matches: &ArgMatches, id: &str) -> impl Iterator<Item = OsString> {
    let raw = matches.try_get_raw(id).ok().flatten();
    raw.into_iter().flatten().map(ToOwned::to_owned).collect::<Vec<_>>().into_iter()
}

/// `--LONG=VALUE`.
pub(super) fn option(long: &str, value: &OsString) -> OsString {
    let mut option = OsString::from(format!("--{long}="));
    option.push(value);
    option
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_sound() {
        CheckAll::command().debug_assert();
    }

    #[test]
    fn what_is_for_the_checks_is_passed_on() {
        let args = ["check-all", "--jobs=2", "--probe", "deep", "--tag=a", "--tag", "b", "-t3s", "-w", "x=1"];
        let given = Given::new(&args.map(OsString::from)).unwrap();
        assert_eq!(given.options, ["--probe=deep", "--timeout=3s", "--tag=a", "--tag=b"]);
        assert_eq!(given.ranges, [("warning", "x=1".to_owned())]);
    }
}
