//! Some of the tests, chosen at random.

use std::collections::HashSet;
use std::str::FromStr;

use super::choice::{Chosen, any_seed, shuffle};

/// How many tests, and what chooses them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sample {
    count: usize,
    seed: Option<u64>,
}

impl FromStr for Sample {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (count, seed) = text.split_once(':').map_or((text, None), |(count, seed)| (count, Some(seed)));
        let wrong = || format!("{text:?} is not a number of tests, such as 20, or 20:7 with a seed");
        let count = count.parse().ok().filter(|count| *count > 0).ok_or_else(wrong)?;
        let seed = seed.map(str::parse).transpose().map_err(|_| wrong())?;
        Ok(Sample { count, seed })
    }
}

impl Sample {
    /// Leaves out all others, of all suites; says how to choose the same ones again.
    pub(super) fn take(self, chosen: &mut [Chosen]) -> Option<String> {
        let of = |(part, chosen): (usize, &Chosen)| (0..chosen.ids.len()).map(move |id| (part, id)).collect();
        let mut all: Vec<(usize, usize)> =
            chosen.iter().enumerate().flat_map(|one| -> Vec<_> { of(one) }).collect();
        let (count, total) = (self.count, all.len());
        if count >= total {
            return None;
        }
        let seed = self.seed.unwrap_or_else(any_seed);
        shuffle(&mut all, seed);
        let kept: HashSet<(usize, usize)> = all.into_iter().take(count).collect();
        for (part, chosen) in chosen.iter_mut().enumerate() {
            let mut ids = 0..;
            chosen.ids.retain(|_| ids.next().is_some_and(|id| kept.contains(&(part, id))));
            chosen.is_all = false;
        }
        Some(format!("{count} of {total} tests: --sample={count}:{seed} gives the same again"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(text: &str) -> (Vec<String>, Option<String>) {
        let part = |ids: &[&str]| {
            let mut chosen = Chosen::default();
            chosen.ids.extend(ids.iter().map(|id| (*id).to_owned()));
            chosen
        };
        let mut chosen = [part(&["a", "b", "c"]), part(&["d", "e"])];
        let note = text.parse::<Sample>().unwrap().take(&mut chosen);
        (chosen.into_iter().flat_map(|chosen| chosen.ids).collect(), note)
    }

    #[test]
    fn a_seed_gives_one_sample_in_the_order_of_the_tests() {
        let (ids, note) = sample("3:7");
        assert_eq!(note.as_deref(), Some("3 of 5 tests: --sample=3:7 gives the same again"));
        assert_eq!((ids.len(), ids.is_sorted()), (3, true), "{ids:?}");
        assert_eq!(sample("3:7").0, ids);
        assert_eq!(sample("5"), (["a", "b", "c", "d", "e"].map(str::to_owned).to_vec(), None));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["0", "", "x", "3:", "3:x"] {
            assert!(text.parse::<Sample>().is_err(), "{text}");
        }
    }
}
