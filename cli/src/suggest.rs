//! What a misspelt word may have been meant to be.

use std::fmt;

use strsim::osa_distance;

/// The word that this one is most likely meant to be, as the end of a sentence; empty where none is
/// like it.
///
/// ```
/// assert_eq!(cli::suggest("pth", ["path", "name"]), "; is it `path`?");
/// assert_eq!(cli::suggest("colour", ["path", "name"]), "");
/// ```
#[must_use]
pub fn suggest<'a>(word: &str, words: impl IntoIterator<Item = &'a str>) -> String {
    let mut nearest = Nearest::to(word);
    words.into_iter().for_each(|other| nearest.look_at_whole(other));
    nearest.to_string()
}

/// The one of many words that is most like one, each looked at once.
///
/// ```
/// let mut nearest = cli::Nearest::to("boot");
/// ["disk.load", "net.boot"].map(|id| nearest.look_at(id));
/// assert_eq!(nearest.to_string(), "; is it `net.boot`?");
/// ```
#[derive(Clone, Debug)]
pub struct Nearest {
    word: String,
    most: usize,
    found: Option<(usize, String)>,
}

impl Nearest {
    /// Looks for what this word may be meant to be.
    #[must_use]
    pub fn to(word: &str) -> Self {
        let word = plain(word);
        Nearest { most: (word.chars().count() / 3).max(1), word, found: None }
    }

    /// Looks at a name of several parts: whoever names only the last ones means it, too.
    pub fn look_at(&mut self, name: &str) {
        self.look_at_whole(name);
        let before = plain(name);
        let before = before.strip_suffix(&self.word).and_then(|before| before.chars().last());
        if !self.word.is_empty() && before.is_some_and(|last| !last.is_alphanumeric()) {
            self.take(self.most, name);
        }
    }

    fn look_at_whole(&mut self, other: &str) {
        // The length alone tells of most that they are not alike.
        if other.len().abs_diff(self.word.len()) > self.most * 4 {
            return;
        }
        let distance = osa_distance(&self.word, &plain(other));
        if distance <= self.most {
            self.take(distance, other);
        }
    }

    fn take(&mut self, distance: usize, other: &str) {
        let is_nearer = |(known, word): &(usize, String)| (distance, other) < (*known, word.as_str());
        if self.found.as_ref().is_none_or(is_nearer) {
            self.found = Some((distance, other.to_owned()));
        }
    }
}

/// The end of a sentence; empty where no word was like it.
impl fmt::Display for Nearest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.found {
            Some((_, word)) => write!(formatter, "; is it `{}`?", word.escape_debug()),
            None => Ok(()),
        }
    }
}

fn plain(text: &str) -> String {
    text.to_lowercase().replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_errors_are_known_for_what_they_are() {
        let check =
            |word, expected: &str| assert_eq!(suggest(word, ["path", "op-timeout"]), expected, "{word}");
        for word in ["path", "pth", "paths", "ptah", "bath", "PATH"] {
            check(word, "; is it `path`?");
        }
        check("op_timeuot", "; is it `op-timeout`?");
        check("pa", "");
        check("", "");
    }
}
