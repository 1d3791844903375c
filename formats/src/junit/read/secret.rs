//! Properties that are secrets: what Java has in its system properties, and what CI has in its environment, ends up in
//! reports.

use std::borrow::Cow;

use process::{REDACTED, is_secret_name, without_passwords};

/// The value of a property, unless its name says that it is secret; a password in an address never is part of it.
pub(crate) fn shown<'a>(name: &str, value: &'a str) -> Cow<'a, str> {
    // Java's have dots, and any part may say it: `auth.token.value`, but also all parts together: `api.key`.
    let is_secret = is_secret_name(name) || name.split('.').any(is_secret_name);
    // The folder of a shell is none.
    let is_password = name.eq_ignore_ascii_case("pwd") && !value.starts_with('/');
    if !value.is_empty() && (is_secret || is_password) {
        Cow::Borrowed(REDACTED)
    } else {
        without_passwords(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, value: &str, expected: &str) {
        assert_eq!(shown(name, value), expected, "{name}");
    }

    #[test]
    fn secrets_are_known_by_the_names_of_properties() {
        for name in [
            "db.password",
            "auth.token.value",
            "github-token",
            "clientSecret",
            "api.key",
            "AWS_SECRET_ACCESS_KEY",
        ] {
            check(name, "hunter2", REDACTED);
        }
        check("db.password", "", "");
        check("PWD", "/src/shop", "/src/shop");
        check("java.version", "17", "17");
    }

    #[test]
    fn addresses_lose_their_passwords() {
        check("url", "https://user:p@ss@host/x?a=b@c", "https://[redacted]@host/x?a=b@c");
        check("mail", "a@b and x://y", "a@b and x://y");
    }
}
