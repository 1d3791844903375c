//! What a task has measured, what it has used, and which of it is out of its range.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use probe::{MetricUnit, Range};
use process::Ending;
use serde_json::{Map, Value, json};

use crate::file::At;

/// All numbers of a task, as checks write theirs, and what is wrong with them.
pub(super) fn look(
    own: &Path,
    ending: Option<&Ending>,
    require: &BTreeMap<String, At<String>>,
) -> (String, Vec<String>) {
    let mut wrong = Vec::new();
    let mut all = ending.map(used).unwrap_or_default();
    match written(own) {
        Ok(numbers) => all.extend(numbers),
        Err(why) => wrong.push(why),
    }
    for (name, range) in require {
        let number = all.get(name).and_then(|entry| entry.get("value")?.as_f64());
        match (number, Range::parse(range, MetricUnit::Count)) {
            (_, Err(error)) => wrong.push(error),
            (None, _) => wrong.push(format!("{name} was to be in {}, and was not measured", range.as_str())),
            (Some(number), Ok(wanted)) if wanted.alerts(number) => {
                wrong.push(format!("{name} is {number}, which is not in {}", range.as_str()));
            }
            _ => {}
        }
    }
    (format!("{}\n", Value::Object(all)), wrong)
}

/// What the kernel says that it used.
fn used(ending: &Ending) -> Map<String, Value> {
    let seconds = |time: Duration| json!({"unit": "s", "value": time.as_secs_f64()});
    let mut all = Map::new();
    all.insert("wall_seconds".to_owned(), seconds(ending.elapsed));
    if let Some(usage) = ending.usage {
        all.insert("user_seconds".to_owned(), seconds(usage.user));
        all.insert("system_seconds".to_owned(), seconds(usage.system));
        all.insert("peak_memory_bytes".to_owned(), json!({"unit": "B", "value": usage.peak_memory}));
    }
    all
}

/// What it left in its file: numbers by their names, alone or with their units.
fn written(path: &Path) -> Result<Map<String, Value>, String> {
    let Ok(text) = fs::read_to_string(path) else { return Ok(Map::new()) };
    let wrong = |what: &str| format!("what it wrote to $SUBUNIT_METRICS {what}");
    let all: Map<String, Value> =
        serde_json::from_str(&text).map_err(|error| wrong(&format!("is no object of JSON: {error}")))?;
    let entry = |(name, value): (String, Value)| match &value {
        Value::Number(_) => Ok((name, json!({"unit": "", "value": value}))),
        Value::Object(entry) if entry.get("value").is_some_and(Value::is_number) => Ok((name, value)),
        _ => Err(wrong(&format!("has no number for {name:?}"))),
    };
    all.into_iter().map(entry).collect()
}
