//! `report.json` of a session.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use subunit::{Status, Timestamp};

/// What Python writes of numbers that JSON has not.
const NUMBERS: [&str; 3] = ["NaN", "Infinity", "-Infinity"];

/// What a session says of itself. Other versions have more, and may have less.
#[derive(Debug, Deserialize)]
pub(super) struct Report {
    pub(super) results: Vec<TestResult>,
    /// The processes of the tests, by what is shown of their keys.
    #[serde(default)]
    pub(super) client_status: BTreeMap<String, Client>,
    #[serde(default)]
    pub(super) start_time: f64,
    #[serde(default)]
    pub(super) stop_time: f64,
    num_passed: Option<usize>,
    num_failed: Option<usize>,
    num_ignored: Option<usize>,
    num_flaky: Option<usize>,
}

/// A test of it.
#[derive(Debug, Deserialize)]
pub(super) struct TestResult {
    pub(super) test_id: String,
    pub(super) test_status: String,
    #[serde(default)]
    pub(super) summary: String,
    #[serde(default)]
    pub(super) data: Value,
    #[serde(default)]
    pub(super) relative_results_dir: String,
    #[serde(default)]
    pub(super) start_time: f64,
    #[serde(default)]
    pub(super) stop_time: f64,
}

/// The process that ran a test.
#[derive(Debug, Deserialize)]
pub(super) struct Client {
    pub(super) exitcode: Option<i64>,
    #[serde(default)]
    pub(super) status: String,
}

impl TestResult {
    /// What its word means; none is not known.
    pub(super) fn status(&self) -> Option<Status> {
        match self.test_status.as_str() {
            "PASS" | "FLAKY" => Some(Status::Success),
            "FAIL" => Some(Status::Fail),
            "IGNORE" => Some(Status::Skip),
            _ => None,
        }
    }

    pub(super) fn is_flaky(&self) -> bool {
        self.test_status == "FLAKY"
    }
}

impl Report {
    /// Where its totals are not those of its tests.
    pub(super) fn disagreements(&self) -> Vec<String> {
        let totals = [
            ("PASS", self.num_passed),
            ("FAIL", self.num_failed),
            ("IGNORE", self.num_ignored),
            ("FLAKY", self.num_flaky),
        ];
        let wrong = |(word, total): (&str, Option<usize>)| {
            let count = self.results.iter().filter(|result| result.test_status == word).count();
            let total = total.filter(|total| *total != count)?;
            Some(format!("the report says {total} {word}, and has {count}\n"))
        };
        totals.into_iter().filter_map(wrong).collect()
    }

    /// The tests whose processes have left no result, each with how that ended.
    pub(super) fn lost(&self) -> impl Iterator<Item = (&str, &Client)> {
        let clients = self.client_status.iter().filter_map(|(key, client)| Some((id_of_key(key)?, client)));
        clients.filter(|(id, _)| !self.results.iter().any(|result| result.test_id == *id))
    }
}

/// The id in `TestKey(test_id='a.B.c', test_index=1)`.
fn id_of_key(key: &str) -> Option<&str> {
    let (id, _) = key.strip_prefix("TestKey(test_id=")?.rsplit_once(", test_index=")?;
    id.get(1..id.len().checked_sub(1)?)
}

/// A time in seconds since the epoch.
pub(super) fn timestamp(seconds: f64) -> Timestamp {
    let since = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    Timestamp::from_epoch(since).unwrap_or_default()
}

fn is_number(text: &str) -> bool {
    NUMBERS.iter().any(|word| text.starts_with(word))
}

/// The same with null for what Python writes of numbers and JSON does not know: a mean of nothing, say.
pub(super) fn without_nan(json: &str) -> String {
    // Between quotes is text, unless a backslash is before them; such a one is within text, too.
    let (mut out, mut is_text, mut rest) = (String::with_capacity(json.len()), false, json);
    while let Some(first) = rest.chars().next() {
        let length = match (is_text, first) {
            (true, '\\') => 1 + rest.chars().nth(1).map_or(0, char::len_utf8),
            (_, '"') => {
                is_text = !is_text;
                1
            }
            (false, '-' | 'N' | 'I') if is_number(rest) => {
                out.push_str("null");
                rest = rest.trim_start_matches('-').trim_start_matches(char::is_alphabetic);
                continue;
            }
            _ => first.len_utf8(),
        };
        let (taken, left) = rest.split_at_checked(length).unwrap_or((rest, ""));
        out.push_str(taken);
        rest = left;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_json_does_not_know_is_null_where_it_is_no_text() {
        let check = |json: &str, expected: &str| assert_eq!(without_nan(json), expected);
        check(r#"{"a":NaN,"b":[-Infinity,Infinity,-1.5]}"#, r#"{"a":null,"b":[null,null,-1.5]}"#);
        check(r#"{"NaN":"é NaN \" NaN \\","b":NaN}"#, r#"{"NaN":"é NaN \" NaN \\","b":null}"#);
        check("\"cut \\", "\"cut \\");
    }

    #[test]
    fn the_id_of_a_process_is_in_its_key() {
        let check = |key: &str, expected: Option<&str>| assert_eq!(id_of_key(key), expected);
        check("TestKey(test_id='a.B.c.x=1', test_index=12)", Some("a.B.c.x=1"));
        check("TestKey(test_id=\"it's\", test_index=1)", Some("it's"));
        check("TestKey(test_id=, test_index=1)", None);
        check("another", None);
    }
}
