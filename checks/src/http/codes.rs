//! The status codes that are expected.

use std::fmt;
use std::str::FromStr;

/// Status codes that are expected: `200`, `2xx`, `200-204`, several with commas between them.
///
/// ```
/// use checks::http::StatusCodes;
///
/// let codes: StatusCodes = "2xx,401".parse()?;
/// assert!(codes.has(204) && codes.has(401) && !codes.has(302));
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusCodes(Vec<(u16, u16)>);

impl StatusCodes {
    /// Whether the code is one of them.
    #[must_use]
    pub fn has(&self, code: u16) -> bool {
        self.0.iter().any(|(first, last)| (*first..=*last).contains(&code))
    }
}

impl FromStr for StatusCodes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split(',').map(|part| range(part.trim())).collect::<Result<_, _>>().map(StatusCodes)
    }
}

fn range(text: &str) -> Result<(u16, u16), String> {
    let code = |text: &str| text.parse().ok().filter(|code| (100..=599).contains(code));
    let range = match (text.strip_suffix("xx"), text.split_once('-')) {
        (Some(class), _) => code(&format!("{class}00")).map(|first: u16| (first, first + 99)),
        (None, Some((first, last))) => code(first).zip(code(last)),
        (None, None) => code(text).map(|code| (code, code)),
    };
    let range = range.filter(|(first, last)| first <= last);
    range.ok_or_else(|| format!("`{text}` is not a status code, as 200, 2xx and 200-204 are"))
}

impl fmt::Display for StatusCodes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (first, last)) in self.0.iter().enumerate() {
            formatter.write_str(if number == 0 { "" } else { ", " })?;
            match (first % 100, last - first) {
                (_, 0) => write!(formatter, "{first}")?,
                (0, 99) => write!(formatter, "{}xx", first / 100)?,
                _ => write!(formatter, "{first}-{last}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_single_or_ranges() {
        let check = |text: &str, expected: &str| {
            assert_eq!(text.parse::<StatusCodes>().unwrap().to_string(), expected);
        };
        check("200", "200");
        check("2xx, 301-302", "2xx, 301-302");
        check("400-400,400-499", "400, 4xx");
        for wrong in ["", "2", "xx", "6xx", "99", "600", "204-200", "200,", "ok"] {
            assert!(wrong.parse::<StatusCodes>().is_err(), "{wrong}");
        }
    }
}
