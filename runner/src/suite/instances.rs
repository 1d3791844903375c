//! Environments that a suite's own commands make and remove, as testrepository has it.

use std::io;
use std::process::{Command, Stdio};
use std::time::Duration;

use process::{Deadline, Follow, Interrupt, Timeouts, Wait, last_line};

use super::Suite;

/// How long removing environments may take: a signal does not end it.
const DISPOSAL: Duration = Duration::from_secs(120);
/// How much of what the commands say is kept.
const MOST: usize = 1 << 20;

/// Environments that were made, until they are removed.
#[derive(Debug)]
pub struct Instances<'a> {
    suite: &'a Suite,
    names: Vec<String>,
}

impl<'a> Instances<'a> {
    /// Has the suite make this many; none where it does not say how.
    ///
    /// # Errors
    ///
    /// When its command fails, or names fewer. What it named is removed then.
    pub fn provision(suite: &'a Suite, count: usize, interrupt: &Interrupt) -> io::Result<Self> {
        let mut made = Instances { suite, names: Vec::new() };
        let Some(command) = suite.provision_command(count) else { return Ok(made) };
        let said = run(suite, &command, Wait { deadline: Deadline::NEVER, interrupt })?;
        made.names = said.split_whitespace().map(str::to_owned).collect();
        if made.names.len() < count {
            let few = made.names.len();
            return Err(io::Error::other(format!(
                "instance_provision named {few} instances, and {count} are needed: {command}"
            )));
        }
        Ok(made)
    }

    /// Their names.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Removes them.
    ///
    /// # Errors
    ///
    /// When the suite's command fails.
    pub fn dispose(mut self) -> io::Result<()> {
        self.remove()
    }

    fn remove(&mut self) -> io::Result<()> {
        let names = std::mem::take(&mut self.names);
        match self.suite.dispose_command(&names) {
            Some(command) if !names.is_empty() => {
                run(self.suite, &command, Wait::until(Deadline::after(DISPOSAL))).map(drop)
            }
            _ => Ok(()),
        }
    }
}

impl Drop for Instances<'_> {
    fn drop(&mut self) {
        // Whoever wants to know how it went calls `dispose`.
        let _ = self.remove();
    }
}

fn run(suite: &Suite, command: &str, wait: Wait<'_>) -> io::Result<String> {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(&suite.folder).stdin(Stdio::null());
    let finished = process::run(&mut shell, Follow::new(wait, Timeouts::COMMAND), MOST)?;
    if finished.ending.is_success() {
        return Ok(finished.stdout.text());
    }
    let said = finished.stderr.text();
    let said = last_line(&said).map(|line| format!(": {line}")).unwrap_or_default();
    Err(io::Error::other(format!("{command}: {}{said}", finished.ending.exit)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn check(provision: &str, count: usize, expected: Result<&[&str], &str>, disposed: &str) {
        let folder = tempfile::tempdir().unwrap();
        let suite = Suite {
            folder: folder.path().to_owned(),
            provision: Some(provision.to_owned()),
            dispose: Some("echo $INSTANCE_IDS >>gone".to_owned()),
            ..Suite::default()
        };
        match (Instances::provision(&suite, count, &Interrupt::never()), expected) {
            (Ok(made), Ok(names)) => {
                assert_eq!(made.names(), names);
                made.dispose().unwrap();
            }
            (Err(error), Err(expected)) => assert_eq!(error.to_string(), expected),
            (made, _) => panic!("{made:?}"),
        }
        assert_eq!(fs::read_to_string(folder.path().join("gone")).unwrap_or_default(), disposed);
    }

    #[test]
    fn what_is_made_is_removed() {
        check("seq $INSTANCE_COUNT", 2, Ok(&["1", "2"]), "1 2\n");
        check("echo a b; echo c", 2, Ok(&["a", "b", "c"]), "a b c\n");
    }

    #[test]
    fn what_is_too_few_is_removed_too() {
        check("echo a", 2, Err("instance_provision named 1 instances, and 2 are needed: echo a"), "a\n");
        check("echo why >&2; exit 3", 2, Err("echo why >&2; exit 3: exit code 3: why"), "");
    }
}
