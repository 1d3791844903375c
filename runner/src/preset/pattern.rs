//! Regular expressions in files.

use std::collections::BTreeMap;

use regex::Regex;
use serde::{Deserialize, Deserializer, de::Error as _};

/// What is known of a test, by name.
pub(super) type Fields = BTreeMap<String, String>;

/// A regular expression whose named groups are fields.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

impl Pattern {
    /// Whether it is found in a text; its groups are added to the fields.
    pub(super) fn find(&self, text: &str, fields: &mut Fields) -> bool {
        let Some(found) = self.0.captures(text) else { return false };
        for name in self.0.capture_names().flatten() {
            let value = found.name(name).map(|group| group.as_str().to_owned());
            fields.insert(name.to_owned(), value.unwrap_or_default());
        }
        true
    }

    /// Whether it is found in a text.
    #[must_use]
    pub fn is_found(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Regex::new(&text).map(Pattern).map_err(|error| D::Error::custom(format!("{text:?}: {error}")))
    }
}
