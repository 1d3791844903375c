//! Our own programs that read ids as they come, and run those tests.
//!
//! An id is a line, see [`line`]; an empty line is the end. A program says by its first packet that it is ready: one of
//! no test with a file [`HELLO`], which is JSON. By another one it says that it has to know the next id before it can go
//! on: a fixture is torn down when no other test needs it.

use std::borrow::Cow;
use std::env;
use std::io;

use serde::Deserialize;
use subunit::Event;

/// The name of the file by which a worker speaks of itself.
const HELLO: &str = "subunit-worker.json";
/// Ids as they come, an end, and what is said of both.
const PROTOCOL: u32 = 1;

/// A program of ours that runs tests whose ids come in on its input, a line each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Program {
    /// For tests of pytest; in Python.
    Pytest,
    /// For tests of unittest, and of what is built on it; in Python.
    Unittest,
    /// For executables, of which each is a test.
    Executables,
}

impl Program {
    /// Its text, which Python or the shell runs.
    ///
    /// # Errors
    ///
    /// When it is not known where this program is.
    pub fn text(self) -> io::Result<Cow<'static, str>> {
        Ok(match self {
            Program::Pytest => {
                concat!(include_str!("../../workers/common.py"), include_str!("../../workers/pytest.py"))
                    .into()
            }
            Program::Unittest => {
                concat!(include_str!("../../workers/common.py"), include_str!("../../workers/unittest.py"))
                    .into()
            }
            Program::Executables => {
                let own = env::current_exe()?;
                format!("exec {} worker \"$@\"\n", process::shell_word(&own.to_string_lossy())).into()
            }
        })
    }
}

/// An id as a line: ends of lines and backslashes in it are escaped.
#[must_use]
pub fn line(id: &str) -> String {
    let mut line = String::with_capacity(id.len() + 1);
    for letter in id.chars() {
        match letter {
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\\' => line.push_str("\\\\"),
            letter => line.push(letter),
        }
    }
    line.push('\n');
    line
}

/// The id that a line without its end stands for.
#[must_use]
pub fn id_of(line: &str) -> String {
    let mut id = String::with_capacity(line.len());
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            id.push(letter);
            continue;
        }
        match letters.next() {
            Some('n') => id.push('\n'),
            Some('r') => id.push('\r'),
            Some('\\') | None => id.push('\\'),
            Some(other) => id.extend(['\\', other]),
        }
    }
    id
}

/// What a worker says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// It is ready for its first test.
    Ready,
    /// It has to know its next test before it can end this one.
    WantsNext,
    /// It is of another protocol than ours.
    Unknown,
}

#[derive(Deserialize)]
struct Words {
    protocol: Option<u32>,
    wants: Option<String>,
}

impl Word {
    /// What an event says of its worker, if it does.
    pub(super) fn of(event: &Event<'_>) -> Option<Word> {
        let file = event.file.filter(|file| file.name == HELLO && event.test_id.is_none())?;
        let words = serde_json::from_slice(file.bytes).unwrap_or(Words { protocol: None, wants: None });
        Some(match (words.protocol, words.wants.as_deref()) {
            (Some(PROTOCOL), _) => Word::Ready,
            (None, Some("next")) => Word::WantsNext,
            _ => Word::Unknown,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_comes_through_as_a_line() {
        let check = |id: &str, expected: &str| {
            assert_eq!(line(id), format!("{expected}\n"));
            assert_eq!(id_of(expected), id);
        };
        check("a.b", "a.b");
        check("a\nb\r\\n", "a\\nb\\r\\\\n");
        check("\\", "\\\\");
        check("x [\u{fc}] \t", "x [\u{fc}] \t");
    }

    #[test]
    fn what_a_worker_says_of_itself_is_understood() {
        let check = |json: &str, expected| {
            assert_eq!(Word::of(&Event::file("subunit-worker.json", json.as_bytes())), expected, "{json}");
        };
        check(r#"{"protocol":1,"feed":"stdin-lines","lookahead":1}"#, Some(Word::Ready));
        check(r#"{"wants":"next"}"#, Some(Word::WantsNext));
        check(r#"{"protocol":2}"#, Some(Word::Unknown));
        check("nonsense", Some(Word::Unknown));
        assert_eq!(Word::of(&Event::file("stderr", b"{}")), None);
    }
}
