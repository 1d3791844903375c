//! What a member has written since it was started.

use fancy_regex::Regex;

/// How much of its end is kept to be searched.
const MOST: usize = 4 << 20;

/// What was written: its end, and how much that is in all.
#[derive(Debug, Default)]
pub(super) struct Log {
    text: Vec<u8>,
    /// What was written before that.
    before: u64,
}

impl Log {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.text.extend_from_slice(bytes);
        // Not at each piece, since what is left has to be moved.
        if self.text.len() > 2 * MOST {
            let gone = self.text.len() - MOST;
            self.text.drain(..gone);
            self.before += gone as u64;
        }
    }

    /// A place in it: what is written from now on is behind it.
    pub(super) fn end(&self) -> u64 {
        self.before + self.text.len() as u64
    }

    /// The first line behind a place in which this is found; a line that is not whole yet counts, too.
    pub(super) fn find(&self, regex: &Regex, from: u64) -> Option<String> {
        let from = usize::try_from(from.saturating_sub(self.before)).unwrap_or(usize::MAX);
        let text = String::from_utf8_lossy(self.text.get(from..)?);
        text.lines().find(|line| regex.is_match(line).unwrap_or(false)).map(str::to_owned)
    }

    /// Its last lines, this many at most.
    pub(super) fn last_lines(&self, most: usize) -> String {
        let text = String::from_utf8_lossy(&self.text);
        let lines: Vec<&str> = text.lines().rev().take(most).collect();
        lines.into_iter().rev().map(|line| format!("{line}\n")).collect()
    }
}
