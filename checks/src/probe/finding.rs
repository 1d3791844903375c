//! What a check found out about one aspect.

/// How it is with an aspect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Level {
    /// Fine, as far as the function goes; the thresholds are looked at afterwards.
    Fine,
    /// Broken.
    Broken(String),
    /// The check could not tell: no permission, a tool missing, wrong configuration.
    Unknown(String),
    /// Not applicable, or what it builds on is broken.
    Skipped(String),
    /// A signal ended the check.
    Interrupted(String),
}

impl Level {
    /// The reason, of all that is not fine.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Level::Fine => None,
            Level::Broken(reason)
            | Level::Unknown(reason)
            | Level::Skipped(reason)
            | Level::Interrupted(reason) => Some(reason),
        }
    }
}

/// What a check found out about one aspect: a level, numbers and evidence.
#[derive(Clone, Debug)]
pub struct Finding {
    /// How it is.
    pub level: Level,
    /// One line for people about what was found, where it is fine.
    pub summary: Option<String>,
    /// The numbers.
    pub metrics: Vec<Metric>,
    /// The evidence.
    pub attachments: Vec<Attachment>,
    /// Whether trying again could only make it worse: something hangs.
    pub is_hung: bool,
}

impl Finding {
    /// A finding without numbers and evidence.
    #[must_use]
    pub fn new(level: Level) -> Self {
        Finding { level, summary: None, metrics: Vec::new(), attachments: Vec::new(), is_hung: false }
    }

    /// Fine, with a line about what was found.
    #[must_use]
    pub fn fine(summary: String) -> Self {
        Finding { summary: Some(summary), ..Finding::new(Level::Fine) }
    }

    /// Broken, for this reason.
    #[must_use]
    pub fn broken(reason: String) -> Self {
        Finding::new(Level::Broken(reason))
    }

    /// Not to be told, for this reason.
    #[must_use]
    pub fn unknown(reason: String) -> Self {
        Finding::new(Level::Unknown(reason))
    }

    /// Skipped, for this reason.
    #[must_use]
    pub fn skipped(reason: String) -> Self {
        Finding::new(Level::Skipped(reason))
    }

    /// The same with a piece of evidence in plain text; an empty one is left out.
    #[must_use]
    pub fn with_text(mut self, name: &str, text: String) -> Self {
        if !text.is_empty() {
            let bytes = text.into_bytes();
            self.attachments.push(Attachment { name: name.to_owned(), mime_type: TEXT, bytes });
        }
        self
    }
}

/// The MIME type of plain text.
pub(crate) const TEXT: &str = "text/plain;charset=utf8";

/// A number that was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// Its name, with its unit.
    pub name: String,
    /// The number, in that unit.
    pub value: f64,
}

/// A piece of evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Its name within the test.
    pub name: String,
    /// Its MIME type.
    pub mime_type: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
}
