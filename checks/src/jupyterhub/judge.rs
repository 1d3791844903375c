//! Judges the answers of a hub.

use std::time::{SystemTime, UNIX_EPOCH};

use chrono::DateTime;
use net::Response;
use probe::Finding;

use super::metrics::TOKEN_DAYS;
use super::model::{Message, Root, Token, User};

const DAY: f64 = 86_400.0;

/// The status and what was said, without pages for browsers.
pub(super) fn words(response: &Response) -> String {
    let status = format!("{} {}", response.status, response.reason);
    let is_page = response.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
    match response.json::<Message>() {
        Ok(Message { message: Some(message) }) => format!("{}: {message}", status.trim_end()),
        Ok(Message { message: None }) if response.status >= 400 => status.trim_end().to_owned(),
        _ if is_page => status.trim_end().to_owned(),
        _ => response.describe(),
    }
}

/// The finding when a token is refused: an invalid token is broken; one that does not allow enough only keeps us
/// from looking.
pub(super) fn refusal(response: &Response) -> Option<Finding> {
    if !matches!(response.status, 401 | 403) {
        return None;
    }
    let message = response.json::<Message>().ok().and_then(|said| said.message).unwrap_or_default();
    let is_bad = response.status == 401 || message.contains("credentials");
    Some(match message.split_once("requires any of ") {
        _ if is_bad => Finding::broken(format!("the hub refuses the token: {}", words(response))),
        Some((_, scopes)) => Finding::unknown(format!(
            "the token does not allow it (403): it takes any of the scopes {scopes}"
        )),
        None => Finding::unknown(format!("the token does not allow it: {}", words(response))),
    })
}

/// Whether the hub says that it is well.
pub(super) fn health(response: &Response) -> Finding {
    let words = words(response);
    match response.status {
        200 => Finding::fine("the hub answers".to_owned()),
        502..=504 => Finding::broken(format!("the proxy answers, but the hub behind it does not ({words})")),
        404 => Finding::broken(format!(
            "there is no hub at this address ({words}): another base path, or a hub that has not started yet"
        )),
        300..400 => Finding::broken(format!(
            "the hub is elsewhere ({words}): {}",
            response.header("location").unwrap_or_default()
        )),
        _ => Finding::broken(format!("the hub is not well: {words}")),
    }
}

/// The version of a hub, which may be bounded.
pub(super) fn version(root: &Root, min: Option<&str>, expected: Option<&str>) -> Finding {
    let Some(version) = root.version.as_deref() else {
        return Finding::broken("the hub does not tell its version: it is another service".to_owned());
    };
    let own = numbers(version);
    if let Some(min) = min.filter(|min| own < numbers(min)) {
        return Finding::broken(format!("version {version} is older than {min}"));
    }
    match expected.filter(|expected| !own.starts_with(&numbers(expected))) {
        Some(expected) => Finding::warning(format!("version {version}, not {expected}")),
        None => Finding::fine(format!("version {version}")),
    }
}

/// The numbers of a version, up to the first thing that is not a number.
pub(super) fn numbers(version: &str) -> Vec<u64> {
    version.trim_start_matches('v').split('.').map_while(|part| part.parse().ok()).collect()
}

/// Whose token it is, whether it has the scopes that it needs, and until when it is valid.
pub(super) fn token(owner: &User, token: Option<&Token>, needed: &[String], now: SystemTime) -> Finding {
    let kind = owner.kind.as_deref().unwrap_or("user");
    let name = owner.name.as_deref().unwrap_or("an unknown name");
    let whose = format!("the token of the {kind} {name}");
    let days = token.and_then(|token| token.expires_at.as_deref()).and_then(|end| days_until(now, end));
    let finding = match (&owner.scopes, needed) {
        (_, []) => Finding::fine(format!("{whose}{}", expiry(owner, days, token))),
        (None, _) => Finding::unknown(format!("{whose}: this hub does not tell the scopes of tokens")),
        (Some(scopes), needed) => match missing(scopes, needed).as_slice() {
            [] => Finding::fine(format!(
                "{whose}, with all scopes that it must have{}",
                expiry(owner, days, token)
            )),
            missing => Finding::broken(format!("{whose} lacks the scopes {}", missing.join(", "))),
        },
    };
    let scopes = owner.scopes.iter().flatten().map(|scope| format!("{scope}\n")).collect();
    let finding = finding.with_text("scopes.txt", scopes);
    days.into_iter().fold(finding, |finding, days| finding.with_metric(TOKEN_DAYS, days))
}

/// Until when a token holds. Those of services are in the hub's configuration, and have no end.
fn expiry(owner: &User, days: Option<f64>, token: Option<&Token>) -> String {
    match (days, token) {
        (Some(days), _) => format!(", for {days:.1} days more"),
        (None, Some(_)) => ", without an end".to_owned(),
        (None, None) if owner.is_user() => ", until when it may not see".to_owned(),
        (None, None) => String::new(),
    }
}

fn days_until(now: SystemTime, text: &str) -> Option<f64> {
    let end = DateTime::parse_from_rfc3339(text).ok()?.timestamp_millis() as f64 / 1e3;
    Some((end - now.duration_since(UNIX_EPOCH).ok()?.as_secs_f64()) / DAY)
}

