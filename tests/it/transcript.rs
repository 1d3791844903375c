//! The notation of `cli/*.test` files; see [`crate::cli`].

use std::fmt;

/// Stands for anything within a line.
const ANYTHING: &str = "[..]";

/// A piece of a file.
pub(crate) enum Step<'a> {
    /// Comments and blank lines.
    Prose(&'a str),
    /// A command and what it should print.
    Command { line: usize, source: &'a str, command: &'a str, input: String, expected: Expected<'a> },
}

impl<'a> Step<'a> {
    /// The text of the piece, as it stands in the file.
    pub(crate) fn source(&self) -> &'a str {
        match self {
            Step::Prose(source) | Step::Command { source, .. } => source,
        }
    }
}

/// What a command should print: the lines of its block after the command.
pub(crate) struct Expected<'a>(Vec<&'a str>);

/// The pieces of a file, in order; together they are the whole file.
pub(crate) fn parse(text: &str) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    let mut rest = text;
    let mut line = 1;
    while !rest.is_empty() {
        let len = if rest.starts_with('$') {
            block(rest)
        } else {
            rest.find('\n').map_or(rest.len(), |end| end + 1)
        };
        let (source, after) = rest.split_at(len);
        steps.push(if rest.starts_with('$') { command(source, line) } else { Step::Prose(source) });
        line += source.matches('\n').count();
        rest = after;
    }
    steps
}

/// How long the block at the start of this text is: up to a blank line, a comment or the next command.
fn block(text: &str) -> usize {
    let is_inside =
        |(at, line): &(usize, &str)| *at == 0 || !matches!(line.as_bytes(), [] | [b'\n' | b'#' | b'$', ..]);
    text.split_inclusive('\n').enumerate().take_while(is_inside).map(|(_, line)| line.len()).sum()
}

fn command(source: &str, line: usize) -> Step<'_> {
    let mut lines: Vec<&str> = source.lines().collect();
    let command = lines.remove(0).trim_start_matches('$').trim();
    let inputs = lines.iter().take_while(|line| line.starts_with('>')).count();
    let expected = Expected(lines.split_off(inputs));
    let input = lines.iter().map(|line| line.strip_prefix("> ").unwrap_or("").to_owned() + "\n").collect();
    Step::Command { line, source, command, input, expected }
}

/// What a command printed, as the lines of its block.
pub(crate) struct Printed(Vec<String>);

impl Printed {
    /// `code` is none when the command was killed.
    pub(crate) fn new(stdout: &[u8], stderr: &[u8], code: Option<i32>) -> Self {
        let mut lines: Vec<String> = pictured(stdout).split_inclusive('\n').map(output_line).collect();
        lines.extend(pictured(stderr).lines().map(|line| format!("! {line}").trim_end().to_owned()));
        match code {
            Some(0) => {}
            Some(code) => lines.push(format!("? {code}")),
            None => lines.push("? killed".to_owned()),
        }
        Printed(lines)
    }
}

impl Printed {
    /// The same lines, those with wildcards as they were written down where they still hold.
    pub(crate) fn in_terms_of(self, expected: &Expected<'_>) -> Self {
        let known =
            |line: &String| expected.0.iter().find(|known| known.contains(ANYTHING) && is_like(known, line));
        Printed(
            self.0.into_iter().map(|line| known(&line).map_or(line, |known| (*known).to_owned())).collect(),
        )
    }
}

impl fmt::Display for Printed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|line| writeln!(formatter, "{line}"))
    }
}

fn output_line(line: &str) -> String {
    let Some(line) = line.strip_suffix('\n') else { return format!("|- {line}") };
    let is_special =
        line.starts_with(['$', '>', '!', '?', '#', '|']) || line.trim_end() != line || line.is_empty();
    if is_special { format!("| {line}|") } else { line.to_owned() }
}

/// The text with a picture for each control character but the newline, and `�` for what is not UTF-8.
fn pictured(bytes: &[u8]) -> String {
    let picture = |character: char| match character {
        '\n' | '\t' => character,
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(character)).unwrap_or(character),
        '\x7f' => '␡',
        other => other,
    };
    String::from_utf8_lossy(bytes).chars().map(picture).collect()
}

impl Expected<'_> {
    pub(crate) fn matches(&self, printed: &Printed) -> bool {
        let Printed(lines) = printed;
        self.0.len() == lines.len()
            && self.0.iter().zip(lines).all(|(expected, line)| is_like(expected, line))
    }

    /// Both sides, with the lines that differ marked.
    pub(crate) fn difference(&self, printed: &Printed) -> String {
        let Printed(lines) = printed;
        let is_found = |expected: &str| lines.iter().any(|line| is_like(expected, line));
        let is_expected = |line: &str| self.0.iter().any(|expected| is_like(expected, line));
        let missing = self.0.iter().filter(|line| !is_found(line)).map(|line| format!("  - {line}\n"));
        let added =
            lines.iter().map(|line| format!("  {} {line}\n", if is_expected(line) { ' ' } else { '+' }));
        missing.chain(added).collect()
    }
}

/// Whether a line is as expected, where `[..]` stands for anything.
fn is_like(expected: &str, line: &str) -> bool {
    let mut parts = expected.split(ANYTHING);
    let Some(mut rest) = parts.next().and_then(|first| line.strip_prefix(first)) else { return false };
    let Some(last) = expected.rsplit_once(ANYTHING).map(|(_, last)| last) else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    line.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_stands_for_anything_within_a_line() {
        for (expected, line, alike) in [
            ("a [..]s", "a 0.123s", true),
            ("a [..]s", "b 0.123s", false),
            ("[..]x[..]", "yxz", true),
            ("a", "ab", false),
            ("[..]a", "aba", true),
            ("[..]b", "aba", false),
        ] {
            assert_eq!(is_like(expected, line), alike, "{expected} {line}");
        }
    }

    #[test]
    fn the_pieces_of_a_file_are_the_whole_file() {
        let text = "# comment\n\n$ one | two\n> input\nout\n| \n! error\n? 1\n\n$ three\n$ four\n";
        let steps = parse(text);
        assert_eq!(steps.iter().map(Step::source).collect::<String>(), text);
        let Step::Command { line, command, input, expected, .. } = &steps[2] else { panic!("a command") };
        assert_eq!((*line, *command, &**input), (3, "one | two", "input\n"));
        assert_eq!(expected.0, ["out", "| ", "! error", "? 1"]);
    }

    #[test]
    fn what_is_printed_can_be_read_back() {
        let printed = Printed::new(b"a\n\n$x\n\x1b\nend ", b"oops\n", Some(2));
        assert_eq!(printed.to_string(), "a\n| |\n| $x|\n␛\n|- end \n! oops\n? 2\n");
    }
}
