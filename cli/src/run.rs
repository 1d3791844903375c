//! From the command line to the exit code.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::io::{self, Cursor, Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::OnceLock;

use process::Interrupt;

use crate::error;
use crate::exit::{Codes, Verdict};
use crate::help;
use crate::stdio;
use crate::terminal::Terminal;

/// Everything that a command may read from or write to.
pub struct Streams<'a> {
    /// Stdin.
    pub input: Box<dyn Read + Send>,
    /// Stdout, buffered: flush it when reading would block. It is flushed when the command is done.
    pub output: &'a mut dyn Write,
    /// Stderr.
    pub errors: &'a mut dyn Write,
    /// What is known of the terminal.
    pub terminal: Terminal,
    /// Whether the process was asked to end. The input ends then, which is all that most commands need.
    pub interrupt: Interrupt,
}

impl fmt::Debug for Streams<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Streams").field("terminal", &self.terminal).finish_non_exhaustive()
    }
}

/// A command: arguments that know what to do.
pub trait Command: clap::Parser {
    /// Runs the command, and says how the run went.
    ///
    /// # Errors
    ///
    /// When it fails: exit code 2 and one line on stderr, or a silent 141 when the reader of the
    /// output went away.
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict>;

    /// Runs the command, knowing how it was called: `args` is the command line, the program's name first. Only
    /// commands that ask how an argument was given, or by which name they were called, need it.
    ///
    /// # Errors
    ///
    /// See [`Command::run`].
    fn run_as(self, args: &[OsString], streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let _unused = args;
        self.run(streams)
    }

    /// The command line as it is parsed, the program's name first: a command where a dash may begin what is no option
    /// puts it in order.
    #[must_use]
    fn arguments(args: &[OsString]) -> Vec<OsString> {
        args.to_vec()
    }

    /// The table of exit codes that holds for this command line.
    #[must_use]
    fn codes(args: &[OsString]) -> Codes {
        let _unused = args;
        Codes::House
    }
}

/// The whole of a binary with a single command: `fn main() -> ExitCode { cli::main::<MakeStream>() }`.
#[must_use]
pub fn main<C: Command>() -> ExitCode {
    main_of::<C>(&env::args_os().collect::<Vec<_>>())
}

/// The same with these arguments instead of the process's own. The first is the name by which the command was called,
/// as messages and usage texts tell it.
#[must_use]
pub fn main_of<C: Command>(args: &[OsString]) -> ExitCode {
    // Without signals the command still works; it only ends the way commands do that know nothing about them.
    let interrupt = Interrupt::watch().unwrap_or_default();
    let streams = Streams {
        input: Box::new(stdio::input(&interrupt)),
        output: &mut stdio::output(),
        errors: &mut stdio::errors(),
        terminal: Terminal::detect(),
        interrupt,
    };
    C::codes(args).code(execute::<C>(args, streams)).into()
}

/// Runs a command within this process, for tests: `args` are those after the command's name.
#[must_use]
pub fn run_with<C: Command>(args: &[&str], input: &[u8]) -> RunOutput {
    run_on::<C>(args, input, Terminal::default())
}

/// Runs a command within this process, as if on this terminal.
#[must_use]
pub fn run_on<C: Command>(args: &[&str], input: &[u8], terminal: Terminal) -> RunOutput {
    let mut outcome = RunOutput { verdict: Verdict::Passed, output: Vec::new(), errors: Vec::new() };
    let name = C::command().get_name().to_owned();
    let args: Vec<_> =
        std::iter::once(name.as_str()).chain(args.iter().copied()).map(OsString::from).collect();
    let streams = Streams {
        input: Box::new(Cursor::new(input.to_vec())),
        output: &mut outcome.output,
        errors: &mut outcome.errors,
        terminal,
        interrupt: Interrupt::never(),
    };
    outcome.verdict = execute::<C>(&args, streams);
    outcome
}

/// What a command did; see [`run_with`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunOutput {
    /// How it ended.
    pub verdict: Verdict,
    /// What it wrote on stdout.
    pub output: Vec<u8>,
    /// What it wrote on stderr.
    pub errors: Vec<u8>,
}

impl RunOutput {
    /// What it wrote on stdout, up to the first byte that is not UTF-8.
    #[must_use]
    pub fn output(&self) -> &str {
        text(&self.output)
    }

