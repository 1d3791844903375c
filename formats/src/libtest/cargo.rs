//! What cargo says around the test binaries.

use crate::colour::uncoloured;

/// A line of cargo's, or of something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cargo<'a> {
    /// A test binary begins.
    Binary(Binary<'a>),
    /// A test binary failed, in whatever way.
    TestsFailed,
    /// Something else went wrong.
    Error,
    Other,
}

/// A test binary as cargo names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Binary<'a> {
    pub(super) kind: Kind,
    /// Of its executable, without the digits behind it.
    pub(super) name: &'a str,
    /// What tells it from another of the same name.
    pub(super) path: &'a str,
}

/// What a test binary is made from, in cargo's order within a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// The library, or something that does not say what it is.
    Library,
    /// `src/main.rs`, which has the name of its package.
    Main,
    Program,
    Integration,
    Benchmark,
    Example,
    Documentation,
}

/// Reads a line without its end and without colours.
pub(super) fn parse(line: &[u8]) -> Cargo<'_> {
    if line.first() == Some(&b' ') {
        return status(line).unwrap_or(Cargo::Other);
    }
    match line.strip_prefix(b"error").and_then(<[u8]>::split_first) {
        Some((b'[', _)) => Cargo::Error,
        Some((b':', _)) if is_tests_failed(line) => Cargo::TestsFailed,
        // The list of all that failed, each of which was told before.
        Some((b':', rest)) if rest.ends_with(b" failed:") => Cargo::Other,
        Some((b':', b" test run failed")) => Cargo::TestsFailed,
        Some((b':', _)) => Cargo::Error,
        _ => Cargo::Other,
    }
}

/// Whether it says that a test binary failed; what it printed last may stand before.
pub(super) fn is_tests_failed(line: &[u8]) -> bool {
    ["test", "doctest", "bench"].iter().any(|what| {
        let rest = line.strip_prefix(b"error: ").and_then(|rest| rest.strip_prefix(what.as_bytes()));
        rest.is_some_and(|rest| rest.starts_with(b" failed, to rerun pass "))
    })
}

/// Where in a line of output cargo begins to say that the test binary failed.
pub(super) fn tests_failed_at(line: &[u8]) -> Option<usize> {
    let at = memchr::memmem::find(line, b"error: ")?;
    line.get(at..).is_some_and(|rest| is_tests_failed(&uncoloured(rest))).then_some(at)
}

/// A line with a word that ends in its twelfth column.
fn status(line: &[u8]) -> Option<Cargo<'_>> {
    let text = std::str::from_utf8(line).ok()?;
    let word = text.trim_start_matches(' ').split(' ').next()?;
    let (blanks, rest) = (text.len() - text.trim_start_matches(' ').len(), text.trim_start_matches(' '));
    if blanks + word.len() != 12 && word != "Doc-tests" {
        return None;
    }
    let rest = rest.get(word.len()..)?.strip_prefix(' ')?;
    match word {
        "Running" => binary(rest).map(Cargo::Binary),
        "Doc-tests" if blanks == 3 && is_name(rest) => {
            Some(Cargo::Binary(Binary { kind: Kind::Documentation, name: rest, path: rest }))
        }
        _ => None,
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|character| character.is_alphanumeric() || "_-".contains(character))
}

/// `unittests src/lib.rs (target/debug/deps/foo-0123456789abcdef)`; with `-v` the path with its arguments.
fn binary(rest: &str) -> Option<Binary<'_>> {
    if let Some(command) = rest.strip_prefix('`') {
        let path = command.trim_end_matches('`').split(' ').next()?;
        return Some(Binary { kind: Kind::Library, name: executable(path)?, path });
    }
    let (source, path) = rest.strip_suffix(')')?.rsplit_once(" (")?;
    let kind = match source.strip_prefix("unittests ") {
        None => Kind::Integration,
        Some(source) => kind(source),
    };
    Some(Binary { kind, name: executable(path)?, path })
}

fn kind(source: &str) -> Kind {
    let is_in = |folder: &str| source.starts_with(folder);
    match source {
        "src/main.rs" => Kind::Main,
        _ if is_in("src/bin/") || source.ends_with("main.rs") && !is_in("examples/") => Kind::Program,
        _ if is_in("benches/") => Kind::Benchmark,
        _ if is_in("examples/") => Kind::Example,
        _ => Kind::Library,
    }
}

/// The name of an executable without its folder and the digits that cargo puts behind it.
fn executable(path: &str) -> Option<&str> {
    let name = path.rsplit(['/', '\\']).next()?;
    let name = name.strip_suffix(".exe").unwrap_or(name);
    let is_digits = |text: &str| text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let name = match name.rsplit_once('-') {
        Some((name, digits)) if is_digits(digits) => name,
        _ => name,
    };
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Cargo<'_>) {
        assert_eq!(parse(line.as_bytes()), expected, "{line}");
    }

    fn check_binary(line: &str, kind: Kind, name: &str) {
        let Cargo::Binary(binary) = parse(line.as_bytes()) else { panic!("no binary: {line}") };
        assert_eq!((binary.kind, binary.name), (kind, name), "{line}");
    }

    #[test]
    fn binaries_are_named() {
        let check = |source: &str, kind| {
            let line = format!("     Running {source} (target/debug/deps/foo_bar-0123456789abcdef)");
            check_binary(&line, kind, "foo_bar");
        };
        check("unittests src/lib.rs", Kind::Library);
        check("unittests src/main.rs", Kind::Main);
        check("unittests src/bin/foo-bar.rs", Kind::Program);
        check("unittests crates/core/main.rs", Kind::Program);
        check("tests/it/main.rs", Kind::Integration);
        check("unittests benches/speed.rs", Kind::Benchmark);
        check("unittests examples/embed/main.rs", Kind::Example);
        check_binary("     Running `/x/deps/foo-0123456789abcdef --nocapture`", Kind::Library, "foo");
        check_binary("   Doc-tests foo_bar", Kind::Documentation, "foo_bar");
        check_binary("     Running unittests a.rs (x\\deps\\foo-bar.exe)", Kind::Library, "foo-bar");
    }

    #[test]
    fn errors_are_told_apart() {
        check("error[E0308]: mismatched types", Cargo::Error);
        check("error: could not compile `a` (lib) due to 1 previous error", Cargo::Error);
        check("error: test failed, to rerun pass `--lib`", Cargo::TestsFailed);
        check("error: doctest failed, to rerun pass `--doc`", Cargo::TestsFailed);
        check("error: test run failed", Cargo::TestsFailed);
        check("error: 2 targets failed:", Cargo::Other);
        check("errors: 3", Cargo::Other);
        check("   Compiling a v0.1.0", Cargo::Other);
        check("  Running late", Cargo::Other);
        check("     Running late", Cargo::Other);
        assert_eq!(tests_failed_at(b"outerror: test failed, to rerun pass `--lib`"), Some(3));
        assert_eq!(tests_failed_at(b"\x1b[1mx\x1b[0m"), None);
    }
}
