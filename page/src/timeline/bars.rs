//! Bars of a lane: those that nobody could tell apart are one.

use std::time::Duration;

use crate::state::State;
use crate::tests_kept::Tests;

use super::lanes::Lane;

/// A width of 1400 pixels; what is narrower than one of them cannot be seen.
const PIXELS: u32 = 1400;
/// Rectangles of a lane.
const MOST: usize = 600;

/// A bar in the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bar {
    pub(crate) from: Duration,
    pub(crate) to: Duration,
    pub(crate) state: State,
}

/// The bars of a lane of a run of this length.
pub(crate) fn bars(lane: &Lane, tests: &Tests, length: Duration) -> Vec<Bar> {
    let bars = lane.tests.iter().filter_map(|span| {
        let state = tests.all.get(span.test)?.state;
        Some(Bar { from: span.from, to: span.to, state })
    });
    merged(bars.collect(), length / PIXELS)
}

/// Merges what is closer than `least`, and more where that is not enough. Failures are merged only with each other,
/// and only where nothing else helps.
fn merged(bars: Vec<Bar>, mut least: Duration) -> Vec<Bar> {
    least = least.max(Duration::from_nanos(1));
    let mut merged = merge(&bars, least, |state| !state.is_failure());
    while merged.iter().filter(|bar| !bar.state.is_failure()).count() > MOST {
        least *= 2;
        merged = merge(&merged, least, |state| !state.is_failure());
    }
    while merged.len() > MOST {
        least *= 2;
        merged = merge(&merged, least, |_| true);
    }
    merged
}

/// Merges neighbours of one state that touch, as far as a pixel shows, where one of them is narrower than that.
fn merge(bars: &[Bar], least: Duration, may: impl Fn(State) -> bool) -> Vec<Bar> {
    // The last bar of each state: those of others lie between.
    let mut last: [Option<usize>; State::ALL.len()] = Default::default();
    let mut merged: Vec<Bar> = Vec::new();
    for bar in bars {
        let Some(slot) = last.get_mut(bar.state as usize) else { continue };
        let before = slot.and_then(|at| merged.get_mut(at)).filter(|before| {
            may(bar.state)
                && bar.from.saturating_sub(before.to) < least
                && (bar.to - bar.from < least || before.to - before.from < least)
        });
        match before {
            Some(before) => before.to = before.to.max(bar.to),
            None => {
                *slot = Some(merged.len());
                merged.push(*bar);
            }
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(from: u64, to: u64, state: State) -> Bar {
        Bar { from: Duration::from_millis(from), to: Duration::from_millis(to), state }
    }

    #[test]
    fn what_a_pixel_cannot_show_is_one_bar() {
        let least = Duration::from_millis(10);
        let check = |bars: &[Bar], expected: &[Bar]| assert_eq!(merged(bars.to_vec(), least), expected);
        check(&[], &[]);
        let wide = [bar(0, 20, State::Pass), bar(20, 40, State::Pass)];
        check(&wide, &wide);
        check(&[bar(0, 4, State::Pass), bar(5, 9, State::Pass)], &[bar(0, 9, State::Pass)]);
        let apart = [bar(0, 4, State::Pass), bar(20, 24, State::Pass)];
        check(&apart, &apart);
    }

    #[test]
    fn a_failure_is_never_hidden() {
        let bars =
            [bar(0, 1, State::Pass), bar(1, 2, State::Fail), bar(2, 3, State::Pass), bar(3, 4, State::Fail)];
        let expected = [bar(0, 3, State::Pass), bar(1, 2, State::Fail), bar(3, 4, State::Fail)];
        assert_eq!(merged(bars.to_vec(), Duration::from_millis(10)), expected);
    }

    #[test]
    fn a_lane_has_a_bounded_number_of_bars() {
        for state in State::ALL {
            let bars: Vec<Bar> = (0..20_000).map(|at| bar(at * 10, at * 10 + 1, state)).collect();
            let merged = merged(bars, Duration::from_millis(1));
            assert!(merged.len() <= MOST, "{} of {state:?}", merged.len());
        }
    }
}
