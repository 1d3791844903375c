//! The list of all tests: plain text, which people read where scripts are off, and the script where they are on.
//!
//! A line without a blank before it is what the ids of the tests below it begin with. A line with one is a test, its
//! fields between tabs: outcome, seconds, began at second, where, the rest of the id, tags, earlier runs, reason or
//! names of files. Earlier runs are letters with numbers, the oldest first: `p15f1-1`. In each, control characters are shown and backslashes doubled, so that it can be read back.

use std::cmp::Ordering;
use std::io::{self, Write};
use std::time::Duration;

use crate::escape::{Esc, field};
use crate::past::{Past, TestPast};
use crate::tests_kept::{Test, Tests, split_id};
use crate::words::natural;

/// Stands above tests whose ids begin with nothing that they share.
pub(crate) const NO_GROUP: &str = "(no group)";

/// Writes the lines.
pub(crate) fn list(tests: &Tests, past: Option<&dyn Past>, out: &mut dyn Write) -> io::Result<()> {
    let mut order: Vec<(&str, &str, &Test)> = tests
        .all
        .iter()
        .map(|test| {
            let (front, own) = split_id(tests.id(test));
            (front, own, test)
        })
        .collect();
    order.sort_by(|a, b| compare((a.0, a.1), (b.0, b.1)));
    let mut group = None;
    for (front, own, test) in order {
        if group != Some(front) {
            group = Some(front);
            heading(front, out)?;
        }
        let past = past.and_then(|past| TestPast::of(past, tests.id(test)));
        line(tests, test, own, past.as_ref(), out)?;
    }
    Ok(())
}

fn compare(a: (&str, &str), b: (&str, &str)) -> Ordering {
    // Nearly all neighbours share it.
    let front = if a.0 == b.0 { Ordering::Equal } else { natural(a.0, b.0) };
    front.then_with(|| natural(a.1, b.1))
}

fn heading(front: &str, out: &mut dyn Write) -> io::Result<()> {
    match front.strip_prefix(' ') {
        _ if front.is_empty() => writeln!(out, "{NO_GROUP}"),
        Some(rest) => writeln!(out, "\\x20{}", Esc(&field(rest))),
        None => writeln!(out, "{}", Esc(&field(front))),
    }
}

fn line(
    tests: &Tests,
    test: &Test,
    own: &str,
    past: Option<&TestPast>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let tags: Vec<String> = tests.tags(test).map(|tag| field(tag).replace(' ', "\\x20")).collect();
    writeln!(
        out,
        " {}\t{}\t{}\t{}\t{}\t{}\t{}\t{}",
        test.state.word(),
        test.took.map(seconds).unwrap_or_default(),
        tests.offset(test).map(seconds).unwrap_or_default(),
        Esc(&field(tests.lane(test))),
        Esc(&field(own)),
        Esc(&tags.join(" ")),
        past.map(TestPast::letters).unwrap_or_default(),
        Esc(&field(tests.note(test))),
    )
}

/// Seconds with the digits that matter.
fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    let text = match seconds {
        0.0..0.01 => format!("{seconds:.6}"),
        0.01..1.0 => format!("{seconds:.4}"),
        1.0..100.0 => format!("{seconds:.3}"),
        _ => format!("{seconds:.2}"),
    };
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_have_the_digits_that_matter() {
        let check = |micros, expected: &str| assert_eq!(seconds(Duration::from_micros(micros)), expected);
        check(0, "0");
        check(212, "0.000212");
        check(34_512, "0.0345");
        check(1_234_567, "1.235");
        check(10_000_000, "10");
        check(252_400_000, "252.4");
    }
}
