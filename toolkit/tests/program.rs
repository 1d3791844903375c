//! The program as a process: by all its names.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use toolkit::links::{self, LinkKind};
use toolkit::{CommandTable as _, Registry};

const PROGRAM: &str = env!("CARGO_BIN_EXE_subunit");
/// The status of a test: it exists.
const PACKET: &[u8] = b"\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b";

fn run(program: &Path, args: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.env_remove("SUBUNIT_REPO").current_dir("/").spawn().unwrap();
    // Who does not read may have ended.
    let _written = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn check(args: &[&str], code: i32, output: &str, errors: &str) {
    let Output { status, stdout, stderr } = run(Path::new(PROGRAM), args, PACKET);
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(
        status.code() == Some(code) && stdout.contains(output) && stderr.contains(errors),
        "{args:?}: {status} {stdout}{stderr}"
    );
}

#[test]
fn a_command_is_called_by_its_words_or_its_name() {
    check(&["ls", "--exists"], 0, "foo\n", "");
    check(&["subunit-ls", "--exists"], 0, "foo\n", "");
    check(&["2csv"], 0, "test,status", "");
    check(&["-C", "/no/such/folder", "list"], 2, "", "subunit list: ");
    check(&["--repository=/no/such/folder", "list"], 2, "", "/no/such/folder");
    check(&["check", "tcp", "--no-such"], 2, "", "Usage: check-tcp ");
    check(&["check-tcp", "--list", "localhost:1", "--format=human"], 0, "tcp.localhost.connect", "");
    check(&["check_tcp", "--no-such"], 3, "UNKNOWN - ", "");
    check(&["ls", "--help"], 0, "Usage: subunit ls ", "");
    check(&["-C", "/", "ls", "--exists"], 0, "foo\n", "");
    check(&["tags", "-h", "x"], 0, "", "");
}

#[test]
fn options_behind_the_command_are_its_own() {
    check(&["exec", "id", "--", "sh", "-c", "exit 3"], 1, "", "");
    check(&["ls", "--version"], 0, concat!("subunit-ls ", env!("CARGO_PKG_VERSION")), "");
    check(&["--version", "ls"], 0, "subunit ", "");
    check(&["--colour", "ls"], 2, "", "--colour");
}

#[test]
fn stats_and_diff_are_of_streams_when_they_name_one() {
    check(&["stats", "-"], 0, "Total tests:", "");
    check(&["stats", "--json"], 0, "{\"", "");
    check(&["stats"], 2, "", "no repository");
    check(&["-C", "/no/such/folder", "stats"], 2, "", "/no/such/folder");
    check(&["-C", "/no/such/folder", "stats", "-"], 0, "Total tests:", "");
    check(&["diff"], 2, "", "no repository");
    check(&["diff", "1", "latest"], 2, "", "no repository");
    check(&["diff", "--slower=3", "-2"], 2, "", "no repository");
    check(&["diff", "-", "no.subunit"], 2, "", "cannot open no.subunit");
    check(&["diff", "1", "./2"], 2, "", "no repository");
    check(&["diff", "./1", "./2"], 2, "", "cannot open ./1");
    check(&["diff", "1", "latset"], 2, "", "invalid value 'latset'");
    check(&["stats", "--help"], 0, "subunit info", "");
    check(&["diff", "--help"], 0, "subunit compare", "");
}

#[test]
fn what_is_misspelt_is_an_error_with_a_suggestion() {
    check(&["lss"], 2, "", "subunit: there is no command `lss`; is it `ls`?");
    check(&["check", "eso"], 2, "", "no command `check eso`; is it `check eos`?");
    check(&["subunit-mxu"], 2, "", "is it `subunit-mux`?");
    check(&["check"], 2, "", "no command `check`");
    check(&["zzz"], 2, "", "there is no command `zzz`; `subunit help` lists all");
    check(&["help", "exit-cods"], 2, "", "is it `exit-codes`?");
    check(&[], 2, "", "\nCheck a running service:\n");
}

#[test]
fn help_shows_all_commands_one_or_a_topic() {
    for entry in Registry::entries() {
        let words = entry.words();
        let line = format!("\n  {words:17} {}\n", entry.about());
        check(&["help"], 0, &line, "");
    }
    check(&["--help"], 0, "\nTopics of `subunit help`:\n", "");
    check(&["help", "check", "eos"], 0, "Usage: check-eos ", "");
    check(&["help", "load"], 0, "Usage: subunit load ", "");
    check(&["help", "subunit-tags"], 0, "Usage: subunit-tags ", "");
    check(&["help", "exit-codes"], 0, "\n  5    all that ran passed", "");
    for topic in ["concepts", "formats", "routes"] {
        check(&["help", topic], 0, "\n", "");
    }
}

#[test]
fn each_name_is_the_command() {
    // Hard links are made within a file system.
    let folder = tempfile::tempdir_in(Path::new(PROGRAM).parent().unwrap()).unwrap();
    for kind in [LinkKind::Symbolic, LinkKind::Hard] {
        links::make(Path::new(PROGRAM), folder.path(), &links::names::<Registry>(), kind).unwrap();
        for entry in Registry::entries() {
            let Some(link) = entry.link() else { continue };
            let version = run(&folder.path().join(link), &["--version"], b"");
            let version = String::from_utf8(version.stdout).unwrap();
            assert!(version.starts_with(&format!("{link} {}", env!("CARGO_PKG_VERSION"))), "{version}");
        }
    }
}

#[test]
fn a_link_of_any_name_is_what_it_leads_to_or_begins_with() {
    let folder = tempfile::tempdir().unwrap();
    let check = |link: &str, target: &str, args: &[&str], code: i32, output: &str| {
        let path = folder.path().join(link);
        std::os::unix::fs::symlink(target, &path).unwrap();
        let Output { status, stdout, .. } = run(&path, args, PACKET);
        let stdout = String::from_utf8_lossy(&stdout);
        assert!(status.code() == Some(code) && stdout.contains(output), "{link}: {status} {stdout}");
    };
    check("subunit-ls", PROGRAM, &["--exists"], 0, "foo\n");
    check("new", "subunit-ls", &["--exists"], 0, "foo\n");
    check("newer", "./new", &["--exists"], 0, "foo\n");
    check("check-tcp", PROGRAM, &["--no-such"], 2, "");
    check("port", "check-tcp", &["--list", "localhost:1", "--format=human"], 0, "tcp.localhost.connect");
    for name in ["check_tcp_ssh", "check_tcp2", "check_TCP", "check_tcp.bin"] {
        check(name, PROGRAM, &["--no-such"], 3, "UNKNOWN - ");
    }
    check("check_tcpx", PROGRAM, &["--fstype", "any"], 3, "no command `check_tcpx`");
    check("check-eso", PROGRAM, &[], 2, "");
    check("subunit-0.1", PROGRAM, &["ls", "--exists"], 0, "foo\n");
}

#[test]
fn links_are_made_of_all_names_or_some() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bin");
    check(&["links", "--only=check-*", "--only=*2subunit", path.to_str().unwrap()], 0, "", "");
    assert!(path.join("check-all").is_symlink() && path.join("tap2subunit").is_symlink());
    assert!(!path.join("subunit-ls").exists());
    std::fs::write(path.join("subunit-ls"), "mine").unwrap();
    check(&["links", path.to_str().unwrap()], 2, "", "subunit-ls; move them away first");
    std::fs::remove_file(path.join("subunit-ls")).unwrap();
    check(&["links", path.to_str().unwrap()], 0, "", "");
    let listed = run(&path.join("subunit-ls"), &["--exists"], PACKET);
    assert_eq!(listed.stdout, b"foo\n");
    assert!(!path.join("check_eos").exists());
    check(&["links", "--only=check_*", path.to_str().unwrap()], 0, "", "");
    assert_eq!(run(&path.join("check_eos"), &["--no-such"], b"").status.code(), Some(3));
}

