//! What no message may show: passwords in addresses, and what is called a secret.

use std::borrow::Cow;

/// What stands for a secret.
pub const REDACTED: &str = "[redacted]";
/// What the names of secrets have in them, without `-`, `_` and the like.
const PARTS: [&str; 4] = ["password", "passwd", "passphrase", "secret"];
/// What the names of others end in: `token_type` and `tokens` are no secrets.
const ENDS: [&str; 11] = [
    "token",
    "apikey",
    "accesskey",
    "accountkey",
    "authkey",
    "privatekey",
    "subscriptionkey",
    "authorization",
    "cookie",
    "credential",
    "credentials",
];

/// Whether something of this name, a header, a key of JSON, a parameter, is a secret.
///
/// ```
/// assert!(process::is_secret_name("X-Api-Key") && process::is_secret_name("csrfToken"));
/// assert!(!process::is_secret_name("token_type") && !process::is_secret_name("foreign-key"));
/// ```
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let plain = plain.to_ascii_lowercase();
    PARTS.iter().any(|part| plain.contains(part)) || ENDS.iter().any(|end| plain.ends_with(end))
}

/// The text without who logs in, and how, in any address: `https://user:password@host`. Whoever logs in without a
/// password is shown, but for HTTP, where that is a token as a rule.
///
/// ```
/// assert_eq!(process::without_passwords("not 'http://u:p@h/x'"), "not 'http://[redacted]@h/x'");
/// ```
#[must_use]
pub fn without_passwords(text: &str) -> Cow<'_, str> {
    let mut shown = String::new();
    let mut rest = text;
    while let Some((before, address)) = rest.split_once("://") {
        shown.extend([before, "://"]);
        let is_web = before.ends_with("http") || before.ends_with("https");
        rest = match user_info(address) {
            Some((user, host)) if is_web || user.contains(':') => {
                shown.extend([REDACTED, "@"]);
                host
            }
            _ => address,
        };
    }
    if shown.contains(REDACTED) { Cow::Owned(shown + rest) } else { Cow::Borrowed(text) }
}

/// Who logs in, as an address behind its scheme says it, and what follows.
fn user_info(address: &str) -> Option<(&str, &str)> {
    let is_over = |letter: char| letter.is_whitespace() || letter.is_control() || "\"'`<>".contains(letter);
    let address_end = address.find(is_over).unwrap_or(address.len());
    let whole = address.get(..address_end)?;
    let authority = whole.get(..whole.find(['/', '?', '#']).unwrap_or(whole.len()))?;
    // A password that nobody has encoded may have a slash in it; then what follows the colon is no port.
    let is_cut = !authority.contains('@')
        && authority
            .split_once(':')
            .is_some_and(|(_, port)| port.contains(|letter: char| !letter.is_ascii_digit()));
    let end = if is_cut { whole } else { authority }.rfind('@')?;
    Some((address.get(..end)?, address.get(end + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(without_passwords(text), expected);
    }

    #[test]
    fn addresses_lose_their_passwords() {
        check(
            "invalid value 'http://admin:hunter2@h:1/ok' for",
            "invalid value 'http://[redacted]@h:1/ok' for",
        );
        check("https://user:p@ss@host/x?a=b@c", "https://[redacted]@host/x?a=b@c");
        check("a://u:p@h, b://h:1/u@v c://x:y@z", "a://[redacted]@h, b://h:1/u@v c://[redacted]@z");
        check("postgresql://hub:a/b?c@db/x", "postgresql://[redacted]@db/x");
        check("https://ghp_x@github.example/x", "https://[redacted]@github.example/x");
        for same in
            ["postgresql://hub@db/x", "ssh://git@host/x", "http://h:80/@x", "http://h/user/a@b", "a@b: x://y"]
        {
            check(same, same);
        }
    }

    #[test]
    fn secrets_are_known_by_their_names() {
        for name in [
            "Authorization",
            "set-cookie",
            "X-Vault-Token",
            "private-token",
            "db.PASSWORD",
            "client_secret",
            "AWS_SECRET_ACCESS_KEY",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["www-authenticate", "sec-websocket-key", "tokens", "key", "content-type", ""] {
            assert!(!is_secret_name(name), "{name}");
        }
    }
}
