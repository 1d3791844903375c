//! The table of testtools' tests names tests that there are.

use std::collections::BTreeSet;

const TABLE: &str = include_str!("../../src/testtools.md");
const SOURCES: [(&str, &str); 9] = [
    ("adaptors", include_str!("adaptors.rs")),
    ("by_test", include_str!("by_test.rs")),
    ("contract", include_str!("contract.rs")),
    ("one_at_a_time", include_str!("one_at_a_time.rs")),
    ("queue", include_str!("queue.rs")),
    ("router", include_str!("router.rs")),
    ("summary", include_str!("summary.rs")),
    ("test_level", include_str!("test_level.rs")),
    ("to_dict", include_str!("to_dict.rs")),
];

/// The tests in our files, `file::name`.
fn tests() -> BTreeSet<String> {
    let of_file = |(file, source): (&str, &'static str)| {
        let names = source.split("#[test]\nfn ").skip(1).filter_map(|rest| rest.split_once('('));
        names.map(|(name, _)| format!("{file}::{name}")).collect::<Vec<_>>()
    };
    SOURCES.into_iter().flat_map(of_file).collect()
}

/// The rows of the last table: testtools' test, what it is here, the test or the reason.
fn rows() -> Vec<[&'static str; 3]> {
    let rows = TABLE.lines().filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |"));
    let cells = rows.filter_map(|row| {
        let mut cells = row.split(" | ");
        Some([cells.next()?.trim_end_matches('`'), cells.next()?, cells.next()?])
    });
    cells.filter(|[_, verdict, _]| ["same", "differs", "not here"].contains(verdict)).collect()
}

#[test]
fn each_row_names_a_test_that_there_is_or_a_reason() {
    let tests = tests();
    for [name, verdict, answer] in rows() {
        let named = answer.split('`').nth(1).unwrap_or_default();
        match verdict {
            "not here" => assert!(answer.len() > 20, "{name}: why not?"),
            _ => assert!(tests.contains(named), "{name}: there is no test {named}"),
        }
    }
}

#[test]
fn no_test_of_testtools_is_named_twice() {
    let rows = rows();
    let names: BTreeSet<&str> = rows.iter().map(|[name, ..]| *name).collect();
    assert_eq!(names.len(), rows.len());
    assert!(rows.len() >= 135, "{} rows", rows.len());
}
