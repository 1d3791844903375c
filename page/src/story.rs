//! How the run went, as a sentence: the title of the page, its heading, and what is said below it.

use streamresult::{Outcome, Summary};
use subunit::Status;

use crate::PageOptions;
use crate::frame::Tone;
use crate::words::{count, grouped};

/// How the run went.
#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) tone: Tone,
    /// The heading, a sentence.
    pub(crate) heading: String,
    /// What became of the other tests.
    pub(crate) rest: String,
}

impl Story {
    /// The story of a run of which this many tests warned.
    pub(crate) fn of(summary: &Summary, warned: u64, options: &PageOptions<'_>) -> Self {
        let (tone, heading) = heading(summary, warned);
        let (tone, heading) = match (&options.going, options.is_interrupted) {
            (Some(_), _) => going(summary),
            (None, true) => (Tone::Bad, format!("Interrupted: {}", until_then(summary))),
            (None, false) if options.is_incomplete && summary.is_success() => {
                (Tone::Bad, format!("Incomplete: {}", of_what_there_is(summary)))
            }
            (None, false) => (tone, heading),
        };
        Story { tone, heading, rest: rest(summary, warned) }
    }
}

fn heading(summary: &Summary, warned: u64) -> (Tone, String) {
    let total = summary.total();
    let failed = summary.count(Outcome::Fail) + summary.count(Outcome::UxSuccess) + of_run(summary);
    match (failed > 0, summary.is_success(), summary.ran()) {
        (true, ..) => (Tone::Bad, format!("Failed: {}", troubles(summary))),
        (false, false, _) => (Tone::Bad, format!("Incomplete: {}", troubles(summary))),
        (false, true, false) => (Tone::Doubtful, nothing(summary)),
        (false, true, true) if total == summary.count(Outcome::Skip) => (
            Tone::Doubtful,
            format!(
                "Nothing failed, and nothing passed: {} {} skipped",
                all_of(total, "test"),
                if total == 1 { "was" } else { "were" }
            ),
        ),
        (false, true, true) => passed(summary, warned),
    }
}

fn passed(summary: &Summary, warned: u64) -> (Tone, String) {
    let mut buts = Vec::new();
    if summary.flaky() > 0 {
        buts.push(format!("{} only when tried again", count(summary.flaky(), "test")));
    }
    if warned > 0 {
        buts.push(format!("{} with a warning", count(warned, "test")));
    }
    let (total, passed) = (summary.total(), summary.count(Outcome::Success));
    if !buts.is_empty() {
        return (Tone::Doubtful, format!("Passed, but {}", join(&buts)));
    }
    let of = if total == passed {
        all_of(total, "test")
    } else {
        format!("{} of {}", grouped(passed), count(total, "test"))
    };
    (Tone::Good, format!("Passed: {of} passed{}", if total == passed { "" } else { ", none failed" }))
}

/// `all 7 tests were`, as far as the verb.
fn all_of(number: u64, thing: &str) -> String {
    if number == 1 { format!("the only {thing}") } else { format!("all {}", count(number, thing)) }
}

fn nothing(summary: &Summary) -> String {
    match summary.announced() {
        0 => "Nothing ran: there is no test in the stream".to_owned(),
        1 => "Nothing ran: 1 test was announced".to_owned(),
        announced => format!("Nothing ran: {} were announced", count(announced, "test")),
    }
}

/// Of a run that is under way.
fn going(summary: &Summary) -> (Tone, String) {
    match summary.ran() || summary.failures() > 0 {
        false => (Tone::Doubtful, "Going on: no test has ended yet".to_owned()),
        true if summary.is_success() => {
            let so_far = count(summary.total(), "test");
            (Tone::Doubtful, format!("Going on: {so_far} so far, none failed"))
        }
        true => (Tone::Bad, format!("Going on: so far {}", troubles(summary))),
    }
}

fn of_what_there_is(summary: &Summary) -> String {
    match summary.total() {
        0 => "no test ran".to_owned(),
        1 => "the only test did not fail".to_owned(),
        total => format!("none of {} failed", count(total, "test")),
    }
}

fn until_then(summary: &Summary) -> String {
    match summary.ran() {
        false => "no test had ended".to_owned(),
        true if summary.is_success() => {
            format!("none of {} had failed until then", count(summary.total(), "test"))
        }
        true => format!("until then {}", troubles(summary)),
    }
}

/// What went wrong.
fn troubles(summary: &Summary) -> String {
    let total = summary.total();
    let counts = [
        (summary.count(Outcome::Fail), "failed"),
        (summary.count(Outcome::UxSuccess), "passed unexpectedly"),
        (summary.unfinished(), "never finished"),
    ];
    let mut said = Vec::new();
    for (number, what) in counts.into_iter().filter(|(number, _)| *number > 0) {
        said.push(match (said.is_empty(), number == total) {
            (true, true) => format!("{} {what}", all_of(total, "test")),
            (true, false) => format!("{} of {} {what}", grouped(number), count(total, "test")),
            (false, _) => format!("{} {what}", grouped(number)),
        });
    }
    if of_run(summary) > 0 {
        said.push("the run as a whole failed".to_owned());
    }
    if summary.damaged() > 0 {
        said.push(format!("the stream is damaged in {}", count(summary.damaged(), "place")));
    }
    join(&said)
}

