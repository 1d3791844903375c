//! What `subunit-filter` changes: ids by `--rename`, outcomes by `--fixup-expected-failures`.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use regex::{Captures, Regex};
use subunit::{Status, split_text, text_part};

use super::pattern::one_line;

/// A substitution in ids: every match of a regular expression, by a template.
#[derive(Clone, Debug)]
pub(crate) struct Rename {
    from: Regex,
    to: Vec<Part>,
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Group(usize),
}

impl Rename {
    /// The substitution of `from` by `to`, in which `\1` and `\g<name>` are groups of the match.
    pub(crate) fn new(from: &str, to: &str) -> anyhow::Result<Self> {
        let from =
            Regex::new(from).map_err(|error| anyhow::anyhow!("--rename {from:?}: {}", one_line(&error)))?;
        let to = template(to, &from).with_context(|| format!("--rename to {to:?}"))?;
        Ok(Rename { from, to })
    }

    fn apply(&self, id: &str) -> Option<String> {
        if !self.from.is_match(id) {
            return None;
        }
        let new = self.from.replace_all(id, |captures: &Captures<'_>| {
            self.to.iter().fold(String::new(), |text, part| match part {
                Part::Text(more) => text + more,
                Part::Group(number) => text + captures.get(*number).map_or("", |group| group.as_str()),
            })
        });
        Some(new.into_owned())
    }
}

/// The id after all substitutions, each of what the one before has made; `None` where it is the same.
pub(crate) fn rename(renames: &[Rename], id: &str) -> Option<String> {
    let mut new = None;
    for rename in renames {
        new = rename.apply(new.as_deref().unwrap_or(id)).or(new);
    }
    new.filter(|new| new != id)
}

/// Reads a template as other tools write it: with a backslash before what is not meant literally.
fn template(text: &str, from: &Regex) -> anyhow::Result<Vec<Part>> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        literal.push_str(before);
        let mut characters = after.chars();
        rest = match characters.next() {
            Some('n') => pushed('\n', &mut literal, characters.as_str()),
            Some('t') => pushed('\t', &mut literal, characters.as_str()),
            Some('\\') => pushed('\\', &mut literal, characters.as_str()),
            _ => {
                let (group, rest) = group(after, from)?;
                parts.extend([Part::Text(std::mem::take(&mut literal)), Part::Group(group)]);
                rest
            }
        };
    }
    literal.push_str(rest);
    parts.push(Part::Text(literal));
    parts.retain(|part| *part != Part::Text(String::new()));
    Ok(parts)
}

fn pushed<'t>(character: char, literal: &mut String, rest: &'t str) -> &'t str {
    literal.push(character);
    rest
}

/// The group that is named here, and what follows.
fn group<'t>(text: &'t str, from: &Regex) -> anyhow::Result<(usize, &'t str)> {
    let named = text.strip_prefix("g<").and_then(|text| text.split_once('>'));
    let (name, rest) = named.unwrap_or_else(|| {
        let digits = text.bytes().take(2).take_while(u8::is_ascii_digit).count();
        split_text(text, digits)
    });
    anyhow::ensure!(
        !name.is_empty(),
        "a backslash must be followed by n, t, another backslash, a number or g<name>"
    );
    let by_name = || from.capture_names().position(|known| known == Some(name));
    let number = name.parse().ok().filter(|number| *number < from.captures_len()).or_else(by_name);
    Ok((number.with_context(|| format!("there is no group {name}"))?, rest))
}

/// The tests that are expected to fail.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fixups(HashSet<String>);

impl Fixups {
    /// Reads lists of ids, one per line. What follows a `#`, at the start of a line or after a blank, is a comment.
    pub(crate) fn read<P: AsRef<Path>>(paths: &[P]) -> anyhow::Result<Self> {
        let mut ids = HashSet::new();
        for path in paths.iter().map(AsRef::as_ref) {
            let text = fs::read_to_string(path)
                .with_context(|| format!("cannot read the list {}", path.display()))?;
            ids.extend(text.lines().map(without_comment).filter(|id| !id.is_empty()).map(str::to_owned));
        }
        Ok(Fixups(ids))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The status of this test where it was expected to fail: a failure is an expected one, a success is not.
    pub(crate) fn status(&self, id: &str, status: Option<Status>) -> Option<Status> {
        match status {
            Some(Status::Fail) if self.0.contains(id) => Some(Status::XFail),
            Some(Status::Success) if self.0.contains(id) => Some(Status::UxSuccess),
            other => other,
        }
    }
}

fn without_comment(line: &str) -> &str {
    let comment = line.match_indices('#').map(|(at, _)| at);
    let mut starts =
        comment.filter(|at| line.get(..*at).is_some_and(|id| id.is_empty() || id.ends_with([' ', '\t'])));
    text_part(line, ..starts.next().unwrap_or(line.len())).trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pairs: &[(&str, &str)], id: &str, expected: Option<&str>) {
        let renames: Vec<Rename> = pairs.iter().map(|(from, to)| Rename::new(from, to).unwrap()).collect();
        assert_eq!(rename(&renames, id).as_deref(), expected);
    }

    #[test]
    fn every_match_is_substituted_by_one_rename_after_the_other() {
        check(&[("a", "b"), ("b", "c")], "aba", Some("ccc"));
        check(&[("^tests\\.", "")], "tests.tests.x", Some("tests.x"));
        check(&[("a", "b"), ("b", "a")], "a", None);
        check(&[("x", "y")], "a", None);
    }

    #[test]
    fn a_template_names_groups() {
        check(&[(r"(\w+)\.(?P<name>\w+)", r"\g<name>$1\\\1\g<2>")], "a.b", Some(r"b$1\ab"));
        for wrong in [r"\2", r"\g<no>", r"\q", "\\"] {
            assert!(Rename::new("(a)", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_id_may_hold_a_hash() {
        let check = |line, id| assert_eq!(without_comment(line), id);
        check("a#b", "a#b");
        check("a b  # flaky", "a b");
        check("# all of them", "");
    }
}
