//! The command line of `check-eos`.

use std::ffi::OsString;
use std::fs::File;
use std::path::PathBuf;

use anyhow::Context as _;
use cli::{ColorArgs, Command, Streams, Verdict};
use streamresult::StreamResult;
use subunit::io::Writer;

use super::aspect::METRICS;
use super::probe::EosProbe;
use super::task;
use crate::probe::{Algorithm, Format, Human, ProbeArgs, parse_size};

const EXAMPLES: &str = "  check-eos /eos/user
  check-eos --probe deep --dir .checks /eos/user | subunit2junitxml -o eos.xml
  check-eos --only throughput --samples 10 --size 100MB -c write_mbps=20: /eos/user
  check-eos --fstype any --probe deep /tmp
  check-eos --list";

const STATUS: &str = "  0    everything that was looked at is fine
  1    something failed
  4    every test was skipped
";

/// Check an EOS mount, or any other mounted file system
///
/// Each aspect is a test of its own, eos.TARGET.ASPECT: mounted and responsive (--probe liveness), also space
/// (readiness, the default), also writable, throughput.write, throughput.read and integrity (deep). Whatever
/// hangs, the check ends in time and says what hangs where.
#[derive(clap::Parser, Clone, Debug)]
#[command(name = "check-eos", version, after_help = help_end(), max_term_width = 110)]
pub struct CheckEos {
    /// Paths on the mounts to check (default: every EOS mount there is)
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The same, as an option
    #[arg(long = "path", value_name = "PATH")]
    pub more_paths: Vec<PathBuf>,
    /// The target's name in the test ids, once for each path (default: the path's last part)
    #[arg(long, value_name = "NAME")]
    pub name: Vec<String>,
    /// The file system type that is expected there; `any` accepts every directory
    #[arg(long, value_name = "GLOB", default_value = "fuse*")]
    pub fstype: String,
    /// Where to write, below the path
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// How often to write and read
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub samples: u32,
    /// How much to write at a time
    #[arg(long, value_name = "SIZE", default_value = "4MiB", value_parser = parse_size)]
    pub size: u64,
    /// The checksum that is compared
    #[arg(long, value_name = "ALGORITHM", default_value = "sha256")]
    pub checksum: Algorithm,
    /// What all checks have.
    #[command(flatten)]
    pub probe: ProbeArgs,
    /// How lines for people look.
    #[command(flatten)]
    pub color: ColorArgs,
    /// What a helper is to do: this program starts itself with it.
    #[arg(long, hide = true, value_name = "TASK")]
    pub internal_task: Option<OsString>,
}

fn help_end() -> String {
    format!(
        "Examples:\n{EXAMPLES}\n\nExit status:\n{STATUS}  2    it could not be done: wrong arguments, nothing \
         selected, output that cannot be written\n  130  interrupted; 143 terminated: what was begun has failed, \
         and is cleaned up\n  141  the reader of the output went away"
    )
}

impl Command for CheckEos {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        if let Some(task) = &self.internal_task {
            let path = self.paths.first().context("a task needs a path")?;
            return task::help(task, path).map(|()| Verdict::Passed);
        }
        let thresholds = self.probe.thresholds(METRICS)?;
        let mut probe = EosProbe::new(&self)?;
        let mut run = |result: &mut dyn StreamResult| {
            crate::probe::run(&mut probe, &self.probe, &thresholds, &streams.interrupt, result)
        };
        let color = self.probe.output.is_none() && self.color.output(&streams.terminal);
        let on_terminal = streams.terminal.output && self.probe.output.is_none();
        let usual = if on_terminal { Format::Human } else { Format::Subunit };
        let mut file = self.create_output()?;
        let output = match &mut file {
            Some(file) => file,
            None => streams.output,
        };
        let verdict = match self.probe.format.unwrap_or(usual) {
            Format::Subunit => run(&mut Writer::new(output)),
            Format::Human => run(&mut Human::new(output, color, self.probe.list || self.probe.dry_run)),
        };
        Ok(verdict?)
    }
}

impl CheckEos {
    fn create_output(&self) -> anyhow::Result<Option<File>> {
        let Some(path) = &self.probe.output else { return Ok(None) };
        let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Some(file))
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn check(args: &[&str], verdict: Verdict, output: &str, errors: &str) {
        let outcome = cli::run_with::<CheckEos>(args, b"");
        assert_eq!((outcome.verdict, outcome.output()), (verdict, output), "{}", outcome.errors());
        assert!(outcome.errors().contains(errors), "{}", outcome.errors());
    }

    #[test]
    fn the_arguments_are_sound() {
        CheckEos::command().debug_assert();
    }

    #[test]
    fn a_list_names_the_tests_of_the_kind() {
        let list = |kind, expected| {
            check(&["--list", "--format=human", "--probe", kind, "/eos/u"], Verdict::Passed, expected, "");
        };
        list("liveness", "eos.u.mounted\neos.u.responsive\n");
        list("readiness", "eos.u.mounted\neos.u.responsive\neos.u.space\n");
    }

    #[test]
    fn what_is_named_is_run_whatever_the_kind() {
        let list = |only, expected| {
            check(&["--list", "--format=human", "--only", only, "/eos/u"], Verdict::Passed, expected, "");
        };
        list("mount_sanity", "eos.u.responsive\n");
        list("throughput", "eos.u.throughput.write\neos.u.throughput.read\n");
        list("eos.u.integrity", "eos.u.integrity\n");
        list("*sp*", "eos.u.responsive\neos.u.space\n");
    }

    #[test]
    fn what_selects_nothing_is_an_error() {
        check(&["--only=speed", "/eos/u"], Verdict::Error, "", "`speed` matches no test");
        check(&["--skip=speed", "/eos/u"], Verdict::Error, "", "`speed` matches no test");
        check(&["--only=thr*", "/eos/u"], Verdict::Error, "", "nothing is selected");
        check(&["--only=[", "/eos/u"], Verdict::Error, "", "error parsing glob");
    }

    #[test]
    fn thresholds_of_unknown_metrics_are_an_error() {
        check(&["-w", "speed=1", "/eos/u"], Verdict::Error, "", "there is no metric `speed`");
        check(&["-c", "free_percent=5MB", "/eos/u"], Verdict::Error, "", "`MB` is no unit of percent");
    }
}
