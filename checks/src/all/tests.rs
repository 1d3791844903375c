//! `check-all` in this process: what it says of configurations, and what it makes of processes.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cli::Verdict;
use process::{Deadline, Interrupt};
use streamresult::StreamResult;
use subunit::{Event, Status};
use transport::Local;

use super::child::{Ended, Job};
use super::schedule::Schedule;
use super::unit::Units;
use super::*;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/subunit-checks.toml");
const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/subunit-checks.schema.json");

/// Runs `check-all` on a file of this name and text.
fn run(name: &str, text: &str, args: &[&str]) -> cli::RunOutput {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    let mut all = vec![format!("--config={}", path.display())];
    if !args.iter().any(|arg| arg.starts_with("--format")) {
        all.push("--format=human".to_owned());
    }
    all.extend(args.iter().map(|arg| (*arg).to_owned()));
    let all: Vec<_> = all.iter().map(String::as_str).collect();
    cli::run_with::<CheckAll>(&all, b"")
}

fn check_config(name: &str, text: &str, expected: Result<(), &str>) {
    let outcome = run(name, text, &["--check-config"]);
    match expected {
        Ok(()) => assert_eq!((outcome.verdict, outcome.errors()), (Verdict::Passed, "")),
        Err(words) => {
            assert_eq!(outcome.verdict, Verdict::Error, "{text}");
            assert!(outcome.errors().contains(words), "{} does not say {words}", outcome.errors());
        }
    }
}

fn toml(text: &str, expected: Result<(), &str>) {
    check_config("checks.toml", text, expected);
}

#[test]
fn the_example_is_sound() {
    let outcome = cli::run_with::<CheckAll>(&["--check-config", "--config", EXAMPLE], b"");
    assert_eq!((outcome.verdict, outcome.errors()), (Verdict::Passed, ""));
}

#[test]
fn the_published_schema_is_the_one_that_is_printed() {
    let outcome = cli::run_with::<CheckAll>(&["--schema"], b"");
    if std::env::var_os("SUBUNIT_BLESS").is_some() {
        fs::write(SCHEMA, outcome.output()).unwrap();
    }
    let published = fs::read_to_string(SCHEMA).unwrap_or_default();
    assert!(outcome.output() == published, "check-all --schema > docs/subunit-checks.schema.json");
    let schema: serde_json::Value = serde_json::from_str(outcome.output()).unwrap();
    let checks = schema.pointer("/properties/target/items/oneOf").unwrap().as_array().unwrap();
    assert_eq!(checks.len(), registry::CHECKS.len());
    assert!(schema.pointer("/$defs/timeout/default").is_some());
}

#[test]
fn mistakes_are_told_with_their_lines() {
    let eos = |rest: &str| format!("[[target]]\nname = 'user'\ncheck = 'eos'\n{rest}");
    toml(&eos("path = '/eos/user'"), Ok(()));
    toml(
        &eos("pth = '/eos/user'"),
        Err("checks.toml: line 4: target user: check-eos has no `pth`; is it `path`?"),
    );
    toml(&eos("path = '/eos'\n\ntimeout = 'soon'"), Err("line 6: target user: invalid value 'soon'"));
    toml(&eos("path = '/eos'\nonly = ['wrtable']"), Err("line 5: target user: `wrtable` matches no test"));
    toml(&eos("path = '/eos'\nwarning = 'speed=1'"), Err("line 5: target user: there is no metric `speed`"));
    let thresholds =
        "path = '/eos'\n[target.thresholds]\nresponse_seconds = { warning = '1s' }\nsped = { critical = 1 }";
    toml(&eos(thresholds), Err("line 7: target user: there is no metric `sped`"));
    toml(&eos("fstype = 'any'"), Err("line 1: target user: it does not say what to check"));
    toml(
        "[[target]]\nname = 'a'\ncheck = 'eso'\npath = '/'",
        Err("line 3: target a: there is no check `eso`; is it `eos`?"),
    );
    toml(
        "[defaults]\ntimeot = '1s'\n[[target]]\nname = 'a'\ncheck = 'eos'\npath = '/'",
        Err("line 2: target a: check-eos has no `timeot`; is it `timeout`?"),
    );
    toml(&eos("path = '/eos'\ndir = ['a', 'b']"), Err("line 5: target user: `dir` is one value"));
    toml(&eos("path = '/eos'\ntimeout = ['5s']"), Err("line 5: target user: `timeout` is one value"));
    toml(
        &eos("path = '/eos'\nthresholds.load = { warning = [1, 2] }"),
        Err("line 5: target user: `load` is one value"),
    );
    toml(&eos("path = '/eos'\nread_file = 'a'\nread-file = 'b'"), Err("are the same option"));
    toml(&eos("path = '/eos'\ntag = 'a'\ntags = 'b'"), Err("`tag` and `tags` are the same option"));
    toml("[[targt]]\n", Err("line 1: there is no `targt`; is it `target`?"));
    toml("", Err("checks.toml has no targets"));
    toml(
        &eos("path = '/eos'\nafter = ['usr']"),
        Err("line 5: target user: `after` names usr, which is not a target"),
    );
}

