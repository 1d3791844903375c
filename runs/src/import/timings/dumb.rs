//! Python's `dbm.dumb`: a file of lines that say where in the other file each value is.
//!
//! ```text
//! 'net.boot', (0, 3)
//! 'it\'s', (512, 6)
//! ```

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use nom::branch::alt;
use nom::bytes::complete::{take_while_m_n, take_while1};
use nom::character::complete::{char, digit1, one_of, space0};
use nom::combinator::{all_consuming, map, map_opt, map_res, value};
use nom::multi::fold_many0;
use nom::sequence::{delimited, preceded, separated_pair};
use nom::{IResult, Parser as _};

use super::Pairs;

/// Reads the pairs. A later line of the same key overrides an earlier one.
pub(super) fn read(dir: &Path, dat: &Path) -> anyhow::Result<Pairs> {
    let bytes = |path: &Path| fs::read(path).with_context(|| format!("cannot read {}", path.display()));
    let (lines, values) = (bytes(dir)?, bytes(dat)?);
    let mut pairs = HashMap::new();
    for (number, text) in lines.split(|byte| *byte == b'\n').enumerate() {
        if text.trim_ascii().is_empty() {
            continue;
        }
        let place = || format!("{}, line {}", dir.display(), number + 1);
        let (_, (key, (at, len))) = all_consuming(line)
            .parse(text.trim_ascii())
            .ok()
            .with_context(|| format!("{} is not an entry", place()))?;
        let value = at.checked_add(len).and_then(|end| values.get(at..end));
        let value = value.with_context(|| format!("{} is outside {}", place(), dat.display()))?;
        pairs.insert(key, value.to_vec());
    }
    Ok(pairs.into_iter().collect())
}

type Entry = (Vec<u8>, (usize, usize));

fn line(text: &[u8]) -> IResult<&[u8], Entry> {
    let comma = || delimited(space0, char(','), space0);
    let place = delimited(char('('), separated_pair(number, comma(), number), char(')'));
    separated_pair(alt((string('\''), string('"'))), comma(), place).parse(text)
}

fn number(text: &[u8]) -> IResult<&[u8], usize> {
    map_res(digit1, |digits: &[u8]| String::from_utf8_lossy(digits).parse()).parse(text)
}

/// A string as Python's `repr` shows it. Its characters are bytes, and so is the file's.
fn string<'a>(
    quote: char,
) -> impl nom::Parser<&'a [u8], Output = Vec<u8>, Error = nom::error::Error<&'a [u8]>> {
    let plain = take_while1(move |byte| byte != b'\\' && char::from(byte) != quote);
    let piece = alt((map(plain, <[u8]>::to_vec), map(escape, |byte| vec![byte])));
    let inner = fold_many0(piece, Vec::new, |mut all, piece| {
        all.extend(piece);
        all
    });
    delimited(char(quote), inner, char(quote))
}

fn escape(text: &[u8]) -> IResult<&[u8], u8> {
    let is_hex = |byte: u8| byte.is_ascii_hexdigit();
    let hex = map_opt(take_while_m_n(2, 2, is_hex), |digits: &[u8]| {
        u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    });
    let itself = map_res(one_of("\\'\""), u8::try_from);
    let named = alt((value(b'\n', char('n')), value(b'\r', char('r')), value(b'\t', char('t'))));
    preceded(char('\\'), alt((preceded(char('x'), hex), named, itself))).parse(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &[u8], expected: Option<(&[u8], (usize, usize))>) {
        let found = all_consuming(line).parse(text).ok().map(|(_, entry)| entry);
        let found = found.as_ref().map(|(key, place)| (&**key, *place));
        assert_eq!(found, expected, "{}", text.escape_ascii());
    }

    #[test]
    fn keys_are_python_strings() {
        check(b"'a', (0, 3)", Some((b"a", (0, 3))));
        check(br#"'it\'s "q" \\ \x80\n', (512, 6)"#, Some((b"it's \"q\" \\ \x80\n", (512, 6))));
        check(br#""it's", (512,6)"#, Some((b"it's", (512, 6))));
        check(b"'t\xc3\xa9st', (0, 0)", Some(("tést".as_bytes(), (0, 0))));
        check(b"'', (0, 0)", Some((b"", (0, 0))));
    }

    #[test]
    fn what_is_no_entry_is_none() {
        for text in [&b"a, (0, 3)"[..], b"'a', (0)", b"'a', (-1, 3)", br"'\q', (0, 3)", b"'a'"] {
            check(text, None);
        }
    }
}
