//! Properties that are secrets: what Java has in its system properties, and what CI has in its environment, ends up in
//! reports.

use std::borrow::Cow;

const REDACTED: &str = "[redacted]";
/// What the names of secrets have in them, without `-`, `_`, `.` and the like.
const NAMES: [&str; 11] = [
    "password",
    "passwd",
    "passphrase",
    "token",
    "secret",
    "credential",
    "apikey",
    "accesskey",
    "privatekey",
    "authorization",
    "cookie",
];

/// The value of a property, unless its name says that it is secret; a password in an address never is part of it.
pub(crate) fn shown<'a>(name: &str, value: &'a str) -> Cow<'a, str> {
    if value.is_empty() {
        return Cow::Borrowed(value);
    }
    let name: String =
        name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    if NAMES.iter().any(|secret| name.contains(secret)) || name == "pwd" && !value.starts_with('/') {
        return Cow::Borrowed(REDACTED);
    }
    if value.contains("://") && value.contains('@') {
        Cow::Owned(without_user(value))
    } else {
        Cow::Borrowed(value)
    }
}

/// The value without who logs in, and how, in any address: `https://user:password@host`.
fn without_user(value: &str) -> String {
    let mut out = String::new();
    let mut rest = value;
    while let Some((before, address)) = rest.split_once("://") {
        let is_end =
            |letter: char| letter.is_whitespace() || matches!(letter, '/' | '?' | '#' | '"' | '\'' | ',');
        let end = address.find(is_end).unwrap_or(address.len());
        let (host, after) = address.split_at(end);
        out.extend([before, "://"]);
        match host.rsplit_once('@') {
            Some((user, host)) if user.contains(':') => out.extend([REDACTED, "@", host]),
            _ => out.push_str(host),
        }
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, value: &str, expected: &str) {
        assert_eq!(shown(name, value), expected, "{name}");
    }

    #[test]
    fn secrets_are_known_by_the_names_of_properties() {
        for name in
            ["db.password", "DB_PASSWORD", "github-token", "clientSecret", "api.key", "AWS_SECRET_ACCESS_KEY"]
        {
            check(name, "hunter2", REDACTED);
        }
        check("db.password", "", "");
        check("PWD", "/src/shop", "/src/shop");
        check("java.version", "17", "17");
    }

    #[test]
    fn addresses_lose_their_passwords() {
        check("url", "https://user:p@ss@host/x?a=b@c", "https://[redacted]@host/x?a=b@c");
        check("urls", "a://u:p@h, b://h:1/u@v", "a://[redacted]@h, b://h:1/u@v");
        check("mail", "a@b and x://y", "a@b and x://y");
        check("ssh", "ssh://git@host/x", "ssh://git@host/x");
    }
}
