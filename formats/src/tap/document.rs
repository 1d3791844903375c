//! What is known of a document, or of the subtests of a test, which are a document too.

use subunit::{Timestamp, part};

use super::held::HeldPoint;
use super::numbers::Numbers;

/// Up to this many missing test points are reported one by one.
pub(super) const MOST_MISSING: usize = 1000;

/// A document under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Document {
    /// What the ids of its tests begin with.
    pub(super) path: String,
    /// The test whose subtests these are, as a comment at their head named it.
    pub(super) parent: Option<Parent>,
    /// When its first line came.
    pub(super) began: Option<Timestamp>,
    /// Whether it says which version of TAP it is: then any test point may have a block of diagnostics.
    pub(super) is_versioned: bool,
    pub(super) plan: Option<Plan>,
    /// The numbers of the test points that the plan says are to be done.
    pub(super) todo: Vec<u64>,
    /// Whether it is to be done, as part of a test that is: then it may fail.
    pub(super) is_todo: bool,
    /// The test point behind which these subtests stand in braces.
    pub(super) braces: Option<Box<HeldPoint>>,
    pub(super) has_second_plan: bool,
    pub(super) numbers: Numbers,
    /// The last number.
    pub(super) last: u64,
}

/// The test that subtests belong to.
#[derive(Clone, Debug)]
pub(super) struct Parent {
    /// The id that is kept for it.
    pub(super) id: String,
    /// Its description.
    pub(super) name: Vec<u8>,
}

/// How many test points there should be.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) last: u64,
    /// Why there are none.
    pub(super) reason: Option<Vec<u8>>,
}

impl Parent {
    /// Whether this is the description of its test point. Test2 writes `Subtest: name` for subtests that it streams.
    pub(super) fn is_named(&self, description: &[u8]) -> bool {
        description.strip_prefix(b"Subtest: ").unwrap_or(description) == self.name || description == self.name
    }
}

impl Document {
    /// Whether nothing but its version has come yet.
    pub(super) fn is_new(&self) -> bool {
        self.plan.is_none() && self.numbers.count() == 0
    }

    /// Whether all that was planned has come.
    pub(super) fn is_met(&self) -> bool {
        self.plan.as_ref().is_some_and(|plan| self.numbers.count() >= plan.last)
    }

    /// The number of a test point that comes now.
    pub(super) fn next(&mut self, number: Option<u64>) -> u64 {
        self.last = number.unwrap_or(self.last.saturating_add(1));
        self.numbers.add(self.last);
        self.last
    }

    /// The test points that the plan promised and that did not come: each one, or how many in all.
    pub(super) fn missing(&self) -> (Vec<u64>, u64) {
        let last = self.plan.as_ref().map_or(0, |plan| plan.last);
        if self.numbers.is_scattered() {
            return (Vec::new(), 0);
        }
        let each: Vec<u64> = self.numbers.missing(last).flatten().take(MOST_MISSING).collect();
        let all: u64 = self.numbers.missing(last).map(|gap| gap.end() - gap.start() + 1).sum();
        let more = all.saturating_sub(each.len() as u64);
        (each, more)
    }

    /// What is wrong with the plan, one sentence on each line.
    pub(super) fn complaints(&self) -> String {
        let mut lines = String::new();
        let mut add = |line: &str| lines.extend([line, "\n"]);
        if let Some(Plan { last, .. }) = self.plan {
            let (count, highest) = (self.numbers.count(), self.numbers.highest());
            if count > last {
                add(&format!("1..{last} was planned, but {count} test points came"));
            } else if highest > last {
                add(&format!("1..{last} was planned, but test point {highest} came"));
            } else if self.numbers.is_scattered() {
                add("the numbers are in no order: which test points are missing cannot be told");
            }
        }
        if self.has_second_plan {
            add("there is more than one plan");
        }
        lines
    }
}

/// A document, and the subtests under way in it, one in the other.
#[derive(Clone, Debug, Default)]
pub(super) struct Nesting {
    pub(super) outer: Document,
    inner: Vec<Document>,
}

impl Nesting {
    pub(super) fn new(outer: Document) -> Self {
        Nesting { outer, inner: Vec::new() }
    }

    /// How many documents there are.
    pub(super) fn depth(&self) -> usize {
        self.inner.len() + 1
    }

    /// The document of this level; 0 is the outermost.
    pub(super) fn at(&mut self, level: usize) -> &mut Document {
        match level.checked_sub(1).and_then(|at| self.inner.get_mut(at)) {
            Some(document) => document,
            None => &mut self.outer,
        }
    }

    /// The innermost document.
    pub(super) fn last(&self) -> &Document {
        self.inner.last().unwrap_or(&self.outer)
    }

    pub(super) fn push(&mut self, document: Document) {
        self.inner.push(document);
    }

    /// Takes the innermost subtests away.
    pub(super) fn pop(&mut self) -> Option<Document> {
        self.inner.pop()
    }
}

/// The reason of a plan for nothing: what follows the word SKIP, or all where it is absent.
pub(super) fn skip_reason(comment: &[u8]) -> &[u8] {
    match comment.split_at_checked(4) {
        Some((word, rest)) if word.eq_ignore_ascii_case(b"skip") => {
            let end = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
            part(rest, end..).trim_ascii()
        }
        _ => comment,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(plan: Option<u64>, numbers: &[u64], missing: (&[u64], u64), complaints: &str) {
        let plan = plan.map(|last| Plan { last, reason: None });
        let mut document = Document { plan, ..Document::default() };
        for number in numbers {
            document.next(Some(*number));
        }
        assert_eq!(document.missing(), (missing.0.to_vec(), missing.1));
        assert_eq!(document.complaints(), complaints);
    }

    #[test]
    fn a_plan_that_is_met_leaves_nothing_to_say() {
        check(Some(3), &[1, 2, 3], (&[], 0), "");
        check(Some(3), &[3, 2, 1], (&[], 0), "");
        check(Some(0), &[], (&[], 0), "");
    }

    #[test]
    fn too_few_too_many_and_others_are_told() {
        check(Some(4), &[1, 3], (&[2, 4], 0), "");
        check(Some(2), &[1, 2, 3], (&[], 0), "1..2 was planned, but 3 test points came\n");
        check(Some(3), &[2, 4, 1], (&[3], 0), "1..3 was planned, but test point 4 came\n");
        check(Some(2), &[1, 1], (&[2], 0), "");
        check(Some(1), &[1, 1], (&[], 0), "1..1 was planned, but 2 test points came\n");
        let each: Vec<u64> = (1..=1000).collect();
        check(Some(u64::MAX - 1), &[], (&each, u64::MAX - 1001), "");
    }

    #[test]
    fn a_skip_may_have_a_reason() {
        let check = |comment: &str, expected: &str| {
            assert_eq!(skip_reason(comment.as_bytes()), expected.as_bytes());
        };
        check("SKIP no net", "no net");
        check("skipped: no net", "no net");
        check("Skip", "");
        check("no net", "no net");
    }
}
