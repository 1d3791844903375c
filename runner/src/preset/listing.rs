//! What a runner lists, as tests.

use std::io;

use streamresult::{drive, from_fn};
use subunit::{Event, Status};

use super::json::{Json, walk};
use super::pattern::Fields;
use super::{ListFormat, Preset};
use crate::suite::Test;

/// What a listing says.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    /// Tests that exist.
    pub(crate) tests: Vec<Test>,
    /// All else.
    pub(crate) text: String,
    /// What failed: a module that cannot be loaded, a packet that is damaged. Tests may be missing for it.
    pub(crate) failures: Vec<String>,
}

impl Listed {
    /// What a stream says: the tests that exist, of which `test` makes what they are here. Tells also whether there was a
    /// packet about a test.
    pub(crate) fn of_stream(
        stream: &[u8],
        mut test: impl FnMut(&str) -> Option<Test>,
    ) -> io::Result<(Listed, bool)> {
        let (mut listed, mut text, mut has_packets) = (Listed::default(), Vec::new(), false);
        drive(
            stream,
            &mut from_fn(|event: &Event<'_>| {
                has_packets |= event.test_id.is_some();
                match (event.test_id, event.status) {
                    (Some(id), Some(Status::Exists)) => listed.tests.extend(test(id)),
                    (Some(id), Some(status)) if status.is_failure() => listed.failures.push(id.to_owned()),
                    _ => {}
                }
                text.extend_from_slice(event.file.map(|file| file.bytes).unwrap_or_default());
                Ok(())
            }),
        )?;
        listed.text = String::from_utf8_lossy(&text).into_owned();
        Ok((listed, has_packets))
    }
}

impl Preset {
    pub(crate) fn listed(&self, listing: &[u8]) -> io::Result<Listed> {
        let text = || String::from_utf8_lossy(listing);
        match self.list.format {
            ListFormat::Packets => self.of_packets(listing),
            ListFormat::Lines => Ok(self.of_lines(&text())),
            ListFormat::Json => Ok(self.of_json(&text())),
        }
    }

    fn of_lines(&self, text: &str) -> Listed {
        let (mut listed, mut fields) = (Listed::default(), Fields::new());
        for line in text.lines() {
            let mut own = fields.clone();
            let is_test = match &self.list.line {
                Some(pattern) => pattern.find(line, &mut own),
                None => {
                    own.insert("id".to_owned(), line.trim().to_owned()).is_none() && !line.trim().is_empty()
                }
            };
            let is_header =
                !is_test && self.list.header.as_ref().is_some_and(|header| header.find(line, &mut fields));
            if is_test && self.is_meant(&mut own) {
                listed.tests.push(self.test(&own));
            } else if !is_header {
                listed.text.push_str(line);
                listed.text.push('\n');
            }
        }
        listed
    }

    fn of_json(&self, text: &str) -> Listed {
        let json = Json::read(text);
        let path: Vec<&str> = self.list.each.split('.').filter(|key| !key.is_empty()).collect();
        let mut tests = Vec::new();
        for document in &json.documents {
            walk(document, &path, &Fields::new(), &mut |mut fields| {
                if self.is_meant(&mut fields) {
                    tests.push(self.test(&fields));
                }
            });
        }
        let text = json.text.iter().map(|line| format!("{line}\n")).collect();
        Listed { tests, text, failures: Vec::new() }
    }

    fn of_packets(&self, stream: &[u8]) -> io::Result<Listed> {
        let test = |id: &str| {
            let mut fields = Fields::from([("id".to_owned(), id.to_owned())]);
            self.is_meant(&mut fields).then(|| self.test(&fields))
        };
        Ok(Listed::of_stream(stream, test)?.0)
    }

    /// Whether all fields are as they have to be. What their patterns find are fields, too.
    fn is_meant(&self, fields: &mut Fields) -> bool {
        self.list.conditions.iter().all(|(name, pattern)| {
            let value = fields.get(name).cloned().unwrap_or_default();
            pattern.find(&value, fields)
        })
    }

    fn test(&self, fields: &Fields) -> Test {
        let id = self.test.id.fill(fields);
        let select = self.test.select.as_ref().map_or_else(|| id.clone(), |select| select.fill(fields));
        let together = self.test.together.as_ref().map(|together| together.fill(fields)).unwrap_or_default();
        let within = if self.run.alone {
            format!("{id}{}", self.test.subtests.as_deref().unwrap_or_default())
        } else {
            self.test.within.as_ref().map(|within| within.fill(fields)).unwrap_or_default()
        };
        Test { id, select, together, within }
    }
}
