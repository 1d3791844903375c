//! Which tests to run: `--only`, `--skip` and `--load-list`.

use globset::{Glob, GlobSet, GlobSetBuilder};

/// A choice among tests, by their ids and the other names they go by.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    only: Option<Patterns>,
    skip: Option<Patterns>,
    list: Option<Vec<String>>,
}

#[derive(Clone, Debug)]
struct Patterns {
    globs: GlobSet,
    texts: Vec<String>,
    /// Which of them name tests as if each stood there by itself.
    naming: Vec<bool>,
}

/// A test that may be chosen.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) id: String,
    pub(super) names: &'static [&'static str],
    /// Whether it is run when nobody asks for it by name.
    pub(super) is_usual: bool,
}

impl Candidate {
    pub(super) fn all_names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.id.as_str()).chain(self.names.iter().copied())
    }
}

impl Selection {
    /// A choice by patterns, and by a list of ids where there is one.
    ///
    /// # Errors
    ///
    /// When a pattern is not valid.
    pub fn new(only: &[String], skip: &[String], list: Option<Vec<String>>) -> Result<Self, String> {
        Ok(Selection { only: Patterns::new(only)?, skip: Patterns::new(skip)?, list })
    }

    /// Whether it leaves out anything at all.
    #[must_use]
    pub(super) fn is_narrow(&self) -> bool {
        self.only.is_some() || self.skip.is_some() || self.list.is_some()
    }

    /// Whether a test of this id and these other names is chosen.
    #[must_use]
    pub fn chooses(&self, id: &str, names: &[&str]) -> bool {
        self.only.as_ref().is_none_or(|only| only.matches(id, names))
            && !self.skip.as_ref().is_some_and(|skip| skip.matches(id, names))
            && self.list.as_ref().is_none_or(|list| list.iter().any(|listed| listed == id))
    }

    /// Whether this test was asked for by name, and not just by a pattern or not at all.
    #[must_use]
    pub fn names(&self, id: &str, names: &[&str]) -> bool {
        self.only.as_ref().is_some_and(|only| only.names(id, names))
            || self.list.as_ref().is_some_and(|list| list.iter().any(|listed| listed == id))
    }

    /// The first pattern that matches none of these tests.
    pub(super) fn unmatched(&self, tests: &[Candidate]) -> Option<&str> {
        let patterns = self.only.iter().chain(&self.skip);
        patterns.flat_map(|patterns| patterns.unmatched(tests)).next()
    }

    /// The same choice, where a pattern of `--only` that matches none but unusual ones of these tests asks for them
    /// by name; `None` where there is no such pattern.
    pub(super) fn widened(&self, tests: &[Candidate]) -> Option<Self> {
        let only = self.only.as_ref()?.widened(tests)?;
        Some(Selection { only: Some(only), ..self.clone() })
    }

    /// Whether a pattern of this text matches one of these names.
    pub(super) fn is_match(pattern: &str, names: &[String]) -> bool {
        Glob::new(pattern).is_ok_and(|glob| {
            let matcher = glob.compile_matcher();
            names.iter().any(|name| matcher.is_match(name))
        })
    }
}

impl Patterns {
    fn new(texts: &[String]) -> Result<Option<Patterns>, String> {
        if texts.is_empty() {
            return Ok(None);
        }
        let mut globs = GlobSetBuilder::new();
        for text in texts {
            globs.add(Glob::new(text).map_err(|error| error.to_string())?);
        }
        let globs = globs.build().map_err(|error| error.to_string())?;
        Ok(Some(Patterns { globs, texts: texts.to_vec(), naming: vec![false; texts.len()] }))
    }

    fn matches(&self, id: &str, names: &[&str]) -> bool {
        self.globs.is_match(id) || names.iter().any(|name| self.globs.is_match(name))
    }

    fn names(&self, id: &str, names: &[&str]) -> bool {
        let is_text = |text: &String| text == id || names.contains(&text.as_str());
        let is_naming = |index: usize| self.naming.get(index).copied().unwrap_or_default();
        let mut all = std::iter::once(id).chain(names.iter().copied());
        self.texts.iter().any(is_text) || all.any(|name| self.globs.matches(name).into_iter().any(is_naming))
    }

