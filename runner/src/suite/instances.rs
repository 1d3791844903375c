//! What a suite's own commands say and do besides running tests, as testrepository has it: how many workers there shall
//! be, and the environments that they run in.

use std::io;
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

impl Suite {
    /// How many workers its own command says there shall be; none where it has no such command, or leaves it open.
    ///
    /// # Errors
    ///
    /// When the command fails, or prints no number.
    pub fn concurrency(&self, interrupt: &Interrupt) -> io::Result<Option<usize>> {
        let Some(command) = &self.concurrency else { return Ok(None) };
        let said = run(self, command, Wait { deadline: Deadline::NEVER, interrupt })?;
        let said = said.trim();
        let count: usize = said
            .parse()
            .map_err(|_| io::Error::other(format!("{command}: {said:?} is not a number of workers")))?;
        Ok(Some(count).filter(|count| *count > 0))
    }
}

fn run(suite: &Suite, command: &str, wait: Wait<'_>) -> io::Result<String> {
    let finished = process::run(&mut suite.shell(command), Follow::new(wait, Timeouts::COMMAND), MOST)?;
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
    fn the_suite_says_how_many_workers() {
        let asked = |command: &str| {
            let suite =
                Suite { folder: ".".into(), concurrency: Some(command.to_owned()), ..Suite::default() };
            suite.concurrency(&Interrupt::never()).map_err(|error| error.to_string())
        };
        assert_eq!(asked("echo 3"), Ok(Some(3)));
        assert_eq!(asked("echo 0"), Ok(None));
        assert_eq!(asked("echo many"), Err("echo many: \"many\" is not a number of workers".to_owned()));
        assert_eq!(asked("exit 3"), Err("exit 3: exit code 3".to_owned()));
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
