//! Tests in JSON.

use serde_json::Value;

use super::pattern::Fields;

/// What is found in JSON that stands among text.
pub(super) struct Json<'a> {
    pub(super) documents: Vec<Value>,
    /// All else.
    pub(super) text: Vec<&'a str>,
}

impl<'a> Json<'a> {
    /// A document begins a line; a line that is none is text.
    pub(super) fn read(listing: &'a str) -> Self {
        let (mut documents, mut text) = (Vec::new(), Vec::new());
        let mut rest = listing;
        while !rest.is_empty() {
            let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
            let value =
                values.next().and_then(Result::ok).filter(|value| value.is_object() || value.is_array());
            let used = values.byte_offset();
            let line = rest.find('\n').map_or(rest.len(), |end| end + 1);
            let used = match value {
                Some(value) if used > 0 => {
                    documents.push(value);
                    used
                }
                _ => {
                    text.extend(rest.get(..line).map(str::trim_end).filter(|line| !line.is_empty()));
                    line
                }
            };
            rest = rest.get(used..).unwrap_or_default();
        }
        Json { documents, text }
    }
}

/// Goes to all places of a path, with what the keys and the values on the way say.
pub(super) fn walk(value: &Value, path: &[&str], fields: &Fields, found: &mut dyn FnMut(Fields)) {
    let mut fields = fields.clone();
    add_own(value, &mut fields);
    let Some((first, rest)) = path.split_first() else { return found(fields) };
    let field = first.strip_prefix('{').and_then(|field| field.strip_suffix('}'));
    let mut go = |key: &str, value: &Value| {
        let mut fields = fields.clone();
        fields.extend(field.map(|field| (field.to_owned(), key.to_owned())));
        walk(value, rest, &fields, found);
    };
    let is_any = field.is_some() || *first == "*";
    match value {
        Value::Object(members) if is_any => members.iter().for_each(|(key, value)| go(key, value)),
        Value::Object(members) => members.get(*first).into_iter().for_each(|value| go(first, value)),
        Value::Array(values) if is_any => {
            values.iter().enumerate().for_each(|(at, value)| go(&(at + 1).to_string(), value));
        }
        _ => {}
    }
}

/// What an object says of itself; of a place that is no object, its value.
fn add_own(value: &Value, fields: &mut Fields) {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    };
    match value {
        Value::Object(members) => {
            let own = members.iter().filter_map(|(key, value)| Some((key.clone(), text(value)?)));
            fields.extend(own);
        }
        other => fields.extend(text(other).map(|text| ("value".to_owned(), text))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, path: &str, expected: &[&str]) {
        let json = Json::read(text);
        let path: Vec<&str> = path.split('.').filter(|part| !part.is_empty()).collect();
        let mut seen: Vec<String> = Vec::new();
        for document in &json.documents {
            walk(document, &path, &Fields::new(), &mut |fields| {
                let pairs: Vec<_> = fields.iter().map(|(name, text)| format!("{name}={text}")).collect();
                seen.push(pairs.join(" "));
            });
        }
        seen.extend(json.text.iter().map(|line| format!("| {line}")));
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_path_leads_to_tests() {
        let nextest =
            r#"{"n":2,"suites":{"rs":{"binary":"b","tests":{"t::a":{"ignored":false},"t::b":{}}}}}"#;
        let both = ["binary=b ignored=false n=2 name=t::a", "binary=b n=2 name=t::b"];
        check(nextest, "suites.*.tests.{name}", &both);
        check(r#"[{"name":"a b"},{"name":"c"}]"#, "*", &["name=a b", "name=c"]);
        check("{\"a\":1}\n# build\n{\"a\":2}\n[not json\n", "", &["a=1", "a=2", "| # build", "| [not json"]);
        check(r#"{"files":["x","y"]}"#, "files.{n}", &["n=1 value=x", "n=2 value=y"]);
    }
}
