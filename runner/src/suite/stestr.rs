//! The configuration of stestr: `.stestr.conf`, `[tool.stestr]` of `pyproject.toml`, `[stestr]` of `tox.ini`.

use std::env;

use serde::Deserialize;

use super::ini::Section;
use super::{ConfigError, Suite};

/// All keys, whatever the file.
const KEYS: [&str; 4] = ["test_path", "top_dir", "group_regex", "parallel_class"];
/// What groups tests by their classes.
const BY_CLASS: &str = r"([^\.]*\.)*";

#[derive(Debug, Default, Deserialize)]
struct Keys {
    test_path: Option<String>,
    top_dir: Option<String>,
    group_regex: Option<String>,
    #[serde(default)]
    parallel_class: bool,
    #[serde(flatten)]
    others: toml::Table,
}

/// Reads an INI file; `None` when it has no such section.
pub(super) fn read_ini(text: &str, section: &str) -> Result<Option<Suite>, ConfigError> {
    let Some(section) = Section::read(text, section)? else { return Ok(None) };
    let parallel_class = match section.get("parallel_class")?.as_deref().map(str::to_lowercase).as_deref() {
        None | Some("0" | "no" | "false" | "off") => false,
        Some("1" | "yes" | "true" | "on") => true,
        Some(other) => {
            return Err(ConfigError(format!("parallel_class: {other:?} is neither true nor false")));
        }
    };
    let others = section.keys().into_iter().filter(|key| !KEYS.contains(key));
    let keys = Keys {
        test_path: section.get("test_path")?,
        top_dir: section.get("top_dir")?,
        group_regex: section.get("group_regex")?,
        parallel_class,
        others: others.map(|key| (key.to_owned(), toml::Value::Boolean(true))).collect(),
    };
    suite(keys).map(Some)
}

/// Reads a `pyproject.toml`; `None` when it has no such table.
pub(super) fn read_toml(text: &str) -> Result<Option<Suite>, ConfigError> {
    #[derive(Deserialize)]
    struct Project {
        tool: Option<Tools>,
    }
    #[derive(Deserialize)]
    struct Tools {
        stestr: Option<Keys>,
    }
    let project: Project = toml::from_str(text).map_err(|error| ConfigError(error.to_string()))?;
    project.tool.and_then(|tools| tools.stestr).map(suite).transpose()
}

fn suite(keys: Keys) -> Result<Suite, ConfigError> {
    let Some(path) = keys.test_path.filter(|path| !path.is_empty()) else {
        return Err(ConfigError("there is no test_path".to_owned()));
    };
    let top = keys.top_dir.filter(|top| !top.is_empty()).unwrap_or_else(|| "./".to_owned());
    let python =
        if env::var_os("PYTHON").is_some_and(|python| !python.is_empty()) { "${PYTHON}" } else { "python3" };
    let group = if keys.parallel_class { Some(BY_CLASS.to_owned()) } else { keys.group_regex };
    Ok(Suite {
        command: format!(
            r#"{python} -m stestr.subunit_runner.run discover -t "{top}" "{path}" $LISTOPT $IDOPTION"#
        ),
        list_option: Some("--list".to_owned()),
        id_option: Some("--load-list $IDFILE".to_owned()),
        group: group.filter(|group| !group.is_empty()),
        is_parallel: true,
        known_keys: &KEYS,
        unknown_keys: keys.others.keys().cloned().collect(),
        ..Suite::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(suite: Option<Suite>, places: &str, group: Option<&str>) {
        let suite = suite.unwrap();
        let command = format!("discover -t {places} $LISTOPT $IDOPTION");
        assert!(suite.command.ends_with(&command), "{}", suite.command);
        assert_eq!(suite.group.as_deref(), group);
    }

    #[test]
    fn all_three_files_say_the_same() {
        check(read_ini("[DEFAULT]\ntest_path=./t\n", "DEFAULT").unwrap(), r#""./" "./t""#, None);
        let tox = "[tox]\nenvlist=a\n[stestr]\ntest_path=t\ntop_dir=x\nparallel_class=True\n";
        check(read_ini(tox, "stestr").unwrap(), r#""x" "t""#, Some(BY_CLASS));
        let pyproject = "[project]\nname='x'\n[tool.stestr]\ntest_path='t'\ngroup_regex='a|b'\n";
        check(read_toml(pyproject).unwrap(), r#""./" "t""#, Some("a|b"));
    }

    #[test]
    fn other_projects_are_not_its_own() {
        assert_eq!(read_ini("[tox]\n", "stestr").unwrap(), None);
        assert_eq!(read_toml("[project]\nname='x'\n[tool.black]\n").unwrap(), None);
    }

    #[test]
    fn what_is_wrong_is_told() {
        let wrong = |text| read_ini(text, "stestr").unwrap_err().0;
        assert_eq!(wrong("[stestr]\n"), "there is no test_path");
        assert_eq!(wrong("[stestr]\nparallel_class=x\n"), "parallel_class: \"x\" is neither true nor false");
    }
}
