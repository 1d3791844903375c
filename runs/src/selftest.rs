//! `subunit selftest`: whether a preset works here.

use std::collections::BTreeMap;
use std::env;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use cli::{Streams, Verdict};
use formats::why::Why;
use process::{Deadline, Follow, Interrupt, Timeouts, Wait};
use runner::preset::{Example, Expected, Preset};
use runner::suite::{AnyOutput, Conditions, Limits, Listing, Planned, Run, Suite, list};
use streamresult::{Outcome, Records, StreamResult as _, record_fn};

use super::presets::{named, presence};

/// Try presets on tiny projects with odd names
///
/// For each preset a project is written to a temporary folder: tests that pass, fail and are skipped, with spaces,
/// parentheses, stars and quotes in their names. They are listed, all of them are run, and then one by one. What comes
/// must be what is expected; a line says so, and what is not as it should be.
#[derive(clap::Parser, Debug)]
#[command(name = "subunit selftest", version, after_help = cli::help!(
    [
        Passed = "all presets work that were tried",
        Failed = "one does not",
        Nothing = "of none of them the runner is here",
    ],
    "  subunit selftest pytest\n  \
       subunit selftest"
))]
pub struct SelfTest {
    /// Try these presets; without any, all whose runners are here
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Leave the projects where they are, and say where
    #[arg(long)]
    keep_projects: bool,
}

impl cli::Command for SelfTest {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let Streams { output, errors, interrupt, .. } = streams;
        let presets = plan::presets(&env::current_dir()?)?;
        let chosen: Vec<&Preset> = if self.names.is_empty() {
            presets.iter().collect()
        } else {
            self.names.iter().map(|name| named(&presets, name)).collect::<anyhow::Result<_>>()?
        };
        let (mut passed, mut failed) = (0, 0);
        for preset in chosen {
            if interrupt.has_come() {
                break;
            }
            match self.try_out(preset, &interrupt, errors) {
                Ok(Tried::NotHere(missing)) => writeln!(output, "{}: not here: {missing}", preset.name)?,
                Ok(Tried::Works(said)) => {
                    passed += 1;
                    writeln!(output, "{}: works: {said}", preset.name)?;
                }
                Err(error) => {
                    failed += 1;
                    writeln!(output, "{}: FAILED: {error:#}", preset.name)?;
                }
            }
            output.flush()?;
        }
        Ok(match (passed, failed) {
            (0, 0) => Verdict::Nothing,
            (_, 0) => Verdict::Passed,
            _ => Verdict::Failed,
        })
    }
}

enum Tried {
    Works(String),
    NotHere(String),
}

impl SelfTest {
    fn try_out(
        &self,
        preset: &Preset,
        interrupt: &Interrupt,
        errors: &mut dyn std::io::Write,
    ) -> anyhow::Result<Tried> {
        let missing = preset.missing();
        if !missing.is_empty() {
            return Ok(Tried::NotHere(format!(
                "there is no program {}",
                missing.join(", ").replace('|', " or ")
            )));
        }
        let example = preset.example.as_ref().context("the preset has no example")?;
        let folder = tempfile::Builder::new()
            .prefix("subunit-selftest-")
            .disable_cleanup(self.keep_projects)
            .tempdir()?;
        if self.keep_projects {
            writeln!(errors, "{}: {}", preset.name, folder.path().display())?;
        }
        example.write(folder.path())?;
        if let Some(setup) = &example.setup {
            set_up(setup, folder.path(), interrupt)?;
        }
        if let Err(missing) = presence(preset, folder.path(), interrupt) {
            return Ok(Tried::NotHere(missing));
        }
        Trial::new(preset, example, folder.path(), interrupt)?.all().map(Tried::Works)
    }
}

fn set_up(setup: &str, folder: &Path, interrupt: &Interrupt) -> anyhow::Result<()> {
    let mut shell = Command::new("sh");
    shell.args(["-c", setup]).current_dir(folder).stdin(std::process::Stdio::null());
    let wait = Wait { deadline: Deadline::NEVER, interrupt };
    let finished = process::run(&mut shell, Follow::new(wait, Timeouts::COMMAND), 1 << 20)?;
    let (stdout, stderr) = (finished.stdout.text(), finished.stderr.text());
    ensure!(finished.ending.is_success(), "its project cannot be set up: {setup}\n{stdout}{stderr}");
    Ok(())
}

