//! What `subunit2disk` writes stays where it belongs, whatever the names are.

#![expect(clippy::unwrap_used, reason = "what a test needs and cannot have fails it")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use cli::Verdict;
use filters::disk::Disk;
use proptest::prelude::*;
use subunit::{Event, File, Status, encode};

/// All that is below a folder: paths, and contents where they are files; links are not followed.
fn tree(folder: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let kind = fs::symlink_metadata(&path).unwrap().file_type();
        if kind.is_dir() {
            found.extend(tree(&path));
            found.insert(path, None);
        } else if kind.is_symlink() {
            let target = fs::read_link(&path).unwrap();
            found.insert(path, Some(target.as_os_str().as_encoded_bytes().to_vec()));
        } else {
            let content = fs::read(&path).unwrap();
            found.insert(path, Some(content));
        }
    }
    found
}

/// A place with a folder for the tests, things beside it, and links within it that lead out.
fn place() -> (tempfile::TempDir, PathBuf) {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("out");
    for name in ["out", "out-evil", "other"] {
        fs::create_dir(place.path().join(name)).unwrap();
    }
    fs::write(place.path().join("other/canary"), "alive").unwrap();
    for name in ["a", "b~2", "%2E%2E", "~", "x%2Fy"] {
        symlink("../other", folder.join(name)).unwrap();
    }
    symlink("../other/canary", folder.join("c")).unwrap();
    symlink("/", folder.join("root")).unwrap();
    (place, folder)
}

fn write(folder: &Path, tests: &[(String, String)]) {
    let mut stream = Vec::new();
    for (id, name) in tests {
        let file = Some(File { name, bytes: id.as_bytes() });
        encode(&Event { file, ..Event::status(id, Status::Fail) }, &mut stream).unwrap();
    }
    let outcome = cli::run_with::<Disk>(&["-d", folder.to_str().unwrap()], &stream);
    assert_eq!((outcome.verdict, outcome.errors()), (Verdict::Passed, ""));
}

/// The ids and the names of attachments that were written, as the summaries tell them, with their contents.
fn written(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (path, _) in tree(folder).iter().filter(|(path, _)| path.file_name().unwrap() == "test.json") {
        let summary: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        let [id, name, file] = [&summary["id"], &summary["files"][0]["name"], &summary["files"][0]["file"]]
            .map(|text| text.as_str().unwrap());
        assert_eq!(fs::read(path.with_file_name(file)).unwrap(), id.as_bytes());
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        found.push((id.to_owned(), name.to_owned()));
    }
    found.sort();
    found
}

fn check(tests: &[(String, String)]) {
    let (place, folder) = place();
    let before = tree(place.path());
    write(&folder, tests);
    let after = tree(place.path());
    for (path, content) in &before {
        assert_eq!(after.get(path), Some(content), "{path:?} has changed");
    }
    for path in after.keys().filter(|path| !before.contains_key(*path)) {
        assert!(path.starts_with(&folder), "{path:?} is new");
        assert!(path.strip_prefix(&folder).unwrap().components().count() <= 2, "{path:?} is deep");
    }
    let new = after.len() - before.len();
    assert_eq!(new, 3 * tests.len(), "a folder and two files for each test");
    let mut expected = tests.to_vec();
    expected.sort();
    assert_eq!(written(&folder), expected);
    let mut names: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().to_lowercase())
        .collect();
    names.sort();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count, "no two names differ in case only");
}

#[test]
fn names_that_mean_something_are_names_like_others() {
    let ids = [
        "..",
        ".",
        "",
        "/",
        "a",
        "A",
        "a",
        "b",
        "B",
        "c",
        "root/etc",
        "../other/canary",
        "x/y",
        "out-evil/x",
        "a\nb",
        "~",
        "con",
    ];
    let names = [
        "..",
        ".",
        "",
        "/etc/passwd",
        "test.json",
        "TEST.JSON",
        "test.json~2",
        "../../other/canary",
        "\u{1b}[2J",
        "~",
    ];
    let tests: Vec<(String, String)> = ids
        .iter()
        .flat_map(|id| names.iter().map(move |name| ((*id).to_owned(), (*name).to_owned())))
        .collect();
    check(&tests);
    let long = ["x", "/", "ü", "😀"].map(|character| (character.repeat(4096), character.repeat(1000)));
    check(&long);
}

#[test]
fn a_name_that_is_there_in_another_case_is_taken() {
    check(&[("C".to_owned(), String::new())]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn nothing_outside_the_folder_changes(
        tests in prop::collection::vec(("[abAB./~%2E\u{1}-\u{1f}ü \\PC]{0,12}", "[abc./~%2E\\PC]{0,8}"), 1..12)
    ) {
        check(&tests);
    }
}