/// How often the run as a whole failed.
fn of_run(summary: &Summary) -> u64 {
    Status::ALL.into_iter().filter(|status| status.is_failure()).map(|status| summary.global(status)).sum()
}

fn rest(summary: &Summary, warned: u64) -> String {
    let passed = summary.count(Outcome::Success);
    let mut said = Vec::new();
    if passed > 0 && passed < summary.total() {
        said.push(format!("{} passed", grouped(passed)));
    }
    if passed > 0 && summary.flaky() > 0 {
        said.push(format!("{} of these only when tried again", grouped(summary.flaky())));
    }
    if warned > 0 {
        said.push(format!("{} with a warning", grouped(warned)));
    }
    for (number, what) in [
        (summary.count(Outcome::Skip), "skipped"),
        (summary.count(Outcome::XFail), "failed as expected"),
        (summary.announced(), "announced but not run"),
    ] {
        if number > 0 {
            said.push(format!("{} {what}", grouped(number)));
        }
    }
    if said.is_empty() { String::new() } else { format!("{}.", said.join(", ")) }
}

/// `a, b and c`.
pub(crate) fn join(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [front @ .., last] => format!("{} and {last}", front.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use streamresult::StreamResult as _;
    use subunit::{Event, Status::*};

    use super::*;

    fn check(statuses: &[Status], heading: &str, rest: &str) {
        let mut summary = Summary::new();
        for (number, status) in statuses.iter().enumerate() {
            summary.status(&Event::status(&format!("test {number}"), *status)).unwrap();
        }
        summary.stop_run().unwrap();
        let story = Story::of(&summary, 0, &PageOptions::default());
        assert_eq!((&*story.heading, &*story.rest), (heading, rest));
    }

    #[test]
    fn a_run_under_way_has_not_passed() {
        let mut summary = Summary::new();
        let options = PageOptions { going: Some(Vec::new()), ..PageOptions::default() };
        let heading = |summary: &Summary| Story::of(summary, 0, &options).heading;
        assert_eq!(heading(&summary), "Going on: no test has ended yet");
        summary.status(&Event::status("a", Success)).unwrap();
        assert_eq!(heading(&summary), "Going on: 1 test so far, none failed");
        summary.status(&Event::status("b", Fail)).unwrap();
        assert_eq!(heading(&summary), "Going on: so far 1 of 2 tests failed");
    }

    #[test]
    fn the_heading_says_how_it_went() {
        check(&[], "Nothing ran: there is no test in the stream", "");
        check(&[Exists, Exists], "Nothing ran: 2 tests were announced", "2 announced but not run.");
        check(&[Success], "Passed: the only test passed", "");
        check(&[Success, Success], "Passed: all 2 tests passed", "");
        check(
            &[Success, Skip, XFail],
            "Passed: 1 of 3 tests passed, none failed",
            "1 passed, 1 skipped, 1 failed as expected.",
        );
        check(&[Skip], "Nothing failed, and nothing passed: the only test was skipped", "1 skipped.");
        check(&[Success, Fail, InProgress], "Failed: 1 of 3 tests failed and 1 never finished", "1 passed.");
        check(&[UxSuccess], "Failed: the only test passed unexpectedly", "");
        check(&[Success, InProgress], "Incomplete: 1 of 2 tests never finished", "1 passed.");
    }

    #[test]
    fn what_is_not_quite_right_is_no_plain_pass() {
        let mut summary = Summary::new();
        let tags = ["attempt-2"][..].into();
        summary.status(&Event { tags, ..Event::status("a", Success) }).unwrap();
        summary.status(&Event::status("b", Success)).unwrap();
        let story = Story::of(&summary, 1, &PageOptions::default());
        assert_eq!(story.heading, "Passed, but 1 test only when tried again and 1 test with a warning");
        assert_eq!(story.tone, Tone::Doubtful);
        let story = Story::of(&summary, 0, &PageOptions { is_interrupted: true, ..PageOptions::default() });
        assert_eq!(story.heading, "Interrupted: none of 2 tests had failed until then");
        let mut summary = Summary::new();
        summary.status(&Event { status: Some(Fail), ..Event::default() }).unwrap();
        streamresult::damage(b"x", "y", &mut summary).unwrap();
        let story = Story::of(&summary, 0, &PageOptions::default());
        assert_eq!(story.heading, "Failed: the run as a whole failed and the stream is damaged in 1 place");
    }
}
