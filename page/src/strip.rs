//! A row of outcomes in a picture, which differ in height, too: nothing in it is told by colour alone.

use std::fmt;

use crate::escape::Line;
use crate::state::State;

/// One outcome in a strip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// There was none.
    None,
    /// What became of a test, or of a run.
    Test(State),
}

/// Outcomes, the oldest first.
#[derive(Clone, Copy, Debug)]
pub struct Strip<'a> {
    /// What is said before they are listed, for those who do not see them.
    pub title: &'a str,
    /// The outcomes.
    pub marks: &'a [Mark],
    /// How wide each is, with the gap behind it.
    pub pitch: usize,
    /// How wide the gap is.
    pub gap: usize,
}

impl Mark {
    /// What it is called: `passed`.
    fn words(self) -> &'static str {
        match self {
            Mark::None => "was not run",
            Mark::Test(state) => state.past_words(),
        }
    }

    /// Class, height in the middle, width of the stroke.
    fn stroke(self) -> (&'static str, &'static str, u32) {
        match self {
            Mark::None => ("b", "12", 2),
            Mark::Test(State::Pass) => ("p", "16", 6),
            Mark::Test(State::Flaky) => ("k", "13.5", 11),
            Mark::Test(State::Skip | State::Exists) => ("s", "18", 2),
            Mark::Test(State::XFail) => ("x", "17", 4),
            Mark::Test(State::Unfinished) => ("h", "10", 18),
            Mark::Test(State::Fail | State::UxSuccess) => ("f", "10", 18),
        }
    }
}

impl fmt::Display for Strip<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Strip { title, marks, pitch, gap } = *self;
        let width = (marks.len() * pitch).max(1);
        let stretches: Vec<&[Mark]> = marks.chunk_by(|a, b| a == b).collect();
        let words: Vec<String> =
            stretches.iter().filter_map(|marks| Some(times(marks.first()?.words(), marks.len()))).collect();
        write!(
            formatter,
            "<svg class=\"strip\" role=\"img\" aria-label=\"{}: {}\" width=\"{width}\" height=\"20\" viewBox=\"0 0 {width} 20\">",
            Line(title),
            words.join(", then ")
        )?;
        let mut at = 0;
        for marks in stretches {
            let (class, y, stroke) = marks.first().map_or(("b", "12", 2), |mark| mark.stroke());
            let end = at + marks.len() * pitch;
            write!(
                formatter,
                "<path class=\"{class}\" d=\"M{at} {y}H{}\" stroke-width=\"{stroke}\" stroke-dasharray=\"{} {gap}\"/>",
                end.saturating_sub(gap),
                pitch.saturating_sub(gap)
            )?;
            at = end;
        }
        formatter.write_str("</svg>")
    }
}

fn times(words: &str, number: usize) -> String {
    match number {
        1 => format!("{words} once"),
        number => format!("{words} {number} times"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_told_in_words_too() {
        let marks = [Mark::Test(State::Pass), Mark::Test(State::Pass), Mark::None, Mark::Test(State::Fail)];
        let strip = Strip { title: "Oldest to newest", marks: &marks, pitch: 7, gap: 2 }.to_string();
        assert!(
            strip.contains("\"Oldest to newest: passed 2 times, then was not run once, then failed once\"")
        );
        assert!(
            strip.contains("<path class=\"p\" d=\"M0 16H12\" stroke-width=\"6\" stroke-dasharray=\"5 2\"/>")
        );
        assert_eq!(strip.matches("<path").count(), 3);
        assert!(Strip { title: "x", marks: &[], pitch: 7, gap: 2 }.to_string().contains("width=\"1\""));
    }
}
