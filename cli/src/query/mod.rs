//! Which tests are meant, in one line: `is:fail on:ash -tag:slow >10s boot`.
//!
//! The same words choose tests in `subunit-filter --query`, `subunit-ls --query`, `subunit list --query`, `subunit run
//! --only` and in the search of a page. All words must hold of a test; several outcomes, or several places, are a choice, since a test has only one.
//!
//! | word | holds of tests |
//! |---|---|
//! | `boot`, `"two words"` | in whose ids this is, in capital letters or not |
//! | `is:fail,skip` | that ended like this: `pass`, `fail`, `unfinished`, `flaky`, `skip`, `xfail`, `uxsuccess`, `exists`; `failing` is all that counts against a run |
//! | `on:ash` | that ran there, or at a place within it, as `ash/2` is |
//! | `tag:slow` | with this tag |
//! | `id:net.*` | whose whole ids are like this; `*` stands for anything |
//! | `>10s`, `<=1h30m` | that took longer, or not as long |
//! | `new:` | that did not go wrong in the run before |
//!
//! With `-` before it a word must not hold. Values may be between double quotes, in which `\"` is a quote and `\\` a
//! backslash.
//!
//! The page reads queries by itself (`page/src/assets/query.js`); `cases.json` is the table that both are tested with.

mod parse;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use streamresult::{Outcome, Record, place_of};

/// The outcomes that queries know, in the order in which they are named.
const OUTCOMES: [(&str, Is); 15] = [
    ("pass", Is::Pass),
    ("fail", Is::Fail),
    ("unfinished", Is::Unfinished),
    ("flaky", Is::Flaky),
    ("skip", Is::Skip),
    ("xfail", Is::XFail),
    ("uxsuccess", Is::UxSuccess),
    ("exists", Is::Exists),
    ("failing", Is::Failing),
    ("passed", Is::Pass),
    ("success", Is::Pass),
    ("failed", Is::Fail),
    ("hung", Is::Unfinished),
    ("skipped", Is::Skip),
    ("failures", Is::Failing),
];
const KEYS: [&str; 5] = ["id", "is", "new", "on", "tag"];

/// An outcome as queries have it: of tests that passed, the flaky ones are apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Is {
    Pass,
    Fail,
    Unfinished,
    Flaky,
    Skip,
    XFail,
    UxSuccess,
    Exists,
    /// Whatever counts against the run.
    Failing,
}

impl Is {
    fn of(outcome: Outcome, is_flaky: bool) -> Self {
        match outcome {
            Outcome::Success if is_flaky => Is::Flaky,
            Outcome::Success => Is::Pass,
            Outcome::Exists => Is::Exists,
            Outcome::UxSuccess => Is::UxSuccess,
            Outcome::Skip => Is::Skip,
            Outcome::Fail => Is::Fail,
            Outcome::XFail => Is::XFail,
            Outcome::Unfinished => Is::Unfinished,
        }
    }

    fn holds_of(self, other: Is) -> bool {
        let fails = matches!(other, Is::Fail | Is::UxSuccess | Is::Unfinished);
        self == other || (self == Is::Failing && fails)
    }
}

/// What a word asks of a test.
#[derive(Clone, Debug, PartialEq)]
enum Ask {
    /// In small letters.
    Text(String),
    Id(String),
    Is(Vec<Is>),
    On(String),
    Tag(String),
    New,
    Took(Compare, Duration),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compare {
    More,
    AtLeast,
    Less,
    AtMost,
}

/// A word of a query.
#[derive(Clone, Debug, PartialEq)]
struct Term {
    /// Whether it must not hold.
    not: bool,
    ask: Ask,
}

/// Which tests are meant.
///
/// ```
/// use cli::query::Query;
///
/// assert!("is:fail -tag:slow >1h30m".parse::<Query>().is_ok());
/// let error = "is:fial".parse::<Query>().unwrap_err();
/// assert_eq!(error.to_string(), "at character 4: there is no outcome `fial`; is it `fail`?");
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    terms: Vec<Term>,
}

/// What is wrong with a query, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryError {
    /// The character that it is about; the first is 1.
    pub at: usize,
    /// What is wrong.
    pub message: String,
    /// What may have been meant, as the end of a sentence; empty where nothing is like it.
    pub help: String,
}

impl fmt::Display for QueryError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "at character {}: {}{}", self.at, self.message, self.help)
    }
}

impl std::error::Error for QueryError {}

impl FromStr for Query {
    type Err = QueryError;

    fn from_str(text: &str) -> Result<Self, QueryError> {
        Ok(Query { terms: parse::terms(text)? })
    }
}

/// Reads a query about the tests of a stream, which does not tell what happened in the run before.
///
/// # Errors
///
/// When it is not a query, or asks for earlier runs.
pub fn of_stream(text: &str) -> Result<Query, String> {
    let query: Query = text.parse().map_err(|error: QueryError| error.to_string())?;
    if query.asks_for_earlier_runs() {
        return Err("`new:` asks about earlier runs, and a stream is only one".to_owned());
    }
    Ok(query)
}

