//! What a check found out about one aspect.

use subunit::TEXT_TYPE;

use super::{MetricUnit, Percentiles, Range};

/// How it is with an aspect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Level {
    /// Fine, as far as the function goes; the thresholds are looked at afterwards.
    Fine,
    /// It works, but not as it should: as a number outside of its warning range.
    Warning(String),
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
            Level::Warning(reason)
            | Level::Broken(reason)
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
    pub attachments: Vec<EvidenceFile>,
    /// Whether trying again could only make it worse: something hangs.
    pub is_hung: bool,
    /// How often it was looked at, this finding being the last one's.
    pub attempts: u32,
}

impl Finding {
    /// A finding without numbers and evidence.
    #[must_use]
    pub fn new(level: Level) -> Self {
        Finding {
            level,
            summary: None,
            metrics: Vec::new(),
            attachments: Vec::new(),
            is_hung: false,
            attempts: 1,
        }
    }

    /// Fine, with a line about what was found.
    #[must_use]
    pub fn fine(summary: String) -> Self {
        Finding { summary: Some(summary), ..Finding::new(Level::Fine) }
    }

    /// It works, but not as it should, for this reason.
    #[must_use]
    pub fn warning(reason: String) -> Self {
        Finding::new(Level::Warning(reason))
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

    /// The same with a number.
    #[must_use]
    pub fn with_metric(mut self, name: &str, value: f64) -> Self {
        self.metrics.push(Metric::new(name, value));
        self
    }

    /// The same with the percentiles of numbers, as the metrics `NAME_min`, `NAME_p50`, … say them.
    #[must_use]
    pub fn with_summary(mut self, name: &str, summary: &Percentiles) -> Self {
        let metric = |(suffix, value)| Metric::new(&format!("{name}{suffix}"), value);
        self.metrics.extend(summary.entries().map(metric));
        self
    }

    /// The same with a piece of evidence of this MIME type; an empty one is left out.
    #[must_use]
    pub fn with_file(mut self, name: &str, mime_type: &'static str, bytes: Vec<u8>) -> Self {
        if !bytes.is_empty() {
            self.attachments.push(EvidenceFile { name: name.to_owned(), mime_type, bytes });
        }
        self
    }

    /// The same with a piece of evidence in plain text; an empty one is left out.
    #[must_use]
    pub fn with_text(self, name: &str, text: String) -> Self {
        self.with_file(name, TEXT_TYPE, text.into_bytes())
    }
}

/// A number that was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// Its name, with its unit.
    pub name: String,
    /// The number, in that unit.
    pub value: f64,
    /// Its unit, where it has no [`MetricKind`](super::MetricKind): its name was not known before.
    pub unit: Option<MetricUnit>,
    /// The range outside of which it is a warning, where no other is given.
    pub warning: Option<Range>,
    /// The range outside of which it is a failure, where no other is given.
    pub critical: Option<Range>,
    /// Whether it is its growth that the ranges of its kind are for.
    pub by_growth: bool,
}

impl Metric {
    /// A number of which all else is known from its name.
    #[must_use]
    pub fn new(name: &str, value: f64) -> Self {
        Metric { name: name.to_owned(), value, unit: None, warning: None, critical: None, by_growth: false }
    }
}

/// A piece of evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceFile {
    /// Its name within the test.
    pub name: String,
    /// Its MIME type.
    pub mime_type: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
}