    fn unmatched(&self, tests: &[Candidate]) -> Option<&str> {
        let matched = self.matched(tests.iter());
        let position = matched.iter().position(|matched| !matched)?;
        self.texts.get(position).map(String::as_str)
    }

    fn widened(&self, tests: &[Candidate]) -> Option<Self> {
        let (any, usual) =
            (self.matched(tests.iter()), self.matched(tests.iter().filter(|test| test.is_usual)));
        let naming: Vec<_> = any.iter().zip(&usual).map(|(any, usual)| *any && !usual).collect();
        (naming != self.naming).then(|| Patterns { naming, ..self.clone() })
    }

    /// Which of the patterns match one of these tests.
    fn matched<'a>(&self, tests: impl Iterator<Item = &'a Candidate>) -> Vec<bool> {
        let mut matched = vec![false; self.texts.len()];
        for index in tests.flat_map(Candidate::all_names).flat_map(|name| self.globs.matches(name)) {
            if let Some(flag) = matched.get_mut(index) {
                *flag = true;
            }
        }
        matched
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TESTS: [(&str, &[&str]); 3] = [
        ("eos.user.responsive", &["responsive", "mount_sanity"]),
        ("eos.user.throughput.write", &["throughput.write", "throughput"]),
        ("eos.user.throughput.read", &["throughput.read", "throughput"]),
    ];

    fn selection(only: &[&str], skip: &[&str]) -> Selection {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        Selection::new(&owned(only), &owned(skip), None).unwrap()
    }

    fn check(only: &[&str], skip: &[&str], expected: &[usize]) {
        let selection = selection(only, skip);
        let chosen: Vec<_> =
            (0..3).filter(|test| selection.chooses(TESTS[*test].0, TESTS[*test].1)).collect();
        assert_eq!(chosen, expected, "{only:?} {skip:?}");
    }

    #[test]
    fn tests_are_chosen_by_id_aspect_and_old_name() {
        check(&[], &[], &[0, 1, 2]);
        check(&["mount_sanity"], &[], &[0]);
        check(&["throughput"], &["throughput.read"], &[1]);
        check(&["eos.*.throughput.*"], &[], &[1, 2]);
        check(&["*"], &["eos.user.responsive"], &[1, 2]);
    }

    fn candidates() -> Vec<Candidate> {
        let candidate = |(id, names): &(&str, &'static [&'static str])| {
            let is_usual = names.contains(&"responsive");
            Candidate { id: (*id).to_owned(), names, is_usual }
        };
        TESTS.iter().map(candidate).collect()
    }

    #[test]
    fn patterns_that_match_nothing_are_found() {
        let tests = candidates();
        assert_eq!(selection(&["mount_sanity", "nothing.*"], &[]).unmatched(&tests), Some("nothing.*"));
        assert_eq!(selection(&["*"], &["x"]).unmatched(&tests), Some("x"));
        assert_eq!(selection(&["*"], &[]).unmatched(&tests), None);
    }

    #[test]
    fn a_pattern_that_matches_only_unusual_tests_names_them() {
        let check = |only: &str, expected| {
            let selection = selection(&[only], &[]);
            let wider = selection.widened(&candidates()).unwrap_or(selection);
            let named = TESTS.map(|(id, names)| wider.names(id, names));
            assert_eq!(named, expected, "{only}");
        };
        check("thr*", [false, true, true]);
        check("*.read", [false, false, true]);
        check("*", [false, false, false]);
        check("mount_sanity", [true, false, false]);
    }

    #[test]
    fn a_list_chooses_its_ids() {
        let list = Some(vec!["eos.user.responsive".to_owned(), "another.test".to_owned()]);
        let selection = Selection::new(&[], &[], list).unwrap();
        assert!(selection.chooses(TESTS[0].0, TESTS[0].1) && selection.names(TESTS[0].0, &[]));
        assert!(!selection.chooses(TESTS[1].0, TESTS[1].1));
    }
}
