//! The tags in force: those of the run, and those of a test under way.

use std::borrow::Cow;

use super::label;

/// No more tags than these are kept; beyond, nobody can have meant them as tags.
const MOST: usize = 1000;
const MOST_BYTES: usize = 64 * 1024;

/// The tags of the run, and of the test under way where it has others.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    run: Vec<String>,
    /// A test's own tags, once it changed them.
    test: Option<Vec<String>>,
}

impl Scope {
    /// Changes the tags, as the words of a `tags:` line say; `false` when there would be too many.
    pub(crate) fn change(&mut self, words: &[u8], in_test: bool) -> bool {
        let mut tags = self.current().to_vec();
        for word in words.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
            match word.strip_prefix(b"-") {
                Some(gone) => {
                    let gone = label::string(gone);
                    tags.retain(|tag| *tag != gone);
                }
                None => add(label::string(word), &mut tags),
            }
            if tags.len() > MOST {
                return false;
            }
        }
        if tags.iter().map(String::len).sum::<usize>() > MOST_BYTES {
            return false;
        }
        match in_test {
            true => self.test = Some(tags),
            false => self.run = tags,
        }
        true
    }

    /// The tags of the test under way.
    pub(crate) fn current(&self) -> &[String] {
        self.test.as_deref().unwrap_or(&self.run)
    }

    /// The test has ended: its own tags do not hold any longer.
    pub(crate) fn leave(&mut self) {
        self.test = None;
    }
}

fn add(tag: Cow<'_, str>, tags: &mut Vec<String>) {
    if !tags.iter().any(|other| *other == tag) {
        tags.push(tag.into_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_a_test_begin_with_those_of_the_run_and_end_with_it() {
        let mut scope = Scope::default();
        assert!(scope.change(b"a  b a\r", false));
        assert!(scope.change(b"c -a -x", true));
        assert_eq!(scope.current(), ["b", "c"]);
        scope.leave();
        assert_eq!(scope.current(), ["a", "b"]);
    }

    #[test]
    fn too_many_tags_are_none() {
        let mut scope = Scope::default();
        let many: Vec<String> = (0..=MOST).map(|number| number.to_string()).collect();
        assert!(!scope.change(many.join(" ").as_bytes(), false));
        assert!(!scope.change("x".repeat(MOST_BYTES + 1).as_bytes(), false));
        assert!(scope.current().is_empty());
    }
}