    /// What it wrote on stderr, up to the first byte that is not UTF-8.
    #[must_use]
    pub fn errors(&self) -> &str {
        text(&self.errors)
    }
}

fn text(bytes: &[u8]) -> &str {
    bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid())
}

static VERSION: OnceLock<&str> = OnceLock::new();

/// What `--version` says of this program, behind the name of the command, instead of its crate's version; what was
/// said first holds.
pub fn set_version(version: &'static str) {
    VERSION.get_or_init(|| version);
}

/// Parses a command line. As with python-subunit's commands, the beginning of a long option is enough where no other
/// begins so.
fn parse<C: Command>(args: &[OsString]) -> Result<C, clap::Error> {
    let mut command = C::command().infer_long_args(true);
    if let Some(version) = VERSION.get() {
        command = command.long_version(*version);
    }
    let matches = command.try_get_matches_from_mut(C::arguments(args))?;
    C::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

fn execute<C: Command>(args: &[OsString], streams: Streams<'_>) -> Verdict {
    let Streams { input, output, errors, terminal, interrupt } = streams;
    let codes = C::codes(args);
    let done = match parse::<C>(args) {
        Err(error) if codes == Codes::Plugin && error.use_stderr() => {
            unknown(&error.render(), output).map(|()| Verdict::Error).map_err(Into::into)
        }
        Err(error) => show(&error, output, errors, &terminal),
        Ok(command) => command.run_as(
            args,
            Streams {
                input,
                output: &mut *output,
                errors: &mut *errors,
                terminal,
                interrupt: interrupt.clone(),
            },
        ),
    };
    // What was written before an error is shown too.
    let flushed = output.flush().and_then(|()| errors.flush());
    let caught = Verdict::caught(&interrupt).unwrap_or(Verdict::Passed);
    match done.and_then(|verdict| Ok(flushed.map(|()| verdict)?)) {
        Ok(verdict) => {
            let verdict = verdict.and(caught);
            debug_assert!(
                codes == Codes::Plugin || is_told::<C>(verdict),
                "the help says nothing of {verdict:?}"
            );
            verdict
        }
        Err(error) if error::is_closed_pipe(&error) => Verdict::ClosedPipe.and(caught),
        Err(error) => {
            let line = error::line(&called::<C>(args), &error);
            let line = process::without_passwords(&line);
            // If stderr does not take it there is nobody left to tell; the exit code says it.
            let _ = match codes {
                Codes::House => errors.write_all(line.as_bytes()).and_then(|()| errors.flush()),
                Codes::Plugin => unknown(&line, output).and_then(|()| output.flush()),
            };
            Verdict::Error
        }
    }
}

/// Whether the table of exit codes in the help has this verdict; that of plugins says the same for all of them.
fn is_told<C: Command>(verdict: Verdict) -> bool {
    let end = C::command().get_after_help().map(ToString::to_string).unwrap_or_default();
    help::codes(&end).is_none_or(|codes| codes.contains(&verdict.code()))
}

/// The name by which the command was called, without its folder.
fn called<C: Command>(args: &[OsString]) -> String {
    let name = args.first().and_then(|program| Path::new(program).file_name());
    name.map_or_else(|| C::command().get_name().to_owned(), |name| name.to_string_lossy().into_owned())
}

/// What monitoring is told when nothing could be found out.
fn unknown(error: &impl fmt::Display, output: &mut dyn Write) -> io::Result<()> {
    // What follows a bar would be taken for numbers.
    write!(output, "UNKNOWN - {}", process::without_passwords(&error.to_string()).replace('|', "/"))
}

/// Help and version on stdout; what is wrong with the arguments on stderr.
fn show(
    error: &clap::Error,
    output: &mut dyn Write,
    errors: &mut dyn Write,
    terminal: &Terminal,
) -> anyhow::Result<Verdict> {
    let color = crate::ColorArgs::default();
    let text = error.render();
    if error.use_stderr() {
        write_text(&text, errors, color.errors(terminal))?;
        Ok(Verdict::Error)
    } else {
        write_text(&text, output, color.output(terminal))?;
        Ok(Verdict::Passed)
    }
}

fn write_text(text: &clap::builder::StyledStr, writer: &mut dyn Write, color: bool) -> io::Result<()> {
    let text = if color { text.ansi().to_string() } else { text.to_string() };
    writer.write_all(process::without_passwords(&text).as_bytes())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::InputArgs;

    /// Copy the input, or fail.
    #[derive(clap::Parser)]
    #[command(name = "subunit-copy", version, after_help = crate::help!(filter, "  subunit-copy x"))]
    struct Copy {
        #[command(flatten)]
        input: InputArgs,
        #[arg(long)]
        fail: Option<i32>,
    }

    impl Command for Copy {
        fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
            let mut input = self.input.open(streams.input, &streams.interrupt);
            io::copy(&mut input, streams.output)?;
            match self.fail {
                Some(code) => Err(io::Error::from_raw_os_error(code).into()),
                None => Ok(Verdict::Passed),
            }
        }
    }

    fn check(args: &[&str], verdict: Verdict, output: &str, errors: &str) {
        let outcome = run_with::<Copy>(args, b"input");
        assert_eq!((outcome.verdict, outcome.output(), outcome.errors()), (verdict, output, errors));
    }

    #[test]
    fn the_arguments_are_sound() {
        Copy::command().debug_assert();
    }

    #[test]
    fn an_error_is_one_line_and_what_was_done_before_is_shown() {
        check(&[], Verdict::Passed, "input", "");
        check(
            &["--fail=28"],
            Verdict::Error,
            "input",
            "subunit-copy: No space left on device (os error 28)\n",
        );
        let missing = "subunit-copy: cannot open /no/file: No such file or directory (os error 2)\n";
        check(&["-", "/no/file"], Verdict::Error, "input", missing);
    }

    #[test]
    fn a_closed_pipe_is_silent() {
        check(&["--fail=32"], Verdict::ClosedPipe, "input", "");
    }

    /// Fail as monitoring plugins do.
    #[derive(clap::Parser)]
    #[command(name = "check_copy", after_help = crate::help!([Failed]))]
    struct Plugin {
        #[command(flatten)]
        copy: Copy,
    }

    impl Command for Plugin {
        fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
            self.copy.run(streams)
        }

        fn codes(_: &[OsString]) -> Codes {
            Codes::Plugin
        }
    }

    #[test]
    fn the_help_of_plugins_does_not_list_every_verdict() {
        assert_eq!(run_with::<Plugin>(&[], b"").verdict, Verdict::Passed);
    }

    #[cfg(debug_assertions)]
    #[test]
    #[should_panic(expected = "the help says nothing of Failed")]
    fn a_verdict_that_the_help_does_not_list_is_a_defect() {
        /// Fail.
        #[derive(clap::Parser)]
        #[command(after_help = crate::help!(filter, "  fail"))]
        struct Fail {}

        impl Command for Fail {
            fn run(self, _: Streams<'_>) -> anyhow::Result<Verdict> {
                Ok(Verdict::Failed)
            }
        }

        let _ = run_with::<Fail>(&[], b"");
    }

    #[test]
    fn plugins_say_what_is_wrong_on_stdout() {
        let outcome = run_with::<Plugin>(&["--fail=5"], b"");
        assert_eq!(outcome.output(), "UNKNOWN - check_copy: Input/output error (os error 5)\n");
        let outcome = run_with::<Plugin>(&["--colour"], b"");
        assert!(outcome.output().starts_with("UNKNOWN - error: unexpected argument '--colour'"));
        assert_eq!((outcome.verdict, outcome.errors()), (Verdict::Error, ""));
    }

    #[test]
    fn help_ends_with_examples_and_exit_status() {
        let outcome = run_with::<Copy>(&["--help"], b"");
        let (_, end) =
            outcome.output().split_once("Examples:\n  subunit-copy x\n\nExit status:\n  0 ").unwrap();
        assert!(end.contains("\n  2 ") && outcome.verdict == Verdict::Passed);
        assert!(run_with::<Copy>(&["--version"], b"").output().starts_with("subunit-copy "));
    }

    #[test]
    fn wrong_arguments_are_told_on_stderr() {
        let outcome = run_with::<Copy>(&["--colour"], b"");
        assert_eq!((outcome.verdict, outcome.output()), (Verdict::Error, ""));
        assert!(outcome.errors().contains("unexpected argument '--colour'"));
    }
}
