//! A JSON object for each test, one a line, as the tests end.

use std::io::{self, Write};

use serde_json::{Map, Value, json};
use streamresult::Outcome;
use subunit::Timestamp;

use super::shown::{Shown, Sink};
use crate::perfdata::Measured;

/// Writes JSON lines.
pub(super) struct Json<W>(W);

impl<W: Write> Json<W> {
    pub(super) fn new(output: W) -> Self {
        Json(output)
    }
}

impl<W: Write> Sink for Json<W> {
    fn test(&mut self, test: Shown) -> io::Result<()> {
        let mut line = object(&test).to_string();
        line.push('\n');
        self.0.write_all(line.as_bytes())?;
        self.0.flush()
    }
}

fn object(test: &Shown) -> Value {
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
    let (check, target, aspect) = test.parts();
    put("id", json!(test.id));
    put("check", json!(check));
    put("target", json!(target));
    put("aspect", json!(aspect));
    put("status", json!(test.outcome.as_str()));
    if test.outcome != Outcome::Exists {
        put("standing", json!(test.standing.as_str()));
    }
    put("tags", json!(test.tags));
    let texts = [
        ("route_code", test.route.as_deref()),
        ("plan", Some(&*test.plan).filter(|text| !text.is_empty())),
        ("reason", Some(&*test.reason).filter(|text| !text.is_empty())),
        ("summary", Some(&*test.summary).filter(|text| !text.is_empty())),
    ];
    for (name, text) in texts.into_iter().filter_map(|(name, text)| Some((name, text?))) {
        put(name, json!(text));
    }
    if !test.metrics.is_empty() {
        put("metrics", Measured::object(&test.metrics));
    }
    let times = [("start", test.first), ("end", test.last)];
    for (name, time) in times.into_iter().filter_map(|(name, time)| Some((name, time?))) {
        put(name, json!(rfc3339(time)));
    }
    if let Some(duration) = test.duration {
        put("duration_seconds", json!(duration.as_secs_f64()));
    }
    Value::Object(object)
}

fn rfc3339(time: Timestamp) -> String {
    let mut text = Vec::new();
    formats::time::push_rfc3339(time, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::shown::testing::records;
    use super::*;

    #[test]
    fn each_test_is_an_object_on_a_line() {
        let lines = String::from_utf8(records(Json::new(Vec::new())).0).unwrap();
        let objects: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let expected = json!({
            "id": "fake.a.load", "check": "fake", "target": "a", "aspect": "load", "status": "success",
            "standing": "warning", "tags": ["warning"], "route_code": "host",
            "reason": "load = 1.5 % | high\nvery",
            "metrics": {
                "load": {"value": 1.5, "unit": "%", "warning": "1", "critical": null},
                "time_seconds_p95": {"value": 2.0, "unit": "s", "warning": null, "critical": null},
            },
            "start": "1970-01-01T00:00:12.500Z", "end": "1970-01-01T00:00:13.500Z", "duration_seconds": 1.0,
        });
        assert_eq!(objects[1], expected);
        let standings: Vec<_> =
            objects.iter().map(|object| object["standing"].as_str().unwrap_or("-")).collect();
        assert_eq!(standings, ["ok", "warning", "unknown", "skipped", "-"]);
    }
}