#[test]
fn a_password_in_an_address_is_shown_nowhere() {
    for check in ["http", "jupyterhub", "proxy"] {
        let text =
            format!("[[target]]\nname = 'x'\ncheck = '{check}'\nurl = 'http://admin:hunter2@127.0.0.1:9/'\n");
        for args in [&["--format=nagios"][..], &["--check-config"], &["--print-config"], &["--list"]] {
            let outcome = run("checks.toml", &text, args);
            let said = format!("{}{}", outcome.output(), outcome.errors());
            assert!(!said.contains("hunter2") && !said.is_empty(), "{args:?}: {said}");
        }
    }
    let typed = cli::run_with::<crate::Run<crate::http::CheckHttp>>(&["http://u:hun/ter2@h/"], b"");
    assert!(typed.errors().contains("'http://[redacted]@h/'"), "{}", typed.errors());
    assert!(!typed.errors().contains("ter2"), "{}", typed.errors());
}

#[test]
fn a_token_that_cannot_be_read_is_a_finding_not_a_mistake() {
    let text =
        "[[target]]\nname = 'web'\ncheck = 'http'\nurl = 'http://127.0.0.1:9'\ntoken-file = '/no/such'\n";
    toml(text, Err("target web: cannot read the token from /no/such"));
    let outcome = run("checks.toml", text, &[]);
    assert_eq!(outcome.verdict, Verdict::Failed);
    let expected = "FAIL      http.web.resolve: cannot read the token from /no/such";
    assert!(outcome.output().starts_with(expected), "{}", outcome.output());
}

const TWO: &str = "[defaults]\ntimeout = '3s'\n[[target]]\nname = 'b'\ncheck = 'command'\ncommand = ['true', '-x']\nafter = ['a']\n\
    [[target]]\nname = 'a'\ncheck = 'eos'\npath = '/eos/u'\nprobe = 'liveness'\ntags = ['x', 'y']\n";

#[test]
fn lists_the_tests_of_all_targets() {
    let list = |args: &[&str], expected| {
        let outcome = run("checks.toml", TWO, &[&["--list"], args].concat());
        assert_eq!((outcome.output(), outcome.errors()), (expected, ""));
    };
    let of_a = "eos.a.mounted\neos.a.requests-pending\neos.a.responsive\n";
    list(&[], "eos.a.mounted\neos.a.requests-pending\neos.a.responsive\ncommand.b.result\n");
    list(&["--name=a"], of_a);
    list(&["--only=command.*"], "command.b.result\n");
    list(&["--skip=mounted", "--probe=startup"], "eos.a.responsive\ncommand.b.result\n");
    let outcome = run("checks.toml", TWO, &["--list", "--name=c"]);
    assert!(outcome.errors().contains("has no target c"), "{}", outcome.errors());
    let outcome = run("checks.toml", TWO, &["--list", "--only=nothing"]);
    assert!(outcome.errors().contains("`nothing` matches no test"), "{}", outcome.errors());
    let outcome = run("checks.toml", TWO, &["--list", "-w", "speed=1"]);
    assert!(outcome.errors().contains("there is no metric `speed`"), "{}", outcome.errors());
    let outcome = run("checks.toml", TWO, &["--list", "-w", "elapsed_seconds=1"]);
    assert_eq!(outcome.verdict, Verdict::Passed, "{}", outcome.errors());
}

