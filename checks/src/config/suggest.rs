//! Of misspelt words, what may have been meant.

/// The one of the words that this one is likely to stand for, as the end of a sentence; nothing where none is
/// like it.
///
/// ```
/// assert_eq!(checks::config::suggestion("pth", ["path", "name"]), "; is it `path`?");
/// assert_eq!(checks::config::suggestion("colour", ["path", "name"]), "");
/// ```
#[must_use]
pub fn suggestion<'a>(word: &str, words: impl IntoIterator<Item = &'a str>) -> String {
    let plain = |text: &str| text.to_lowercase().replace('_', "-");
    let distances = words.into_iter().map(|other| (distance(&plain(word), &plain(other)), other));
    let most = (word.chars().count() / 3).max(1);
    match distances.filter(|(distance, _)| *distance <= most).min() {
        Some((_, other)) => format!("; is it `{other}`?"),
        None => String::new(),
    }
}

/// How many letters have to be added, dropped, replaced or swapped with the next one.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, letter) in one.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, wanted) in other.iter().enumerate() {
            let at = |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX / 2);
            let replaced = at(&row, j) + usize::from(letter != wanted);
            let mut least = replaced.min(at(&row, j + 1) + 1).min(at(&next, j) + 1);
            let is_swapped =
                i > 0 && j > 0 && one.get(i - 1) == Some(wanted) && other.get(j - 1) == Some(letter);
            if is_swapped {
                least = least.min(at(&before, j - 1) + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_typing_errors() {
        let check = |one, other, expected| assert_eq!(distance(one, other), expected, "{one} {other}");
        check("", "", 0);
        check("path", "path", 0);
        check("pth", "path", 1);
        check("paths", "path", 1);
        check("ptah", "path", 1);
        check("bath", "path", 1);
        check("", "path", 4);
    }
}
