//! Ids of tests: the names of a case put together again.

use memchr::{memchr, memmem};

/// The names of a case, and what tells how they belong together.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Names<'a> {
    pub(crate) class: &'a str,
    pub(crate) name: &'a str,
    pub(crate) file: Option<&'a str>,
    /// What is put between class and name, if the user chose it.
    pub(crate) separator: Option<&'a str>,
    /// The class that stands for none.
    pub(crate) no_class: Option<&'a str>,
    /// Where it ran.
    pub(crate) route: Option<&'a str>,
    /// The name of the suite.
    pub(crate) suite: &'a str,
}

impl Names<'_> {
    /// Appends the id of the case.
    #[inline]
    pub(crate) fn id(&self, out: &mut String) {
        let name = self.route.map_or(self.name, |route| without_route(self.name, route));
        let parts = match (self.class, name) {
            ("", "") => [if self.suite.is_empty() { "(no name)" } else { self.suite }, "", ""],
            ("", name) => [name, "", ""],
            (class, "") => [class, "", ""],
            // Our own name for what could not be read.
            ("subunit", "parser") => [streamresult::DAMAGE_ID, "", ""],
            (class, name) if Some(class) == self.no_class => [name, "", ""],
            (class, name) => [class, self.separator.unwrap_or_else(|| self.usual_separator()), name],
        };
        let start = out.len();
        out.extend(parts);
        if memchr(0, out.as_bytes()).is_some() {
            let id = out.split_off(start);
            push(&id, out);
        }
    }

    /// `::` where ids are made of paths, and `.` elsewhere.
    fn usual_separator(&self) -> &'static str {
        let is_file = self.file.is_some_and(|file| is_in_file(self.class, file));
        if is_file || self.class.ends_with(".py") || has_double_colon(self.class) { "::" } else { "." }
    }
}

fn has_double_colon(class: &str) -> bool {
    class.bytes().any(|byte| byte == b':') && memmem::find(class.as_bytes(), b"::").is_some()
}

/// Whether the class is a file, or something in one.
pub(crate) fn is_in_file(class: &str, file: &str) -> bool {
    class.strip_prefix(file).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// The name without the route code that our writer adds where it would not be unique.
pub(crate) fn without_route<'a>(name: &'a str, route: &str) -> &'a str {
    let bare = name
        .strip_suffix(']')
        .and_then(|name| name.strip_suffix(route))
        .and_then(|name| name.strip_suffix(" ["));
    bare.filter(|bare| !bare.is_empty()).unwrap_or(name)
}

/// Appends a text that may be part of a packet's string: it has no NUL.
#[inline]
pub(crate) fn push(text: &str, out: &mut String) {
    if memchr(0, text.as_bytes()).is_some() {
        out.push_str(&text.replace('\0', r"\x00"));
    } else {
        out.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(names: &Names<'_>, expected: &str) {
        let mut id = String::new();
        names.id(&mut id);
        assert_eq!(id, expected);
    }

    fn names<'a>(class: &'a str, name: &'a str) -> Names<'a> {
        Names { class, name, suite: "suite", ..Names::default() }
    }

    #[test]
    fn class_and_name_are_joined_as_they_were() {
        check(&names("pkg.Test", "test_x[1.5]"), "pkg.Test.test_x[1.5]");
        check(&names("tests/test_a.py::TestA", "test_x"), "tests/test_a.py::TestA::test_x");
        check(&names("test_a.py", "test_x"), "test_a.py::test_x");
        check(&names("github.com/x/y", "TestZ"), "github.com/x/y.TestZ");
        check(&names("crate::tests", "it"), "crate::tests::it");
        check(&Names { file: Some("t/a.bats"), ..names("t/a.bats", "adds") }, "t/a.bats::adds");
        check(&Names { file: Some("t/a.js"), ..names("t.a", "adds") }, "t.a.adds");
        check(&Names { separator: Some("#"), ..names("a::b", "c") }, "a::b#c");
    }

    #[test]
    fn what_has_no_name_is_called_by_what_it_is_in() {
        check(&names("", "boot"), "boot");
        check(&names("com.example.FooTest", ""), "com.example.FooTest");
        check(&names("", ""), "suite");
        check(&Names::default(), "(no name)");
        check(&Names { no_class: Some("run"), ..names("run", "boot") }, "boot");
        check(&Names { no_class: Some("subunit"), ..names("subunit", "parser") }, "subunit.parser");
    }

    #[test]
    fn the_route_that_made_a_name_unique_is_taken_off() {
        check(&Names { route: Some("w1"), ..names("a", "b [w1]") }, "a.b");
        check(&Names { route: Some("w1"), ..names("a", "b [w2]") }, "a.b [w2]");
        check(&Names { route: Some("w1"), ..names("a", " [w1]") }, "a. [w1]");
        check(&names("a", "b\0"), r"a.b\x00");
    }
}
