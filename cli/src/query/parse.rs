//! From a line to words.

use super::{Ask, Compare, Is, KEYS, OUTCOMES, QueryError, Term};
use crate::suggest::suggest;
use crate::value::duration;

/// The words of a query.
pub(super) fn terms(text: &str) -> Result<Vec<Term>, QueryError> {
    let mut cursor = Cursor { rest: text, at: 1 };
    let mut terms = Vec::new();
    loop {
        cursor.take_while(is_blank);
        if cursor.rest.is_empty() {
            return Ok(terms);
        }
        terms.push(cursor.term()?);
    }
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r')
}

/// Where the reading of a query is.
struct Cursor<'a> {
    rest: &'a str,
    /// In characters, from 1.
    at: usize,
}

impl<'a> Cursor<'a> {
    fn take_while(&mut self, is_of_it: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|character| !is_of_it(character)).unwrap_or(self.rest.len());
        self.take(end)
    }

    fn take(&mut self, len: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(len).unwrap_or((self.rest, ""));
        self.at += taken.chars().count();
        self.rest = rest;
        taken
    }

    fn term(&mut self) -> Result<Term, QueryError> {
        let start = self.at;
        let not =
            self.rest.strip_prefix('-').is_some_and(|rest| !rest.is_empty() && !rest.starts_with(is_blank));
        if not {
            self.take(1);
        }
        Ok(Term { not, ask: self.ask(start)? })
    }

    fn ask(&mut self, start: usize) -> Result<Ask, QueryError> {
        if self.rest.starts_with('"') {
            return Ok(Ask::Text(self.quoted()?.to_lowercase()));
        }
        for (sign, compare) in
            [(">=", Compare::AtLeast), (">", Compare::More), ("<=", Compare::AtMost), ("<", Compare::Less)]
        {
            if self.rest.starts_with(sign) {
                self.take(sign.len());
                return self.took(sign, compare);
            }
        }
        let Some(key) = key(self.rest) else {
            return Ok(Ask::Text(self.take_while(|character| !is_blank(character)).to_lowercase()));
        };
        if !KEYS.contains(&key) {
            let quoted = format!("; `\"{key}:…\"` in quotes is text");
            let help = suggest(key, KEYS);
            let help = if help.is_empty() { quoted } else { help };
            return Err(fault(self.at, format!("there is no key `{key}`"), help));
        }
        self.take(key.len() + 1);
        self.valued(key, start)
    }

    fn took(&mut self, sign: &str, compare: Compare) -> Result<Ask, QueryError> {
        let at = self.at;
        let length = self.take_while(|character| !is_blank(character));
        if length.is_empty() {
            return Err(fault(at, format!("`{sign}` needs a duration"), String::new()));
        }
        let is_plain = length.starts_with(|first: char| first.is_ascii_digit() || first == '.');
        match duration(length) {
            Ok(length) if is_plain => Ok(Ask::Took(compare, length)),
            _ => Err(fault(
                at,
                format!("`{length}` is not a duration"),
                "; 500ms, 10s and 1h30m are".to_owned(),
            )),
        }
    }

    /// What a key asks, with its value.
    fn valued(&mut self, key: &str, start: usize) -> Result<Ask, QueryError> {
        let at = self.at;
        let value = if self.rest.starts_with('"') {
            self.quoted()?
        } else {
            self.take_while(|character| !is_blank(character)).to_owned()
        };
        match (key, value.is_empty()) {
            ("new", true) => Ok(Ask::New),
            ("new", false) => Err(fault(at, "`new:` takes no value".to_owned(), String::new())),
            (_, true) => Err(fault(start, format!("`{key}:` needs a value"), String::new())),
            ("id", _) => Ok(Ask::Id(value)),
            ("on", _) => Ok(Ask::On(value)),
            ("tag", _) => Ok(Ask::Tag(value)),
            (_, _) => outcomes(&value, at).map(Ask::Is),
        }
    }

    /// What is between quotes.
    fn quoted(&mut self) -> Result<String, QueryError> {
        let start = self.at;
        let mut text = String::new();
        let mut characters = self.rest.char_indices().skip(1).peekable();
        while let Some((at, character)) = characters.next() {
            match (character, characters.peek()) {
                ('"', _) => {
                    self.take(at + 1);
                    return self.end_of_quote(text);
                }
                ('\\', Some((_, escaped @ ('"' | '\\')))) => {
                    text.push(*escaped);
                    characters.next();
                }
                _ => text.push(character),
            }
        }
        Err(fault(start, "the quote is not closed".to_owned(), String::new()))
    }

    fn end_of_quote(&self, text: String) -> Result<String, QueryError> {
        if self.rest.is_empty() || self.rest.starts_with(is_blank) {
            return Ok(text);
        }
        Err(fault(self.at, "behind a closing quote there is a space".to_owned(), String::new()))
    }
}

/// The key of a word: small letters before a colon, which no other one follows.
fn key(text: &str) -> Option<&str> {
    let (key, after) = text.split_once(':')?;
    let is_key =
        !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_lowercase()) && !after.starts_with(':');
    is_key.then_some(key)
}

fn outcomes(value: &str, mut at: usize) -> Result<Vec<Is>, QueryError> {
    let mut outcomes = Vec::new();
    for word in value.split(',') {
        let known = OUTCOMES.iter().find(|(name, _)| *name == word).map(|(_, outcome)| *outcome);
        outcomes.push(known.ok_or_else(|| {
            let help = suggest(word, OUTCOMES.map(|(name, _)| name));
            fault(at, format!("there is no outcome `{word}`"), help)
        })?);
        at += word.chars().count() + 1;
    }
    Ok(outcomes)
}

fn fault(at: usize, message: String, help: String) -> QueryError {
    QueryError { at, message, help }
}
