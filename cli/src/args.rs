//! Groups of flags that commands share, to be flattened into their own.

use std::io::Read;
use std::path::PathBuf;

use process::Interrupt;

use crate::exit::Verdict;
use crate::input::{Documents, Input};
use crate::option::OptionFacts;
use crate::terminal::{ColorWish, Terminal};

/// Where the help lists what the output is and where it goes.
pub(crate) const OUTPUT: &str = "Output";
/// Where the help lists how the verdict of the run becomes the exit code.
const VERDICT: &str = "Verdict";

/// `FILE…`: the streams to read.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct InputArgs {
    /// Streams to read, one after the other; `-` is stdin, as is no FILE at all
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

impl InputArgs {
    /// The files as one, each opened when the one before it has ended; `stdin` is read in place of `-`.
    ///
    /// A file that cannot be opened or read is an error of the read that comes to it.
    #[must_use]
    pub fn open(&self, stdin: Box<dyn Read + Send>, interrupt: &Interrupt) -> Input {
        Input::new(self.files.clone(), stdin, interrupt.clone())
    }

    /// The files one by one, each a document of its own; `stdin` is where the first `-` stands.
    #[must_use]
    pub fn documents(self, stdin: Box<dyn Read + Send>, interrupt: Interrupt) -> Documents {
        Documents::new(self.files, stdin, interrupt)
    }
}

/// `-o`, `--output`: where the report goes.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct OutputArgs {
    /// Write the report to this file, which is replaced once the report is whole
    #[arg(short, long = "output", alias = "output-to", value_name = "PATH", help_heading = OUTPUT)]
    pub output_to: Option<PathBuf>,
}

/// `-f`, `--forward`: a report that lets the stream through.
#[derive(clap::Args, Clone, Copy, Debug, Default)]
pub struct ForwardArgs {
    /// Pass the stream on to stdout; the report goes to stderr, or where -o says
    #[arg(short, long, help_heading = OUTPUT)]
    pub forward: bool,
}

/// `--no-passthrough`: whether to keep what does not belong to the stream.
#[derive(clap::Args, Clone, Copy, Debug, Default)]
pub struct PassthroughArgs {
    /// Drop text that stands between packets, and files that belong to no test
    #[arg(long, help_heading = OUTPUT)]
    pub no_passthrough: bool,
}

/// `--exit-zero` and `--allow-empty`: how the verdict of the run becomes the exit code.
#[derive(clap::Args, Clone, Copy, Debug, Default)]
pub struct VerdictArgs {
    /// Exit with 0 whenever the report was made, whatever the tests did
    #[arg(long, alias = "no-verdict", help_heading = VERDICT)]
    pub exit_zero: bool,
    /// Take a run without tests for a success
    #[arg(long, help_heading = VERDICT)]
    pub allow_empty: bool,
}

impl VerdictArgs {
    /// The verdict to exit with after a run with this one.
    #[must_use]
    pub fn apply(&self, verdict: Verdict) -> Verdict {
        let forgiven =
            verdict.is_of_run() && self.exit_zero || verdict == Verdict::Nothing && self.allow_empty;
        if forgiven { Verdict::Passed } else { verdict }
    }
}

/// `--json`: answers for programs.
#[derive(clap::Args, Clone, Copy, Debug, Default)]
pub struct JsonArgs {
    /// Write JSON, an object a line; `subunit help json` has the keys
    #[arg(long, help_heading = OUTPUT)]
    pub json: bool,
}

/// `--color`: whether to colour the output.
#[derive(clap::Args, Clone, Copy, Debug, Default)]
pub struct ColorArgs {
    /// Colour the output: on terminals, always or never
    #[arg(long, value_name = "WHEN", default_value = "auto", help_heading = OUTPUT, add = OptionFacts::RUN)]
    pub color: ColorChoice,
}

/// When to colour. Closed: the three that every tool has.
#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColorChoice {
    /// On a terminal, unless the environment says otherwise.
    #[default]
    Auto,
    /// Whatever the output goes to.
    Always,
    /// Not at all.
    Never,
}

impl ColorArgs {
    /// Whether to colour stdout.
    #[must_use]
    pub fn output(&self, terminal: &Terminal) -> bool {
        self.decide(terminal.output, terminal.color)
    }

    /// Whether to colour stderr.
    #[must_use]
    pub fn errors(&self, terminal: &Terminal) -> bool {
        self.decide(terminal.errors, terminal.color)
    }

    fn decide(&self, is_terminal: bool, wish: ColorWish) -> bool {
        match (self.color, wish) {
            (ColorChoice::Always, _) | (ColorChoice::Auto, ColorWish::Always) => true,
            (ColorChoice::Never, _) | (ColorChoice::Auto, ColorWish::Never) => false,
            (ColorChoice::Auto, ColorWish::Unsaid) => is_terminal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_verdict(exit_zero: bool, allow_empty: bool, verdict: Verdict, expected: Verdict) {
        assert_eq!(VerdictArgs { exit_zero, allow_empty }.apply(verdict), expected);
    }

    #[test]
    fn exit_zero_forgives_the_run_but_not_the_command() {
        check_verdict(true, false, Verdict::Failed, Verdict::Passed);
        check_verdict(true, false, Verdict::Nothing, Verdict::Passed);
        check_verdict(true, false, Verdict::Error, Verdict::Error);
        check_verdict(true, false, Verdict::Interrupted, Verdict::Interrupted);
    }

    #[test]
    fn allow_empty_forgives_only_an_empty_run() {
        check_verdict(false, true, Verdict::Nothing, Verdict::Passed);
        check_verdict(false, true, Verdict::Failed, Verdict::Failed);
        check_verdict(false, false, Verdict::Nothing, Verdict::Nothing);
    }

    #[test]
    fn the_flag_rules_over_the_environment_and_that_over_the_terminal() {
        let on_terminal = |color| Terminal { output: true, color, ..Terminal::default() };
        let check = |color, terminal, expected| assert_eq!(ColorArgs { color }.output(&terminal), expected);
        check(ColorChoice::Auto, on_terminal(ColorWish::Unsaid), true);
        check(ColorChoice::Auto, on_terminal(ColorWish::Never), false);
        check(ColorChoice::Always, on_terminal(ColorWish::Never), true);
        check(ColorChoice::Auto, Terminal::default(), false);
        check(ColorChoice::Auto, Terminal { color: ColorWish::Always, ..Terminal::default() }, true);
        check(ColorChoice::Never, on_terminal(ColorWish::Always), false);
    }
}
