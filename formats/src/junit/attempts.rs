//! Attempts of a test other than the one that its case is about.
//!
//! They are files of the test: `attempt-1`, `attempt-1 stdout` as `subunit run` and the readers of reports name them;
//! `attempt-1.reason`, `attempt-2.stderr` as `subunit-exec` does, which has the output of the first attempt where that of a test is. Each
//! attempt is a `flakyFailure` where the test passed in the end, and a `rerunFailure` where it did not.

use streamresult::{Attachment, Record};

/// More attempts are one with the last.
const MOST: u32 = 1000;

/// What a file of an attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Why it failed.
    Text,
    Stdout,
    Stderr,
}

/// The attempt that a file belongs to, and what it is of it.
pub(crate) fn part(name: &str) -> Option<(u32, Part)> {
    let rest = name.strip_prefix("attempt-")?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = rest.split_at_checked(digits)?;
    let number = number.parse().ok().filter(|number| (1..=MOST).contains(number))?;
    let part = match rest {
        "" | ".reason" | " reason" | ".traceback" | " traceback" => Part::Text,
        " stdout" | ".stdout" => Part::Stdout,
        " stderr" | ".stderr" => Part::Stderr,
        _ => return None,
    };
    Some((number, part))
}

/// The attempts that failed: those of which a file says why.
pub(crate) fn failed(record: &Record<'_>) -> Vec<u32> {
    let texts =
        record.attachments().filter_map(|file| part(file.name())).filter(|(_, part)| *part == Part::Text);
    let mut numbers: Vec<u32> = texts.map(|(number, _)| number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// The file of an attempt that is this part of it.
pub(crate) fn file<'a>(record: &Record<'a>, attempt: u32, wanted: Part) -> Option<Attachment<'a>> {
    let named = record.attachments().find(|file| part(file.name()) == Some((attempt, wanted)));
    let name = match wanted {
        Part::Stdout if attempt == 1 => "stdout",
        Part::Stderr if attempt == 1 => "stderr",
        _ => return named,
    };
    named.or_else(|| record.attachment(name).filter(|_| has_first_output(record)))
}

/// Whether a file is part of an attempt that failed.
pub(crate) fn is_part(record: &Record<'_>, name: &str) -> bool {
    match part(name) {
        Some((number, _)) => file(record, number, Part::Text).is_some(),
        None => matches!(name, "stdout" | "stderr") && has_first_output(record),
    }
}

/// Whether `stdout` and `stderr` are those of the first attempt, which did not know that there would be others.
fn has_first_output(record: &Record<'_>) -> bool {
    record.attachment("attempt-1.reason").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, expected: Option<(u32, Part)>) {
        assert_eq!(part(name), expected, "{name}");
    }

    #[test]
    fn files_of_attempts_are_known_by_their_names() {
        check("attempt-1", Some((1, Part::Text)));
        check("attempt-12.reason", Some((12, Part::Text)));
        check("attempt-2 stdout", Some((2, Part::Stdout)));
        check("attempt-2.stderr", Some((2, Part::Stderr)));
        for name in
            ["attempt", "attempt-", "attempt-0", "attempt-x", "attempt-1.metrics.json", "attempt-99999999999"]
        {
            check(name, None);
        }
    }
}
