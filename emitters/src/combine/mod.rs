//! `subunit-combine`: several test commands of one file, as one stream.

mod config;
mod expand;
mod prefixed;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use cli::{Command, Streams, Verdict};
use process::{Deadline, Exit, Follow, Interrupt, Outputs, Timeouts, Wait};
use streamresult::failure;
use subunit::io::Writer;
use subunit::{Event, Timestamp};
use tempfile::NamedTempFile;

use config::{Config, Suite};
use expand::Selection;
use prefixed::Prefixed;

/// Run the test commands of a file one after the other, and join their streams
///
/// The file is YAML, as python-subunit's subunit-combine reads it:
///
///   commands:
///     - prefix: "python/"
///       argv: ["python3", "-m", "subunit.run", "discover", ".", "$LISTOPT", "$IDOPTION"]
///       list_option: "--list"
///       id_option: "--load-list $IDFILE"
///     - prefix: "rust/"
///       argv: ["./run-tests", "--subunit", "$IDLIST"]
///       cwd: "rust"
///       env: {RUST_BACKTRACE: "1"}
///
/// Each id gets its command's prefix. In argv, $LISTOPT is list_option where tests are only listed; $IDOPTION is
/// id_option, $IDFILE a file with the ids that were asked for, one on a line, and $IDLIST the ids, where some were. A
/// command none of whose tests were asked for is not run.
///
/// A command that cannot be run, is killed, or fails without a failing test in its stream is a failing test itself:
/// subunit-combine.PREFIX.
#[derive(clap::Parser, Debug)]
#[command(
    name = "subunit-combine",
    version,
    verbatim_doc_comment,
    after_help = cli::help!(
        [
            Passed = "every command exited with 0",
            Failed = "a command exited with another status, was killed, or could not be run",
        ],
        "  subunit-combine suites.yaml | subunit2text\n  \
           subunit-combine --list suites.yaml | subunit-ls --exists\n  \
           subunit-combine suites.yaml rust/parser.empty python/test_api.Login\n  \
           subunit-combine --load-list failing.txt suites.yaml"
    )
)]
pub struct Combine {
    /// The file that describes the commands
    #[arg(value_name = "FILE")]
    config: PathBuf,
    /// Run only these tests; the prefix of an id says which command runs it
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// List the tests instead of running them
    #[arg(long)]
    list: bool,
    /// A file with ids of tests to run, one on a line; `#` begins a comment
    #[arg(long, value_name = "FILE")]
    load_list: Option<PathBuf>,
}

impl Command for Combine {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        streams.terminal.refuse_packets()?;
        let Config { commands } = Config::read(&self.config)?;
        let ids = self.ids()?;
        let mut run = CombinedRun {
            output: Writer::new(streams.output),
            interrupt: &streams.interrupt,
            has_failed: false,
        };
        for (number, suite) in commands.iter().enumerate() {
            let selection = Selection { is_list: self.list, ids: ids.as_ref().map(|ids| suite.own(ids)) };
            if selection.is_nothing() || streams.interrupt.has_come() {
                continue;
            }
            run.suite(suite, number + 1, selection)?;
        }
        run.output.flush()?;
        Ok(if run.has_failed { Verdict::Failed } else { Verdict::Passed })
    }
}

impl Combine {
    /// The ids that were asked for, if any were.
    fn ids(&self) -> anyhow::Result<Option<Vec<String>>> {
        let mut ids = self.ids.clone();
        let Some(path) = &self.load_list else { return Ok(Some(ids).filter(|ids| !ids.is_empty())) };
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
        ids.splice(0..0, lines.filter(|line| !line.is_empty()).map(str::to_owned));
        Ok(Some(ids))
    }
}

/// The stream of all commands while it is made.
struct CombinedRun<'a> {
    output: Writer<&'a mut dyn std::io::Write>,
    interrupt: &'a Interrupt,
    has_failed: bool,
}

impl CombinedRun<'_> {
    /// Runs one command to its end.
    fn suite(&mut self, suite: &Suite, number: usize, selection: Selection) -> anyhow::Result<()> {
        let file = selection.file().context("cannot write the list of ids")?;
        let argv = selection.expand(suite, file.as_ref().map(NamedTempFile::path));
        let Some((program, args)) = argv.split_first() else {
            return self.failed(suite, number, "argv is empty once its placeholders are replaced");
        };
        let mut command = std::process::Command::new(program);
        command.args(args).envs(&suite.env);
        if let Some(folder) = &suite.cwd {
            command.current_dir(folder);
        }
        let follow = Follow {
            outputs: Outputs::Stdout,
            outlet: Some(rustix::stdio::stdout()),
            ..Follow::new(Wait { deadline: Deadline::NEVER, interrupt: self.interrupt }, Timeouts::PRODUCER)
        };
        let child = match follow.start(&mut command) {
            Ok(child) => child,
            Err(error) => return self.failed(suite, number, &format!("{program} cannot be run: {error}")),
        };
        let mut stream = Prefixed::new(&suite.prefix, &mut self.output);
        let ending = child.to_the_end(&mut stream)?;
        let told = stream.end()?;
        match ending.exit {
            Exit::Exited(0) => {}
            Exit::Exited(_) if told => self.has_failed = true,
            exit => return self.failed(suite, number, &format!("{exit}: {}", argv.join(" "))),
        }
        Ok(())
    }

    /// Notes that a command failed of which the stream does not tell.
    fn failed(&mut self, suite: &Suite, number: usize, reason: &str) -> anyhow::Result<()> {
        self.has_failed = true;
        let name = suite.prefix.trim_end_matches(['/', '.', ':']);
        let id = match name {
            "" => format!("subunit-combine.{number}"),
            name => format!("subunit-combine.{name}"),
        };
        let reason = format!("{reason}\n");
        self.output.write(&Event { timestamp: Some(Timestamp::now()), ..failure(&id, &reason) })?;
        Ok(())
    }
}
