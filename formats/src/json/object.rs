//! Objects and strings.

use std::borrow::Cow;
use std::time::Duration;

use subunit::Timestamp;

use crate::{time, visible};

/// An object that is being written: `{"key":value,…}`.
///
/// ```
/// use formats::json::Object;
///
/// let mut out = Vec::new();
/// let mut object = Object::new(&mut out);
/// object.string("id", "boot \u{1b}");
/// object.number("events", 2);
/// object.end();
/// assert_eq!(out, br#"{"id":"boot \u001b","events":2}"#);
/// ```
#[derive(Debug)]
pub struct Object<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
}

impl<'a> Object<'a> {
    /// Begins an object at the end of `out`.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        let start = out.len();
        Object { out, start }
    }

    /// Writes a key, and returns where to append its value.
    pub fn key(&mut self, key: &str) -> &mut Vec<u8> {
        if self.out.len() > self.start {
            self.out.push(b',');
        }
        push_string(key, self.out);
        self.out.push(b':');
        self.out
    }

    /// Writes a key with a string.
    pub fn string(&mut self, key: &str, value: &str) {
        push_string(value, self.key(key));
    }

    /// Writes a key with a string, or with `null`.
    pub fn optional(&mut self, key: &str, value: Option<&str>) {
        match value {
            Some(value) => self.string(key, value),
            None => self.key(key).extend_from_slice(b"null"),
        }
    }

    /// Writes a key with a number.
    pub fn number(&mut self, key: &str, value: u64) {
        time::push_number(value, self.key(key));
    }

    /// Writes a key with a time as RFC 3339 has it, or with `null`.
    pub fn time(&mut self, key: &str, value: Option<Timestamp>) {
        let out = self.key(key);
        match value {
            Some(time) => {
                out.push(b'"');
                time::push_rfc3339(time, out);
                out.push(b'"');
            }
            None => out.extend_from_slice(b"null"),
        }
    }

    /// Writes a key with a number of seconds, or with `null`.
    pub fn seconds(&mut self, key: &str, value: Option<Duration>) {
        let out = self.key(key);
        match value {
            Some(duration) => time::push_exact_seconds(duration, out),
            None => out.extend_from_slice(b"null"),
        }
    }

    /// Writes a key with `true` or `false`.
    pub fn truth(&mut self, key: &str, value: bool) {
        self.key(key).extend_from_slice(if value { b"true" } else { b"false" });
    }

    /// Writes a key with a list of strings.
    pub fn strings<'s>(&mut self, key: &str, values: impl IntoIterator<Item = &'s str>) {
        self.list(key, values, push_string);
    }

    /// Writes a key with a list, of which each value is written by `push`.
    pub fn list<T>(
        &mut self,
        key: &str,
        values: impl IntoIterator<Item = T>,
        mut push: impl FnMut(T, &mut Vec<u8>),
    ) {
        let out = self.key(key);
        out.push(b'[');
        for (number, value) in values.into_iter().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            push(value, out);
        }
        out.push(b']');
    }

    /// Ends the object.
    pub fn end(self) {
        self.out.push(b'}');
    }
}

/// Appends a string with its quotation marks. Whatever a terminal would act on is escaped.
pub fn push_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    // Without a branch for each byte this is fast.
    let is_special = |byte: u8| !(0x20..0x7f).contains(&byte) || byte == b'"' || byte == b'\\';
    if text.bytes().fold(false, |found, byte| found | is_special(byte)) {
        push_escaped(text, out);
    } else {
        out.extend_from_slice(text.as_bytes());
    }
    out.push(b'"');
}

fn push_escaped(text: &str, out: &mut Vec<u8>) {
    let mut utf8 = [0; 4];
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend_from_slice(&[b'\\', character as u8]),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            ' '..='~' => out.push(character as u8),
            _ => {
                let text: &str = character.encode_utf8(&mut utf8);
                match visible::line(text) {
                    Cow::Borrowed(_) => out.extend_from_slice(text.as_bytes()),
                    Cow::Owned(_) => push_unit(character, out),
                }
            }
        }
    }
}

/// Appends a character by its number, as one or two units of UTF-16.
fn push_unit(character: char, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for unit in character.encode_utf16(&mut [0; 2]) {
        out.extend_from_slice(b"\\u");
        for shift in [12, 8, 4, 0] {
            out.extend(DIGITS.get(usize::from(*unit >> shift & 0xF)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let mut out = Vec::new();
        push_string(text, &mut out);
        assert_eq!(String::from_utf8(out.clone()).unwrap(), expected);
        assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
    }

    #[test]
    fn a_string_obeys_json_and_commands_no_terminal() {
        check("plain", r#""plain""#);
        check("a\"b\\c\n\r\t\0\x1b\x7f", r#""a\"b\\c\n\r\t\u0000\u001b\u007f""#);
        check("grün 测试 😀", r#""grün 测试 😀""#);
        check("\u{9b}\u{202e}\u{2028}", r#""\u009b\u202e\u2028""#);
    }

    #[test]
    fn an_empty_object_and_an_empty_list_are_ones() {
        let mut out = Vec::new();
        Object::new(&mut out).end();
        let mut object = Object::new(&mut out);
        object.strings("tags", []);
        object.optional("route", None);
        object.truth("eof", true);
        object.end();
        assert_eq!(out, br#"{}{"tags":[],"route":null,"eof":true}"#);
    }
}
