//! What a misspelt word may have been meant to be.

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
    let plain = |text: &str| text.to_lowercase().replace('_', "-");
    let distances = words.into_iter().map(|other| (osa_distance(&plain(word), &plain(other)), other));
    let most = (word.chars().count() / 3).max(1);
    match distances.filter(|(distance, _)| *distance <= most).min() {
        Some((_, other)) => format!("; is it `{other}`?"),
        None => String::new(),
    }
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
