//! Lines that a CI system would take for commands.

use std::borrow::Cow;

/// What begins a command wherever it stands in a line, at least for one system.
const ANYWHERE: [&str; 3] = ["##[", "##vso[", "##teamcity["];
/// What begins a command at the start of its line, after blanks if any.
const FIRST: &str = "::";

/// The same text with its commands made harmless: the first character of each is shown as `\x3a` or `\x23`.
/// `at_line_start` says whether the text begins a line.
///
/// ```
/// use formats::ci::defuse;
///
/// assert_eq!(defuse("::error::gone\na::b\n", true), "\\x3a:error::gone\na::b\n");
/// assert_eq!(defuse("a ##vso[task.complete]", true), "a \\x23#vso[task.complete]");
/// ```
#[must_use]
pub fn defuse(text: &str, at_line_start: bool) -> Cow<'_, str> {
    if !text.contains(FIRST) && !text.contains("##") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for (number, line) in text.split_inclusive('\n').enumerate() {
        push(line, number > 0 || at_line_start, &mut out);
    }
    Cow::Owned(out)
}

fn push(line: &str, is_whole: bool, out: &mut String) {
    let trimmed = line.trim_start();
    let mut rest = line;
    if is_whole && trimmed.starts_with(FIRST) {
        out.push_str(line.strip_suffix(trimmed).unwrap_or_default());
        out.push_str(r"\x3a");
        rest = trimmed.strip_prefix(':').unwrap_or_default();
    }
    while let Some((before, from)) = rest.find("##").and_then(|at| rest.split_at_checked(at)) {
        out.push_str(before);
        // In letters of any case: some systems take those, too.
        let is_command = ANYWHERE
            .iter()
            .any(|start| from.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start)));
        out.push_str(if is_command { r"\x23" } else { "#" });
        rest = from.strip_prefix('#').unwrap_or_default();
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(defuse(text, true), expected);
    }

    #[test]
    fn commands_are_made_harmless() {
        check("  ::set-output name=x::y\n::stop", "  \\x3a:set-output name=x::y\n\\x3a:stop");
        check("###vso[x]##[group]", "#\\x23#vso[x]\\x23#[group]");
        check("##TeamCity[x]", "\\x23#TeamCity[x]");
        assert_eq!(defuse("::a\n::b", false), "::a\n\\x3a:b");
    }

    #[test]
    fn all_else_stays() {
        for text in ["std::vec::Vec", "## Heading", "a: :b", "", "####", "##"] {
            check(text, text);
        }
    }
}
