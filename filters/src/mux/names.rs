//! What sources are called: the first element of their packets' routes.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use anyhow::{bail, ensure};

/// A source as it is given on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spec {
    /// None: it goes by its ordinal.
    pub(crate) name: Option<String>,
    pub(crate) kind: Kind,
}

/// What a source is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Stdin,
    File(PathBuf),
    /// A command for the shell.
    Exec(String),
}

impl Spec {
    pub(crate) const STDIN: Spec = Spec { name: None, kind: Kind::Stdin };

    /// Reads `[NAME=]FILE`: what stands before the first `=` is the name.
    pub(crate) fn file(text: &OsStr) -> anyhow::Result<Self> {
        let (name, path) = split(text.as_bytes());
        let name = name.map(|name| checked_name(name, text)).transpose()?;
        ensure!(!path.is_empty(), "{text:?} names no file");
        let kind = match path {
            b"-" => Kind::Stdin,
            path => Kind::File(OsStr::from_bytes(path).into()),
        };
        Ok(Spec { name, kind })
    }

    /// Reads `[NAME=]COMMAND`: what stands before the first `=` is the name, unless it holds a blank or a
    /// quote; then that `=` is the command's own, as in `runner --jobs=2`.
    pub(crate) fn exec(text: &str) -> anyhow::Result<Self> {
        let is_word =
            |name: &[u8]| !name.iter().any(|byte| byte.is_ascii_whitespace() || b"'\"".contains(byte));
        let (name, command) = match split(text.as_bytes()) {
            (Some(name), _) if is_word(name) => (Some(name), text.get(name.len() + 1..).unwrap_or_default()),
            _ => (None, text),
        };
        let name = name.map(|name| checked_name(name, text.as_ref())).transpose()?;
        ensure!(!command.trim().is_empty(), "{text:?} names no command");
        Ok(Spec { name, kind: Kind::Exec(command.to_owned()) })
    }
}

fn split(text: &[u8]) -> (Option<&[u8]>, &[u8]) {
    match text.iter().position(|byte| *byte == b'=').and_then(|at| text.split_at_checked(at)) {
        Some((name, rest)) => (Some(name), rest.get(1..).unwrap_or_default()),
        None => (None, text),
    }
}

fn checked_name(name: &[u8], text: &OsStr) -> anyhow::Result<String> {
    let Ok(name) = std::str::from_utf8(name) else { bail!("the name in {text:?} is not UTF-8") };
    ensure!(!name.is_empty(), "the name in {text:?} is empty");
    ensure!(
        !name.contains('/'),
        "the name {name:?} in {text:?} holds a /, which separates the elements of a route \
         (a NAME= before it keeps the rest as it is)"
    );
    Ok(name.to_owned())
}

/// Gives each source a name of its own.
#[derive(Debug, Default)]
pub(crate) struct Names {
    taken: HashSet<String>,
    /// How many names were given, which is the next ordinal.
    given: usize,
}

impl Names {
    /// This name, or the next ordinal; `-2`, `-3`, … follow where it is taken.
    pub(crate) fn give(&mut self, wanted: Option<String>) -> String {
        let wanted = wanted.unwrap_or_else(|| self.given.to_string());
        self.given += 1;
        let mut name = wanted.clone();
        let mut count = 1;
        while !self.taken.insert(name.clone()) {
            count += 1;
            name = format!("{wanted}-{count}");
        }
        name
    }
}

/// The sources of these arguments: files first, then commands; stdin when there is nothing else.
pub(crate) fn specs(files: &[OsString], commands: &[String], has_others: bool) -> anyhow::Result<Vec<Spec>> {
    if files.is_empty() && commands.is_empty() && !has_others {
        return Ok(vec![Spec::STDIN]);
    }
    let files = files.iter().map(|text| Spec::file(text));
    files.chain(commands.iter().map(|text| Spec::exec(text))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_file(text: &str, expected: Option<(Option<&str>, &str)>) {
        let found = Spec::file(text.as_ref()).ok().map(|spec| match spec.kind {
            Kind::File(path) => (spec.name, path.display().to_string()),
            _ => (spec.name, "-".to_owned()),
        });
        let expected = expected.map(|(name, path)| (name.map(str::to_owned), path.to_owned()));
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn a_file_may_have_a_name() {
        check_file("run.subunit", Some((None, "run.subunit")));
        check_file("-", Some((None, "-")));
        check_file("remote=-", Some((Some("remote"), "-")));
        check_file("x86=/tmp/a=b", Some((Some("x86"), "/tmp/a=b")));
        for wrong in ["=file", "a/b=file", "/tmp/a=b", "name=", ""] {
            check_file(wrong, None);
        }
    }

    fn check_exec(text: &str, expected: Option<(Option<&str>, &str)>) {
        let expected = expected.map(|(name, command)| Spec {
            name: name.map(str::to_owned),
            kind: Kind::Exec(command.to_owned()),
        });
        assert_eq!(Spec::exec(text).ok(), expected, "{text}");
    }

    #[test]
    fn a_command_may_have_a_name_and_keeps_its_own_equals_signs() {
        check_exec("./run", Some((None, "./run")));
        check_exec("w1=./run --jobs=2", Some((Some("w1"), "./run --jobs=2")));
        check_exec("./run --jobs=2", Some((None, "./run --jobs=2")));
        check_exec("'a=b' c", Some((None, "'a=b' c")));
        for wrong in ["=./run", "a/b=./run", "name=", "name= ", ""] {
            check_exec(wrong, None);
        }
    }

    fn check_names(wanted: &[Option<&str>], expected: &[&str]) {
        let mut names = Names::default();
        let given: Vec<_> = wanted.iter().map(|name| names.give(name.map(str::to_owned))).collect();
        assert_eq!(given, expected);
    }

    #[test]
    fn unnamed_sources_go_by_ordinals_and_doubled_names_are_numbered() {
        check_names(&[None, None, Some("a"), None], &["0", "1", "a", "3"]);
        check_names(&[Some("a"), Some("a"), Some("a")], &["a", "a-2", "a-3"]);
        check_names(&[Some("1"), None, Some("1-2")], &["1", "1-2", "1-2-2"]);
    }
}
