//! Errors with their causes, in words.

use std::error::Error;

/// What an error and its causes say, each after a colon. Many errors quote their cause: what was said once is not said
/// again.
///
/// ```
/// use std::io::{Error, ErrorKind};
///
/// let error = Error::new(ErrorKind::Other, Error::other("no room"));
/// assert_eq!(process::chain(&error), "no room");
/// ```
#[must_use]
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let words = cause.to_string();
        if !words.trim().is_empty() && !says(&text, words.trim()) {
            text = format!("{}: {words}", text.trim_end().trim_end_matches(':'));
        }
        source = cause.source();
    }
    text
}

/// Whether a text has these words in it, and not just as a part of others.
fn says(text: &str, words: &str) -> bool {
    let is_apart = |letter: Option<char>| letter.is_none_or(|letter| !letter.is_alphanumeric());
    let begins = |begin: usize| text.get(..begin).and_then(|before| before.chars().next_back());
    let ends = |begin: usize| text.get(begin + words.len()..).and_then(|after| after.chars().next());
    text.match_indices(words).any(|(begin, _)| is_apart(begins(begin)) && is_apart(ends(begin)))
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    #[derive(Debug)]
    struct Nested(&'static str, Option<Box<Nested>>);

    impl fmt::Display for Nested {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str(self.0)
        }
    }

    impl Error for Nested {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|error| error as &(dyn Error + 'static))
        }
    }

    fn check(words: &[&'static str], expected: &str) {
        let nested = words.iter().rev().fold(None, |inner, words| Some(Box::new(Nested(words, inner))));
        assert_eq!(chain(&*nested.unwrap()), expected, "{words:?}");
    }

    #[test]
    fn what_was_said_is_not_said_again() {
        check(&["a"], "a");
        check(&["cannot open x", "no such file"], "cannot open x: no such file");
        check(&["cannot open x: no such file", "no such file"], "cannot open x: no such file");
        check(&["cannot open x", "no such file (2)", "no such file"], "cannot open x: no such file (2)");
        check(&["connect failed:", "refused"], "connect failed: refused");
        check(&["a", "b", "a: b"], "a: b");
        // A part of a word is not a word.
        check(&["cannot", "no"], "cannot: no");
        check(&["it ends", ""], "it ends");
    }
}
