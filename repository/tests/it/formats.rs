//! Repositories of other versions and other tools.

use std::fs;

use repository::{Error, Foreign, Repository, RunRef, Tool};
use tempfile::TempDir;

use crate::support::{failing, load, temporary};

#[test]
fn a_repository_is_found_from_below() {
    let temporary = temporary();
    load(&temporary.repository, &["a fail"]);
    let below = temporary.folder.path().join("a/b");
    fs::create_dir_all(&below).unwrap();
    assert_eq!(failing(&Repository::find(&below).unwrap()), ["a fail 1"]);
    assert_eq!(failing(&Repository::open(temporary.repository.path()).unwrap()), ["a fail 1"]);
    assert_eq!(fs::read(temporary.repository.path().join(".gitignore")).unwrap(), b"*\n");
    assert_eq!(fs::read(temporary.repository.path().join("format")).unwrap(), b"subunit-repository 1\n");
}

#[test]
fn a_repository_is_not_made_over_another() {
    let temporary = temporary();
    let again = Repository::init(temporary.folder.path());
    assert!(matches!(again, Err(Error::Exists(_))), "{again:?}");
}

fn check_format(text: Option<&str>, is_expected: impl Fn(&Error) -> bool) {
    let temporary = temporary();
    load(&temporary.repository, &["a fail"]);
    let path = temporary.repository.path().join("format");
    match text {
        Some(text) => fs::write(path, text).unwrap(),
        None => fs::remove_file(path).unwrap(),
    }
    for opened in [Repository::open(temporary.folder.path()), Repository::find(temporary.folder.path())] {
        assert!(opened.as_ref().is_err_and(&is_expected), "{text:?}: {opened:?}");
    }
}

#[test]
fn a_newer_format_is_refused_with_what_to_do() {
    check_format(Some("subunit-repository 2\n"), |error| {
        matches!(error, Error::Newer { format: 2, .. }) && error.to_string().contains("use that version")
    });
}

#[test]
fn what_is_no_repository_is_refused() {
    for text in [None, Some(""), Some("1\n"), Some("subunit-repository\n"), Some("subunit-repository 0\n")] {
        check_format(text, |error| matches!(error, Error::NotARepository(_)));
    }
}

#[test]
fn repositories_of_other_tools_are_never_empty_ones_of_ours() {
    for tool in Tool::ALL {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join(tool.folder());
        fs::create_dir(&path).unwrap();
        fs::write(path.join("format"), "1\n").unwrap();
        let expected = [Foreign { path, tool }];
        let Err(Error::NoRepository { foreign, .. }) = Repository::find(folder.path()) else {
            panic!("{tool}")
        };
        assert_eq!(foreign, expected);
        // Also where somebody made one of ours next to it.
        let repository = Repository::init(folder.path()).unwrap();
        let error = repository.run(RunRef::LATEST).unwrap_err();
        assert!(matches!(&error, Error::NoRuns { foreign, .. } if *foreign == expected), "{error:?}");
        assert!(error.to_string().contains("subunit import"), "{error}");
    }
}

#[test]
fn an_index_of_another_version_is_made_anew() {
    let temporary = temporary();
    load(&temporary.repository, &["a fail"]);
    let connection = rusqlite::Connection::open(temporary.index()).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let other = temporary.again();
    assert_eq!(failing(&other), ["a fail 1"]);
    assert_eq!(other.take_notes().len(), 1);
    assert_eq!(failing(&other), ["a fail 1"]);
    assert_eq!(other.take_notes(), []);
}
