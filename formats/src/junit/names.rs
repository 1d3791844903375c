//! Names of test cases: no two are alike in one file.

use std::borrow::Cow;
use std::hash::{BuildHasher as _, Hasher as _};

use foldhash::quality::RandomState;
use memchr::{memchr, memchr3, memrchr};

use crate::hash_set::{CompactHashSet, first_free};
use subunit::part;

/// Attributes are cut beyond this many bytes: a reader takes 10 MB at most, as a rule.
const LONGEST: usize = 64 << 10;
/// What begins the names of tests in Go.
const GO_TESTS: [&[u8]; 4] = [b"Test", b"Benchmark", b"Example", b"Fuzz"];
/// Endings of files that are tests, or have some.
const EXTENSIONS: [&[u8]; 34] = [
    b"bats", b"c", b"cc", b"cjs", b"cpp", b"cs", b"dart", b"ex", b"exs", b"feature", b"go", b"hs", b"html",
    b"java", b"js", b"json", b"jsx", b"kt", b"lua", b"md", b"mjs", b"php", b"pl", b"py", b"rb", b"robot",
    b"rs", b"sh", b"swift", b"t", b"toml", b"ts", b"tsx", b"yaml",
];

/// The two names of a test case. Consumers take two cases with the same names for one test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CaseName<'a> {
    /// The class, empty when the id has none.
    pub(crate) class: &'a str,
    pub(crate) name: &'a str,
}

impl<'a> CaseName<'a> {
    /// Takes a test id apart: at the last `::` before any parameters, or else at the last `.` there that ends a class.
    pub(crate) fn of(id: &'a str) -> Self {
        // An id that begins with a bracket or a blank is all name.
        let end = memchr3(b'(', b'[', b' ', id.as_bytes()).unwrap_or(id.len());
        let head = part(id.as_bytes(), ..end);
        let split = match last_double_colon(head) {
            Some(at) => Some((at, at + 2)),
            None => class_end(head, part(id.as_bytes(), end..)).map(|at| (at, at + 1)),
        };
        let parts = split.and_then(|(class, name)| Some((id.get(..class)?, id.get(name..)?)));
        match parts {
            Some((class, name)) if !class.is_empty() && !name.is_empty() => CaseName { class, name },
            _ if id.is_empty() => CaseName { class: "", name: "(empty id)" },
            _ => CaseName { class: "", name: id },
        }
    }

    /// Takes a test id apart of which the class is known.
    pub(crate) fn of_class(id: &'a str, class: &'a str) -> Self {
        let rest = id.strip_prefix(class).unwrap_or_default();
        let name = rest.strip_prefix("::").or_else(|| rest.strip_prefix('.')).unwrap_or_default();
        CaseName { class, name: if name.is_empty() { id } else { name } }
    }
}

/// The dot that ends the class in `head`, what is looked at of an id; the rest of the id is `behind`. Where there are
/// paths, a dot may also be one of a folder or of a file's ending, and between two digits it is a point.
fn class_end(head: &[u8], behind: &[u8]) -> Option<usize> {
    let mut end = head.len();
    let mut dot = memrchr(b'.', head)?;
    let has_path = memchr(b'/', head).is_some();
    if let Some(dot) = if has_path { end_of_go_package(head) } else { None } {
        return Some(dot);
    }
    let is_digit = |at: usize| head.get(at).is_some_and(u8::is_ascii_digit);
    loop {
        let is_point = is_digit(dot + 1) && dot.checked_sub(1).is_some_and(is_digit);
        let name = part(head, dot + 1..);
        let may_be_file = end == head.len() && (behind.is_empty() || behind.starts_with(b" - "));
        let is_in_path = has_path && (name.contains(&b'/') || may_be_file && EXTENSIONS.contains(&name));
        if !is_point && !is_in_path {
            return Some(dot);
        }
        end = dot;
        dot = memrchr(b'.', part(head, ..end))?;
    }
}

/// Where the package ends in the id of a subtest in Go: `example.com/net.TestBoot/again.and.again`.
fn end_of_go_package(head: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'.', head).find(|dot| {
        let test = part(head, dot + 1..);
        let len =
            test.iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_').unwrap_or(test.len());
        let is_named = GO_TESTS.iter().any(|start| {
            test.strip_prefix(*start).is_some_and(|rest| !rest.first().is_some_and(u8::is_ascii_lowercase))
        });
        is_named && test.get(len) == Some(&b'/')
    })
}

fn last_double_colon(text: &[u8]) -> Option<usize> {
    let mut end = text.len();
    while let Some(at) = memrchr(b':', text.get(..end)?) {
        let before = at.checked_sub(1)?;
        if text.get(before) == Some(&b':') {
            return Some(before);
        }
        end = at;
    }
    None
}

/// The file in an id like `tests/test_boot.py::TestBoot::test_boot`.
pub(crate) fn file_of(id: &str) -> Option<&str> {
    memchr(b':', id.as_bytes())?;
    let (file, _) = id.split_once("::")?;
    (file.contains('.') && file.contains('/') || file.ends_with(".py")).then_some(file)
}

/// The text, or its beginning and how much more there is.
pub(crate) fn cut(text: &str) -> Cow<'_, str> {
    if text.len() <= LONGEST {
        return Cow::Borrowed(text);
    }
    let kept = (0..4).find_map(|back| text.get(..LONGEST - back)).unwrap_or_default();
    Cow::Owned(format!("{kept}… ({} bytes more)", text.len() - kept.len()))
}

