//! What is answered, before it is HTTP.

use hyper::StatusCode;

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// Its type.
    pub(crate) kind: &'static str,
    pub(crate) body: Vec<u8>,
    /// Where to go instead, and what to keep for it.
    pub(crate) redirect: Option<(String, String)>,
    /// Whether other sites may show it.
    pub(crate) is_for_all: bool,
}

pub(crate) const HTML: &str = "text/html; charset=utf-8";
pub(crate) const JSON: &str = "application/json";

impl Answer {
    pub(crate) fn new(kind: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Answer { status: StatusCode::OK, kind, body: body.into(), redirect: None, is_for_all: false }
    }

    pub(crate) fn html(text: String) -> Self {
        Answer::new(HTML, text)
    }

    /// A list of JSON, of objects that are a line each.
    pub(crate) fn list(lines: &[u8]) -> Self {
        let mut body = Vec::with_capacity(lines.len() + 4);
        body.extend_from_slice(b"[");
        for (at, line) in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).enumerate() {
            body.extend_from_slice(if at > 0 { b",\n" } else { b"" });
            body.extend_from_slice(line);
        }
        body.extend_from_slice(b"]\n");
        Answer::new(JSON, body)
    }

    pub(crate) fn plain(status: StatusCode, why: &str) -> Self {
        Answer { status, ..Answer::new("text/plain; charset=utf-8", format!("{why}\n")) }
    }
}