#[test]
fn completions_that_nobody_reads_are_no_panic() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let (reader, closed) = std::io::pipe().unwrap();
    drop(reader);
    for (output, code) in [(Stdio::from(full), 2), (Stdio::from(closed), 141)] {
        let status = Command::new(PROGRAM).args(["completions", "bash"]).stdout(output).status().unwrap();
        assert_eq!(status.code(), Some(code));
    }
}

#[test]
fn pages_and_completions_are_written_for_all_names() {
    let folder = tempfile::tempdir().unwrap();
    let [man, bash] = ["man", "bash"].map(|name| folder.path().join(name));
    check(&["man", man.to_str().unwrap()], 0, "", "");
    check(&["completions", "bash", "--to", bash.to_str().unwrap()], 0, "", "");
    for entry in Registry::entries() {
        let page = std::fs::read_to_string(man.join(format!("{}.1", entry.name.replace(' ', "-")))).unwrap();
        assert!(page.contains("\n.SH EXAMPLES\n") && page.contains("\n.SH \"EXIT STATUS\"\n"), "{page}");
        assert!(entry.link().is_none_or(|link| bash.join(format!("{link}.bash")).exists()));
    }
    let overview = std::fs::read_to_string(man.join("subunit.1")).unwrap();
    assert!(
        overview.contains("\n.SH OPTIONS\n") && overview.contains("Use the repository in DIR"),
        "{overview}"
    );
    for shell in ["bash", "zsh", "fish", "powershell"] {
        check(&["completions", shell], 0, "subunit2junitxml", "");
    }
    // A topic of `subunit help`, and a command.
    for word in ["exit-codes", "failing"] {
        check(&["completions", "bash"], 0, &format!(" {word} "), "");
    }
}