/// The names that were given, by their hashes. Two names with one hash, which nobody can bring about, cost
/// the second an unneeded number.
#[derive(Debug, Default)]
pub(crate) struct Names {
    seen: CompactHashSet,
    state: RandomState,
}

impl Names {
    /// Gives this name, or one like it where it was given before: ` [route]` or ` #2` is added to it.
    pub(crate) fn give<'a>(&mut self, class: &str, name: &'a str, route: Option<&str>) -> Cow<'a, str> {
        if self.seen.insert(self.hash(class, name)) {
            return Cow::Borrowed(name);
        }
        let name = self.numbered(class, name, route);
        self.seen.insert(self.hash(class, &name));
        Cow::Owned(name)
    }

    #[cold]
    fn numbered(&self, class: &str, name: &str, route: Option<&str>) -> String {
        let routed = match route {
            Some(route) => format!("{name} [{}]", cut(route)),
            None => name.to_owned(),
        };
        if route.is_some() && !self.is_given(class, &routed) {
            return routed;
        }
        let numbered = |number| format!("{routed} #{number}");
        numbered(first_free(|number| self.is_given(class, &numbered(number))))
    }

    fn is_given(&self, class: &str, name: &str) -> bool {
        self.seen.contains(self.hash(class, name))
    }

    fn hash(&self, class: &str, name: &str) -> u64 {
        let mut hasher = self.state.build_hasher();
        hasher.write_usize(class.len());
        hasher.write(class.as_bytes());
        hasher.write(name.as_bytes());
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_split(id: &str, class: &str, name: &str) {
        assert_eq!(CaseName::of(id), CaseName { class, name });
    }

    #[test]
    fn an_id_is_split_before_its_parameters() {
        check_split("pkg.mod.Test.test_x", "pkg.mod.Test", "test_x");
        check_split("pkg.Test.test_x[1.5]", "pkg.Test", "test_x[1.5]");
        check_split("pkg.Test.test_x(a.b) (c)", "pkg.Test", "test_x(a.b) (c)");
        check_split("tests/test_a.py::TestA::test_x[a::b]", "tests/test_a.py::TestA", "test_x[a::b]");
        check_split("a:b::c:d", "a:b", "c:d");
        check_split("::a", "", "::a");
        check_split("a:b.c", "a:b", "c");
        check_split("boot", "", "boot");
        check_split(".hidden", "", ".hidden");
        check_split("a.", "", "a.");
        check_split("test 1 a.b", "", "test 1 a.b");
        check_split("", "", "(empty id)");
        check_split("grün.測試", "grün", "測試");
    }

    #[test]
    fn a_dot_that_ends_no_class_is_none() {
        check_split("bench/sum/1.5", "", "bench/sum/1.5");
        check_split("pkg.mod.size_1.5", "pkg.mod", "size_1.5");
        check_split("t/a.js/one", "", "t/a.js/one");
        check_split("t/a.js", "", "t/a.js");
        check_split("t/a.js.one", "t/a.js", "one");
        check_split("src/lib.rs - f (line 2)", "", "src/lib.rs - f (line 2)");
        check_split("example.com/net", "", "example.com/net");
        check_split("example.com/net.TestBoot", "example.com/net", "TestBoot");
        check_split("example.com/net.TestBoot/again.and.1.5", "example.com/net", "TestBoot/again.and.1.5");
        check_split("pkg/mod.Test.test_x", "pkg/mod.Test", "test_x");
        check_split("a.t", "a", "t");
    }

    fn check_class(id: &str, class: &str, name: &str) {
        assert_eq!(CaseName::of_class(id, class), CaseName { class, name });
    }

    #[test]
    fn a_class_that_is_known_is_taken_off() {
        check_class("orders add.up", "orders add", "up");
        check_class("orders add::up", "orders add", "up");
        check_class("orders add up", "add up", "orders add up");
        check_class("a b", "a b", "a b");
    }

    #[test]
    fn the_file_is_known_where_the_id_says_it() {
        assert_eq!(file_of("tests/test_a.py::test_x"), Some("tests/test_a.py"));
        assert_eq!(file_of("test_a.py::test_x"), Some("test_a.py"));
        assert_eq!(file_of("crate::tests::test_x"), None);
    }

    fn check_names(names: &[(&str, Option<&str>)], expected: &[&str]) {
        let mut given = Names::default();
        let found: Vec<_> = names.iter().map(|(name, route)| given.give("class", name, *route)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn no_name_is_given_twice() {
        check_names(&[("a", None), ("b", None), ("a", None), ("a", None)], &["a", "b", "a #2", "a #3"]);
        check_names(&[("a", Some("0")), ("a", Some("1")), ("a", Some("1"))], &["a", "a [1]", "a [1] #2"]);
        check_names(&[("a #2", None), ("a", None), ("a", None)], &["a #2", "a", "a #3"]);
    }

    #[test]
    fn a_long_attribute_says_how_much_is_missing() {
        let long = "ü".repeat(LONGEST);
        assert!(cut(&long).ends_with("ü… (65536 bytes more)"));
        assert_eq!(cut("short"), "short");
    }
}
