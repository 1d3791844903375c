//! What is a secret by what it is called, in texts that others wrote: headers, JSON, parameters of addresses.

use std::borrow::Cow;
use std::sync::LazyLock;

use process::{REDACTED, is_secret_name, without_passwords};
use regex::{Captures, Regex};

/// Each has a group for the name, one for all up to the value, and one for the value. A name that is a secret's
/// costs its value; names are judged by [`is_secret_name`].
static NAMED: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let all = [
        // A header, also behind a mark like `> `.
        r"(?m)(?<head>^[<>*\t ]*(?<name>[\w-]+):[ \t]*)(?<value>[^\s][^\r\n]*)",
        // JSON, also within a string, and what Python makes of it.
        r#"(?<head>"(?<name>[\w .-]+)"\s*:\s*")(?<value>(?:[^"\\\n]|\\.)+)"#,
        r#"(?<head>\\"(?<name>[\w .-]+)\\"\s*:\s*\\")(?<value>(?:[^"\\\n]|\\[^"])+)"#,
        r"(?<head>'(?<name>[\w .-]+)'\s*:\s*')(?<value>(?:[^'\\\n]|\\.)+)",
        // A parameter of an address or a form.
        r#"(?<head>[?&](?<name>[\w.-]+)=)(?<value>[^&\s"'<>#;]+)"#,
        // What connects to a database.
        r#"(?<head>\b(?<name>password|passwd|secret|token|(?:api|access)[_-]?key)=)(?<value>[^&\s"',;]+)"#,
    ];
    all.into_iter().filter_map(|regex| Regex::new(regex).ok()).collect()
});

/// Tokens that say by themselves what they are.
static BEARERS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let bearer = r#"(?i)(?<head>\bauthorization["']?\s*[:=]\s*["']?(?:bearer|basic|token)\s+|\bbearer\s+)(?<value>[\w.~+/=-]+)"#;
    Regex::new(bearer).ok()
});
/// Of those behind the word alone, what is shorter is a word like `authentication`.
const SHORTEST: usize = 16;

/// The text without what is a secret by its name, and without passwords in addresses.
pub(super) fn redact(text: &str) -> Cow<'_, str> {
    let mut shown = without_passwords(text);
    for regex in &*NAMED {
        replace(&mut shown, regex, |found| found.name("name").is_some_and(|name| is_secret(name.as_str())));
    }
    if let Some(regex) = &*BEARERS {
        let length = |found: &Captures<'_>| found.name("value").map_or(0, |value| value.len());
        replace(&mut shown, regex, |found| {
            found.name("head").is_some_and(|head| head.as_str().contains([':', '=']))
                || length(found) >= SHORTEST
        });
    }
    shown
}

/// Beside what everyone calls secret, what JupyterHub does.
fn is_secret(name: &str) -> bool {
    is_secret_name(name) || name.eq_ignore_ascii_case("x-xsrftoken") || name.eq_ignore_ascii_case("_xsrf")
}

fn replace(text: &mut Cow<'_, str>, regex: &Regex, is_secret: impl Fn(&Captures<'_>) -> bool) {
    let with = |found: &Captures<'_>| {
        let part = |name| found.name(name).map_or("", |part| part.as_str());
        let value = if is_secret(found) { REDACTED } else { part("value") };
        format!("{}{value}", part("head"))
    };
    if let Cow::Owned(replaced) = regex.replace_all(text, with) {
        *text = Cow::Owned(replaced);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(redact(text), expected);
    }

    #[test]
    fn headers_of_secrets_are_hidden() {
        check("> X-Api-Key: abc\r\n< ok: x\r\n", "> X-Api-Key: [redacted]\r\n< ok: x\r\n");
        check("private-token: a b\nx", "private-token: [redacted]\nx");
        check("Authorization: token x\r\n>\r\n", "Authorization: [redacted]\r\n>\r\n");
        check("sent Authorization: Bearer hunter2, and", "sent Authorization: Bearer [redacted], and");
        check("Bearer abcdefghijklmnop1 x", "Bearer [redacted] x");
        for same in
            ["www-authenticate: Bearer realm=x", "no cookies: here", "bearer authentication", "tokens: 5"]
        {
            check(same, same);
        }
    }

    #[test]
    fn secrets_in_bodies_are_hidden() {
        check(r#"{"token": "a\"b", "id": "x"}"#, r#"{"token": "[redacted]", "id": "x"}"#);
        check(r#"403: { "api_key": "abc…"#, r#"403: { "api_key": "[redacted]"#);
        check(
            r#""{\"access_token\": \"abc\", \"x\": 1}""#,
            r#""{\"access_token\": \"[redacted]\", \"x\": 1}""#,
        );
        check("{'client_secret': 'abc'}", "{'client_secret': '[redacted]'}");
        check("to /x?a=1&access_token=abc&b", "to /x?a=1&access_token=[redacted]&b");
        check("host=db password=abc user=x", "host=db password=[redacted] user=x");
        for same in
            [r#"{"token_type": "bearer", "token": null}"#, "'expired_tokens'=5;;", "expired_token=5;1"]
        {
            check(same, same);
        }
    }
}
