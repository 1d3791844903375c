//! What to ask for, and where an answer sends one to.

use super::{Exchange, Url};

/// Bytes of a body to read, unless a request says otherwise.
const BODY: usize = 1 << 20;

/// What to ask for.
///
/// ```
/// use net::Request;
///
/// let url = "http://127.0.0.1:8001/api/routes/x".parse()?;
/// let request = Request::new("POST", url).header("authorization", "token abc").json(r#"{"target": "http://h"}"#);
/// assert_eq!(request.method, "POST");
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: String,
    /// Of what.
    pub url: Url,
    /// The headers; those of the protocol are added.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Bytes of the answer's body to read.
    pub max_body: usize,
    /// How many redirects to follow.
    pub redirects: u32,
}

impl Request {
    /// A request without a body.
    #[must_use]
    pub fn new(method: &str, url: Url) -> Self {
        let (method, headers, body) = (method.to_owned(), Vec::new(), Vec::new());
        Request { method, url, headers, body, max_body: BODY, redirects: 0 }
    }

    /// Asks for what is there.
    #[must_use]
    pub fn get(url: Url) -> Self {
        Request::new("GET", url)
    }

    /// The same with a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same with a body of JSON.
    #[must_use]
    pub fn json(self, text: &str) -> Self {
        let body = text.as_bytes().to_vec();
        Request { body, ..self.header("content-type", "application/json") }
    }
}

impl Request {
    /// What to ask for after this answer, when it is a redirect that is to be followed.
    pub(super) fn next(&self, exchange: &Exchange) -> Option<Result<Request, String>> {
        let status = exchange.result.as_ref().ok()?.status;
        let location = exchange.leads_to().filter(|_| self.redirects > 0)?;
        Some(self.url.join(location).map(|url| self.redirected(url, status)))
    }

    fn redirected(&self, url: Url, status: u16) -> Request {
        let keeps_method = matches!(status, 307 | 308) || matches!(self.method.as_str(), "GET" | "HEAD");
        let is_same = self.url.is_same_origin(&url);
        let is_kept = |(name, _): &&(String, String)| {
            let name = name.to_ascii_lowercase();
            (is_same || !process::is_secret_name(&name)) && (keeps_method || name != "content-type")
        };
        Request {
            method: if keeps_method { self.method.clone() } else { "GET".to_owned() },
            url,
            headers: self.headers.iter().filter(is_kept).cloned().collect(),
            body: if keeps_method { self.body.clone() } else { Vec::new() },
            max_body: self.max_body,
            redirects: self.redirects - 1,
        }
    }
}
