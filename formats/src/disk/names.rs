//! Names that mean nothing to a file system.

use xxhash_rust::xxh3::xxh3_128;

/// Longer names are cut; file systems take 255 bytes, and a number may follow.
const LONGEST: usize = 200;
/// What is left of a name that is cut: the rest is a hash in 32 digits.
const KEPT: usize = LONGEST - 33;

/// Names that Windows keeps for devices, also with an extension.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];
const NUMBERED_DEVICES: [&str; 2] = ["com", "lpt"];

/// The name of a file or folder for any text: one component, and a different one for each text.
///
/// `~` is in it only where we put it, so that what is added after another `~` cannot be mistaken for a name.
pub(super) fn safe(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut cut = None;
    for (at, character) in text.char_indices() {
        let is_end = at == 0 || at + character.len_utf8() == text.len();
        if is_plain(character) || (matches!(character, '.' | ' ') && !is_end) {
            out.push(character);
        } else {
            push_encoded(character, &mut out);
        }
        if out.len() <= KEPT {
            cut = Some(out.len());
        }
        if out.len() > LONGEST {
            break;
        }
    }
    if out.is_empty() {
        return "~".to_owned();
    }
    if out.len() > LONGEST {
        out.truncate(cut.unwrap_or_default());
        return format!("{out}~{:032x}", xxh3_128(text.as_bytes()));
    }
    if is_device(&out) { encode_first(&out) } else { out }
}

/// The name with a number, which makes it a different one.
pub(super) fn numbered(name: &str, number: u64) -> String {
    if number == 1 { name.to_owned() } else { format!("{name}~{number}") }
}

fn is_plain(character: char) -> bool {
    // Letters of any script; some that look like part of a syllable are not letters, and are encoded.
    character.is_alphanumeric() || "-_+=,@()[]{}!#$&'".contains(character)
}

fn push_encoded(character: char, out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in character.encode_utf8(&mut [0; 4]).bytes() {
        out.push('%');
        for digit in [byte >> 4, byte & 0xF] {
            out.extend(DIGITS.get(usize::from(digit)).map(|digit| char::from(*digit)));
        }
    }
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    let is_numbered = |start: &&str| {
        stem.strip_prefix(*start).is_some_and(|rest| {
            let mut rest = rest.chars();
            matches!(rest.next(), Some('0'..='9' | '¹' | '²' | '³')) && rest.next().is_none()
        })
    };
    DEVICES.contains(&&*stem) || NUMBERED_DEVICES.iter().any(is_numbered)
}

fn encode_first(name: &str) -> String {
    let mut out = String::new();
    let mut characters = name.chars();
    characters.next().into_iter().for_each(|first| push_encoded(first, &mut out));
    out.push_str(characters.as_str());
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(safe(text), expected);
    }

    #[test]
    fn a_name_stays_as_it_is_where_it_can() {
        check("pkg.Test.test_x[1] (a b)", "pkg.Test.test_x[1] (a b)");
        check("grün 测试", "grün 测试");
        check("a/../b\\c", "a%2F..%2Fb%5Cc");
        check("..", "%2E%2E");
        check(".hidden. ", "%2Ehidden.%20");
        check("", "~");
        check("~", "%7E");
        check("100%\n\u{202e}", "100%25%0A%E2%80%AE");
        check("a::b", "a%3A%3Ab");
        check("con", "%63on");
        check("LPT1.txt", "%4CPT1.txt");
        check("com10", "com10");
    }

    #[test]
    fn a_long_name_is_cut_and_stays_another() {
        check(&"x".repeat(200), &"x".repeat(200));
        let [one, other] = ["x", "y"].map(|end| safe(&("/".repeat(4096) + end)));
        assert!(one.starts_with("%2F%2F") && one != other);
        assert_eq!((one.len(), other.len()), (165 + 33, 165 + 33));
    }

    proptest! {
        #[test]
        fn no_name_means_anything(text in "[a-zA-Z0-9.~/ %\\PC\u{0}-\u{1f}]{0,300}", other in "[a.~%/ ]{0,4}", number in 2..9u64) {
            let name = safe(&text);
            prop_assert!(!name.is_empty() && name.len() <= LONGEST);
            prop_assert!(!name.starts_with('.') && !name.ends_with(['.', ' ']));
            prop_assert!(name.chars().all(|character| !character.is_control() && !"/\\:*?\"<>|".contains(character)));
            prop_assert_eq!(text == other, name == safe(&other));
            prop_assert!(numbered(&name, number) != safe(&other));
        }
    }
}
