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
        let named = |text: &String| text == id || names.contains(&text.as_str());
        self.only.as_ref().is_some_and(|only| only.texts.iter().any(named))
            || self.list.as_ref().is_some_and(|list| list.iter().any(|listed| listed == id))
    }

    /// The first pattern that matches none of these tests, each given by all its names.
    #[must_use]
    pub fn unmatched(&self, tests: &[Vec<&str>]) -> Option<&str> {
        let patterns = self.only.iter().chain(&self.skip);
        patterns.flat_map(|patterns| patterns.unmatched(tests)).next()
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
        Ok(Some(Patterns { globs, texts: texts.to_vec() }))
    }

    fn matches(&self, id: &str, names: &[&str]) -> bool {
        self.globs.is_match(id) || names.iter().any(|name| self.globs.is_match(name))
    }

    fn unmatched(&self, tests: &[Vec<&str>]) -> Option<&str> {
        let mut matched = vec![false; self.texts.len()];
        for index in tests.iter().flatten().flat_map(|name| self.globs.matches(name)) {
            if let Some(flag) = matched.get_mut(index) {
                *flag = true;
            }
        }
        let position = matched.iter().position(|matched| !matched)?;
        self.texts.get(position).map(String::as_str)
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

    #[test]
    fn patterns_that_match_nothing_are_found() {
        let tests: Vec<Vec<&str>> = TESTS.iter().map(|(id, names)| [&[*id][..], names].concat()).collect();
        assert_eq!(selection(&["mount_sanity", "nothing.*"], &[]).unmatched(&tests), Some("nothing.*"));
        assert_eq!(selection(&["*"], &["x"]).unmatched(&tests), Some("x"));
        assert_eq!(selection(&["*"], &[]).unmatched(&tests), None);
    }

    #[test]
    fn a_list_chooses_its_ids() {
        let list = Some(vec!["eos.user.responsive".to_owned(), "another.test".to_owned()]);
        let selection = Selection::new(&[], &[], list).unwrap();
        assert!(selection.chooses(TESTS[0].0, TESTS[0].1) && selection.names(TESTS[0].0, &[]));
        assert!(!selection.chooses(TESTS[1].0, TESTS[1].1));
    }
}
