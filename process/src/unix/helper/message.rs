//! What a helper tells its parent: a JSON document a line, of one type on both sides.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// How many characters of a line that is not a message are shown.
const SHOWN: usize = 200;

/// A line from a helper; `F` is what it finds out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HelperMessage<F> {
    /// How it goes with an operation.
    Progress(Progress),
    /// Something that it found out.
    Found(F),
}

/// How it goes with an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Progress {
    /// An operation begins: if nothing follows, it is stuck.
    Begun(String),
    /// The operation is done.
    Done {
        /// The operation's name.
        operation: String,
        /// What it took.
        elapsed: Duration,
    },
    /// The operation failed.
    Failed {
        /// The operation's name.
        operation: String,
        /// What it took.
        elapsed: Duration,
        /// The system's error number, where it has one.
        errno: Option<i32>,
        /// The error in words.
        message: String,
    },
}

/// A line of a helper that is not a message: it died halfway through it, or something else in its process wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// How the line begins.
    pub line: String,
    /// Why it is not a message.
    pub reason: String,
}

impl<F: Serialize> HelperMessage<F> {
    /// The line, with its end.
    ///
    /// # Errors
    ///
    /// When JSON has no way to say what was found.
    pub fn to_line(&self) -> serde_json::Result<Vec<u8>> {
        let mut line = serde_json::to_vec(self)?;
        line.push(b'\n');
        Ok(line)
    }
}

impl<F: DeserializeOwned> HelperMessage<F> {
    /// Reads a line, with its end or without.
    ///
    /// # Errors
    ///
    /// When it is not a message.
    pub fn from_line(line: &[u8]) -> Result<Self, Unreadable> {
        serde_json::from_slice(line).map_err(|error| Unreadable::new(line, error.to_string()))
    }
}

impl Unreadable {
    pub(super) fn new(line: &[u8], reason: String) -> Self {
        // A character has four bytes at most.
        let start = line.get(..4 * SHOWN).unwrap_or(line);
        Unreadable { line: String::from_utf8_lossy(start).trim_end().chars().take(SHOWN).collect(), reason }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt as _;

    use super::*;

    fn check<F: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(message: &HelperMessage<F>) {
        let line = message.to_line().unwrap();
        assert_eq!(line.iter().position(|byte| *byte == b'\n'), Some(line.len() - 1), "a line");
        assert_eq!(HelperMessage::from_line(&line).as_ref(), Ok(message));
    }

    #[test]
    fn messages_survive_as_lines() {
        let text = "a\\n\tb\nc\\\u{0}\u{2028}é".to_owned();
        let elapsed = Duration::from_nanos(123_456_789_012);
        let operation = || text.clone();
        check::<()>(&HelperMessage::Progress(Progress::Begun(operation())));
        check::<()>(&HelperMessage::Progress(Progress::Done { operation: operation(), elapsed }));
        for errno in [Some(5), None] {
            let failed = Progress::Failed { operation: operation(), elapsed, errno, message: text.clone() };
            check::<()>(&HelperMessage::Progress(failed));
        }
        check(&HelperMessage::Found(text));
    }

    #[test]
    fn what_is_not_text_survives() {
        check(&HelperMessage::Found(OsString::from_vec((0..=255).collect())));
    }

    #[test]
    fn other_lines_are_told_as_what_they_are() {
        let check = |line: &[u8], shown: &str, reason: &str| {
            let unreadable = HelperMessage::<()>::from_line(line).unwrap_err();
            assert_eq!(unreadable.line, shown);
            assert!(unreadable.reason.contains(reason), "{unreadable:?}");
        };
        check(b"", "", "EOF while parsing");
        check(b"NOTICE: hello\n", "NOTICE: hello", "expected");
        check(br#"{"progress":{"begun":"sta"#, r#"{"progress":{"begun":"sta"#, "EOF while parsing a string");
        check(br#"{"found":7}"#, r#"{"found":7}"#, "invalid type");
        check(br#"{"sung":null}"#, r#"{"sung":null}"#, "unknown variant `sung`");
        check(
            &[b"\xff".as_slice(), &[b'x'; 999]].concat(),
            &format!("\u{fffd}{}", "x".repeat(199)),
            "expected",
        );
    }
}
