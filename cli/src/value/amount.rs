//! Decimal numbers with units, read exactly: `1.5h`, `1h30m`, `10 MB`.

use subunit::split_text;

use super::error::Fault;

/// More decimals than this are cut off: 10¹⁸ of anything is finer than we count.
const MOST_DECIMALS: usize = 18;

/// The units of a kind of amount.
pub(super) struct Scale {
    /// Their names, and how many of the smallest they are.
    pub(super) units: &'static [(&'static str, u64)],
    /// How many of the smallest a number without a unit stands for.
    pub(super) bare: u64,
    /// Whether an amount may be a sum, as `1h30m` is.
    pub(super) sums: bool,
}

impl Scale {
    /// An amount in the smallest unit; what is finer is cut off.
    pub(super) fn count(&self, text: &str) -> Result<u128, Fault> {
        if text.starts_with('-') {
            return Err(if self.measure(text).is_ok() { Fault::BelowZero } else { Fault::NotOne });
        }
        if let Some(number) = with_exponent(text) {
            // A cast from a float does not wrap, but saturates.
            return Ok((number * self.bare as f64) as u128);
        }
        let mut count = 0_u128;
        self.each_part(text, |number, factor| {
            count = count.checked_add(exactly(number, factor)?).ok_or(Fault::TooLarge)?;
            Ok(())
        })?;
        Ok(count)
    }

    /// An amount in units of a bare number, which may be below zero.
    pub(super) fn measure(&self, text: &str) -> Result<f64, Fault> {
        let (sign, rest) = match text.strip_prefix('-') {
            Some(rest) => (-1.0, rest),
            None => (1.0, text),
        };
        let mut sum = with_exponent(rest).unwrap_or_default();
        if with_exponent(rest).is_none() {
            self.each_part(rest, |number, factor| {
                let number: f64 = number.parse().map_err(|_| Fault::NotOne)?;
                sum += number * (factor as f64 / self.bare as f64);
                Ok(())
            })?;
        }
        if sum.is_finite() { Ok(sign * sum) } else { Err(Fault::TooLarge) }
    }

    /// Hands out each number of a sum with what its unit stands for.
    fn each_part(
        &self,
        text: &str,
        mut part: impl FnMut(&str, u64) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let mut rest = text.strip_prefix('+').unwrap_or(text);
        let mut is_first = true;
        loop {
            let (number, after) = split(rest, |character| !is_of_number(character));
            let (unit, after) = split(after, is_of_number);
            let unit = unit.trim();
            let factor = if is_first && unit.is_empty() && after.is_empty() {
                self.bare
            } else {
                let found = self.units.iter().find(|(name, _)| *name == unit);
                found.map(|(_, factor)| *factor).ok_or(Fault::NotOne)?
            };
            part(number, factor)?;
            if after.is_empty() {
                return Ok(());
            }
            if !self.sums {
                return Err(Fault::NotOne);
            }
            (rest, is_first) = (after, false);
        }
    }
}

fn is_of_number(character: char) -> bool {
    matches!(character, '0'..='9' | '.')
}

/// Splits a text before the first character of this kind.
fn split(text: &str, at: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(at).unwrap_or(text.len());
    split_text(text, end)
}

/// A number without a unit that has an exponent: `1e3`.
fn with_exponent(text: &str) -> Option<f64> {
    let is_digit = |first: char| first.is_ascii_digit() || first == '.';
    if !text.contains(['e', 'E']) || !text.trim_start_matches('+').starts_with(is_digit) {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// A decimal number of units, in the smallest.
fn exactly(number: &str, factor: u64) -> Result<u128, Fault> {
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && decimals.is_empty() || decimals.contains('.') {
        return Err(Fault::NotOne);
    }
    let decimals = decimals.get(..MOST_DECIMALS).unwrap_or(decimals);
    let scale = 10_u128.pow(decimals.len() as u32);
    let fraction = u128::from(integer(decimals)?) * u128::from(factor) / scale;
    // At most (2⁶⁴ - 1)² + 2⁶⁴, which fits.
    Ok(u128::from(integer(whole)?) * u128::from(factor) + fraction)
}

fn integer(digits: &str) -> Result<u64, Fault> {
    if digits.is_empty() { Ok(0) } else { digits.parse().map_err(|_| Fault::TooLarge) }
}
