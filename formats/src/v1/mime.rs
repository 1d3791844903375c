//! MIME types: v1 separates parameters by commas and cannot quote, v2 has them as everywhere.

use std::borrow::Cow;

use subunit::BYTES_TYPE;

/// The type that a `Content-Type:` line gives, as v2 has it.
pub(crate) fn from_v1(text: &str) -> Cow<'_, str> {
    if !text.contains([',', '%']) {
        return Cow::Borrowed(text);
    }
    let (essence, parameters) = text.split_once(';').unwrap_or((text, ""));
    let mut out = essence.to_owned();
    for parameter in split(parameters) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        out.push(';');
        out.push_str(name);
        if parameter.contains('=') {
            out.push('=');
            push_value(&decode(value), &mut out);
        }
    }
    Cow::Owned(out)
}

/// Appends a type as a `Content-Type:` line can carry it: one slash, no blank, no quotes. What would be in the
/// way stands as `%2F`.
pub(crate) fn push_v1(text: Option<&str>, out: &mut Vec<u8>) {
    let Some(text) = text else { return out.extend_from_slice(BYTES_TYPE.as_bytes()) };
    let (essence, parameters) = text.split_once(';').unwrap_or((text, ""));
    let essence = essence.trim();
    let is_sound = essence.split('/').count() == 2 && essence.split('/').all(is_token);
    out.extend_from_slice(if is_sound { essence } else { BYTES_TYPE }.as_bytes());
    let mut separator = b';';
    if !is_sound && !essence.is_empty() {
        out.extend_from_slice(b";type=");
        push_encoded(essence, out);
        separator = b',';
    }
    for parameter in split(parameters) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        out.push(separator);
        separator = b',';
        push_encoded(name.trim(), out);
        if parameter.contains('=') {
            out.push(b'=');
            push_encoded(&unquoted(value.trim()), out);
        }
    }
}

/// The parameters, quoted ones whole. A comma outside of quotes cannot be part of a value, and is what v1 has
/// between them.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let parts = text.split(move |character| {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ => return !is_quoted && matches!(character, ';' | ','),
        }
        false
    });
    parts.map(str::trim).filter(|part| !part.is_empty())
}

fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&'*+-.^_`|~".contains(&byte))
}

fn unquoted(value: &str) -> Cow<'_, str> {
    let Some(inner) = value.strip_prefix('"') else { return Cow::Borrowed(value) };
    let mut out = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' => out.extend(characters.next()),
            other => out.push(other),
        }
    }
    Cow::Owned(out)
}

fn push_value(value: &str, out: &mut String) {
    if is_token(value) || value.starts_with('"') && value.ends_with('"') {
        return out.push_str(value);
    }
    out.push('"');
    for character in value.chars() {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
}

fn push_encoded(text: &str, out: &mut Vec<u8>) {
    for byte in text.bytes() {
        if byte <= b' ' || byte == 0x7F || b"%/,;=\"".contains(&byte) {
            let digit = |value: u8| char::from_digit(u32::from(value), 16).map_or(b'0', |digit| digit as u8);
            out.extend([b'%', digit(byte >> 4).to_ascii_uppercase(), digit(byte & 15).to_ascii_uppercase()]);
        } else {
            out.push(byte);
        }
    }
}

/// Undoes [`push_encoded`]; anything else stays as it is.
fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = after.split_first_chunk::<2>().filter(|_| first == b'%');
        let byte = code.and_then(|([high, low], after)| Some((hex(*high)? << 4 | hex(*low)?, after)));
        let (byte, after) = byte.unwrap_or((first, after));
        out.push(byte);
        rest = after;
    }
    // A NUL cannot be part of a MIME type.
    String::from_utf8(out).ok().filter(|out| !out.contains('\0')).map_or(Cow::Borrowed(text), Cow::Owned)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(v2: &str, v1: &str, back: &str) {
        let mut out = Vec::new();
        push_v1(Some(v2), &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), v1);
        assert_eq!(from_v1(v1), back);
    }

    #[test]
    fn parameters_are_separated_by_commas_in_v1() {
        check("image/png", "image/png", "image/png");
        check("text/plain; charset=\"utf8\"", "text/plain;charset=utf8", "text/plain;charset=utf8");
        check(
            "text/x-traceback; charset=\"utf8\"; language=\"python\"",
            "text/x-traceback;charset=utf8,language=python",
            "text/x-traceback;charset=utf8;language=python",
        );
    }

    #[test]
    fn what_would_be_in_the_way_is_encoded() {
        check(
            r#"text/plain;title="a, b/\"c\"";x"#,
            "text/plain;title=a%2C%20b%2F%22c%22,x",
            r#"text/plain;title="a, b/\"c\"";x"#,
        );
        // As python-subunit hands a type of v1 on.
        check("a/b;c=d,e=f", "a/b;c=d,e=f", "a/b;c=d;e=f");
        check("text/plain;rate=100%", "text/plain;rate=100%25", "text/plain;rate=\"100%\"");
    }

    #[test]
    fn what_is_no_type_is_bytes_and_says_what_it_was() {
        check("", BYTES_TYPE, BYTES_TYPE);
        check("text", "application/octet-stream;type=text", "application/octet-stream;type=text");
        check(
            "a/b\nc",
            "application/octet-stream;type=a%2Fb%0Ac",
            "application/octet-stream;type=\"a/b\nc\"",
        );
    }

    #[test]
    fn foreign_types_stay_as_they_are() {
        let check = |v1: &str, v2: &str| assert_eq!(from_v1(v1), v2);
        check("text/plain", "text/plain");
        check("text/plain; charset=utf8", "text/plain; charset=utf8");
        check("text/plain;rate=5%,x=%zz", "text/plain;rate=\"5%\";x=\"%zz\"");
    }
}
