//! The command line of `check-command`.

use std::ffi::OsString;

use cli::OptionFacts;
use cli::value::positive_duration;
use probe::{ProbeArgs, help_end};

const EXAMPLES: &str = "  check-command -- check_load -w 5,4,3 -c 10,8,6
  check-command --name ssh -- check_tcp -H host.example -p 22
  check-command --timeout 60s -- /opt/plugins/check_backup --all";

/// Run any monitoring plugin as a test, its performance data as metrics
///
/// The plugin is the test command.TARGET.result: exit codes 0, 1, 2 and 3 are fine, warning, failed and unknown; its
/// first line is the reason, its performance data become metrics. It is looked for in the PATH, then where
/// distributions put plugins. One that does not end by --timeout is ended with all that it started, and unknown.
#[derive(clap::Parser, Clone, Debug)]
#[command(name = "check-command", version, after_help = help_end(EXAMPLES), max_term_width = 110)]
pub struct CheckCommand {
    /// The plugin and its arguments
    #[arg(value_name = "PLUGIN", last = true)]
    pub plugin: Vec<OsString>,
    /// The same, as options: one for each word, the plugin first
    #[arg(long = "command", value_name = "WORD", conflicts_with = "plugin", allow_hyphen_values = true, add = OptionFacts::TARGET)]
    pub words: Vec<OsString>,
    /// How long a plugin that is ended may take to do so, before it is killed
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = positive_duration, add = OptionFacts::TARGET)]
    pub grace: std::time::Duration,
    /// The options that all checks have.
    #[command(flatten)]
    pub probe: ProbeArgs,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use cli::Verdict;

    use super::*;
    use crate::Run;

    fn check(args: &[&str], verdict: Verdict, output: &str) {
        let outcome = cli::run_with::<Run<CheckCommand>>(&[&["--format=human"], args].concat(), b"");
        assert_eq!(outcome.verdict, verdict, "{}{}", outcome.output(), outcome.errors());
        assert!(outcome.output().contains(output), "{}", outcome.output());
    }

    #[test]
    fn the_arguments_are_sound() {
        CheckCommand::command().debug_assert();
    }

    #[test]
    fn plugins_are_named_by_their_files() {
        check(
            &["--list", "--", "/x/check_load.sh", "-w", "5"],
            Verdict::Passed,
            "command.check_load.result\n",
        );
        check(&["--list", "--name=ssh", "--", "check_tcp"], Verdict::Passed, "command.ssh.result\n");
    }

    #[test]
    fn words_of_options_are_a_command_line_too() {
        let words = ["--command=sh", "--command=-c", "--command=echo 'up | a=1'; exit 2"];
        check(&words, Verdict::Failed, "FAIL      command.sh.result: up\n");
    }

    #[test]
    fn plugins_of_a_configuration_file_are_run() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checks.toml");
        let text = "[[target]]\nname = 'one'\ncheck = 'command'\ncommand = ['sh', '-c', 'echo up']\n\
                    [[target]]\nname = 'two'\ncheck = 'command'\ncommand = ['sh', '-c', 'echo slow; exit 1']\n";
        std::fs::write(&path, text).unwrap();
        let expected = "ok        command.one.result: up\n";
        check(&["--config", &path.display().to_string()], Verdict::Passed, expected);
        check(&["--config", &path.display().to_string()], Verdict::Passed, "command.two.result: slow");
    }

    #[test]
    fn nothing_to_run_is_a_failure() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checks.toml");
        std::fs::write(&path, "").unwrap();
        let outcome = cli::run_with::<Run<CheckCommand>>(&["--config", &path.display().to_string()], b"");
        assert_ne!(outcome.verdict, Verdict::Passed);
    }
}
