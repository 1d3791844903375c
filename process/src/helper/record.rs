//! What a helper tells its parent, a line each.

use std::fmt;
use std::time::Duration;

/// A line from a helper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// An operation begins: if nothing follows, it is stuck.
    Begin(String),
    /// The operation is done.
    Done {
        /// The operation's name.
        operation: String,
        /// What it took.
        elapsed: Duration,
    },
    /// The operation failed.
    Failed {
        /// The operation's name.
        operation: String,
        /// What it took.
        elapsed: Duration,
        /// The system's error number, where it has one.
        errno: Option<i32>,
        /// The error in words.
        message: String,
    },
    /// Something the helper found out.
    Value {
        /// What it is.
        name: String,
        /// What it came to.
        text: String,
    },
}

impl Record {
    /// Reads a line without its end; `None` when it is not a record's.
    #[must_use]
    pub fn parse(line: &str) -> Option<Record> {
        let mut words = line.splitn(5, '\t');
        let kind = words.next()?;
        let name = unescape(words.next()?);
        Some(match kind {
            "begin" => Record::Begin(name),
            "done" => Record::Done { operation: name, elapsed: nanoseconds(words.next()?)? },
            "failed" => Record::Failed {
                operation: name,
                elapsed: nanoseconds(words.next()?)?,
                errno: words.next()?.parse().ok(),
                message: unescape(words.next()?),
            },
            "value" => Record::Value { name, text: unescape(words.next()?) },
            _ => return None,
        })
    }
}

impl fmt::Display for Record {
    /// The line, without its end.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Record::Begin(operation) => write!(formatter, "begin\t{}", escape(operation)),
            Record::Done { operation, elapsed } => {
                write!(formatter, "done\t{}\t{}", escape(operation), elapsed.as_nanos())
            }
            Record::Failed { operation, elapsed, errno, message } => {
                write!(formatter, "failed\t{}\t{}\t", escape(operation), elapsed.as_nanos())?;
                errno.map_or(Ok(()), |number| write!(formatter, "{number}"))?;
                write!(formatter, "\t{}", escape(message))
            }
            Record::Value { name, text } => write!(formatter, "value\t{}\t{}", escape(name), escape(text)),
        }
    }
}

fn nanoseconds(text: &str) -> Option<Duration> {
    text.parse().ok().map(Duration::from_nanos)
}

/// Keeps the two characters that structure the lines out of the texts in them.
fn escape(text: &str) -> String {
    text.replace('\\', r"\\").replace('\n', r"\n").replace('\t', r"\t")
}

fn unescape(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        result.push(match character {
            '\\' => match characters.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some(other) => other,
                None => '\\',
            },
            other => other,
        });
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_back_as_they_were() {
        let text = "a\\n\tb\nc\\".to_owned();
        let elapsed = Duration::from_nanos(1_500);
        let records = [
            Record::Begin(text.clone()),
            Record::Done { operation: text.clone(), elapsed },
            Record::Failed { operation: text.clone(), elapsed, errno: Some(5), message: text.clone() },
            Record::Failed { operation: "x".to_owned(), elapsed, errno: None, message: String::new() },
            Record::Value { name: text.clone(), text },
        ];
        for record in records {
            assert_eq!(Record::parse(&record.to_string()), Some(record));
        }
    }

    #[test]
    fn other_lines_are_no_records() {
        for line in ["", "begin", "done\tx", "done\tx\tsoon", "hello\tworld", "value\tx"] {
            assert_eq!(Record::parse(line), None, "{line}");
        }
    }
}
