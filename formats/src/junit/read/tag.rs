//! A start tag: its name and its attributes.

use std::borrow::Cow;

use memchr::memchr;
use quick_xml::events::attributes::Attributes;

use super::error::{Failure, problem};
use super::reference;

/// More attributes are refused: each is compared with all others.
const MOST_ATTRIBUTES: usize = 1000;
/// Most tags have fewer.
const FEW: usize = 16;

/// A start tag without its brackets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tag<'t> {
    content: &'t str,
    /// The name with its prefix.
    pub(crate) qualified: &'t str,
}

impl<'t> Tag<'t> {
    pub(crate) fn new(content: &'t str) -> Self {
        let end = content.bytes().position(|byte| byte.is_ascii_whitespace()).unwrap_or(content.len());
        Tag { content, qualified: content.get(..end).unwrap_or_default() }
    }

    /// The name without a prefix.
    #[inline]
    pub(crate) fn name(&self) -> &'t str {
        local(self.qualified)
    }

    /// Calls for each attribute without a prefix, with its name and what its value means.
    #[inline]
    pub(crate) fn each(
        &self,
        mut each: impl FnMut(&str, Cow<'_, str>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        // Nearly all tags are plain; one look at all of a tag is faster than one at each of its values.
        let is_plain = reference::is_plain(self.content);
        each_attribute(self.content, self.qualified.len(), |key, value| {
            if key == "xmlns" || memchr(b':', key.as_bytes()).is_some() {
                return Ok(());
            }
            let value = if is_plain { Cow::Borrowed(value) } else { reference::attribute(value)? };
            each(key, value)
        })
    }
}

/// The name without its prefix.
#[inline]
pub(crate) fn local(qualified: &str) -> &str {
    match memchr(b':', qualified.as_bytes()) {
        Some(at) => qualified.get(at + 1..).unwrap_or_default(),
        None => qualified,
    }
}

/// Calls for each attribute that stands after `start`, with its name and its value as it stands there.
#[inline]
pub(crate) fn each_attribute(
    content: &str,
    start: usize,
    mut each: impl FnMut(&str, &str) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut attributes = Attributes::new(content, start);
    // It would keep all names on the heap to compare them.
    attributes.with_checks(false);
    let mut first = [""; FEW];
    let mut more = Vec::new();
    for (at, attribute) in attributes.enumerate() {
        if at == MOST_ATTRIBUTES {
            return problem(format!("a tag with more than {MOST_ATTRIBUTES} attributes"));
        }
        let attribute = match attribute {
            Ok(attribute) => attribute,
            Err(error) => return problem(format!("the attributes of a tag: {error}")),
        };
        let key = attribute.key.0;
        if first.iter().take(at).chain(&more).any(|other| *other == key) {
            return problem(format!("a tag with two attributes {}", crate::visible::line(key)));
        }
        match first.get_mut(at) {
            Some(place) => *place = key,
            None => more.push(key),
        }
        each(key, &attribute.value)?;
    }
    Ok(())
}

/// The text of a tag; what is not UTF-8 in it is shown.
#[inline]
pub(crate) fn text(tag: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(tag) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => crate::visible::lossy_text(tag),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(content: &str, name: &str, expected: &[(&str, &str)]) {
        let tag = Tag::new(content);
        assert_eq!(tag.name(), name);
        let mut found = Vec::new();
        tag.each(|key, value| {
            found.push((key.to_owned(), value.into_owned()));
            Ok(())
        })
        .unwrap();
        let found: Vec<_> = found.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn attributes_have_names_and_values() {
        check("a", "a", &[]);
        check("a b='1'\n c = \"&lt;'&gt;\" ", "a", &[("b", "1"), ("c", "<'>")]);
        check("j:testcase xmlns:j='x' j:name='y' name='z' xmlns='w'", "testcase", &[("name", "z")]);
    }

    fn check_problem(content: &str, expected: &str) {
        match Tag::new(content).each(|_, _| Ok(())) {
            Err(Failure::Problem(problem)) => assert!(problem.contains(expected), "{problem}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_no_attribute_is_a_problem() {
        check_problem("a b", "the attributes of a tag");
        check_problem("a b=c", "the attributes of a tag");
        check_problem("a b='1' b='2'", "two attributes b");
        check_problem("a b='&c;'", "the entity &c;");
        let many: String = (0..=MOST_ATTRIBUTES).map(|number| format!(" a{number}=''")).collect();
        check_problem(&format!("a{many}"), "more than 1000 attributes");
    }
}
