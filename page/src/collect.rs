//! What is kept of a run while its records come.

use std::collections::HashMap;
use std::io;

use streamresult::{DAMAGE_MESSAGE, Outcome, PROPERTIES_FILE, Record, RecordSink};
use subunit::{Event, part};

use crate::evidence::{Budget, Shown, cause};
use crate::state::State;
use crate::tests_kept::Tests;

/// Failures that are shown whole; beyond, only the first of each group is.
const MOST_WHOLE: usize = 200;
/// Groups; what is beyond is in one more.
const MOST_GROUPS: usize = 500;
/// How much of the end of what belongs to no test is kept.
const OUTPUT: usize = 16 << 10;
const LONGEST_CAUSE: usize = 1000;
const MOST_DAMAGE: usize = 20;

/// A test that did not go well, shown whole.
#[derive(Debug)]
pub(crate) struct Block {
    /// Which of the tests.
    pub(crate) test: usize,
    pub(crate) cause: String,
    pub(crate) files: Vec<Shown>,
    /// Whether it can be run by its id alone.
    pub(crate) is_runnable: bool,
}

/// Failures that say the same.
#[derive(Debug)]
pub(crate) struct Group {
    /// What the first of them says.
    pub(crate) cause: String,
    /// How many there are.
    pub(crate) count: u64,
    /// Those that are shown whole, by their place among the blocks.
    pub(crate) blocks: Vec<usize>,
}

/// What the page is made of: give it the records of a run.
///
/// Of each test it keeps some 60 bytes beside its id, and of those that failed what the page shows of their files.
#[derive(Debug, Default)]
pub struct PageRecords {
    pub(crate) tests: Tests,
    pub(crate) failures: Vec<Block>,
    pub(crate) flaky: Vec<Block>,
    pub(crate) groups: Vec<Group>,
    by_key: HashMap<String, usize>,
    pub(crate) budget: Budget,
    /// What is wrong with bytes that could not be read.
    pub(crate) damage: Vec<String>,
    output: Vec<u8>,
    pub(crate) output_len: u64,
}

impl PageRecords {
    fn failure(&mut self, at: usize, record: &Record<'_>) -> io::Result<()> {
        let cause = cut(cause(record)?);
        let group = self.group(&cause, record.outcome());
        let is_first = self.groups.get(group).is_some_and(|group| group.blocks.is_empty());
        if let Some(group) = self.groups.get_mut(group) {
            group.count += 1;
            if is_first || self.failures.len() < MOST_WHOLE {
                group.blocks.push(self.failures.len());
                let files = self.budget.files(record, &cause)?;
                self.failures.push(Block { test: at, cause, files, is_runnable: record.runnable() });
            }
        }
        Ok(())
    }

    fn group(&mut self, cause: &str, outcome: Outcome) -> usize {
        let key = format!("{outcome} {}", blanked(cause));
        if let Some(group) = self.by_key.get(&key) {
            return *group;
        }
        if self.groups.len() < MOST_GROUPS {
            self.groups.push(Group { cause: cause.to_owned(), count: 0, blocks: Vec::new() });
            self.by_key.insert(key, self.groups.len() - 1);
        }
        self.groups.len() - 1
    }

    fn flaky(&mut self, at: usize, record: &Record<'_>) -> io::Result<()> {
        if self.flaky.len() < MOST_WHOLE {
            let cause = cut(cause(record)?);
            let files = self.budget.files(record, &cause)?;
            self.flaky.push(Block { test: at, cause, files, is_runnable: record.runnable() });
        }
        Ok(())
    }

    /// Takes away what is said twice.
    pub(crate) fn settle(&mut self) {
        let places = self.tests.settle();
        for block in self.failures.iter_mut().chain(&mut self.flaky) {
            block.test = places.get(block.test).copied().unwrap_or(block.test);
        }
    }

    /// The end of what the run wrote that belongs to no test.
    pub(crate) fn output(&self) -> &[u8] {
        part(&self.output, self.output.len().saturating_sub(OUTPUT)..)
    }
}

impl RecordSink for PageRecords {
    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        if record.is_damage() {
            if self.damage.len() < MOST_DAMAGE {
                let message = record.attachment(DAMAGE_MESSAGE).map(|file| file.text(500)).transpose()?;
                self.damage.push(message.unwrap_or_default().into_owned());
            }
            return Ok(());
        }
        let at = self.tests.all.len();
        let test = self.tests.push(record, &note(record)?);
        match test.state {
            state if state.is_failure() => self.failure(at, record),
            State::Flaky => self.flaky(at, record),
            _ => Ok(()),
        }
    }

    fn global(&mut self, event: &Event<'_>) -> io::Result<()> {
        let Some(file) = event.file.filter(|file| file.name != PROPERTIES_FILE) else { return Ok(()) };
        self.output_len += file.bytes.len() as u64;
        self.output.extend_from_slice(part(file.bytes, file.bytes.len().saturating_sub(OUTPUT)..));
        if self.output.len() > 4 * OUTPUT {
            self.output.drain(..self.output.len() - OUTPUT);
        }
        Ok(())
    }
}

/// Why a test was skipped, or what came with it.
fn note(record: &Record<'_>) -> io::Result<String> {
    if let (Outcome::Skip, Some(reason)) = (record.outcome(), record.attachment("reason")) {
        return Ok(reason.text(1000)?.trim().to_owned());
    }
    let names: Vec<&str> = record.attachments().map(|file| file.name()).collect();
    Ok(names.join(", "))
}

fn cut(cause: String) -> String {
    match cause.char_indices().nth(LONGEST_CAUSE) {
        Some((at, _)) => format!("{}…", cause.get(..at).unwrap_or_default()),
        None => cause,
    }
}

/// A message without what differs from one time to the next: numbers and addresses.
fn blanked(cause: &str) -> String {
    let mut out = String::with_capacity(cause.len());
    for word in cause.split_inclusive(|character: char| !character.is_alphanumeric() && character != '_') {
        let bare = word.trim_end_matches(|character: char| !character.is_alphanumeric() && character != '_');
        let is_address = bare.starts_with("0x")
            || (bare.len() > 7 && bare.bytes().all(|byte| byte.is_ascii_hexdigit()))
            || bare.starts_with(|first: char| first.is_ascii_digit());
        if is_address {
            out.push('#');
            out.push_str(word.strip_prefix(bare).unwrap_or_default());
        } else {
            let mut last = ' ';
            for character in word.chars() {
                if !(character.is_ascii_digit() && last == '#') {
                    last = if character.is_ascii_digit() { '#' } else { character };
                    out.push(last);
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_addresses_make_no_difference() {
        let check = |cause, expected: &str| assert_eq!(blanked(cause), expected);
        check("shard 3, record 4096: term 7", "shard #, record #: term #");
        check("<object at 0x7f3a2b>", "<object at #>");
        check("worker12 died: deadbeef01", "worker# died: #");
        check("took 3.2s, not 10ms", "took #.#, not #");
        check("", "");
    }
}
