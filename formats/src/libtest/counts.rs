//! How many tests ended in which way: as seen, and as totalled at the end.

use super::line::EndKind;

/// How many tests ended in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) ignored: u64,
    pub(super) measured: u64,
}

impl Counts {
    pub(super) fn add(&mut self, outcome: EndKind<'_>) {
        let count = match outcome {
            EndKind::Passed => &mut self.passed,
            EndKind::Failed(_) => &mut self.failed,
            EndKind::Ignored(_) => &mut self.ignored,
            EndKind::Measured(_) => &mut self.measured,
        };
        *count += 1;
    }

    pub(super) fn total(&self) -> u64 {
        let some = self.passed.saturating_add(self.failed);
        some.saturating_add(self.ignored).saturating_add(self.measured)
    }

    /// What is here and not there.
    pub(super) fn without(&self, other: &Counts) -> Counts {
        Counts {
            passed: self.passed.saturating_sub(other.passed),
            failed: self.failed.saturating_sub(other.failed),
            ignored: self.ignored.saturating_sub(other.ignored),
            measured: self.measured.saturating_sub(other.measured),
        }
    }

    /// The sum of both.
    pub(super) fn and(&self, other: &Counts) -> Counts {
        Counts {
            passed: self.passed.saturating_add(other.passed),
            failed: self.failed.saturating_add(other.failed),
            ignored: self.ignored.saturating_add(other.ignored),
            measured: self.measured.saturating_add(other.measured),
        }
    }

    /// All that is not zero: `3 passed, 1 failed`.
    pub(super) fn in_words(&self) -> String {
        let counts = [
            (self.passed, "passed"),
            (self.failed, "failed"),
            (self.ignored, "ignored"),
            (self.measured, "measured"),
        ];
        let words: Vec<String> = counts
            .iter()
            .filter(|count| count.0 > 0)
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        if words.is_empty() { "none".to_owned() } else { words.join(", ") }
    }
}

/// What is wrong when all went well, this many tests were announced, and the totals tell fewer: what is left out in
/// both cannot be seen otherwise.
pub(super) fn unannounced(is_ok: bool, announced: u64, told: u64) -> Option<String> {
    let is_wrong = is_ok && told < announced;
    is_wrong.then(|| format!("{announced} tests were announced, and the totals tell {told}\n"))
}

/// What is wrong when these are the totals and those were seen: a test that was counted but not seen got lost. One that
/// was seen but not counted was something else that looked like one.
pub(super) fn discrepancy(is_ok: bool, told: &Counts, seen: &Counts) -> Option<String> {
    let missing = told.without(seen);
    if missing.total() > 0 {
        let (missing, told) = (missing.in_words(), told.in_words());
        return Some(format!("results are missing: {missing} (the totals say: {told})\n"));
    }
    match (is_ok, told.failed) {
        (true, 1..) => Some(format!("the totals say ok, and {} failed\n", told.failed)),
        (false, 0) => Some("the totals say FAILED, and no test failed\n".to_owned()),
        _ => None,
    }
}