/// The scopes that are not among these. One for everyone holds also for someone.
fn missing<'a>(scopes: &[String], needed: &'a [String]) -> Vec<&'a str> {
    let has = |wanted: &str| scopes.iter().any(|scope| scope == wanted);
    let is_missing = |wanted: &&str| !has(wanted) && !wanted.split_once('!').is_some_and(|(all, _)| has(all));
    needed.iter().map(String::as_str).filter(is_missing).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use probe::Level;

    use super::*;

    fn response(status: u16, kind: &str, body: &str) -> Response {
        let headers = vec![("content-type".to_owned(), kind.to_owned())];
        Response { status, reason: "Word".to_owned(), headers, body: body.into(), is_cut: false }
    }

    fn level(level: &Level) -> (&'static str, &str) {
        let word = match level {
            Level::Fine => "fine",
            Level::Warning(_) => "warning",
            Level::Broken(_) => "broken",
            Level::Unknown(_) => "unknown",
            Level::Skipped(_) => "skipped",
            Level::Interrupted(_) => "interrupted",
        };
        (word, level.reason().unwrap_or_default())
    }

    fn check(finding: &Finding, word: &str, reason: &str) {
        let (found, why) = level(&finding.level);
        assert!(found == word && why.contains(reason), "{found}: {why}");
    }

    #[test]
    fn an_invalid_token_is_told_from_one_that_allows_too_little() {
        let check = |status, body, word: &str, reason| {
            check(&refusal(&response(status, "application/json", body)).unwrap(), word, reason);
        };
        let bad = r#"{"status": 403, "message": "Missing or invalid credentials."}"#;
        check(403, bad, "broken", "refuses the token: 403 Word: Missing");
        let poor =
            r#"{"message": "Action is not authorized with current scopes; requires any of [list:users]"}"#;
        check(403, poor, "unknown", "any of the scopes [list:users]");
        check(401, "", "broken", "401");
        check(403, "Forbidden", "unknown", "does not allow it: 403 Word: Forbidden");
        assert!(refusal(&response(200, "", "")).is_none());
    }

    #[test]
    fn pages_for_browsers_are_not_repeated() {
        assert_eq!(words(&response(503, "text/html; charset=utf8", "<html>much</html>")), "503 Word");
        assert_eq!(words(&response(500, "application/json", r#"{"message": "why"}"#)), "500 Word: why");
        assert_eq!(words(&response(404, "application/json", r#"{"message": null}"#)), "404 Word");
        assert_eq!(words(&response(500, "text/plain", "a\nb")), "500 Word: a b");
    }

    #[test]
    fn the_proxy_is_not_the_hub() {
        let check = |status, word: &str, reason| check(&health(&response(status, "", "")), word, reason);
        check(200, "fine", "");
        check(503, "broken", "the proxy answers, but the hub behind it does not (503");
        check(404, "broken", "another base path");
        check(302, "broken", "elsewhere");
        check(500, "broken", "not well: 500");
    }

    #[test]
    fn versions_are_compared_by_their_numbers() {
        let check = |own: &str, min, expected, word: &str, reason| {
            check(&version(&Root { version: Some(own.to_owned()) }, min, expected), word, reason);
        };
        check("6.1.1", Some("6.1"), Some("6"), "fine", "");
        check("5.10.0", Some("5.9"), Some("5.10"), "fine", "");
        check("5.9.0", Some("5.10"), None, "broken", "older than 5.10");
        check("6.1.1", None, Some("6.10"), "warning", "6.1.1, not 6.10");
        check("6.2.0.dev", Some("6.2"), None, "fine", "");
        tests::check(&version(&Root::default(), None, None), "broken", "another service");
    }

    #[test]
    fn scopes_for_all_hold_for_one() {
        let owner = |scopes: Option<&[&str]>| User {
            name: Some("probe".to_owned()),
            scopes: scopes.map(|scopes| scopes.iter().map(|scope| (*scope).to_owned()).collect()),
            ..User::default()
        };
        let needed = ["servers!user=probe".to_owned(), "list:users".to_owned()];
        let check = |scopes: Option<&[&str]>, word: &str, reason| {
            check(&token(&owner(scopes), None, &needed, SystemTime::now()), word, reason);
        };
        check(Some(&["servers", "list:users"]), "fine", "");
        check(Some(&["servers!user=probe", "list:users"]), "fine", "");
        check(Some(&["servers!user=other", "list:users"]), "broken", "lacks the scopes servers!user=probe");
        check(Some(&[]), "broken", "servers!user=probe, list:users");
        check(None, "unknown", "does not tell the scopes");
    }

    #[test]
    fn the_end_of_a_token_is_a_number_of_days() {
        let now = UNIX_EPOCH + Duration::from_secs(1_000_000);
        let days = |end: Option<&str>| {
            let token = Token { expires_at: end.map(str::to_owned) };
            super::token(&User::default(), Some(&token), &[], now).metrics.first().map(|metric| metric.value)
        };
        assert_eq!(days(Some("1970-01-13T13:46:40.000000Z")), Some(1.0));
        assert_eq!(days(Some("1970-01-11T13:46:40Z")), Some(-1.0));
        assert_eq!(days(None), None);
    }
}
