//! The commands of a suite, with what stands for its variables.

use std::path::Path;
use std::process::{Command, Stdio};

use super::{Suite, Test};

impl Suite {
    /// A command for the shell, where all of the suite's commands run, and with nothing to read.
    pub(super) fn shell(&self, command: &str) -> Command {
        let mut shell = Command::new("sh");
        shell.args(["-c", command]).stdin(Stdio::null());
        self.placed(shell)
    }

    /// A command where all of the suite's commands run.
    pub(super) fn placed(&self, mut command: Command) -> Command {
        command.current_dir(&self.folder).envs(&self.env);
        command
    }

    /// What lists the tests, and how it is shown; `None` where the suite does not know how.
    pub(super) fn lister(&self, instance: Option<&str>) -> Option<(Command, String)> {
        if let Some(recipe) = &self.recipe {
            return Some((self.placed(recipe.listing_command()), recipe.shown(&recipe.preset.list.command)));
        }
        let command = self.within(self.listing_command()?, instance, "");
        Some((self.shell(&command), command))
    }

    /// What runs these tests, which stand in the file, too; all tests where there are none.
    pub(super) fn runner(&self, tests: &[Test], file: Option<&Path>, instance: Option<&str>) -> Command {
        if let Some(recipe) = &self.recipe {
            return self.placed(recipe.test_command(tests, file.unwrap_or(Path::new(""))));
        }
        let ids: Vec<String> = tests.iter().map(|test| test.select.clone()).collect();
        let command = self.test_command(file.map(|file| (ids.as_slice(), file)));
        let files = file.map(Path::to_string_lossy).unwrap_or_default();
        self.shell(&self.within(command, instance, &files))
    }

    /// What lists the tests; `None` where the suite does not know how.
    pub(super) fn listing_command(&self) -> Option<String> {
        let option = self.list_option.as_deref()?;
        let listing = [("LISTOPT", option), ("IDLIST", &self.default_ids)];
        Some(substitute(&self.command, &TEST_VARIABLES, &listing))
    }

    /// What runs these tests, whose ids stand in the file, too; all tests where there are none.
    pub(super) fn test_command(&self, ids: Option<(&[String], &Path)>) -> String {
        let Some((ids, file)) = ids else {
            return substitute(&self.command, &TEST_VARIABLES, &[("IDLIST", &self.default_ids)]);
        };
        let (file, list) = (file.to_string_lossy(), ids.join(" "));
        let known = [("IDFILE", &*file), ("IDLIST", &*list)];
        let option = substitute(self.id_option.as_deref().unwrap_or_default(), &TEST_VARIABLES, &known);
        substitute(&self.command, &TEST_VARIABLES, &[known.as_slice(), &[("IDOPTION", &*option)]].concat())
    }

    /// The same command, in an environment of the suite's.
    pub(super) fn within(&self, command: String, instance: Option<&str>, files: &str) -> String {
        match (&self.execute, instance) {
            (Some(execute), Some(instance)) => substitute(
                execute,
                &["INSTANCE_ID", "COMMAND", "FILES"],
                &[("INSTANCE_ID", instance), ("COMMAND", &command), ("FILES", files)],
            ),
            _ => command,
        }
    }

    /// What makes this many environments.
    pub(super) fn provision_command(&self, count: usize) -> Option<String> {
        let count = count.to_string();
        Some(substitute(self.provision.as_deref()?, &["INSTANCE_COUNT"], &[("INSTANCE_COUNT", &count)]))
    }

    /// What removes environments.
    pub(super) fn dispose_command(&self, instances: &[String]) -> Option<String> {
        let instances = instances.join(" ");
        Some(substitute(self.dispose.as_deref()?, &["INSTANCE_IDS"], &[("INSTANCE_IDS", &instances)]))
    }
}

const TEST_VARIABLES: [&str; 4] = ["IDOPTION", "IDFILE", "IDLIST", "LISTOPT"];

/// Puts values in the places of these variables, and nothing where there is no value; others are the shell's. What
/// stands for a variable is not looked at again.
fn substitute(template: &str, variables: &[&str], values: &[(&str, &str)]) -> String {
    let mut out = String::new();
    let mut parts = template.split('$');
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let variable = variables.iter().find_map(|name| Some((*name, part.strip_prefix(name)?)));
        match variable {
            Some((name, rest)) => {
                let value = values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value);
                out.push_str(value);
                out.push_str(rest);
            }
            None => {
                out.push('$');
                out.push_str(part);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suite() -> Suite {
        Suite {
            command: "${PYTHON:-python} run $LISTOPT $IDOPTION$IDLIST".to_owned(),
            list_option: Some("--list".to_owned()),
            id_option: Some("--load-list $IDFILE".to_owned()),
            default_ids: "all".to_owned(),
            execute: Some("ssh $INSTANCE_ID 'sync $FILES; $COMMAND'".to_owned()),
            ..Suite::default()
        }
    }

    #[test]
    fn variables_get_their_values_and_others_stay() {
        let ids = ["a".to_owned(), "b$IDFILE".to_owned()];
        let run = suite().test_command(Some((&ids, Path::new("/tmp/x"))));
        assert_eq!(run, "${PYTHON:-python} run  --load-list /tmp/xa b$IDFILE");
        assert_eq!(suite().test_command(None), "${PYTHON:-python} run  all");
        assert_eq!(suite().listing_command().as_deref(), Some("${PYTHON:-python} run --list all"));
    }

    #[test]
    fn an_instance_runs_the_command_where_it_is() {
        let within = suite().within("run $x".to_owned(), Some("i1"), "/tmp/x");
        assert_eq!(within, "ssh i1 'sync /tmp/x; run $x'");
        assert_eq!(suite().within("run".to_owned(), None, ""), "run");
    }
}
