//! Sums up many numbers in a few that people can read.

/// Percentiles by nearest rank: each is a number that was measured.
#[derive(Clone, Debug)]
pub struct Percentiles(Vec<f64>);

impl Percentiles {
    /// Of these numbers.
    #[must_use]
    pub fn of(mut numbers: Vec<f64>) -> Self {
        numbers.sort_by(f64::total_cmp);
        Percentiles(numbers)
    }

    /// The smallest number that at least `percent` of a hundred are not above; `None` of no numbers.
    #[must_use]
    pub fn percentile(&self, percent: u32) -> Option<f64> {
        let count = u64::try_from(self.0.len()).ok()?;
        let rank = (count * u64::from(percent)).div_ceil(100).max(1);
        self.0.get(usize::try_from(rank - 1).ok()?).copied()
    }

    /// The numbers to show: `_min`, `_p50`, `_p90`, `_p95`, `_max`, and `_p99` from a hundred numbers on.
    pub fn entries(&self) -> impl Iterator<Item = (&'static str, f64)> + '_ {
        let percents = [(0, "_min"), (50, "_p50"), (90, "_p90"), (95, "_p95"), (99, "_p99"), (100, "_max")];
        let shown = move |percent| percent != 99 || self.0.len() >= 100;
        percents
            .into_iter()
            .filter(move |(percent, _)| shown(*percent))
            .filter_map(|(percent, suffix)| Some((suffix, self.percentile(percent)?)))
    }
}

/// A number with the digits that matter to people.
pub fn rounded(value: f64) -> String {
    if value.fract() == 0.0 || value.abs() >= 1e6 {
        return format!("{value:.0}");
    }
    let digits = 3 - value.abs().log10().floor().clamp(-9.0, 3.0) as i32;
    let text = format!("{value:.*}", usize::try_from(digits).unwrap_or(0));
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_percentile(count: u32, percent: u32, expected: Option<f64>) {
        let numbers = (1..=count).rev().map(f64::from).collect();
        assert_eq!(Percentiles::of(numbers).percentile(percent), expected, "p{percent} of {count}");
    }

    #[test]
    fn percentiles_are_numbers_that_were_measured() {
        check_percentile(0, 50, None);
        check_percentile(1, 50, Some(1.0));
        check_percentile(2, 50, Some(1.0));
        check_percentile(4, 50, Some(2.0));
        check_percentile(10, 95, Some(10.0));
        check_percentile(10, 0, Some(1.0));
        check_percentile(100, 99, Some(99.0));
    }

    #[test]
    fn the_99th_percentile_needs_a_hundred_numbers() {
        let entries = |count| Percentiles::of(vec![1.0; count]).entries().count();
        assert_eq!((entries(0), entries(99), entries(100)), (0, 5, 6));
    }

    #[test]
    fn numbers_have_the_digits_that_matter() {
        let check = |value, expected| assert_eq!(rounded(value), expected);
        check(0.0, "0");
        check(12.0, "12");
        check(1.234_567, "1.235");
        check(0.000_123_456, "0.0001235");
        check(123_456.789, "123457");
        check(1e12 + 0.5, "1000000000000");
    }
}