/// One preset at its project.
struct Trial<'a> {
    suite: Suite,
    expected: Expected,
    interrupt: &'a Interrupt,
}

impl<'a> Trial<'a> {
    fn new(
        preset: &Preset,
        example: &Example,
        folder: &Path,
        interrupt: &'a Interrupt,
    ) -> anyhow::Result<Self> {
        let program = example.program.clone();
        let suite = plan::file::by_preset(preset.clone(), String::new(), program)?;
        Ok(Trial {
            suite: Suite { folder: folder.to_owned(), ..suite },
            expected: example.expected,
            interrupt,
        })
    }

    /// Lists, runs all, and each by itself: both have to come to the same.
    fn all(&self) -> anyhow::Result<String> {
        let tests = match list(&self.suite, None, &Limits::default(), self.interrupt)? {
            Listing::Tests(tests) => tests,
            Listing::Failed(why) => anyhow::bail!("{}", why.trim_end()),
            other => anyhow::bail!("it cannot be listed: {other:?}"),
        };
        ensure!(tests.failure.is_none(), "{}", tests.failure.unwrap_or_default());
        let run = |is_isolated| {
            let planned = tests.all.iter().map(|test| (test.clone(), Planned::default())).collect();
            let conditions = Conditions {
                workers: 2,
                startup: tests.took,
                is_isolated,
                known: tests.ids().into_iter().collect(),
                ..Conditions::default()
            };
            self.run(planned, conditions)
        };
        let (together, alone) = (run(false)?, run(true)?);
        let count = counts(&together);
        ensure!(
            count == self.expected,
            "of {} listed {:?}, where {:?} was expected:\n{}",
            tests.all.len(),
            count,
            self.expected,
            shown(&together)
        );
        let outcomes = |(id, (outcome, _)): (&String, &(Outcome, String))| (id.clone(), *outcome);
        ensure!(
            together.iter().map(outcomes).eq(alone.iter().map(outcomes)),
            "run one by one the tests come to something else:\n{}\nand together:\n{}",
            shown(&alone),
            shown(&together)
        );
        let Expected { passed, failed, skipped } = count;
        let listed = tests.all.len();
        Ok(format!(
            "{listed} listed; {passed} passed, {failed} failed, {skipped} skipped, together and one by one"
        ))
    }

    fn run(
        &self,
        tests: Vec<(runner::suite::Test, Planned)>,
        conditions: Conditions<'_>,
    ) -> anyhow::Result<Ends> {
        let recipe = self.suite.recipe.as_ref().context("there is no preset")?;
        let format = recipe.preset.run.format;
        let mut ends = Ends::new();
        let mut records = Records::new(record_fn(|record| {
            if record.outcome() != Outcome::Exists {
                let why = Why::of(record, 0)?.filter(|_| record.outcome().is_failure());
                let why = why.map(|why| why.message).unwrap_or_default();
                ends.insert(record.test_id().to_owned(), (record.outcome(), why));
            }
            Ok(())
        }));
        let output = || Box::new(AnyOutput::new(format, "")) as Box<dyn runner::suite::Output>;
        Run::new(&self.suite, tests, conditions, &output, &mut records)?.run(self.interrupt)?;
        records.stop_run()?;
        drop(records);
        Ok(ends)
    }
}

/// How each test ended, and why where it failed.
type Ends = BTreeMap<String, (Outcome, String)>;

fn counts(ends: &Ends) -> Expected {
    let mut counts = Expected::default();
    for (outcome, _) in ends.values() {
        match outcome {
            Outcome::Success | Outcome::XFail => counts.passed += 1,
            Outcome::Skip => counts.skipped += 1,
            _ => counts.failed += 1,
        }
    }
    counts
}

fn shown(ends: &Ends) -> String {
    let line = |(id, (outcome, why)): (&String, &(Outcome, String))| {
        let why = if why.is_empty() { String::new() } else { format!(": {why}") };
        format!("  {outcome:?}  {id:?}{why}\n")
    };
    ends.iter().map(line).collect()
}
