//! The whole check against a scripted server: for what a real hub does too rarely.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use net::testing::{Server, answer};

use super::CheckJupyterhub;
use crate::Run;

/// What was asked: `GET /hub/health`.
type Log = Arc<Mutex<Vec<String>>>;

const ABSENT: &str = r#"{"name": "u", "server": null, "servers": {}}"#;
const READY: &str = r#"{"name": "u", "server": "/user/u/", "servers": {"": {"ready": true, "url": "/user/u/", "started": "then"}}}"#;
const SPAWN: &str = r#"{"name": "u", "servers": {"": {"ready": false, "pending": "spawn"}}}"#;
const STOP: &str = r#"{"name": "u", "servers": {"": {"ready": false, "pending": "stop"}}}"#;
const USER: &str = "GET /hub/api/users/u";
const START: &str = "POST /hub/api/users/u/server";
const END: &str = "DELETE /hub/api/users/u/server";
const EVENTS: &str = "GET /hub/api/users/u/server/progress";
const SERVER: &str = "GET /user/u/api";

/// An answer that never comes.
const SILENCE: &str = "silence";

fn json(text: &str) -> String {
    answer("200 OK", "content-type: application/json\r\n", text)
}

fn status(line: &str) -> String {
    answer(line, "", "")
}

/// A hub that gives these answers to these requests, in order, the last one again and again; what else is asked is
/// not found. The request and its answer are one line of the log.
fn hub(answers: &[(&'static str, &[String])]) -> (Server, Log) {
    let mut lines: HashMap<String, Vec<String>> = answers
        .iter()
        .map(|(line, answers)| ((*line).to_owned(), answers.iter().rev().cloned().collect()))
        .collect();
    let usual = [
        ("GET /hub/health", status("200 OK")),
        ("GET /hub/api/user", json(r#"{"name": "u", "scopes": []}"#)),
    ];
    for (line, said) in usual {
        lines.entry(line.to_owned()).or_insert_with(|| vec![said]);
    }
    let log = Log::default();
    let (asked, lines) = (Arc::clone(&log), Mutex::new(lines));
    let server = Server::answering(move |head| {
        let line = head.split(" HTTP/").next().unwrap_or_default();
        let line = line.split('?').next().unwrap_or_default().to_owned();
        asked.lock().unwrap().push(line.clone());
        let said = match lines.lock().unwrap().get_mut(&line) {
            Some(said) if said.len() > 1 => said.pop(),
            Some(said) => said.last().cloned(),
            None => None,
        };
        match said {
            Some(said) if said == SILENCE => {
                std::thread::sleep(Duration::from_secs(3));
                String::new()
            }
            Some(said) => said,
            None => answer("404 Not Found", "content-type: application/json\r\n", r#"{"message": null}"#),
        }
    });
    (server, log)
}

/// The lines that the check prints with these arguments.
fn run(server: &Server, args: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "secret-token").unwrap();
    let (token, url) = (token.display().to_string(), server.url("/").to_string());
    let fixed = ["--format=human", "--name=it", "--token-file", &token, "--op-timeout=1s"];
    let usual =
        if args.iter().any(|arg| arg.starts_with("--timeout")) { [].as_slice() } else { &["--timeout=4s"] };
    let args: Vec<_> = fixed.iter().chain(usual).chain(args).copied().chain([url.as_str()]).collect();
    let outcome = cli::run_with::<Run<CheckJupyterhub>>(&args, b"");
    outcome.output().to_owned()
}

fn chain(server: &Server) -> String {
    run(server, &["--only=server.*", "--probe=deep", "--user=u"])
}

fn expect(lines: &str, aspect: &str, word: &str, reason: &str) {
    let line = lines.lines().find(|line| line.contains(&format!("jupyterhub.it.{aspect}:")));
    let line = line.unwrap_or_else(|| panic!("there is no {aspect} in {lines}"));
    assert!(line.starts_with(word) && line.contains(reason), "{line}\n{lines}");
}

fn count(log: &Log, line: &str) -> usize {
    log.lock().unwrap().iter().filter(|asked| *asked == line).count()
}

/// A hub on which all goes well, with some answers replaced.
fn well(replaced: &[(&'static str, &[String])]) -> (Server, Log) {
    let users = [json(ABSENT), json(READY), json(READY), json(ABSENT)];
    let server = [json(r#"{"version": "2.0"}"#), json(r#"{"version": "2.0"}"#), status("503 Gone")];
    let mut answers: Vec<(&'static str, &[String])> = replaced.to_vec();
    let (started, ended) = ([status("201 Created")], [status("204 No Content")]);
    let state = [json(r#"{"kernels": 0}"#)];
    let usual: [(&'static str, &[String]); 5] = [
        (USER, &users),
        (SERVER, &server),
        ("GET /user/u/api/status", &state),
        (START, &started),
        (END, &ended),
    ];
    answers.extend(usual.into_iter().filter(|(line, _)| replaced.iter().all(|(other, _)| other != line)));
    hub(&answers)
}

#[test]
fn a_server_starts_answers_and_stops() {
    let (server, log) = well(&[]);
    let lines = chain(&server);
    for aspect in ["start", "ready", "api", "stop", "gone"] {
        expect(&lines, &format!("server.{aspect}"), "ok", "");
    }
    assert_eq!((count(&log, START), count(&log, END)), (1, 1), "{lines}");
}

#[test]
fn a_server_that_was_there_is_not_touched() {
    let (server, log) = well(&[(USER, &[json(READY)])]);
    let lines = chain(&server);
    expect(&lines, "server.start", "FAIL", "has a server already, it is ready since then");
    assert_eq!((count(&log, START), count(&log, END)), (0, 0), "{lines}");
    let lines = run(&server, &["--only=stop_session", "--user=u"]);
    expect(&lines, "server.stop", "skip", "has not started the server that u has");
    assert_eq!(count(&log, END), 0, "{lines}");
}

#[test]
fn a_server_that_someone_else_starts_meanwhile_is_not_touched() {
    let taken = answer("400 Bad Request", "", r#"{"status": 400, "message": "u is already running"}"#);
    let (server, log) = well(&[(START, &[taken])]);
    let lines = chain(&server);
    expect(&lines, "server.start", "FAIL", "u is already running");
    assert_eq!(count(&log, END), 0, "{lines}");
}

#[test]
fn a_start_whose_answer_got_lost_is_undone() {
    let (server, log) =
        well(&[(START, &[SILENCE.to_owned()]), (USER, &[json(ABSENT), json(SPAWN), json(ABSENT)])]);
    let lines = run(&server, &["--only=server.*", "--probe=deep", "--user=u", "--timeout=1s"]);
    expect(&lines, "server.start", "FAIL", "did not answer");
    assert_eq!((count(&log, START), count(&log, END)), (1, 1), "{lines}");
    assert!(!lines.contains("clean-up"), "{lines}");
}

#[test]
fn what_cannot_be_stopped_is_told() {
    let (server, _) = well(&[
        (USER, &[json(ABSENT), json(SPAWN)]),
        (START, &[status("202 Accepted")]),
        (END, &[answer("500 Error", "", r#"{"message": "no"}"#)]),
    ]);
    let lines = run(&server, &["--only=server.*", "--probe=deep", "--user=u", "--timeout=1s"]);
    expect(&lines, "server.ready", "FAIL", "not ready");
    expect(&lines, "clean-up", "FAIL", "could not be stopped: 500");
}

#[test]
fn a_server_that_is_being_stopped_is_no_longer_ours_to_stop() {
    let (server, _) = well(&[
        (USER, &[json(ABSENT), json(SPAWN), json(SPAWN), json(STOP)]),
        (START, &[status("202 Accepted")]),
        (END, &[status("202 Accepted")]),
        (EVENTS, &[answer("200 OK", "", "data: {\"failed\": true, \"message\": \"no room\"}\n\n")]),
    ]);
    let lines = chain(&server);
    expect(&lines, "server.ready", "FAIL", "did not start: no room");
    assert!(!lines.contains("clean-up"), "{lines}");
}

#[test]
fn a_hub_with_too_much_to_do_is_asked_again() {
    let busy = answer("429 Too Many", "retry-after: 1\r\n", r#"{"message": "busy"}"#);
    let (server, log) = well(&[(START, &[busy.clone(), status("201 Created")])]);
    expect(&chain(&server), "server.start", "ok", "201");
    assert_eq!(count(&log, START), 2);
    let (server, log) = well(&[(START, &[busy.replace("after: 1", "after: 60")])]);
    expect(&chain(&server), "server.start", "FAIL", "too much to do: 429 Too Many Requests: busy");
    assert_eq!((count(&log, START), count(&log, END)), (1, 0));
}

#[test]
fn events_that_break_off_are_made_up_for_by_asking() {
    let (server, log) = well(&[
        (USER, &[json(ABSENT), json(SPAWN), json(SPAWN), json(READY), json(READY), json(ABSENT)]),
        (START, &[status("202 Accepted")]),
        (EVENTS, &[answer("200 OK", "", "data: {\"progress\": 10, \"message\": \"begun\"}\n\n")]),
    ]);
    let lines = chain(&server);
    expect(&lines, "server.ready", "ok", "");
    expect(&lines, "server.gone", "ok", "");
    assert_eq!(count(&log, EVENTS), 1);
}

#[test]
fn a_start_that_was_given_up_is_not_waited_for() {
    let (server, _) = well(&[
        (USER, &[json(ABSENT), json(SPAWN), json(ABSENT)]),
        (START, &[status("202 Accepted")]),
        (EVENTS, &[status("404 Not Found")]),
    ]);
    let begin = Instant::now();
    expect(&chain(&server), "server.ready", "FAIL", "its start was given up");
    assert!(begin.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_server_that_only_the_hub_knows_of_fails() {
    let (server, _) = well(&[(SERVER, &[answer("503 Service Unavailable", "", "")])]);
    let lines = chain(&server);
    expect(&lines, "server.api", "FAIL", "but it does not answer: 503");
    expect(&lines, "server.stop", "skip", "was not running any more");
    let (server, _) = well(&[(SERVER, &[answer("302 Found", "location: /hub/login\r\n", "")])]);
    expect(&chain(&server), "server.api", "FAIL", "access:servers");
}

#[test]
fn a_server_that_goes_on_is_not_gone() {
    let (server, log) = well(&[(SERVER, &[json(r#"{"version": "2.0"}"#)])]);
    let lines = chain(&server);
    expect(&lines, "server.stop", "ok", "");
    expect(&lines, "server.gone", "FAIL", "but it still answers");
    assert_eq!(count(&log, END), 2, "{lines}");
    let (server, _) = well(&[(USER, &[json(ABSENT), json(READY), json(READY), json(STOP)])]);
    expect(&chain(&server), "server.gone", "FAIL", "not gone: it is pending (stop)");
}

#[test]
fn servers_that_may_not_be_seen_are_not_started() {
    let (server, log) = well(&[(USER, &[json(r#"{"name": "u"}"#)])]);
    expect(&chain(&server), "server.start", "FAIL", "read:servers");
    assert_eq!(count(&log, START), 0);
    let (server, _) = well(&[(USER, &[status("404 Not Found")])]);
    expect(&chain(&server), "server.start", "FAIL", "has no user u");
    let service = json(r#"{"kind": "service", "name": "s"}"#);
    let (server, _) = well(&[("GET /hub/api/user", &[service])]);
    expect(&run(&server, &["--only=server.start"]), "server.start", "FAIL", "of no user");
}

#[test]
fn pages_are_read_to_the_last() {
    let page = |names: &str, next: &str| {
        json(&format!(r#"{{"items": [{names}], "_pagination": {{"total": 3, "next": {next}}}}}"#))
    };
    let one =
        page(r#"{"name": "a"}, {"name": "b"}"#, r#"{"offset": 2, "limit": 2, "url": "http://elsewhere/"}"#);
    let users = "GET /hub/api/users";
    let (server, log) = well(&[(users, &[one.clone(), page(r#"{"name": "c"}"#, "null")])]);
    expect(&run(&server, &["--only=users", "--page-size=2"]), "users", "ok", "3 users");
    assert_eq!(count(&log, users), 2);
    // For ever the first page.
    let (server, _) = well(&[(users, &[one])]);
    expect(
        &run(&server, &["--only=users"]),
        "users",
        "FAIL",
        "begins at 2, and says that the next begins at 2",
    );
    let (server, _) = well(&[(users, &[json(r#"[{"name": "a"}]"#)])]);
    expect(&run(&server, &["--only=users"]), "users", "ok", "1 users");
    let (server, _) = well(&[(users, &[json(r#"{"what": 1}"#)])]);
    expect(&run(&server, &["--only=users"]), "users", "FAIL", "not the JSON");
}

#[test]
fn the_end_of_a_users_token_is_looked_up() {
    let owner = json(r#"{"kind": "user", "name": "u", "token_id": "a1", "scopes": ["servers"]}"#);
    let token = json(r#"{"id": "a1", "expires_at": "2020-01-01T00:00:00.000000Z"}"#);
    let (server, _) = well(&[("GET /hub/api/user", &[owner]), ("GET /hub/api/users/u/tokens/a1", &[token])]);
    expect(&run(&server, &["--only=token"]), "token", "warning", "token_days");
    expect(
        &run(&server, &["--only=token", "--scope=list:users"]),
        "token",
        "FAIL",
        "lacks the scopes list:users",
    );
}

#[test]
fn a_token_is_valid_only_by_the_hubs_own_word() {
    let lines =
        ["401 Unauthorized", "403 Forbidden", "404 Not Found", "500 Error", "502 Bad Gateway", "503 Gone"];
    for line in lines {
        let (server, _) = well(&[("GET /hub/api/user", &[status(line)])]);
        let lines = run(&server, &["--only=token", "--only=users"]);
        expect(&lines, "token", "FAIL", line.split(' ').next().unwrap());
        expect(&lines, "users", "skip", "jupyterhub.it.token");
    }
    // Nor is a page for people, as some proxies answer.
    let (server, _) = well(&[("GET /hub/api/user", &[answer("200 OK", "", "<html>welcome</html>")])]);
    expect(&run(&server, &["--only=token"]), "token", "FAIL", "not the JSON it should be");
    let (server, _) = well(&[("GET /hub/api/user", &[json(r#"{"status": "welcome"}"#)])]);
    expect(&run(&server, &["--only=token"]), "token", "FAIL", "does not say whose token it is");
}

#[test]
fn what_takes_a_token_is_skipped_without() {
    let (server, _) = well(&[("GET /hub/metrics", &[status("403 Forbidden")])]);
    let url = server.url("/").to_string();
    let args = ["--format=human", "--name=it", "--only=token", "--only=users", "--only=metrics", &url];
    let lines = cli::run_with::<Run<CheckJupyterhub>>(&args, b"").output().to_owned();
    for aspect in ["token", "users", "metrics"] {
        expect(&lines, aspect, "skip", "");
    }
}

#[test]
fn options_are_sent_with_their_types() {
    let heads = Arc::new(Mutex::new(String::new()));
    let seen = Arc::clone(&heads);
    let server = Server::new(move |mut stream| {
        use std::io::{Read as _, Write as _};
        let head = net::testing::head(&mut stream);
        let said = match head.starts_with("POST") {
            true => {
                let length = head
                    .lines()
                    .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
                let mut body = vec![0; length.unwrap_or_default()];
                stream.read_exact(&mut body).unwrap();
                seen.lock().unwrap().push_str(&String::from_utf8_lossy(&body));
                status("201 Created")
            }
            false => json(ABSENT),
        };
        let _gone = stream.write_all(said.as_bytes());
    });
    run(&server, &["--only=server.start", "--user=u", "--option=cores=2", "--option=image=a:b"]);
    assert_eq!(*heads.lock().unwrap(), r#"{"cores":2,"image":"a:b"}"#);
}