/// Reads a query about tests that may have run, and of which no route and no tags are known.
///
/// # Errors
///
/// When it is not a query, or asks for places or tags.
pub fn of_tests(text: &str) -> Result<Query, String> {
    let query: Query = text.parse().map_err(|error: QueryError| error.to_string())?;
    if query.asks_for_tags() || query.terms.iter().any(|term| matches!(term.ask, Ask::On(_))) {
        return Err("`on:` and `tag:` ask what only a run tells, and these tests have yet to run".to_owned());
    }
    Ok(query)
}

/// What is known of a test that has yet to run: how it went when it last ran.
#[derive(Clone, Copy, Debug, Default)]
pub struct LastTime {
    /// How it ended, and whether it was flaky.
    pub outcome: Option<(Outcome, bool)>,
    /// How long it took.
    pub took: Option<Duration>,
    /// Whether it did not go wrong the time before.
    pub is_new: bool,
}

/// What is known of a test that a query is asked about.
struct Subject<'a> {
    id: &'a str,
    small_id: String,
    is: Option<Is>,
    route: Option<&'a str>,
    tags: Vec<&'a str>,
    took: Option<Duration>,
    is_new: bool,
}

impl Query {
    /// Whether a test is meant.
    #[must_use]
    pub fn matches(&self, record: &Record<'_>) -> bool {
        self.matches_in_run(record, false)
    }

    /// The same in a run of which it is known whether the test did not go wrong in the run before.
    #[must_use]
    pub fn matches_in_run(&self, record: &Record<'_>, is_new: bool) -> bool {
        self.holds_of(&Subject {
            id: record.test_id(),
            small_id: record.test_id().to_lowercase(),
            is: Some(Is::of(record.outcome(), record.is_flaky())),
            route: record.route_code(),
            tags: record.tags().iter().collect(),
            took: record.duration(),
            is_new,
        })
    }

    /// Whether a test is meant that has yet to run, by its id and what it did when it last ran.
    #[must_use]
    pub fn matches_before_run(&self, id: &str, last: &LastTime) -> bool {
        let LastTime { outcome, took, is_new } = *last;
        let is = outcome.map(|(outcome, is_flaky)| Is::of(outcome, is_flaky));
        let small_id = id.to_lowercase();
        self.holds_of(&Subject { id, small_id, is, route: None, tags: Vec::new(), took, is_new })
    }

    /// Whether it asks for tags, which a run whose stream was pruned does not have.
    #[must_use]
    pub fn asks_for_tags(&self) -> bool {
        self.terms.iter().any(|term| matches!(term.ask, Ask::Tag(_)))
    }

    /// Whether it asks what was so in the run before.
    #[must_use]
    pub fn asks_for_earlier_runs(&self) -> bool {
        self.terms.iter().any(|term| term.ask == Ask::New)
    }

    /// Whether it asks for nothing: all tests are meant.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    fn holds_of(&self, test: &Subject<'_>) -> bool {
        let is_choice = |term: &&Term| !term.not && matches!(term.ask, Ask::Is(_) | Ask::On(_));
        let one_of = |kind: fn(&Ask) -> bool| {
            let mut asked = self.terms.iter().filter(is_choice).filter(|term| kind(&term.ask)).peekable();
            asked.peek().is_none() || asked.any(|term| term.ask.holds_of(test))
        };
        let others = |term: &Term| is_choice(&term) || term.ask.holds_of(test) != term.not;
        self.terms.iter().all(others)
            && one_of(|ask| matches!(ask, Ask::Is(_)))
            && one_of(|ask| matches!(ask, Ask::On(_)))
    }
}

impl Ask {
    fn holds_of(&self, test: &Subject<'_>) -> bool {
        match self {
            Ask::Text(text) => test.small_id.contains(text.as_str()),
            Ask::Id(pattern) => is_like(pattern, test.id),
            Ask::Is(outcomes) => {
                test.is.is_some_and(|is| outcomes.iter().any(|outcome| outcome.holds_of(is)))
            }
            Ask::On(place) => test.is_at(place),
            Ask::Tag(tag) => test.tags.contains(&tag.as_str()),
            Ask::New => test.is_new,
            Ask::Took(compare, length) => test.took.is_some_and(|took| match compare {
                Compare::More => took > *length,
                Compare::AtLeast => took >= *length,
                Compare::Less => took < *length,
                Compare::AtMost => took <= *length,
            }),
        }
    }
}

impl Subject<'_> {
    /// Whether it ran at a place, or within it.
    fn is_at(&self, place: &str) -> bool {
        let whole = place_of(self.route, self.tags.iter().copied());
        whole.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// Whether a whole text is like a pattern, in which `*` stands for anything.
fn is_like(pattern: &str, text: &str) -> bool {
    let Some((first, others)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let (middle, last) =
        others.rsplit_once('*').map_or((None, others), |(middle, last)| (Some(middle), last));
    for part in middle.into_iter().flat_map(|middle| middle.split('*')) {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}
