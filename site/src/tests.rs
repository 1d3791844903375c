//! The whole site, asked within the process.

use repository::{Repository, RunEnd, RunInfo};
use subunit::io::Writer;
use subunit::{Event, Status, Timestamp};
use tempfile::TempDir;

use crate::site::Site;

struct Asked {
    folder: TempDir,
    site: Site,
}

fn stream(tests: &[(&str, Status)], at: u32) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    for (id, status) in tests {
        for status in [Status::InProgress, *status] {
            let timestamp = Some(Timestamp::from_seconds(at));
            let route_code = Some("ash/hub");
            writer.write(&Event { timestamp, route_code, ..Event::status(id, status) }).unwrap();
        }
    }
    writer.into_inner().unwrap()
}

fn with(runs: &[&[(&str, Status)]]) -> Asked {
    let folder = TempDir::new().unwrap();
    let repository = Repository::init(folder.path()).unwrap();
    for (at, tests) in runs.iter().enumerate() {
        let stream = stream(tests, 1_700_000_000 + at as u32);
        repository.load(&*stream, RunInfo::default(), RunEnd::default()).unwrap();
    }
    Asked { site: Site::new(&repository), folder }
}

impl Asked {
    fn check(&self, address: &str, status: u16, words: &[&str]) {
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        let answer = self.site.answer(path, query);
        let text = String::from_utf8(answer.body).unwrap();
        assert_eq!(answer.status.as_u16(), status, "{address}: {text}");
        for words in words {
            assert!(text.contains(words), "{address} has no `{words}`: {text}");
        }
        if answer.kind == crate::answer::JSON {
            serde_json::from_str::<serde_json::Value>(&text).unwrap();
        }
    }
}

use Status::{Fail, Success};

#[test]
fn each_page_says_how_it_stands() {
    let asked = with(&[&[("a<b>", Success), ("c", Fail)], &[("a<b>", Fail), ("c", Success)]]);
    asked.check(
        "/",
        200,
        &["<h1>Failing since run 1, for 2 runs</h1>", "1 failed", "/compare?before=1&amp;after=2"],
    );
    asked.check(
        "/runs/2",
        200,
        &["<h1>Failed: 1 of 2 tests failed</h1>", "class=\"badge new\"", "/style.css", "/run.js"],
    );
    asked.check("/tests", 200, &["<h1>1 test is failing</h1>", "/tests?id=a%3Cb%3E"]);
    asked.check(
        "/tests?id=a%3Cb%3E",
        200,
        &["<h1>Fails since run 2; failed 1 of 2 times</h1>", "a&lt;b&gt;"],
    );
    asked.check("/tests?id=none", 200, &["<h1>This test is in none of the last 200 runs</h1>"]);
    asked.check("/compare", 200, &["<h1>Run 2 against run 1: 1 newly broken, 1 fixed</h1>"]);
    asked.check(
        "/compare.json?before=1&after=2",
        200,
        &[r#"{"id":"a<b>","change":"broken","before":"success","after":"fail"}"#],
    );
    asked.check("/runs.json", 200, &[r#"{"run":2,"state":"failed""#]);
    asked.check("/runs/1.json", 200, &[r#""id":"c","route":"ash/hub","status":"fail""#]);
    asked.check("/tests.json?id=c", 200, &[r#""status":"success""#]);
    asked.check("/metrics", 200, &["subunit_run_success{run=\"latest\"} 0\n", "# EOF\n"]);
    asked.check("/badge.svg", 200, &["1 failure"]);
}

#[test]
fn targets_of_checks_are_on_the_board() {
    let asked = with(&[&[("http.hub.status", Success), ("http.hub.latency", Fail), ("unit.test.a", Fail)]]);
    // The run is of long ago.
    asked.check("/board", 200, &["<h1>1 of 1 target needs a look</h1>", ">silent<", "ash/hub"]);
    asked.check("/board.json", 200, &[r#"[{"target":"http.hub","route":"ash/hub","state":"silent""#]);
    asked.check("/metrics", 200, &["subunit_target_up{target=\"http.hub\",route=\"ash/hub\"} 0\n"]);
}

#[test]
fn nothing_is_not_green() {
    let asked = with(&[]);
    for (page, words) in
        [("/", "No runs yet"), ("/tests", "No runs yet"), ("/board", "No target was checked yet")]
    {
        asked.check(page, 200, &[words, "class=\"verdict warn\""]);
    }
    asked.check("/metrics", 200, &["subunit_run_success{run=\"latest\"} 0\n"]);
    asked.check("/badge.svg", 200, &["no runs"]);
    asked.check("/runs/7", 404, &["no runs yet"]);
}

#[test]
fn what_is_not_there_is_said() {
    let asked = with(&[&[("a", Success)]]);
    asked.check("/runs/7", 404, &["there is no run 7"]);
    asked.check("/runs/x", 404, &["there is no such page"]);
    asked.check("/../etc/passwd", 404, &[]);
    std::fs::remove_dir_all(asked.folder.path().join(".subunit")).unwrap();
    asked.check("/", 500, &["This page cannot be shown", "no repository"]);
}

#[test]
fn a_run_that_goes_on_is_not_green() {
    let asked = with(&[&[("a", Success)]]);
    let repository = Repository::open(asked.folder.path()).unwrap();
    let mut writer = repository.begin(RunInfo::default()).unwrap();
    std::io::Write::write_all(&mut writer, &stream(&[("a", Success)], 1_700_000_009)).unwrap();
    std::io::Write::flush(&mut writer).unwrap();
    asked.check("/", 200, &["Going on now", "<h1>Passing in run 1</h1>"]);
    asked.check(
        "/runs/2",
        200,
        &["<h1>Going on: 1 test so far, none failed</h1>", "data-events=\"/runs/2/events\"", "/live.js"],
    );
}
