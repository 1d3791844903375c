//! A request and what became of it.

use serde::de::DeserializeOwned;

use super::{Fault, Phases, Trace, Url};

/// An answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// Its status code.
    pub status: u16,
    /// The words for the status code.
    pub reason: String,
    /// Its headers, in order, the names in lower case.
    pub headers: Vec<(String, String)>,
    /// Its body, or the beginning of it.
    pub body: Vec<u8>,
    /// Whether the body was longer than the request allowed.
    pub is_cut: bool,
}

impl Response {
    /// The first header of this name, in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The body as text, undecodable bytes replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Errors
    ///
    /// When it is not JSON, or was cut short.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, String> {
        if self.is_cut {
            return Err(format!("the answer is longer than {} bytes", self.body.len()));
        }
        serde_json::from_slice(&self.body)
            .map_err(|error| format!("the answer is not the JSON it should be: {error}"))
    }

    /// The status and the beginning of the body, on one line; a page for people says no more than its status.
    #[must_use]
    pub fn describe(&self) -> String {
        const LENGTH: usize = 200;
        let Response { status, reason, .. } = self;
        let text = if self.body.trim_ascii_start().starts_with(b"<") { String::new() } else { self.text() };
        let words: Vec<_> = text.split_whitespace().collect();
        let mut line = words.join(" ");
        if let Some((end, _)) = line.char_indices().nth(LENGTH) {
            line.truncate(end);
            line.push('…');
        }
        let status = format!("{status} {reason}");
        let colon = if line.is_empty() { "" } else { ": " };
        format!("{}{colon}{line}", status.trim_end())
    }
}

/// A request and what became of it.
#[derive(Debug)]
pub struct Exchange {
    /// What was asked for.
    pub url: Url,
    /// What became of it.
    pub result: Result<Response, Fault>,
    /// What was seen on the way.
    pub trace: Trace,
    pub(super) sent: Vec<u8>,
    pub(super) received: Vec<u8>,
    /// Where it was sent to before, when redirects were followed.
    pub(super) before: Vec<Exchange>,
}

impl Exchange {
    /// The beginning of what was sent, as it was.
    #[must_use]
    pub fn sent(&self) -> &[u8] {
        &self.sent
    }

    /// The beginning of what came, as it was.
    #[must_use]
    pub fn received(&self) -> &[u8] {
        &self.received
    }

    /// Where the answer sends one on to, as it says it.
    #[must_use]
    pub fn leads_to(&self) -> Option<&str> {
        let response = self.result.as_ref().ok()?;
        matches!(response.status, 301 | 302 | 303 | 307 | 308).then(|| response.header("location"))?
    }

    /// How many redirects were followed.
    #[must_use]
    pub fn redirects(&self) -> usize {
        self.before.len()
    }

    /// How long each part took, in all hops together.
    #[must_use]
    pub fn phases(&self) -> Phases {
        self.hops().fold(Phases::default(), |sum, hop| sum.plus(&hop.trace.phases))
    }

    /// All that it was redirected from, and itself, in order.
    pub fn hops(&self) -> impl Iterator<Item = &Exchange> {
        self.before.iter().chain([self])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_described_on_a_line() {
        let check = |status, reason: &str, body: &str, expected: &str| {
            let (reason, body) = (reason.to_owned(), body.as_bytes().to_vec());
            assert_eq!(Response { status, reason, body, ..Response::default() }.describe(), expected);
        };
        check(404, "Not Found", "", "404 Not Found");
        check(403, "Forbidden", "{\n  \"message\": \"no\"\n}", "403 Forbidden: { \"message\": \"no\" }");
        check(503, "Service Unavailable", " <html>…", "503 Service Unavailable");
        check(299, "", &"x".repeat(300), &format!("299: {}…", "x".repeat(200)));
    }
}
