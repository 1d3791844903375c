//! Keys of the file that mean nothing, or nothing yet.

use cli::suggest;
use serde_json::Value;
use toml::de::{DeTable, DeValue};

use super::place::line;

/// What can be written and is not done yet. `*` is any name.
const NOT_YET: &[&str] = &[
    "nodes",
    "service",
    "suite.*.on",
    "suite.*.services",
    "task.*.events",
    "task.*.collect",
    "task.*.files",
    "task.*.isolate",
    "task.*.limits",
    "task.*.nodes",
    "task.*.services",
    "task.*.trace",
];

/// Looks at all keys of a file. What is no TOML is told where it is read.
pub(super) fn check(text: &str) -> Result<(), String> {
    let Ok(file) = DeTable::parse(text) else { return Ok(()) };
    look(text, file.get_ref(), &crate::schema::value(), "")
}

fn look(text: &str, table: &DeTable<'_>, schema: &Value, path: &str) -> Result<(), String> {
    for (key, value) in table {
        let (name, at) = (key.get_ref().as_ref(), line(text, key.span().start));
        let Some(inner) = inner(schema, name) else {
            let known = properties(schema).map(|(name, _)| name.as_str());
            let table = if path.is_empty() { "there is no".to_owned() } else { format!("{path} has no") };
            return Err(format!("line {at}: {table} `{name}`{}", suggest(name, known)));
        };
        let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        if NOT_YET.iter().any(|pattern| is_of(pattern, &path)) {
            return Err(format!("line {at}: {path} is not supported yet"));
        }
        look_within(text, value.get_ref(), inner, &path)?;
    }
    Ok(())
}

fn look_within(text: &str, value: &DeValue<'_>, schema: &Value, path: &str) -> Result<(), String> {
    match value {
        DeValue::Table(table) => look(text, table, of_type(schema, "object"), path),
        DeValue::Array(all) => {
            let Some(items) = of_type(schema, "array").get("items") else { return Ok(()) };
            all.iter().try_for_each(|value| look_within(text, value.get_ref(), items, path))
        }
        _ => Ok(()),
    }
}

/// The alternative that is of this type; the schema itself where there are none.
fn of_type<'s>(schema: &'s Value, kind: &str) -> &'s Value {
    let any = schema.get("anyOf").and_then(Value::as_array);
    let found = any.and_then(|any| any.iter().find(|one| one.get("type").is_some_and(|own| own == kind)));
    found.unwrap_or(schema)
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

/// What a key may hold; `None` where there may be no such key.
fn inner<'s>(schema: &'s Value, name: &str) -> Option<&'s Value> {
    let own = properties(schema).find(|(own, _)| *own == name).map(|(_, value)| value);
    own.or_else(|| match schema.get("additionalProperties") {
        Some(Value::Bool(false)) => None,
        Some(others) => Some(others),
        None => Some(&Value::Null),
    })
}

fn is_of(pattern: &str, path: &str) -> bool {
    let (mut pattern, mut path) = (pattern.split('.'), path.split('.'));
    loop {
        match (pattern.next(), path.next()) {
            (None, None) => return true,
            (Some(one), Some(other)) if one == "*" || one == other => {}
            _ => return false,
        }
    }
}
