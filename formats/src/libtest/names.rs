//! What stands before the names of tests, so that each is there once.

use std::collections::HashMap;

use super::cargo::{Binary, Kind};

/// At most this many binaries are told apart.
const BINARIES: usize = 10_000;

/// What the test binaries are called, as nextest calls them: `foo` for the library of a package, `foo::it` for
/// `tests/it/main.rs` or `tests/it.rs`, `foo::bin/tool`, `foo::example/demo`, `foo::bench/speed`; and
/// `foo::doc` for its documentation. Hyphens are underscores, as in paths of Rust.
///
/// Cargo does not say which package a binary is of. They come package by package, first the library and then,
/// by kind and name, the others; one that comes out of order begins a package whose name is not known.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    /// What the tests of the current binary have before their names.
    current: String,
    package: String,
    /// The last binary of the package.
    last: Option<(Kind, String)>,
    /// The paths that had a name, by their hashes: a second path gets `#2`.
    used: HashMap<String, Vec<u64>>,
    hasher: foldhash::fast::FixedState,
    /// How many binaries ran that nobody named.
    unnamed: u64,
}

impl Names {
    /// What stands before the names of tests, without `::`; empty when nothing does.
    pub(super) fn current(&self) -> &str {
        &self.current
    }

    /// Whether cargo says which binaries it runs.
    pub(super) fn is_named(&self) -> bool {
        self.last.is_some()
    }

    /// Cargo says which binary it runs next.
    pub(super) fn begin(&mut self, binary: &Binary<'_>) {
        let name = called(binary.name);
        self.enter(binary.kind, &name);
        let package = &self.package;
        let within = |what: &str| {
            if package.is_empty() { format!("{what}{name}") } else { format!("{package}::{what}{name}") }
        };
        let prefix = match binary.kind {
            Kind::Library => name.clone(),
            Kind::Main | Kind::Program => within("bin/"),
            Kind::Integration => within(""),
            Kind::Benchmark => within("bench/"),
            Kind::Example => within("example/"),
            Kind::Documentation => format!("{name}::doc"),
        };
        self.last = Some((binary.kind, name));
        self.current = self.unique(prefix, binary.path);
    }

    /// Notes whether another package begins.
    fn enter(&mut self, kind: Kind, name: &str) {
        match kind {
            Kind::Library | Kind::Main => {
                // The program of a package that has a library, too.
                let is_next = matches!(self.last, Some((Kind::Library, _))) && kind == Kind::Main;
                if !is_next || self.package != name {
                    name.clone_into(&mut self.package);
                }
            }
            Kind::Documentation => {}
            _ => {
                let is_in_order = |last: &(Kind, String)| (last.0, last.1.as_str()) < (kind, name);
                if !self.last.as_ref().is_some_and(is_in_order) {
                    self.package.clear();
                }
            }
        }
    }

    fn unique(&mut self, prefix: String, path: &str) -> String {
        use std::hash::BuildHasher as _;
        let hash = self.hasher.hash_one(path);
        let is_full = self.used.len() >= BINARIES;
        let Some(paths) = self.used.get_mut(&prefix) else {
            if !is_full {
                self.used.insert(prefix.clone(), vec![hash]);
            }
            return prefix;
        };
        let number = match paths.iter().position(|path| *path == hash) {
            Some(at) => at + 1,
            None if paths.len() >= BINARIES => paths.len() + 1,
            None => {
                paths.push(hash);
                paths.len()
            }
        };
        if number > 1 { format!("{prefix}#{number}") } else { prefix }
    }

    /// The tests of a binary begin: what stands before their names. Of those that nobody named the second is
    /// `#2`.
    pub(super) fn begin_tests(&mut self) -> &str {
        if !self.is_named() {
            self.unnamed += 1;
            self.current = if self.unnamed > 1 { format!("#{}", self.unnamed) } else { String::new() };
        }
        &self.current
    }
}

/// What stands before the names of the tests of a binary that nextest names, given its kind if it is told.
pub(super) fn of_nextest(package: &str, binary: &str, kind: Option<&str>) -> String {
    let (package, binary) = (called(package), called(binary));
    let what = match kind {
        Some(kind @ ("bin" | "example" | "bench")) => format!("{kind}/"),
        _ => String::new(),
    };
    // Its library has the name of the package, and is called so when the name is another.
    if what.is_empty() && (matches!(kind, Some("lib" | "proc-macro")) || package == binary) {
        return binary;
    }
    format!("{package}::{what}{binary}")
}

/// A name as paths of Rust have it, and as an id may hold it.
fn called(name: &str) -> String {
    name.replace('-', "_").replace('\0', "\\0")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(binaries: &[(Kind, &str, &str)], expected: &[&str]) {
        let mut names = Names::default();
        let mut found = Vec::new();
        for &(kind, name, path) in binaries {
            names.begin(&Binary { kind, name, path });
            found.push(names.current().to_owned());
        }
        assert_eq!(found, expected);
    }

    #[test]
    fn binaries_are_called_by_their_package() {
        check(
            &[
                (Kind::Library, "a_b", "1"),
                (Kind::Main, "a_b", "2"),
                (Kind::Program, "tool", "3"),
                (Kind::Integration, "it", "4"),
                (Kind::Integration, "smoke", "5"),
                (Kind::Example, "demo", "6"),
                (Kind::Main, "c", "7"),
                (Kind::Integration, "it", "8"),
                (Kind::Documentation, "a_b", "a_b"),
                (Kind::Documentation, "c", "c"),
            ],
            &[
                "a_b",
                "a_b::bin/a_b",
                "a_b::bin/tool",
                "a_b::it",
                "a_b::smoke",
                "a_b::example/demo",
                "c::bin/c",
                "c::it",
                "a_b::doc",
                "c::doc",
            ],
        );
    }

    #[test]
    fn a_package_without_a_name_is_none_of_the_last() {
        let it = |path| (Kind::Integration, "it", path);
        check(&[(Kind::Library, "a", "1"), it("2"), it("3"), it("4")], &["a", "a::it", "it", "it#2"]);
        check(&[it("2"), (Kind::Integration, "smoke", "3")], &["it", "smoke"]);
    }

    #[test]
    fn the_same_binary_again_has_the_same_name_and_another_a_new_one() {
        let of = |path| (Kind::Library, "a", path);
        check(&[of("1"), of("1"), of("2"), of("1")], &["a", "a", "a#2", "a"]);
    }

    #[test]
    fn nextest_comes_to_the_same_names() {
        assert_eq!(of_nextest("a-b", "a_b", Some("lib")), "a_b");
        assert_eq!(of_nextest("a-b", "a-b", Some("bin")), "a_b::bin/a_b");
        assert_eq!(of_nextest("a-b", "it", Some("test")), "a_b::it");
        assert_eq!(of_nextest("a-b", "it", None), "a_b::it");
        assert_eq!(of_nextest("a-b", "a_b", None), "a_b");
    }
}
