//! A start tag: its name and its attributes.

use std::borrow::Cow;

use memchr::memchr;
use quick_xml::events::attributes::Attributes;
use subunit::text_part;

use super::error::{Failure, problem};
use super::reference;

/// More attributes are refused: each is compared with all the others.
const MOST_ATTRIBUTES: usize = 1000;
/// Most tags have fewer.
const FEW: usize = 8;

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
        Tag { content, qualified: text_part(content, ..end) }
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
            let value = if is_plain { Cow::Borrowed(value) } else { reference::attribute(value)? };
            each(key, value)
        })
    }
}

/// The name without its prefix.
#[inline]
pub(crate) fn local(qualified: &str) -> &str {
    match qualified.bytes().position(|byte| byte == b':') {
        Some(at) => text_part(qualified, at + 1..),
        None => qualified,
    }
}

/// Calls for each attribute without a prefix that stands after `start`, with its name and its value as it stands there.
#[inline]
pub(crate) fn each_attribute(
    content: &str,
    start: usize,
    mut each: impl FnMut(&str, &str) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut keys = Keys::default();
    let mut rest = text_part(content, start..);
    while let Some((key, value, behind)) = plain_attribute(rest) {
        keys.add(key)?;
        if key != "xmlns" {
            each(key, value)?;
        }
        rest = behind;
    }
    if rest.is_empty() {
        return Ok(());
    }
    let mut attributes = Attributes::new(content, content.len() - rest.len());
    // It would keep all names on the heap to compare them.
    attributes.with_checks(false);
    for attribute in attributes {
        let attribute = match attribute {
            Ok(attribute) => attribute,
            Err(error) => return problem(format!("the attributes of a tag: {error}")),
        };
        let key = attribute.key.0;
        keys.add(key)?;
        if key != "xmlns" && !key.contains(':') {
            each(key, &attribute.value)?;
        }
    }
    Ok(())
}

/// The attribute that a text begins with, name and value, and what is behind it; `None` unless it is written as nearly
/// all are, after one blank and in double quotes. Others are quick-xml's to read.
#[inline]
fn plain_attribute(text: &str) -> Option<(&str, &str, &str)> {
    let text = text.strip_prefix(' ')?;
    let len = text.bytes().position(|byte| !byte.is_ascii_alphanumeric() && byte != b'-' && byte != b'_')?;
    let (key, rest) = text.split_at_checked(len).filter(|(key, _)| !key.is_empty())?;
    let rest = rest.strip_prefix("=\"")?;
    let (value, behind) = rest.split_at_checked(memchr(b'"', rest.as_bytes())?)?;
    Some((key, value, behind.strip_prefix('"')?))
}

/// The names of the attributes of a tag.
#[derive(Default)]
struct Keys<'k> {
    first: [&'k str; FEW],
    more: Vec<&'k str>,
    count: usize,
}

impl<'k> Keys<'k> {
    #[inline]
    fn add(&mut self, key: &'k str) -> Result<(), Failure> {
        if self.count == MOST_ATTRIBUTES {
            return problem(format!("a tag with more than {MOST_ATTRIBUTES} attributes"));
        }
        let first = self.first.get(..self.count).unwrap_or(&self.first);
        if first.contains(&key) || self.more.contains(&key) {
            return problem(format!("a tag with two attributes {}", crate::visible::line(key)));
        }
        match self.first.get_mut(self.count) {
            Some(place) => *place = key,
            None => self.more.push(key),
        }
        self.count += 1;
        Ok(())
    }
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
    use proptest::prelude::*;

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

    /// All attributes as quick-xml reads them.
    fn slowly(content: &str) -> Option<Vec<(String, String)>> {
        let mut attributes = Attributes::new(content, 1);
        let read: Result<Vec<_>, _> = attributes.with_checks(true).collect();
        let read = read.ok()?;
        let bare = read.iter().filter(|one| !one.key.0.contains(':'));
        Some(bare.map(|one| (one.key.0.to_owned(), one.value.clone().into_owned())).collect())
    }

    proptest! {
        #[test]
        fn what_is_read_fast_is_what_quick_xml_reads(content in "a([ \t]?[ab:-]{0,2}(=[\"'][^\"'<&]{0,3}[\"'])?){0,4} ?") {
            let mut found = Vec::new();
            let read = each_attribute(&content, 1, |key, value| {
                found.push((key.to_owned(), value.to_owned()));
                Ok(())
            });
            prop_assert_eq!(read.ok().map(|()| found), slowly(&content));
        }
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
