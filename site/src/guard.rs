//! Who is answered: by the method, the host, the origin and the token of a request.
//!
//! A page of another site can make a browser ask us, but not under a name that we know (DNS rebinding needs a name that
//! its owner can point elsewhere), and its origin is not ours.

use std::net::IpAddr;

use hyper::{Method, StatusCode};
use sha2::{Digest as _, Sha256};

use crate::answer::Answer;

const COOKIE: &str = "subunit-token";

/// What a request says of itself.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asked<'a> {
    pub(crate) host: Option<&'a str>,
    pub(crate) origin: Option<&'a str>,
    pub(crate) cookies: &'a str,
    pub(crate) authorization: Option<&'a str>,
    pub(crate) path: &'a str,
    /// What its address says behind the question mark, undecoded.
    pub(crate) query: &'a str,
}

/// Whom to answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guard {
    /// The names of this site, beside `localhost` and addresses.
    pub(crate) names: Vec<String>,
    /// The digest of the token; none is needed where there is none.
    pub(crate) token: Option<String>,
}

impl Guard {
    pub(crate) fn new(names: Vec<String>, token: Option<&str>) -> Self {
        Guard { names, token: token.map(digest) }
    }

    /// An answer in place of what was asked; none where it may be answered.
    pub(crate) fn refuse(&self, method: &Method, asked: &Asked<'_>) -> Option<Answer> {
        if *method != Method::GET && *method != Method::HEAD {
            return Some(Answer::plain(StatusCode::METHOD_NOT_ALLOWED, "this site can only be read"));
        }
        let Some(host) = asked.host.filter(|host| self.is_ours(host)) else {
            let why = "this site is not known by that name: `subunit serve --host NAME` makes it known";
            return Some(Answer::plain(StatusCode::MISDIRECTED_REQUEST, why));
        };
        let is_own =
            |origin: &str| origin.strip_prefix("http://").or(origin.strip_prefix("https://")) == Some(host);
        if asked.origin.is_some_and(|origin| !is_own(origin)) {
            return Some(Answer::plain(StatusCode::FORBIDDEN, "another site asked for this"));
        }
        self.without_token(asked)
    }

    fn is_ours(&self, host: &str) -> bool {
        let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, _)) => address,
            None => host.split(':').next().unwrap_or_default(),
        };
        let name = name.to_ascii_lowercase();
        name == "localhost" || name.parse::<IpAddr>().is_ok() || self.names.contains(&name)
    }

    /// The token is in a header, in a cookie, or once in the address, which sets the cookie.
    fn without_token(&self, asked: &Asked<'_>) -> Option<Answer> {
        let token = self.token.as_ref()?;
        let bearer = asked.authorization.and_then(|given| given.strip_prefix("Bearer "));
        if bearer.is_some_and(|given| digest(given.trim()) == *token) {
            return None;
        }
        let cookies = asked.cookies.split(';').filter_map(|cookie| cookie.trim().split_once('='));
        if cookies.into_iter().any(|(name, value)| name == COOKIE && digest(value) == digest(token)) {
            return None;
        }
        let given = asked.query.split('&').find_map(|pair| pair.strip_prefix("token="));
        if given.is_some_and(|given| digest(&decoded(given)) == *token) {
            let cookie = format!("{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/");
            let redirect = Some((asked.path.to_owned(), cookie));
            return Some(Answer { redirect, ..Answer::plain(StatusCode::SEE_OTHER, "see the page") });
        }
        let why = "a token is needed: open this address once with ?token=TOKEN, or send `Authorization: Bearer TOKEN`";
        Some(Answer::plain(StatusCode::UNAUTHORIZED, why))
    }
}

/// What stands behind a `=` in an address.
pub(crate) fn decoded(value: &str) -> String {
    let spaced = value.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

/// Digests are compared, so that how long it takes tells nothing of the token.
fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(guard: &Guard, asked: Asked<'_>, status: Option<u16>) {
        let refused = guard.refuse(&Method::GET, &asked).map(|answer| answer.status.as_u16());
        assert_eq!(refused, status, "{asked:?}");
    }

    #[test]
    fn only_known_names_are_answered() {
        let guard = Guard::new(vec!["ci.example".to_owned()], None);
        let host = |host| Asked { host: Some(host), ..Asked::default() };
        for name in ["localhost:80", "127.0.0.1:8000", "[::1]:9", "CI.example", "ci.example:443"] {
            check(&guard, host(name), None);
        }
        for name in ["evil.example", "localhost.evil.example", "ci.example.evil", ""] {
            check(&guard, host(name), Some(421));
        }
        check(&guard, Asked::default(), Some(421));
    }

    #[test]
    fn other_sites_are_not_answered() {
        let guard = Guard::default();
        let from = |origin| Asked { host: Some("localhost:1"), origin: Some(origin), ..Asked::default() };
        check(&guard, from("http://localhost:1"), None);
        for origin in ["http://localhost:2", "http://evil.example", "null"] {
            check(&guard, from(origin), Some(403));
        }
        let host = Asked { host: Some("localhost"), ..Asked::default() };
        assert_eq!(guard.refuse(&Method::POST, &host).unwrap().status.as_u16(), 405);
    }

    #[test]
    fn a_token_opens_it() {
        let guard = Guard::new(Vec::new(), Some("a b"));
        let asked = Asked { host: Some("localhost"), path: "/board", ..Asked::default() };
        check(&guard, asked, Some(401));
        check(&guard, Asked { authorization: Some("Bearer a b"), ..asked }, None);
        check(&guard, Asked { authorization: Some("Bearer a"), ..asked }, Some(401));
        check(&guard, Asked { query: "token=a", ..asked }, Some(401));
        let opened = guard.refuse(&Method::GET, &Asked { query: "x=1&token=a+b", ..asked }).unwrap();
        let (place, cookie) = opened.redirect.unwrap();
        assert_eq!(place, "/board");
        let cookies = format!("other=1; {}", cookie.split(';').next().unwrap());
        assert!(!cookies.contains("a b"));
        check(&guard, Asked { cookies: &cookies, ..asked }, None);
    }
}