#[test]
fn what_is_printed_is_a_configuration_that_says_the_same() {
    let args = ["--print-config", "--timeout=7s", "--tag=z"];
    let printed = run("checks.toml", TWO, &args);
    for line in
        ["timeout = \"7s\"", "tag = [\"x\", \"y\", \"z\"]", "command = [\"true\", \"-x\"]", "after = [\"a\"]"]
    {
        assert!(printed.output().contains(&format!("{line}\n")), "no {line} in {}", printed.output());
    }
    toml(printed.output(), Ok(()));
    let again = run("checks.toml", printed.output(), &["--print-config"]);
    let without_head = |text: &str| text.split_once('\n').unwrap().1.to_owned();
    assert_eq!(without_head(again.output()), without_head(printed.output()));
}

/// The keys of SWAN's own file.
const SWAN: &str = "
tests:
  storage:
    mount_sanity:
      timeout: 8
      mountpoints: ['user/u/user2/']
    write:
      fileSize: 1M
    delete: {fileName: '0.txt'}
    throughput:
      fileNumber: 10
      fileSize: 1M
    checksum: {fileNumber: 10, fileSize: 2M}
    statFile:
      filepath: \"eos/user/u/user2/\"
  cvmfs:
    mount: {repoName: sft.cern.ch, repoPath: cvmfs/sft.cern.ch/}
    ttfb: {repoPath: cvmfs/sft.cern.ch/, filePath: cvmfs/sft.cern.ch/lcg/lastUpdate}
  database:
    servers: {user: user2, table: servers, mode: 1, path: jupyterhub.sqlite}
  jupyterhub_api:
    check_api: {port: '443', TLS: False, base_path: \"\"}
    create_session:
      port: '443'
      users: ['user2']
      token: 'hunter2'
      params: {LCG-rel: LCG_95a, ncores: 2}
      timedelay: 30
    stop_session:
      port: '443'
      users: ['user2']
  user_docker:
    docker: {container_name: jupyter-user2, timeout: 5}
output:
  stdout: True
  logfile: {logging: True, filepath: ''}
  grafana: {push: False, hostname: '', port: '80', namespace: 'swan'}
";

#[test]
fn swans_own_file_is_a_configuration() {
    check_config("test.yaml", SWAN, Ok(()));
    let printed = run("test.yaml", SWAN, &["--print-config"]);
    assert!(!printed.output().contains("hunter2") && !printed.output().contains("/proc/"));
    let lines = [
        "path = \"/eos/user/u/user2\"",
        "only = [\"mount_sanity\", \"write\", \"delete\", \"throughput\"]",
        "timeout = \"8s\"",
        "size = \"1MiB\"",
        "size = \"2MiB\"",
        "file = \"lcg/lastUpdate\"",
        "url = \"https://localhost:443\"",
        "token-file = \"[redacted]\"",
        "option = ['LCG-rel=\"LCG_95a\"', \"ncores=2\"]",
        "timeout = \"30s\"",
        "insecure = true",
        "container = \"jupyter-user2\"",
    ];
    for line in lines {
        assert!(printed.output().contains(&format!("{line}\n")), "no {line} in {}", printed.output());
    }
    let listed = run("test.yaml", SWAN, &["--list", "--only=jupyterhub.*", "--only=eos.user2*"]);
    for id in [
        "jupyterhub.hub.server.start",
        "jupyterhub.hub.version",
        "eos.user2.responsive",
        "eos.user2-2.integrity",
    ] {
        assert!(listed.output().contains(&format!("{id}\n")), "no {id} in {}", listed.output());
    }
}

#[test]
fn misspelt_twins_are_the_same_keys() {
    let both = [
        ("fileSize: 1M", "file_size: 1M"),
        ("timedelay: 30", "delay: 30"),
        ("TLS: False", "verify: False"),
        ("table: servers", "table_name: servers"),
        ("mode: 1", "mode: active"),
        ("  jupyterhub_api:", "  jupyterhub-api:"),
        ("  cvmfs:", "  CVMFS:"),
    ];
    let swapped = both.iter().fold(SWAN.to_owned(), |text, (one, other)| text.replace(one, other));
    let print = |text: &str| {
        run("test.yaml", text, &["--print-config"])
            .output()
            .lines()
            .skip(1)
            .map(str::to_owned)
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(print(&swapped), print(SWAN));
}

#[test]
fn mistakes_in_swans_file_are_told_with_their_lines() {
    let yaml = |text: &str, words| check_config("test.yaml", text, Err(words));
    yaml(
        "tests:\n  storage:\n    write:\n      fileSiz: 1M\n",
        "line 4: `write` has no `fileSiz`; is it `fileSize`?",
    );
    yaml("tests:\n  storage:\n    writ: {}\n", "line 3: `storage` has no test `writ`; is it `write`?");
    yaml("tests:\n  storag: {}\n", "line 2: there are no tests of `storag`; is it `storage`?");
    yaml("test: {}\n", "line 1: there is no `test`; is it `tests`?");
    yaml("tests: {}\noutput:\n  grafan: {}\n", "line 3: `output` has no `grafan`; is it `grafana`?");
    yaml("tests:\n  storage:\n    write: {fileSize: big}\n", "`big` is not a size");
    yaml("tests:\n  storage:\n    write:\n      filePath: [a, b]\n", "line 4: `filePath` is one value");
    yaml("tests:\n  storage:\n    write: [a]\n", "line 3: `write` holds keys and values");
    yaml(
        "tests:\n  storage:\n    write:\n      filePath: a\n      file_path: b\n",
        "`file_path` is there already",
    );
    yaml("tests:\n  cvmfs: 7\n", "line 2: `cvmfs` holds keys and values");
    yaml("tests: [\n", "test.yaml: ");
}

/// What is known of a run: of each test, its last status, its tags and its reason.
#[derive(Default)]
struct Seen(HashMap<String, (Status, Vec<String>, String)>);

impl StreamResult for Seen {
    fn status(&mut self, event: &Event<'_>) -> std::io::Result<()> {
        assert!(event.route_code.is_some_and(|code| code.starts_with("host/")), "{event:?}");
        let Some(id) = event.test_id else { return Ok(()) };
        let seen = self.0.entry(id.to_owned()).or_insert((Status::Exists, Vec::new(), String::new()));
        seen.0 = event.status.unwrap_or(seen.0);
        seen.1.extend(event.tags.iter().map(str::to_owned));
        if let Some(file) = event.file.filter(|file| file.name == "reason") {
            seen.2.push_str(std::str::from_utf8(file.bytes).unwrap());
        }
        Ok(())
    }
}

impl Seen {
    fn expect(&self, id: &str, status: Status, reason: &str) {
        let (found, _, why) = self.0.get(id).unwrap_or_else(|| panic!("no {id} among {:?}", self.0.keys()));
        assert!(*found == status && why.contains(reason), "{id}: {found} {why}");
    }
}

/// A program that is this script.
fn script(folder: &Path, text: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;

    let program = folder.join("check");
    fs::write(&program, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    program
}

/// Runs the targets of a file, each as a shell with this script instead of the check.
fn run_as(folder: &Path, script: &str, text: &str, time: Option<Duration>) -> (Seen, Verdict) {
    let program = self::script(folder, script);
    let config = Config::parse(text).unwrap();
    let CheckAll { probe, remote, .. } = clap::Parser::parse_from(["check-all"]);
    let Units { units, plan } = Units::new(&config, &probe, &remote, &Given::default()).unwrap();
    let interrupt = Interrupt::never();
    let schedule = Schedule {
        units: &units,
        program: program.display().to_string(),
        jobs: 16,
        time,
        host: Some("host".to_owned()),
        redactor: Redactor::new(&plan.secrets()),
        interrupt: &interrupt,
        remote: &Remote::default(),
    };
    let mut seen = Seen::default();
    let verdict = schedule.run(&mut seen, &mut Vec::new()).unwrap();
    (seen, verdict)
}

fn commands(names: &[(&str, &str)]) -> String {
    let target = |(name, after): &(&str, &str)| {
        format!("[[target]]\nname = '{name}'\ncheck = 'command'\ncommand = 'x'\nafter = [{after}]\n")
    };
    names.iter().map(target).collect()
}

/// Packets of a test, as a script that writes them.
fn says(folder: &Path, name: &str, id: &str, statuses: &[Status]) -> String {
    let mut writer = subunit::io::Writer::new(Vec::new());
    for status in statuses {
        writer.write(&Event::status(id, *status)).unwrap();
    }
    let path = folder.join(name);
    fs::write(&path, writer.into_inner().unwrap()).unwrap();
    format!("cat {}", path.display())
}

fn of_one(script: impl Fn(&Path) -> String, expected: (Status, &str), verdict: Verdict) {
    let folder = tempfile::tempdir().unwrap();
    let script = script(folder.path());
    let (seen, found) = run_as(folder.path(), &script, &commands(&[("a", "")]), Some(Duration::from_secs(1)));
    seen.expect("command.a.result", expected.0, expected.1);
    assert_eq!(found, verdict);
}

const DONE: &[Status] = &[Status::Exists, Status::InProgress, Status::Success];
const BEGUN: &[Status] = &[Status::Exists, Status::InProgress];

#[test]
fn a_process_that_dies_fails_the_test_it_was_at() {
    let id = "command.a.result";
    of_one(|folder| says(folder, "x", id, DONE), (Status::Success, ""), Verdict::Passed);
    of_one(
        |folder| format!("{}; kill -9 $$", says(folder, "x", id, BEGUN)),
        (Status::Fail, "check-command ended by killed by signal 9 (SIGKILL)"),
        Verdict::Failed,
    );
    of_one(
        |_| "echo no memory >&2; exit 101".to_owned(),
        (Status::Fail, "it was not run: check-command ended by exit code 101: no memory"),
        Verdict::Failed,
    );
    of_one(|_| String::new(), (Status::Fail, "ended without a result of this test"), Verdict::Failed);
}

#[test]
fn a_process_that_writes_nonsense_is_a_failure() {
    let id = "command.a.result";
    let folder = tempfile::tempdir().unwrap();
    let script = format!("{}; echo nonsense", says(folder.path(), "x", id, DONE));
    let (seen, verdict) = run_as(folder.path(), &script, &commands(&[("a", "")]), None);
    seen.expect(id, Status::Success, "");
    seen.expect("command.a.run", Status::Fail, "check-command wrote something other than subunit, at byte ");
    assert_eq!(verdict, Verdict::Failed);
    of_one(
        |_| "printf '\\263nonsense'".to_owned(),
        (Status::Fail, "other than subunit, at byte 0"),
        Verdict::Failed,
    );
}

#[test]
fn a_process_that_hangs_is_ended_in_time() {
    for hang in ["sleep 60", "kill -STOP $$", "trap '' TERM; while :; do sleep 1; done", "yes | tr -d y"] {
        let begin = Instant::now();
        of_one(
            |folder| format!("{}; {hang}", says(folder, "x", "command.a.result", BEGUN)),
            (Status::Fail, "check-command did not end in its time and was ended: process"),
            Verdict::Failed,
        );
        assert!(begin.elapsed() < Duration::from_secs(20), "{hang}: {:?}", begin.elapsed());
    }
}

#[test]
fn what_a_process_leaves_behind_keeps_nobody_waiting() {
    let begin = Instant::now();
    let script = |folder: &Path| format!("sleep 50 & {}", says(folder, "x", "command.a.result", DONE));
    of_one(script, (Status::Success, ""), Verdict::Passed);
    assert!(begin.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_target_whose_dependency_failed_is_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let fail = says(folder.path(), "fail", "command.a.result", &[Status::InProgress, Status::Fail]);
    let other = says(folder.path(), "other", "command.d.result", DONE);
    let script = format!("case \"$*\" in *name=a*) {fail}; exit 1;; *name=d*) {other};; *) exit 9;; esac");
    let text = commands(&[("c", "'b'"), ("b", "'a'"), ("a", ""), ("d", "")]);
    let (seen, verdict) = run_as(folder.path(), &script, &text, None);
    seen.expect("command.b.result", Status::Skip, "it builds on a, of which command.a.result failed");
    seen.expect(
        "command.c.result",
        Status::Skip,
        "it builds on b, which was skipped since command.a.result failed",
    );
    seen.expect("command.d.result", Status::Success, "");
    assert_eq!(verdict, Verdict::Failed);
}

#[test]
fn what_could_not_begin_in_time_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let script = format!("{}; sleep 1", says(folder.path(), "x", "command.a.result", DONE));
    let text = commands(&[("a", ""), ("b", "'a'")]);
    let (seen, _) = run_as(folder.path(), &script, &text, Some(Duration::from_millis(900)));
    seen.expect("command.b.result", Status::Fail, "the time for all targets (900 ms) was up");
}

#[test]
fn the_tests_to_run_are_told_to_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let program = script(folder.path(), "cat /dev/stdin >&2; echo $* >&2; exit 9");
    let tests = ["a", "b"].map(str::to_owned).into();
    let deadline = Deadline::after(Duration::from_secs(5));
    let job =
        Job::here(&program.display().to_string(), "fake", &[OsString::from("--path=/x")], tests, deadline);
    let Ended { stderr, fault, .. } = job.run(&Local, &Interrupt::never(), |_| panic!("no packets"));
    assert_eq!(stderr, "a\nb\n--internal-check fake --path=/x");
    let words = "check-fake ended by exit code 9: --internal-check fake --path=/x";
    assert_eq!(fault.as_deref(), Some(words));
}

#[test]
fn only_processes_of_our_own_are_internal() {
    let check = |args: &[&str]| {
        let args: Vec<_> = args.iter().map(OsString::from).collect();
        assert!(internal(&args).is_none(), "{args:?}");
    };
    check(&["check-eos", "/eos"]);
    check(&["check-all", "--config", "--internal-far"]);
    check(&["check-eos", "--internal-task", "{}"]);
    check(&["check-fake", "--internal-check", "fake"]);
    check(&["check-fake", "--internal-check"]);
    check(&[]);
}

const FAR: &str = "[defaults]\non = 'ssh:w'\n[[target]]\nname = 'a'\ncheck = 'eos'\npath = '/eos/u'\n\
    [[target]]\nname = 'b'\ncheck = 'command'\ncommand = 'true'\non = ['local', 'container:hub']\nafter = ['a']\n";

#[test]
fn results_are_from_where_they_were_found() {
    let routes = |args: &[&str], expected: &[&str]| {
        let outcome = run("checks.toml", FAR, &[&["--format=json", "--list", "--route=here"], args].concat());
        let lines =
            outcome.output().lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let routes: BTreeSet<_> =
            lines.filter_map(|line| Some(line.get("route_code")?.as_str()?.to_owned())).collect();
        assert_eq!(
            routes,
            expected.iter().map(|route| (*route).to_owned()).collect(),
            "{}",
            outcome.output()
        );
    };
    routes(&[], &["w/a", "here/b", "hub/b"]);
    routes(&["--session=u"], &["jupyter-u/a", "here/b", "hub/b"]);
    routes(&["--target=ssh:x:22", "--target=local"], &["x:22/a", "here/a", "x:22/b", "here/b"]);
}

#[test]
fn from_where_is_printed_as_it_holds() {
    let printed = run("checks.toml", FAR, &["--print-config"]);
    for line in ["on = [\"ssh:w\"]", "on = [\"local\", \"container:hub\"]"] {
        assert!(printed.output().contains(&format!("{line}\n")), "no {line} in {}", printed.output());
    }
    toml(printed.output(), Ok(()));
    let here = run("checks.toml", FAR, &["--print-config", "--target=local"]);
    assert!(!here.output().contains("on = "), "{}", here.output());
    toml(
        &FAR.replace("container:hub", "container:"),
        Err("line 11: target b: `` is not a container: [USER@]NAME"),
    );
}

#[test]
fn what_needs_libraries_is_not_copied() {
    // These tests are such a program themselves.
    if cfg!(target_feature = "crt-static") {
        return;
    }
    let outcome = run("checks.toml", FAR, &[]);
    assert_eq!(outcome.verdict, Verdict::Error);
    for words in ["this program cannot be copied", "linked dynamically", "+crt-static", "--remote-binary"] {
        assert!(outcome.errors().contains(words), "{}", outcome.errors());
    }
    let listed = run("checks.toml", FAR, &["--list"]);
    assert_eq!(listed.verdict, Verdict::Passed, "{}", listed.errors());
}

#[test]
fn a_check_of_its_own_leaves_alone_what_is_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checks.toml");
    let check = |on: &str, expected: &str| {
        let other = "[[target]]\nname = 'b'\ncheck = 'command'\ncommand = 'true'\n";
        let text =
            format!("[[target]]\nname = 'a'\ncheck = 'tcp'\nplace = '127.0.0.1:1'\non = {on}\n{other}");
        fs::write(&path, text).unwrap();
        let args = ["--list", "--format=human", "--config", path.to_str().unwrap()];
        let outcome = cli::run_with::<crate::Run<crate::tcp::CheckTcp>>(&args, b"");
        assert!(
            format!("{}{}", outcome.output(), outcome.errors()).contains(expected),
            "{on} {}",
            outcome.errors()
        );
    };
    check("'local'", "tcp.a.connect");
    check("['ssh:w', 'local']", "tcp.a.connect");
    check("'ssh:w'", "are looked at from elsewhere (`on`), which check-all does");
}
