//! Where in its file something stands.

use std::collections::BTreeMap;

use subunit::text_part;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The lines of a file's keys, by the target and the key; both are empty for what stands above them.
#[derive(Clone, Debug, Default)]
pub(super) struct Places(BTreeMap<(String, String), usize>);

impl Places {
    /// Of a file in TOML; empty when it is not TOML.
    pub(super) fn of_toml(text: &str) -> Self {
        let mut places = Places::default();
        let Ok(file) = DeTable::parse(text) else { return places };
        let line = |offset: usize| text_part(text, ..offset).matches('\n').count() + 1;
        for (key, value) in file.get_ref() {
            places.add("", key.get_ref(), line(key.span().start));
            match value.get_ref() {
                DeValue::Table(defaults) if key.get_ref() == "defaults" => {
                    places.add_keys("", "defaults.", defaults, &line);
                }
                DeValue::Array(targets) => {
                    targets.iter().for_each(|target| places.add_target(target, &line));
                }
                _ => {}
            }
        }
        places
    }

    fn add_target(&mut self, target: &Spanned<DeValue<'_>>, line: &impl Fn(usize) -> usize) {
        let DeValue::Table(keys) = target.get_ref() else { return };
        let name = keys.get("name").and_then(|name| name.get_ref().as_str()).unwrap_or_default().to_owned();
        self.add(&name, "", line(target.span().start));
        self.add_keys(&name, "", keys, line);
    }

    fn add_keys(&mut self, target: &str, above: &str, keys: &DeTable<'_>, line: &impl Fn(usize) -> usize) {
        for (key, value) in keys {
            let path = format!("{above}{}", key.get_ref());
            self.add(target, &path, line(key.span().start));
            if let DeValue::Table(keys) = value.get_ref() {
                self.add_keys(target, &format!("{path}."), keys, line);
            }
        }
    }

    /// Notes where a key stands; of two that are the same, the last one holds.
    pub(super) fn add(&mut self, target: &str, key: &str, line: usize) {
        self.0.insert((target.to_owned(), key.to_owned()), line);
    }

    /// The line of a target's key, or of the target itself.
    pub(super) fn line(&self, target: &str, key: &str) -> Option<usize> {
        let at = |key: &str| self.0.get(&(target.to_owned(), key.to_owned())).copied();
        let shared = || self.0.get(&(String::new(), format!("defaults.{key}"))).copied();
        at(key).or_else(shared).or_else(|| at(""))
    }

    /// `line 7: `, where that is known.
    pub(super) fn shown(&self, target: &str, key: &str) -> String {
        self.line(target, key).map_or_else(String::new, |line| format!("line {line}: "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_lines() {
        let text = "[defaults]\ntimeout = '1s'\n\n[[target]]\nname = 'a'\npath = '/a'\n[target.thresholds]\n\
                    x = { warning = 1 }\n[[target]]\nname = 'b'\n";
        let places = Places::of_toml(text);
        let check = |target, key, expected| assert_eq!(places.line(target, key), expected, "{target} {key}");
        check("a", "path", Some(6));
        check("a", "thresholds.x", Some(8));
        check("a", "timeout", Some(2));
        check("b", "path", Some(9));
        check("", "defaults", Some(1));
        check("c", "path", None);
    }
}
