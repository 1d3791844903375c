//! INI files as Python's `configparser` reads them, with its `%` interpolation.

use std::collections::HashMap;

use configparser::ini::{Ini, IniDefault};

use super::ConfigError;

/// The section whose values all others have, too.
const COMMON: &str = "DEFAULT";
/// Values within values within values: what is deeper goes round in circles.
const DEEPEST: usize = 10;

/// The values of a section.
#[derive(Clone, Debug, Default)]
pub(super) struct Section {
    values: HashMap<String, String>,
}

impl Section {
    /// The section of this name, with what all sections have; `None` where there is none.
    ///
    /// # Errors
    ///
    /// When the text is no INI file.
    pub(super) fn read(text: &str, name: &str) -> Result<Option<Self>, ConfigError> {
        let mut syntax = IniDefault::default();
        syntax.multiline = true;
        syntax.case_sensitive = true;
        syntax.default_section = COMMON.to_owned();
        syntax.comment_symbols = vec!['#', ';'];
        syntax.inline_comment_symbols = Some(Vec::new());
        let mut sections = Ini::new_from_defaults(syntax).read(text.to_owned()).map_err(ConfigError)?;
        let common = sections.remove(COMMON);
        let own = if name == COMMON { Some(HashMap::new()) } else { sections.remove(name) };
        let Some(own) = own else { return Ok(None) };
        let values = common.into_iter().flatten().chain(own);
        let values = values.map(|(key, value)| (key.to_lowercase(), value.unwrap_or_default()));
        Ok(Some(Section { values: values.collect() }))
    }

    /// The keys that are there, sorted.
    pub(super) fn keys(&self) -> Vec<&str> {
        let mut keys: Vec<_> = self.values.keys().map(String::as_str).collect();
        keys.sort_unstable();
        keys
    }

    /// A value, with what it refers to in its place: `%(other)s` is another value, `%%` is a `%`.
    ///
    /// # Errors
    ///
    /// When a `%` is neither of both, or what it refers to is not there.
    pub(super) fn get(&self, key: &str) -> Result<Option<String>, ConfigError> {
        let Some(value) = self.values.get(key) else { return Ok(None) };
        let mut out = String::new();
        self.expand(key, value, DEEPEST, &mut out)?;
        Ok(Some(out))
    }

    fn expand(&self, key: &str, value: &str, depth: usize, out: &mut String) -> Result<(), ConfigError> {
        let wrong = |why: &str| Err(ConfigError(format!("{key}: {why}")));
        let mut parts = value.split('%');
        out.push_str(parts.next().unwrap_or_default());
        while let Some(part) = parts.next() {
            if let Some(rest) = part.strip_prefix('(') {
                let Some((name, rest)) = rest.split_once(")s") else {
                    return wrong("a `%(` without `)s` behind its name");
                };
                let name = name.to_lowercase();
                match self.values.get(&name) {
                    Some(_) if depth == 0 => return wrong("the values refer to each other in a circle"),
                    Some(inner) => self.expand(&name, inner, depth - 1, out)?,
                    None => return wrong(&format!("%({name})s refers to a value that is not there")),
                }
                out.push_str(rest);
                continue;
            }
            match parts.next() {
                Some(rest) if part.is_empty() => {
                    out.push('%');
                    out.push_str(rest);
                }
                _ => return wrong("a `%` has to be written as `%%`"),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "[DEFAULT]\n# a comment\nCommand: make \\\n  check # as it is\nhome = /srv\n\n\
                        [stestr]\npath=%(home)s/t\npercent=100%%\nwrong=100%\nlost=%(no)s\na=%(b)s\nb=%(a)s\nempty\n";

    fn check(section: &str, key: &str, expected: Result<Option<&str>, &str>) {
        let section = Section::read(TEXT, section).unwrap().unwrap();
        let found = section.get(key).map_err(|error| error.0);
        assert_eq!(found, expected.map(|value| value.map(str::to_owned)).map_err(str::to_owned), "{key}");
    }

    #[test]
    fn values_are_as_python_reads_them() {
        check("DEFAULT", "command", Ok(Some("make \\\ncheck # as it is")));
        check("stestr", "path", Ok(Some("/srv/t")));
        check("stestr", "percent", Ok(Some("100%")));
        check("stestr", "home", Ok(Some("/srv")));
        check("stestr", "empty", Ok(Some("")));
        check("stestr", "path2", Ok(None));
        assert!(Section::read(TEXT, "tox").unwrap().is_none());
    }

    #[test]
    fn what_is_wrong_is_told() {
        check("stestr", "wrong", Err("wrong: a `%` has to be written as `%%`"));
        check("stestr", "lost", Err("lost: %(no)s refers to a value that is not there"));
        check("stestr", "a", Err("a: the values refer to each other in a circle"));
    }
}
