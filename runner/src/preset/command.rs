//! A preset as a suite uses it: the commands that list and run its tests.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::{IdsBy, ListRecipe, Preset};
use crate::suite::Test;

/// The expression by which tests are chosen is one argument, which the system takes up to 128 KiB.
const MOST_FILTER: usize = 100 << 10;
/// All arguments together.
const MOST_ARGUMENTS: usize = 1 << 20;

/// A preset, with what a suite says of itself.
#[derive(Debug)]
pub struct Recipe {
    /// The preset.
    pub preset: Preset,
    /// What stands for `$ARGS`, as the shell reads it.
    pub args: String,
    /// What stands for `$PROGRAM`.
    pub program: String,
    /// Where its scripts are.
    scripts: TempDir,
}

/// Of the same preset, and told the same.
impl PartialEq for Recipe {
    fn eq(&self, other: &Self) -> bool {
        (&self.preset.name, &self.args, &self.program) == (&other.preset.name, &other.args, &other.program)
    }
}

impl Eq for Recipe {}

impl Recipe {
    /// Writes the preset's scripts to a folder, which is there as long as this is.
    ///
    /// # Errors
    ///
    /// When they cannot be written.
    pub fn new(preset: Preset, args: String, program: Option<String>) -> io::Result<Self> {
        let scripts = tempfile::Builder::new().prefix("subunit-preset-").tempdir()?;
        for (name, text) in &preset.scripts {
            fs::write(scripts.path().join(name), text)?;
        }
        if let Some(worker) = preset.worker {
            fs::write(scripts.path().join("worker"), &*worker.text()?)?;
        }
        let program = program.or_else(|| preset.program.clone()).unwrap_or_default();
        Ok(Recipe { preset, args, program, scripts })
    }

    /// Where its scripts are.
    pub(crate) fn scripts(&self) -> &Path {
        self.scripts.path()
    }

    /// What lists the tests.
    pub(crate) fn listing_command(&self) -> Command {
        let ListRecipe { command, through, .. } = &self.preset.list;
        self.shell(&put_through(command, through.as_deref()), "", "", "", &[])
    }

    /// What runs these tests, of which a file tells, too.
    pub(crate) fn test_command(&self, tests: &[Test], file: &Path) -> Command {
        let run = &self.preset.run;
        let selected: Vec<&str> = tests.iter().map(|test| test.select.as_str()).collect();
        let filter = match run.ids {
            IdsBy::Filter => {
                format!("{}{}{}", run.filter.before, selected.join(&run.filter.between), run.filter.after)
            }
            IdsBy::File | IdsBy::Arguments => String::new(),
        };
        let words = if run.ids == IdsBy::Arguments { selected.as_slice() } else { &[] };
        let together = tests.first().map_or("", |test| test.together.as_str());
        let command = put_through(&run.command, run.through.as_deref());
        self.shell(&command, &file.to_string_lossy(), &filter, together, words)
    }

    /// How much of what one process can be told a test needs.
    pub(crate) fn load(&self, test: &Test) -> usize {
        match self.preset.run.ids {
            IdsBy::File => 0,
            IdsBy::Filter => test.select.len() + self.preset.run.filter.between.len(),
            // With a pointer to it.
            IdsBy::Arguments => test.select.len() + 9,
        }
    }

    /// How much one process can be told.
    pub(crate) fn most_load(&self) -> usize {
        if self.preset.run.ids == IdsBy::Filter { MOST_FILTER } else { MOST_ARGUMENTS }
    }

    /// The command as it is written, with what the suite says in it.
    pub(crate) fn shown(&self, command: &str) -> String {
        command.replace("$ARGS", &self.args).trim().to_owned()
    }

    /// Variables are the shell's own and are not in the environment of tests.
    fn shell(&self, command: &str, file: &str, filter: &str, together: &str, words: &[&str]) -> Command {
        let script = format!(
            "FILE=$1 FILTER=$2 TOGETHER=$3 SCRIPTS=$4 PROGRAM=$5 REPORT=$4/report-$$\nshift 5\n{}",
            self.shown(command)
        );
        let mut shell = Command::new("sh");
        shell.args(["-c", &script, "sh", file, filter, together]).arg(self.scripts.path());
        shell.arg(&self.program).args(words).stdin(Stdio::null());
        shell
    }
}

/// The command before a pipe, of which the exit code is that of the whole.
fn put_through(command: &str, through: Option<&str>) -> String {
    let Some(through) = through else { return command.to_owned() };
    format!(
        "{{ {{ {{ (\n{command}\n) 3>&- 4>&-; echo $? >&3; }} | {{\n{through}\n}} >&4 3>&- 4>&-; }} 3>&1 |\n\
         {{ read -r code; exit \"${{code:-255}}\"; }}; }} 4>&1"
    )
}
