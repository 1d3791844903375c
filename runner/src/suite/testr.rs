//! `.testr.conf`, the configuration of testrepository.

use super::ini::Section;
use super::{ConfigError, Suite};

/// All keys of the file.
const KEYS: [&str; 10] = [
    "test_command",
    "test_id_option",
    "test_list_option",
    "test_id_list_default",
    "test_run_concurrency",
    "group_regex",
    "filter_tags",
    "instance_provision",
    "instance_execute",
    "instance_dispose",
];

/// Reads the text of the file.
pub(super) fn read(text: &str) -> Result<Suite, ConfigError> {
    let section = Section::read(text, "DEFAULT")?.unwrap_or_default();
    let Some(command) = section.get("test_command")? else {
        return Err(ConfigError("there is no test_command in the section [DEFAULT]".to_owned()));
    };
    let words =
        |key| Ok(section.get(key)?.unwrap_or_default().split_whitespace().map(str::to_owned).collect());
    Ok(Suite {
        list_option: section.get("test_list_option")?.filter(|_| command.contains("$LISTOPT")),
        id_option: section.get("test_id_option")?,
        default_ids: section.get("test_id_list_default")?.unwrap_or_default(),
        concurrency: section.get("test_run_concurrency")?,
        group: section.get("group_regex")?.filter(|group| !group.is_empty()),
        filter_tags: words("filter_tags")?,
        provision: section.get("instance_provision")?,
        execute: section.get("instance_execute")?,
        dispose: section.get("instance_dispose")?,
        unknown_keys: section
            .keys()
            .into_iter()
            .filter(|key| !KEYS.contains(key))
            .map(str::to_owned)
            .collect(),
        known_keys: &KEYS,
        command,
        ..Suite::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read() {
        let suite = read(
            "[DEFAULT]\ntest_command=${PYTHON:-python} -m subunit.run discover . $LISTOPT $IDOPTION\n\
             test_id_option=--load-list $IDFILE\ntest_list_option=--list\ngroup_regex=([^\\.]*\\.)*\n\
             filter_tags=a b\ntest_ide_option=x\n",
        )
        .unwrap();
        assert_eq!(suite.command, "${PYTHON:-python} -m subunit.run discover . $LISTOPT $IDOPTION");
        assert_eq!(suite.list_option.as_deref(), Some("--list"));
        assert_eq!(suite.id_option.as_deref(), Some("--load-list $IDFILE"));
        assert_eq!(suite.group.as_deref(), Some("([^\\.]*\\.)*"));
        assert_eq!(
            (suite.filter_tags, suite.unknown_keys),
            (vec!["a".to_owned(), "b".to_owned()], vec!["test_ide_option".to_owned()])
        );
    }

    #[test]
    fn what_is_missing_is_told() {
        assert_eq!(read("").unwrap_err().0, "there is no test_command in the section [DEFAULT]");
    }

    #[test]
    fn a_command_without_a_place_for_it_cannot_list() {
        let suite = read("[DEFAULT]\ntest_command=./check $IDOPTION\ntest_list_option=--list\n").unwrap();
        assert_eq!(suite.list_option, None);
    }
}
