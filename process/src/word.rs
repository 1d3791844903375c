//! Words of a command line, as shells read them.

use std::borrow::Cow;

/// A word that any shell of Unix takes for this one: as it is where that is safe, and in single quotes elsewhere.
///
/// ```
/// assert_eq!(process::shell_word("t/boot.py"), "t/boot.py");
/// assert_eq!(process::shell_word("it's"), r"'it'\''s'");
/// assert_eq!(process::shell_word(""), "''");
/// ```
#[must_use]
pub fn shell_word(word: &str) -> Cow<'_, str> {
    if is_plain(word.as_bytes()) {
        return Cow::Borrowed(word);
    }
    Cow::Owned(format!("'{}'", word.replace('\'', r"'\''")))
}

/// The same of bytes, which need not be text.
///
/// ```
/// assert_eq!(&*process::shell_bytes(b"a\xff'"), b"'a\xff'\\'''");
/// ```
#[must_use]
pub fn shell_bytes(word: &[u8]) -> Cow<'_, [u8]> {
    if is_plain(word) {
        return Cow::Borrowed(word);
    }
    let parts: Vec<&[u8]> = word.split(|byte| *byte == b'\'').collect();
    Cow::Owned([&b"'"[..], &parts.join(&br"'\''"[..]), b"'"].concat())
}

fn is_plain(word: &[u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_./:@%+=,-".contains(byte);
    !word.is_empty() && word.iter().all(is_plain)
}
