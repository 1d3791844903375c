//! Names that tell hosts and runs apart.

use std::hash::{BuildHasher, Hasher, RandomState};

use anyhow::ensure;

/// The host's name up to its first dot, with only letters, digits, `-` and `_` in it.
#[must_use]
pub fn host() -> String {
    let name = gethostname::gethostname().to_string_lossy().into_owned();
    let short = name.split('.').next().unwrap_or_default();
    short
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' })
        .collect()
}

/// A number that no other run has.
#[must_use]
pub fn nonce() -> u64 {
    // The standard library seeds its hash maps from the system's random numbers.
    RandomState::new().build_hasher().finish()
}

/// What there is, behind a colon, at the end of a sentence: the first few, and how many more there are.
///
/// ```
/// assert_eq!(probe::listed(&["/a", "/b", "/c", "/d"]), ": /a; /b; /c; and 1 more");
/// assert_eq!(probe::listed::<&str>(&[]), "");
/// ```
#[must_use]
pub fn listed<T: AsRef<str>>(lines: &[T]) -> String {
    const MOST: usize = 3;
    let shown: Vec<_> = lines.iter().take(MOST).map(|line| line.as_ref().trim()).collect();
    let more = lines.len().saturating_sub(MOST);
    let colon = if shown.is_empty() { "" } else { ": " };
    let end = if more > 0 { format!("; and {more} more") } else { String::new() };
    format!("{colon}{}{end}", shown.join("; "))
}

/// The name of each target: the given one, else a short one (the last part of a path, the host of a URL), else,
/// where two would be the same, a long one. They become parts of test ids: dots, slashes and white space in them
/// are replaced.
///
/// # Errors
///
/// When names are given, but not one for each, or two are the same.
///
/// ```
/// use probe::target_names;
///
/// let names = target_names(&[], &[("user", "/eos/user"), ("user", "/mnt/user"), ("a.b", "/a.b")])?;
/// assert_eq!(names, ["eos-user", "mnt-user", "a_b"]);
/// # Ok::<(), anyhow::Error>(())
/// ```
pub fn target_names(given: &[String], targets: &[(&str, &str)]) -> anyhow::Result<Vec<String>> {
    ensure!(
        given.is_empty() || given.len() == targets.len(),
        "there are {} targets and {} names: --name is given once for each, in the same order",
        targets.len(),
        given.len()
    );
    let is_doubled = |name: &str| targets.iter().filter(|(short, _)| *short == name).count() > 1;
    let chosen = |(short, long): &(&str, &str)| if is_doubled(short) { plain(long) } else { plain(short) };
    let names: Vec<_> = match given {
        [] => targets.iter().map(chosen).collect(),
        given => given.iter().map(|name| plain(name)).collect(),
    };
    for (number, name) in names.iter().enumerate() {
        let is_double = names.iter().skip(number + 1).any(|other| other == name);
        ensure!(!is_double, "two targets are named {name}: --name tells them apart");
    }
    Ok(names)
}

/// The text as a part of a test id.
pub(super) fn plain(text: &str) -> String {
    let letter = |letter: char| match letter {
        '/' => '-',
        '.' => '_',
        other if other.is_control() || other.is_whitespace() => '_',
        other => other,
    };
    let name: String = text.trim_matches('/').chars().map(letter).collect();
    if name.is_empty() { "root".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(targets: &[(&str, &str)], given: &[&str], expected: Option<&[&str]>) {
        let given: Vec<_> = given.iter().map(|name| (*name).to_owned()).collect();
        let names = target_names(&given, targets).ok();
        let expected = expected.map(|names| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(names, expected, "{targets:?}");
    }

    #[test]
    fn targets_are_named_by_what_they_are() {
        let [a, b] = [("a", "/x/a"), ("b", "/x/b")];
        check(
            &[("user", "/eos/user"), ("my home", "/eos/my home"), ("", "/")],
            &[],
            Some(&["user", "my_home", "root"]),
        );
        check(&[("a", "/x/a"), ("a", "/y/a")], &[], Some(&["x-a", "y-a"]));
        check(&[a], &["prod/a.b"], Some(&["prod-a_b"]));
        check(&[a, b], &["x", "x"], None);
        check(&[a, b], &["x"], None);
    }
}
