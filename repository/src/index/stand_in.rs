//! Failures that are not tests: what they stand for, as far as their ids and marks tell.
//!
//! Nobody says of such a one that it passes: it is not there when all is well. So it leaves the failing set when a
//! later run of what it stands for is whole and green.

use crate::row::Marks;

use super::groups::TestKey;

/// What a failure stands for: the tests whose ids begin like this, or all of a route.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Scope {
    /// The whole run.
    Run,
    /// The tests on this route and those below it.
    Route(Option<Vec<u8>>),
    /// The tests on this route whose ids begin with this.
    Prefix(Vec<u8>, Option<Vec<u8>>),
}

impl Scope {
    pub(crate) fn has(&self, key: &TestKey) -> bool {
        match self {
            Scope::Run => true,
            Scope::Route(route) => is_below(key.route.as_deref(), route.as_deref()),
            Scope::Prefix(prefix, route) => {
                key.id.starts_with(prefix) && is_below(key.route.as_deref(), route.as_deref())
            }
        }
    }
}

fn is_below(route: Option<&[u8]>, above: Option<&[u8]>) -> bool {
    let Some(above) = above else { return route.is_none() };
    let rest = route.and_then(|route| route.strip_prefix(above));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

/// What unittest calls the failures of what it does around tests, and for which part.
const UNITTEST: [&str; 4] = ["setUpClass (", "tearDownClass (", "setUpModule (", "tearDownModule ("];
const NOT_IMPORTED: &str = "unittest.loader._FailedTest.";
const MUX: &str = "subunit-mux.";
const NOT_BUILT: &str = " [build]";
/// What TAP's failures are called that are of a document.
const OF_TAP: [&str; 2] = ["Bail out!", "tap document"];
/// What cargo's are called.
const CARGO: &str = "cargo";
/// What may be between what a failure is called and the tests of it.
const SEPARATORS: [&str; 4] = [".", "/", "::", " "];

/// What a failure may stand for.
pub(crate) struct StandsFor {
    /// The likeliest first: whoever has such tests decides.
    pub(crate) scopes: Vec<Scope>,
    /// Only that it cannot be run by its id says that it is no test. Of some formats no test can.
    pub(crate) is_guess: bool,
}

/// What a failure may stand for, as its id and marks tell.
pub(crate) fn stands_for(key: &TestKey, marks: Marks) -> StandsFor {
    let known = |scope| StandsFor { scopes: vec![scope], is_guess: false };
    let prefix = |prefix: String| Scope::Prefix(prefix.into_bytes(), key.route.clone());
    let Ok(id) = std::str::from_utf8(&key.id) else {
        return StandsFor { scopes: Vec::new(), is_guess: true };
    };
    let part = UNITTEST.iter().find_map(|word| id.strip_prefix(word)?.strip_suffix(')'));
    let part = part.or_else(|| id.strip_prefix(NOT_IMPORTED)).or_else(|| id.strip_suffix(NOT_BUILT));
    if let Some(part) = part {
        return known(prefix(format!("{part}.")));
    }
    if let Some(name) = id.strip_prefix(MUX).filter(|_| marks.not_runnable) {
        return known(Scope::Route(Some(below(key.route.as_deref(), name))));
    }
    let (folder, last) = id.rsplit_once('/').unwrap_or(("", id));
    if OF_TAP.iter().any(|word| last.starts_with(word)) {
        return known(if folder.is_empty() { whole(key) } else { prefix(format!("{folder}/")) });
    }
    if !marks.not_runnable {
        return known(prefix(format!("{id}.")));
    }
    let mut scopes: Vec<Scope> = SEPARATORS.iter().map(|end| prefix(format!("{id}{end}"))).collect();
    // Of a path it is not known what else belongs to it.
    scopes.extend((!id.contains('/') || id.starts_with(CARGO)).then(|| whole(key)));
    StandsFor { scopes, is_guess: true }
}

/// Whether it is known of a failure by itself that it is no test.
pub(crate) fn is_stand_in(key: &TestKey, marks: Marks) -> bool {
    let scopes = stands_for(key, marks).scopes;
    marks.not_runnable || !matches!(&*scopes, [Scope::Prefix(prefix, _)] if prefix.starts_with(&key.id))
}

fn whole(key: &TestKey) -> Scope {
    Scope::Route(key.route.clone())
}

/// The route of a source of `subunit-mux`, which may be below the route of what says that it failed.
fn below(route: Option<&[u8]>, name: &str) -> Vec<u8> {
    match route {
        Some(route) if route == name.as_bytes() || route.ends_with(format!("/{name}").as_bytes()) => {
            route.to_vec()
        }
        Some(route) => [route, b"/", name.as_bytes()].concat(),
        None => name.as_bytes().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(id: &str, not_runnable: bool, expected: &[&str]) {
        let key = TestKey { id: id.as_bytes().to_vec(), route: None };
        let marks = Marks { not_runnable, ..Marks::default() };
        let told = |scope: &Scope| match scope {
            Scope::Run => "run".to_owned(),
            Scope::Route(route) => {
                format!("@{}", String::from_utf8_lossy(route.as_deref().unwrap_or_default()))
            }
            Scope::Prefix(prefix, _) => String::from_utf8_lossy(prefix).into_owned(),
        };
        let scopes: Vec<String> = stands_for(&key, marks).scopes.iter().map(told).collect();
        assert_eq!(scopes, expected, "{id}");
    }

    #[test]
    fn ids_and_marks_tell_what_a_failure_stands_for() {
        check("setUpClass (m.C)", false, &["m.C."]);
        check("tearDownModule (m)", false, &["m."]);
        check("unittest.loader._FailedTest.pkg.test_x", false, &["pkg.test_x."]);
        check("example.com/p [build]", false, &["example.com/p."]);
        check("example.com/p", false, &["example.com/p."]);
        check("Bail out!", true, &["@"]);
        check("t/a.t/tap document", true, &["t/a.t/"]);
        check("subunit-mux.w1", true, &["@w1"]);
        check("foo", true, &["foo.", "foo/", "foo::", "foo ", "@"]);
        check("a/b", true, &["a/b.", "a/b/", "a/b::", "a/b "]);
    }

    #[test]
    fn a_route_has_what_is_below_it() {
        let key = |route: &str| TestKey { id: b"a".to_vec(), route: Some(route.as_bytes().to_vec()) };
        let scope = Scope::Route(Some(b"w".to_vec()));
        let found = ["w", "w/1", "w1", "v/w"].map(|route| scope.has(&key(route)));
        assert_eq!(found, [true, true, false, false]);
    }
}
