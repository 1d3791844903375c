//! Properties as lines of a file, as they are in a stream, and as elements of a report.

use std::collections::HashSet;

use memchr::memchr;

use super::case::property;

/// More properties of one suite are not written, as are those beyond this many bytes.
const MOST: usize = 2000;
const LONGEST: usize = 1 << 20;

/// The property that keeps the class of a test whose id does not tell it.
pub(crate) const CLASS: &str = "classname";

/// The class that the properties of a test tell, where its id does not.
pub(crate) fn class_in(lines: &[u8]) -> Option<&str> {
    let mut lines = std::str::from_utf8(lines).ok()?.lines();
    lines
        .find_map(|line| parts(line).filter(|(name, class)| *name == CLASS && !class.is_empty()))
        .map(|(_, class)| class)
}

/// `name=value`.
pub(crate) fn parts(line: &str) -> Option<(&str, &str)> {
    line.split_once('=').filter(|(name, _)| !name.is_empty())
}

/// What the files `properties` of a suite say, each once.
#[derive(Debug, Default)]
pub(crate) struct Properties {
    seen: HashSet<(String, String)>,
    all: Vec<(String, String)>,
    bytes: usize,
    left_out: usize,
    /// The line so far, of a file that comes in pieces.
    line: Vec<u8>,
}

impl Properties {
    /// Takes a piece of such a file. A line without a `=` is a heading.
    pub(crate) fn push(&mut self, mut bytes: &[u8], is_last: bool) {
        while let Some(end) = memchr(b'\n', bytes) {
            let (line, rest) = bytes.split_at(end);
            self.extend(line);
            self.end_line();
            bytes = rest.get(1..).unwrap_or_default();
        }
        self.extend(bytes);
        if is_last {
            self.end_line();
        }
    }

    fn extend(&mut self, piece: &[u8]) {
        if self.line.len() + piece.len() <= LONGEST {
            self.line.extend_from_slice(piece);
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line);
        let Some((name, value)) = parts(&line) else { return };
        let pair = (name.to_owned(), value.to_owned());
        if self.seen.contains(&pair) {
            return;
        }
        if self.all.len() >= MOST || self.bytes + line.len() > LONGEST {
            self.left_out += 1;
            return;
        }
        self.bytes += line.len();
        self.seen.insert(pair.clone());
        self.all.push(pair);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Writes those that are not among these.
    pub(crate) fn write(&self, others: &[(String, String)], out: &mut Vec<u8>) {
        let new = self.all.iter().filter(|pair| !others.contains(pair));
        new.for_each(|(name, value)| property(name, value, out));
        if self.left_out > 0 {
            property("properties", &format!("{} more, left out", self.left_out), out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(files: &[&str], others: &[(&str, &str)], expected: &str) {
        let others: Vec<_> =
            others.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        for piece in [1, 3, 100] {
            let mut properties = Properties::default();
            for file in files {
                let mut pieces = file.as_bytes().chunks(piece).peekable();
                while let Some(bytes) = pieces.next() {
                    properties.push(bytes, pieces.peek().is_none());
                }
            }
            let mut out = Vec::new();
            properties.write(&others, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    #[test]
    fn each_property_is_written_once() {
        let a = r#"<property name="a" value="1"/>"#;
        check(&["[s]\na=1\nb=2=3\n", "[t]\na=1"], &[("b", "2=3")], a);
        check(&["[s]\na=1\n", "a=2\n"], &[], &format!("{a}{}", a.replace('1', "2")));
        check(&["[s]\n", ""], &[], "");
    }

    #[test]
    fn what_is_too_much_is_counted() {
        let mut properties = Properties::default();
        (0..MOST + 2).for_each(|number| properties.push(format!("a={number}\n").as_bytes(), true));
        let mut out = Vec::new();
        properties.write(&[], &mut out);
        assert!(out.ends_with(br#"<property name="properties" value="2 more, left out"/>"#));
    }
}
