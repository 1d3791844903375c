//! What a task finds out.

use std::ffi::OsString;

use serde::{Deserialize, Serialize};

use crate::Finding;

/// Something that a task found out; `T` is what only the tasks of one check do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fact<T> {
    /// A number that was measured.
    Metric {
        /// Its name, with its unit.
        name: String,
        /// The number, in that unit.
        #[serde(with = "as_text")]
        value: f64,
    },
    /// A line of `samples.csv`.
    Sample(String),
    /// A line of what was found, where all is fine.
    Summary(String),
    /// Why it does not apply.
    Skip(String),
    /// Why it works, but not as it should.
    Warning(String),
    /// Why it is broken, though no operation failed.
    Broken(String),
    /// Why nobody can tell.
    Unknown(String),
    /// The path of what could not be removed.
    Left(OsString),
    /// A line of evidence.
    Evidence {
        /// The name of the text file in which it is attached.
        name: String,
        /// The line, without its end.
        line: String,
    },
    /// What this check asks its tasks for.
    Own(T),
}

impl<T> Fact<T> {
    /// A number that was measured.
    #[must_use]
    pub fn metric(name: &str, value: f64) -> Self {
        Fact::Metric { name: name.to_owned(), value }
    }

    /// A line of evidence, to be attached as a text file of this name.
    #[must_use]
    pub fn evidence(name: &str, line: String) -> Self {
        Fact::Evidence { name: name.to_owned(), line }
    }

    /// The finding, if this is one, with its weight.
    pub(super) fn judgement(&self) -> Option<(Weight, Finding)> {
        Some(match self {
            Fact::Broken(reason) => (Weight::Broken, Finding::broken(reason.clone())),
            Fact::Unknown(reason) => (Weight::Unknown, Finding::unknown(reason.clone())),
            Fact::Skip(reason) => (Weight::Skipped, Finding::skipped(reason.clone())),
            Fact::Warning(reason) => (Weight::Warning, Finding::warning(reason.clone())),
            Fact::Summary(text) => (Weight::Fine, Finding::fine(text.clone())),
            _ => return None,
        })
    }
}

/// Which of several findings of a task counts: the first of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    Broken,
    Unknown,
    Skipped,
    Warning,
    Fine,
}

/// Numbers as people write them: JSON has no infinity, and its readers round.
mod as_text {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt as _;

    use super::*;

    fn sent(fact: &Fact<OsString>) -> Fact<OsString> {
        serde_json::from_slice(&serde_json::to_vec(fact).unwrap()).unwrap()
    }

    #[test]
    fn facts_survive() {
        let text = || "a\tb\n\u{0}é".to_owned();
        let path = || OsString::from_vec(b"/mnt/\xff\n".to_vec());
        let all = [Fact::Sample, Fact::Summary, Fact::Skip, Fact::Warning, Fact::Broken, Fact::Unknown];
        let others = [Fact::Left(path()), Fact::evidence("x y.txt", text()), Fact::Own(path())];
        for fact in all.into_iter().map(|fact| fact(text())).chain(others) {
            assert_eq!(sent(&fact), fact);
        }
    }

    #[test]
    fn numbers_survive_to_the_last_bit() {
        for number in [0.1 + 0.2, 1e-320, f64::MAX, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
            let Fact::Metric { value, .. } = sent(&Fact::metric("x", number)) else { panic!("no metric") };
            assert_eq!(value.to_bits(), number.to_bits(), "{number}");
        }
    }
}
