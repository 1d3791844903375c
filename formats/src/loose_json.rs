//! JSON in lines of other programs: it may stand behind text that had no newline, and its values may be of other types
//! than they were when its reader was written.

use memchr::memchr_iter;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use subunit::split_part;

/// No more places in a line are looked at.
const MOST: usize = 16;

/// What stands before an object, and the object with all that follows it, for each place in a line where an object
/// begins whose first key is one of these; the first that can be read as a whole is the one.
pub(crate) fn objects<'a>(line: &'a [u8], keys: &'a [&'a str]) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
    let is_closed = line.trim_ascii_end().ends_with(b"}");
    let places = memchr_iter(b'{', line).filter(move |_| is_closed).map(|at| split_part(line, at));
    places.filter(|(_, object)| begins(object, keys)).take(MOST)
}

fn begins(object: &[u8], keys: &[&str]) -> bool {
    let Some(rest) = object.strip_prefix(b"{") else { return false };
    let Some(rest) = rest.trim_ascii_start().strip_prefix(b"\"") else { return false };
    let key = keys.iter().find_map(|key| rest.strip_prefix(key.as_bytes()));
    let Some(rest) = key.and_then(|rest| rest.strip_prefix(b"\"")) else { return false };
    rest.trim_ascii_start().starts_with(b":")
}

/// A value, or nothing where it is of another type than it should be: that must not cost the rest of the object.
pub(crate) fn lenient<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Value<T> {
        Sound(T),
        Other(IgnoredAny),
    }
    Ok(match Value::deserialize(deserializer)? {
        Value::Sound(value) => Some(value),
        Value::Other(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: &[(&str, &str)]) {
        let text = |bytes| std::str::from_utf8(bytes).unwrap();
        let found: Vec<_> = objects(line.as_bytes(), &["type", "name"])
            .map(|(before, object)| (text(before), text(object)))
            .collect();
        assert_eq!(found, expected, "{line}");
    }

    #[test]
    fn an_object_is_known_by_its_first_key() {
        check(r#"{"type":1}"#, &[("", r#"{"type":1}"#)]);
        check(r#" { "name" : 1 } "#, &[(" ", r#"{ "name" : 1 } "#)]);
        check(r#"x{}{"a":{"type":1}}"#, &[(r#"x{}{"a":"#, r#"{"type":1}}"#)]);
        for line in ["", "x", "{}", r#"{"types":1}"#, r#"{"type"}"#, r#"{"type":1"#, r#"{type:1}"#] {
            check(line, &[]);
        }
    }
}
