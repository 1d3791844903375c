//! Where an answer sends one to.

use super::{Exchange, Request};

/// Headers that are for one server only.
const PRIVATE: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

impl Request {
    /// What to ask for after this answer, when it is a redirect that is to be followed.
    pub(super) fn next(&self, exchange: &Exchange) -> Option<Result<Request, String>> {
        let response = exchange.result.as_ref().ok()?;
        let location = match response.status {
            301 | 302 | 303 | 307 | 308 if self.redirects > 0 => response.header("location")?,
            _ => return None,
        };
        Some(self.url.join(location).map(|url| self.redirected(url, response.status)))
    }

    fn redirected(&self, url: super::Url, status: u16) -> Request {
        let keeps_method = matches!(status, 307 | 308) || matches!(self.method.as_str(), "GET" | "HEAD");
        let is_same = self.url.is_same_origin(&url);
        let is_kept = |(name, _): &&(String, String)| {
            let name = name.to_ascii_lowercase();
            (is_same || !PRIVATE.contains(&name.as_str())) && (keeps_method || name != "content-type")
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
