use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// The table that the page's parser is tested with, too.
fn cases() -> Value {
    serde_json::from_str(include_str!("cases.json")).unwrap()
}

/// A term as the table has it.
fn shown(term: &Term) -> Value {
    let outcome = |is: &Is| OUTCOMES.iter().find(|(_, known)| known == is).map_or("", |(name, _)| name);
    let (kind, values): (&str, Vec<Value>) = match &term.ask {
        Ask::Text(text) => ("text", vec![json!(text)]),
        Ask::Id(pattern) => ("id", vec![json!(pattern)]),
        Ask::Is(outcomes) => ("is", outcomes.iter().map(|is| json!(outcome(is))).collect()),
        Ask::On(place) => ("on", vec![json!(place)]),
        Ask::Tag(tag) => ("tag", vec![json!(tag)]),
        Ask::New => ("new", vec![]),
        Ask::Took(compare, length) => {
            let sign = match compare {
                Compare::More => ">",
                Compare::AtLeast => ">=",
                Compare::Less => "<",
                Compare::AtMost => "<=",
            };
            (sign, vec![json!(length.as_secs_f64())])
        }
    };
    let kind = format!("{}{kind}", if term.not { "-" } else { "" });
    std::iter::once(json!(kind)).chain(values).collect()
}

/// The same with numbers as floats, and text in small letters.
fn plain(terms: &Value) -> Vec<Value> {
    let value = |value: &Value| value.as_f64().map_or_else(|| value.clone(), |number| json!(number));
    let term = |term: &Value| -> Value {
        let is_text = term[0].as_str().unwrap().ends_with("text");
        let values = term.as_array().unwrap().iter().map(value);
        values
            .map(|value| if is_text { json!(value.as_str().unwrap().to_lowercase()) } else { value })
            .collect()
    };
    terms.as_array().unwrap().iter().map(term).collect()
}

fn matches(query: &Query, test: &Value) -> bool {
    let id = test["id"].as_str().unwrap();
    let tags = test["tags"].as_array().map(Vec::as_slice).unwrap_or_default();
    query.holds_of(&Subject {
        id,
        small_id: id.to_lowercase(),
        is: Some(OUTCOMES.iter().find(|(name, _)| test["is"] == *name).unwrap().1),
        route: test["on"].as_str(),
        tags: tags.iter().filter_map(Value::as_str).collect(),
        took: test["took"].as_f64().map(Duration::from_secs_f64),
        is_new: test["new"] == true,
    })
}

#[test]
fn queries_mean_what_the_table_says() {
    let cases = cases();
    let tests = cases["tests"].as_array().unwrap();
    for case in cases["queries"].as_array().unwrap() {
        let text = case["query"].as_str().unwrap();
        let query = match text.parse::<Query>() {
            Ok(query) => query,
            Err(error) => {
                assert_eq!(json!([error.at, error.message]), case["error"], "{text}");
                continue;
            }
        };
        let terms: Vec<Value> = query.terms.iter().map(shown).collect();
        assert_eq!(terms, plain(&case["terms"]), "{text}");
        if let Some(expected) = case.get("matches") {
            let found: Vec<&Value> =
                tests.iter().filter(|test| matches(&query, test)).map(|test| &test["id"]).collect();
            assert_eq!(json!(found), *expected, "{text}");
        }
    }
}

#[test]
fn errors_say_where_and_what_may_be_meant() {
    let check =
        |text: &str, expected: &str| assert_eq!(text.parse::<Query>().unwrap_err().to_string(), expected);
    check("is:fial", "at character 4: there is no outcome `fial`; is it `fail`?");
    check("tga:slow", "at character 1: there is no key `tga`; is it `tag`?");
    check("x http://y", "at character 3: there is no key `http`; `\"http:…\"` in quotes is text");
    check(">ten", "at character 2: `ten` is not a duration; 500ms, 10s and 1h30m are");
}

proptest! {
    #[test]
    fn no_query_is_a_panic_and_errors_are_within_it(text in "[a-z:\"\\\\<>=*, -]{0,12}|\\PC{0,12}") {
        if let Err(error) = text.parse::<Query>() {
            prop_assert!((1..=text.chars().count() + 1).contains(&error.at));
        }
    }

    #[test]
    fn whatever_is_quoted_is_text(text in "\\PC{1,12}") {
        let quoted = format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        let query: Query = quoted.parse().unwrap();
        prop_assert_eq!(&query.terms, &[Term { not: false, ask: Ask::Text(text.to_lowercase()) }]);
        let tagged: Query = format!("-tag:{quoted}").parse().unwrap();
        prop_assert_eq!(&tagged.terms, &[Term { not: true, ask: Ask::Tag(text) }]);
    }

    #[test]
    fn a_word_and_its_opposite_share_all_tests(word in "(is|on|tag|id):[a-z]{1,3}|[<>][0-9]s|[a-z]") {
        let cases = cases();
        let (Ok(query), Ok(opposite)) = (word.parse::<Query>(), format!("-{word}").parse::<Query>()) else { return Ok(()) };
        for test in cases["tests"].as_array().unwrap() {
            prop_assert_ne!(matches(&query, test), matches(&opposite, test));
        }
    }
}

#[test]
fn tests_that_have_yet_to_run_are_chosen_by_what_they_did() {
    let check = |query: &str, expected: bool| {
        let outcome = Some((Outcome::Fail, false));
        let last = LastTime { outcome, took: Some(Duration::from_secs(9)), is_new: true };
        let query = of_tests(query).unwrap();
        assert_eq!(query.matches_before_run("net.boot", &last), expected, "{query:?}");
        assert!(!query.matches_before_run("other", &LastTime::default()), "{query:?}");
    };
    check("is:fail new: BOOT", true);
    check("id:net.* >1s", true);
    check("is:pass", false);
    for query in ["on:ash", "tag:slow"] {
        assert!(of_tests(query).unwrap_err().contains("what only a run tells"));
    }
}
