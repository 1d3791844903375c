//! What is wrong with a value.

use std::fmt;

/// What was given for a value, what is wrong with it, and what it may look like.
///
/// ```
/// let error = cli::value::size("10mb").unwrap_err().to_string();
/// assert_eq!(error, r#""10mb" is not a size: use bytes, or a number with a unit such as 10kB, 1.5MiB or 2GB"#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueError {
    given: String,
    kind: Kind,
    fault: Fault,
}

/// What a value should have been. Closed: these are the kinds of this module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Duration,
    Size,
    Time,
    File,
    Command,
}

/// What is wrong with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is not of this kind at all.
    NotOne,
    BelowZero,
    Zero,
    TooLarge,
    /// A name before `=` that no element of a route can be.
    EmptyName,
    NameWithSlash,
    NameNotUtf8,
}

impl Fault {
    /// The whole message about what was given.
    pub(super) fn of(self, kind: Kind, given: &str) -> ValueError {
        ValueError { given: given.to_owned(), kind, fault: self }
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Duration => "a duration",
            Kind::Size => "a size",
            Kind::Time => "a time",
            Kind::File => "a file",
            Kind::Command => "a command",
        }
    }

    /// What such a value may look like.
    fn usage(self) -> &'static str {
        match self {
            Kind::Duration => "a number with a unit such as 500ms, 10s, 1h30m or 2d",
            Kind::Size => "bytes, or a number with a unit such as 10kB, 1.5MiB or 2GB",
            Kind::Time => "2026-01-31T12:00:00Z, 2026-01-31, @1769860800, 10m or '2d ago'",
            Kind::File => "FILE or NAME=FILE",
            Kind::Command => "COMMAND or NAME=COMMAND",
        }
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ValueError { given, kind, fault } = self;
        write!(formatter, "{given:?} ")?;
        match fault {
            Fault::NotOne => write!(formatter, "is not {}", kind.name()),
            Fault::BelowZero => formatter.write_str("is below zero"),
            Fault::Zero => formatter.write_str("is not above zero"),
            Fault::TooLarge if *kind == Kind::Duration => formatter.write_str("is too long"),
            Fault::TooLarge if *kind == Kind::Time => formatter.write_str("is before 1970 or after 2106"),
            Fault::TooLarge => formatter.write_str("is too large"),
            Fault::EmptyName => formatter.write_str("has an empty name before the ="),
            Fault::NameNotUtf8 => formatter.write_str("has a name that is not UTF-8"),
            Fault::NameWithSlash => {
                formatter.write_str("has a / in its name, which separates the elements of a route")
            }
        }?;
        write!(formatter, ": use {}", kind.usage())
    }
}

impl std::error::Error for ValueError {}
