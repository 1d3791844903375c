//! What a plan may hold, as a JSON schema: made of the types that it is read into.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use crate::file::File;

/// The schema of `subunit.toml`, as JSON.
#[must_use]
pub fn schema() -> String {
    let mut text = serde_json::to_string_pretty(&value()).unwrap_or_default();
    text.push('\n');
    text
}

/// The same, to be asked which keys there are.
pub(crate) fn value() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<File>().to_value();
    plain(&mut schema);
    schema
}

/// Takes away what only JSON has: TOML has no null.
fn plain(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            without_null(object);
            object.values_mut().for_each(plain);
        }
        Value::Array(all) => all.iter_mut().for_each(plain),
        _ => {}
    }
}

fn without_null(object: &mut Map<String, Value>) {
    if object.get("default") == Some(&Value::Null) {
        object.remove("default");
    }
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [kind] = types.as_slice() {
            let kind = kind.clone();
            object.insert("type".to_owned(), kind);
        }
    }
    if let Some(Value::Array(words)) = object.get_mut("enum") {
        words.retain(|word| !word.is_null());
    }
    if let Some(Value::Array(any)) = object.get_mut("anyOf") {
        any.retain(|one| one.get("type").is_none_or(|kind| kind != "null"));
        if let [Value::Object(one)] = any.as_slice() {
            let one = one.clone();
            object.remove("anyOf");
            for (key, value) in one {
                object.entry(key).or_insert(value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_published_one_is_current() {
        let published = include_str!("../../docs/subunit.schema.json");
        assert!(super::schema() == published, "subunit run --schema >docs/subunit.schema.json");
    }
}
