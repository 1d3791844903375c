//! A hub: where it is, and how it is asked.

use std::time::Duration;

use net::{Client, Exchange, Request, Url, encode};
use probe::{Finding, Level, Limits, Secret};
use serde::de::DeserializeOwned;

use super::judge;
use super::model::{State, User};
use crate::network::{Evidence as _, one_operation};

/// How long a hub itself waits for a server to start or to stop, before it says that it goes on in the background:
/// ten seconds, and some.
const SLOW: Duration = Duration::from_secs(15);
/// Bytes of an answer.
const ANSWER: usize = 16 << 20;

/// A hub, and the token for it.
#[derive(Clone)]
pub(super) struct Hub {
    /// With the base path, without `hub`.
    base: Url,
    client: Client,
    pub(super) token: Option<Secret>,
}

impl Hub {
    /// The hub at this address: the base path is what comes before `/hub`, where that is a part of it.
    pub(super) fn new(url: &Url, client: Client, token: Option<Secret>) -> Self {
        let path = url.path().split('?').next().unwrap_or_default().trim_end_matches('/');
        let base = ["/hub/api", "/hub/home", "/hub"].iter().find_map(|end| path.strip_suffix(end));
        Hub { base: url.at(base.unwrap_or(path)), client, token }
    }

    pub(super) fn base(&self) -> &Url {
        &self.base
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// An address of the hub: `health`, `api/users`.
    pub(super) fn url(&self, path: &str) -> Url {
        self.base.below("hub").below(path)
    }

    /// A request to the hub, with the token.
    pub(super) fn request(&self, method: &str, path: &str) -> Request {
        self.with_token(Request::new(method, self.url(path)))
    }

    /// The request with the token, where it goes to the server that the token is for.
    pub(super) fn with_token(&self, request: Request) -> Request {
        match self.token.as_ref().filter(|_| request.url.is_same_origin(&self.base)) {
            Some(token) => request.header("authorization", &format!("token {}", token.reveal())),
            None => request,
        }
    }

    /// Asks for something, with the token.
    pub(super) fn get(&self, path: &str, limits: Limits<'_>) -> Exchange {
        self.send(&Request { max_body: ANSWER, ..self.request("GET", path) }, limits)
    }

    pub(super) fn send(&self, request: &Request, limits: Limits<'_>) -> Exchange {
        self.client.send(request, &one_operation(limits))
    }

    /// Asks for JSON, with the token.
    pub(super) fn json<T: DeserializeOwned>(
        &self,
        path: &str,
        limits: Limits<'_>,
    ) -> Result<T, Box<Finding>> {
        let exchange = self.get(path, limits);
        accepted(&exchange)?;
        exchange.json(200)
    }

    /// The path of a user in the interface.
    pub(super) fn path_of(user: &str) -> String {
        format!("api/users/{}", encode(user))
    }

    /// What the hub says of a user.
    pub(super) fn user(&self, name: &str, limits: Limits<'_>) -> Result<User, Box<Finding>> {
        let exchange = self.get(&Hub::path_of(name), limits);
        if exchange.answer()?.status == 404 {
            let reason = format!("the hub has no user {name}: --user names one that it has");
            return Err(Box::new(exchange.witness(Finding::broken(reason))));
        }
        accepted(&exchange)?;
        exchange.json(200)
    }

    /// How it is with the server of a user.
    pub(super) fn state(&self, user: &str, limits: Limits<'_>) -> Result<(State, User), Box<Finding>> {
        let user = self.user(user, limits)?;
        match user.state() {
            State::Hidden => {
                let reason = "the token may not see the user's servers: it takes the scope read:servers";
                Err(Box::new(Finding::unknown(reason.to_owned())))
            }
            state => Ok((state, user)),
        }
    }
}

/// Limits for what a hub answers only when a server has started or stopped, or when it has waited long enough.
pub(super) fn slow(limits: Limits<'_>) -> Limits<'_> {
    Limits { operation: limits.operation.max(SLOW), ..limits }
}

/// The finding when a signal has ended the wait; `None` when none has. `at` is what was waited for: `it waited for …`.
pub(super) fn ended(limits: Limits<'_>, at: &str) -> Option<Finding> {
    limits.interrupt.signal()?;
    Some(Finding::new(Level::Interrupted(format!("a signal ended the check while {at}"))))
}

/// Whether the answer is not a refusal of the token or of its scopes.
pub(super) fn accepted(exchange: &Exchange) -> Result<(), Box<Finding>> {
    let response = exchange.answer()?;
    match judge::refusal(response) {
        Some(finding) => Err(Box::new(exchange.witness(finding))),
        None => Ok(()),
    }
}

/// An answer that was not to be expected.
pub(super) fn unexpected(exchange: &Exchange, what: &str) -> Finding {
    match exchange.answer() {
        Ok(response) => exchange.witness(Finding::broken(format!("{what}: {}", judge::words(response)))),
        Err(finding) => *finding,
    }
}

#[cfg(test)]
mod tests {
    use net::testing::client;

    use super::*;

    fn hub(url: &str) -> Hub {
        Hub::new(&url.parse().unwrap(), client(), Some(Secret::new("t")))
    }

    #[test]
    fn the_base_path_is_found_however_the_address_is_written() {
        let check = |url, expected: &str| assert_eq!(hub(url).url("health").to_string(), expected);
        check("http://h", "http://h/hub/health");
        check("http://h/", "http://h/hub/health");
        check("http://h/hub/", "http://h/hub/health");
        check("http://h/hub/api", "http://h/hub/health");
        check("http://h/hub/home?x=1", "http://h/hub/health");
        check("http://h/jupyter/", "http://h/jupyter/hub/health");
        check("http://h/jupyter/hub", "http://h/jupyter/hub/health");
        check("http://h/github", "http://h/github/hub/health");
    }

    #[test]
    fn the_token_goes_to_no_other_server() {
        let check = |url: &str, expected| {
            let request = hub("https://h.example").with_token(Request::get(url.parse().unwrap()));
            assert_eq!(!request.headers.is_empty(), expected, "{url}");
        };
        check("https://h.example/user/u/", true);
        check("https://u.h.example/user/u/", false);
        check("http://h.example/user/u/", false);
        check("https://other.example/", false);
        check("https://evilh.example/", false);
    }

    #[test]
    fn names_of_users_are_encoded() {
        assert_eq!(Hub::path_of("a/b c@d"), "api/users/a%2Fb%20c%40d");
    }
}
