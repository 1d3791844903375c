//! `--schema`: what a configuration file may hold, as a JSON schema.

use std::collections::BTreeMap;

use clap::{Arg, ArgAction};
use cli::OptionFacts;
use probe::MetricKind;
use serde_json::{Map, Value, json};

use super::registry::{CHECKS, Entry};

/// The schema of `subunit-checks.toml`, as JSON.
pub(super) fn schema() -> String {
    let common = common();
    let targets: Vec<_> = CHECKS.iter().map(|entry| target(entry, &common)).collect();
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "subunit-checks.toml",
        "description": "The targets that check-all and the checks look at.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "defaults": {
                "description": "Options for all targets: those that all their checks have.",
                "type": "object",
                "additionalProperties": false,
                "properties": defaults(&common, &on()),
            },
            "target": {
                "description": "The targets, by their checks.",
                "type": "array",
                "items": {"oneOf": targets},
            },
        },
    });
    let ranges = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {"warning": {"type": ["string", "number"]}, "critical": {"type": ["string", "number"]}},
    });
    let mut definitions = common;
    definitions.insert("ranges".to_owned(), ranges);
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("$defs".to_owned(), Value::Object(definitions));
    }
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/$defs/{name}")})
}

/// The options that are the same in all checks that have them, and more than one has.
fn common() -> Map<String, Value> {
    let mut all: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (name, value) in CHECKS.iter().flat_map(options) {
        all.entry(name).or_default().push(value);
    }
    let is_common =
        |values: &Vec<Value>| values.len() > 1 && values.iter().all(|value| Some(value) == values.first());
    let common = all.into_iter().filter(|(_, values)| is_common(values));
    common.filter_map(|(name, values)| Some((name, values.into_iter().next()?))).collect()
}

/// Where to look from.
fn on() -> Value {
    let place = json!({"type": "string", "pattern": "^(local|ssh:.+|container:.+)$"});
    let value = json!({"anyOf": [place, {"type": "array", "items": place, "minItems": 1}]});
    let description = "From where it is looked at, by check-all: `ssh:[USER@]HOST[:PORT]`, \
                       `container:[USER@]NAME`, `local` for here (the default), or several of them.";
    with(description, value)
}

fn defaults(common: &Map<String, Value>, on: &Value) -> Value {
    let all = CHECKS.iter().flat_map(options).map(|(name, _)| {
        let value = if common.contains_key(&name) { reference(&name) } else { json!({}) };
        (name, value)
    });
    let all = all.chain([("on".to_owned(), on.clone())]);
    Value::Object(all.collect())
}

fn target(entry: &Entry, common: &Map<String, Value>) -> Value {
    let options = options(entry).into_iter().map(|(name, value)| {
        let value = if common.contains_key(&name) { reference(&name) } else { value };
        (name, value)
    });
    let mut properties: Map<_, _> = options.collect();
    let names = json!({"type": "array", "items": {"type": "string"}});
    let texts = [
        (
            "name",
            json!({"description": "Its name, in the test ids and for other targets.", "type": "string"}),
        ),
        ("check", json!({"const": entry.name})),
        ("after", with("The targets that it builds on: skipped when a test of them fails.", names)),
        ("on", on()),
        ("thresholds", thresholds(entry)),
    ];
    properties.extend(texts.map(|(name, value)| (name.to_owned(), value)));
    json!({
        "title": format!("check-{}", entry.name),
        "type": "object",
        "required": ["name", "check"],
        "additionalProperties": false,
        "properties": properties,
    })
}

fn options(entry: &Entry) -> Map<String, Value> {
    let mut command = (entry.command)();
    command.build();
    let visible = command.get_arguments().filter(|argument| !argument.is_hide_set());
    let named = visible.filter_map(|argument| Some((argument.get_long()?, argument)));
    // Files may say `tags`, which is what it is.
    let name = |long: &str| if long == "tag" { "tags".to_owned() } else { long.to_owned() };
    let of_targets = named.filter(|(_, argument)| !OptionFacts::of(argument).is_of_run());
    of_targets.map(|(long, argument)| (name(long), option(argument))).collect()
}

fn option(argument: &Arg) -> Value {
    let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    if !argument.get_action().takes_values() {
        return with(&help, json!({"type": "boolean"}));
    }
    let words: Vec<_> =
        argument.get_possible_values().iter().map(|word| word.get_name().to_owned()).collect();
    let one = if words.is_empty() {
        json!({"type": ["string", "number", "boolean"]})
    } else {
        json!({"enum": words})
    };
    let value = match argument.get_action() {
        ArgAction::Append => json!({"anyOf": [one, {"type": "array", "items": one}]}),
        _ => one,
    };
    let defaults: Vec<_> = argument.get_default_values().iter().filter_map(|value| value.to_str()).collect();
    let mut value = with(&help, value);
    if let (Some(object), [default]) = (value.as_object_mut(), defaults.as_slice()) {
        object.insert("default".to_owned(), json!(default));
    }
    value
}

fn thresholds(entry: &Entry) -> Value {
    let metric = |metric: &MetricKind| {
        let usual = [("warning", metric.warning), ("critical", metric.critical)];
        let usual = usual.into_iter().filter_map(|(kind, range)| Some(format!("{kind} {}", range?)));
        let usual = usual.collect::<Vec<_>>().join(", ");
        let ranges = reference("ranges");
        let ranges = if usual.is_empty() { ranges } else { with(&format!("Default: {usual}"), ranges) };
        (metric.name.to_owned(), ranges)
    };
    let properties: Map<_, _> = entry.metrics.iter().map(metric).collect();
    // Percentiles, changes of counters and numbers of plugins have names of their own.
    let others = reference("ranges");
    let ranges = json!({"type": "object", "properties": properties, "additionalProperties": others});
    with("The ranges of its numbers.", ranges)
}

fn with(description: &str, mut value: Value) -> Value {
    if let Some(object) = value.as_object_mut() {
        object.insert("description".to_owned(), json!(description));
    }
    value
}
