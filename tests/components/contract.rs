//! What holds for every check, by running each.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use process::{Exit, Finished};

use crate::pipeline::{binary, complete};
use crate::{Need, Scenario};

pub(crate) const SCENARIOS: &[Scenario] = &[
    scenario("components.contract.lists", &[], lists),
    scenario("components.contract.nothing-selected", &[], nothing_selected),
    scenario("components.contract.formats", &[], formats),
    scenario("components.contract.plugin-names", &[], plugin_names),
    scenario("components.contract.output-gone", &[], output_gone),
    scenario(
        "components.contract.bare-environment",
        &[Need::Root, Need::Program("setpriv")],
        bare_environment,
    ),
    scenario("components.contract.no-secret-is-shown", &[], no_secret_is_shown),
];

const fn scenario(id: &'static str, needs: &'static [Need], run: fn() -> anyhow::Result<()>) -> Scenario {
    Scenario { id, needs, run }
}

/// Every check, with a target that is not there: what it says of one that is, others test.
const CHECKS: &[(&str, &[&str])] = &[
    ("eos", &["/no/such/folder"]),
    ("cvmfs", &["no-such.example.org"]),
    ("jupyterhub", &["http://127.0.0.1:9/"]),
    ("database", &["/no/such/hub.sqlite"]),
    ("container", &["--socket=unix:/no/such/socket", "it"]),
    ("proxy", &["http://127.0.0.1:9/"]),
    ("http", &["http://127.0.0.1:9/"]),
    ("tcp", &["127.0.0.1:9"]),
    ("command", &["--", "sh", "-c", "exit 2"]),
];

fn command(check: &str, options: &[&str], target: &[&str]) -> Command {
    let mut command = Command::new(binary(&format!("check-{check}")));
    command.args(options).args(target).stdin(Stdio::null());
    command
}

fn run(check: &str, options: &[&str], target: &[&str]) -> anyhow::Result<Finished> {
    Ok(complete(&mut command(check, options, target))?)
}

fn expect(check: &str, done: &Finished, code: i32) -> anyhow::Result<()> {
    let (stdout, stderr) = (done.stdout.text(), done.stderr.text());
    ensure!(done.ending.exit == Exit::Exited(code), "check-{check}: {}: {stdout}{stderr}", done.ending.exit);
    Ok(())
}

/// What is listed can be asked for, and nothing else is done then.
fn lists() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let list = folder.path().join("list");
    for (check, target) in CHECKS {
        let all = run(check, &["--list", "--probe=deep", "--format=human"], target)?;
        expect(check, &all, 0)?;
        let all = all.stdout.text();
        ensure!(all.lines().count() > 0 && all.starts_with(&format!("{check}.")), "check-{check}: {all:?}");
        let some: String = all.lines().step_by(2).map(|line| format!("{line}\n")).collect();
        fs::write(&list, &some)?;
        let option = format!("--load-list={}", list.display());
        let again = run(check, &["--list", "--probe=deep", "--format=human", &option], target)?;
        ensure!(again.stdout.text() == some, "check-{check}: {:?} is not {some:?}", again.stdout.text());
        let dry = run(check, &["--dry-run", "--probe=deep", "--format=human", &option], target)?;
        expect(check, &dry, 0)?;
        let words = some.lines().zip(dry.stdout.text().lines().map(str::to_owned)).all(|(id, line)| {
            line.strip_prefix(id).is_some_and(|about| about.starts_with(": ") && about.len() > 10)
        });
        ensure!(words, "check-{check} does not say what it would do: {}", dry.stdout.text());
    }
    Ok(())
}

/// A choice of nothing is a mistake, and not a success.
fn nothing_selected() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let empty = folder.path().join("empty");
    fs::write(&empty, "")?;
    let load = format!("--load-list={}", empty.display());
    for (check, target) in CHECKS {
        for option in
            ["--only=no-such", "--skip=no-such", "--skip=*", &load, "--no-such", "--critical=speed=x"]
        {
            let done = run(check, &[option], target)?;
            expect(check, &done, 2)?;
            ensure!(
                done.stdout.text().is_empty() && !done.stderr.text().is_empty(),
                "check-{check} {option}"
            );
        }
    }
    Ok(())
}

/// All renderings are what they claim to be.
fn formats() -> anyhow::Result<()> {
    for (check, target) in CHECKS {
        for (format, begins, ends) in [
            ("human", "", " skipped\n"),
            ("json", "{\"", "}\n"),
            ("nagios", &*format!("{} ", check.to_uppercase()), "\n"),
            ("openmetrics", "# ", "# EOF\n"),
            ("junit", "<?xml ", "</testsuites>\n"),
            ("subunit", "\u{fffd}", ""),
        ] {
            let done = run(check, &[&format!("--format={format}")], target)?;
            expect(check, &done, if format == "nagios" { 2 } else { 1 })?;
            let text = done.stdout.text();
            ensure!(
                text.starts_with(begins) && text.ends_with(ends),
                "check-{check} --format {format}: {text}"
            );
            // In a packet any byte may be.
            let is_coloured = format != "subunit" && text.contains('\u{1b}');
            ensure!(!is_coloured, "check-{check} --format {format} is coloured: {text}");
        }
    }
    Ok(())
}

/// By the name of a plugin it is one: its exit codes, also for mistakes, and one line that says what is wrong.
fn plugin_names() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    for (check, target) in CHECKS {
        let link = folder.path().join(format!("check_{check}"));
        symlink(binary(&format!("check-{check}")), &link)?;
        let run = |arguments: &[&str], code: i32, word: &str| {
            let done = complete(Command::new(&link).args(arguments).stdin(Stdio::null()))?;
            expect(check, &done, code)?;
            let text = done.stdout.text();
            let first = text.lines().next().unwrap_or_default();
            ensure!(first.contains(word) && first.len() < 1000, "check_{check}: {text}");
            Ok(())
        };
        run(target, 2, " CRITICAL - ")?;
        run(&[&["--only=no-such"], *target].concat(), 3, "UNKNOWN - ")?;
        run(&[&["--no-such"], *target].concat(), 3, "UNKNOWN - ")?;
    }
    Ok(())
}

/// Where the output goes nowhere it is no success, and no panic. Monitoring has no more than its code for it.
fn output_gone() -> anyhow::Result<()> {
    for (check, target) in CHECKS {
        for format in ["subunit", "human", "nagios", "json", "openmetrics", "junit"] {
            let is_plugin = format == "nagios";
            let full = fs::File::options().write(true).open("/dev/full")?;
            let (code, errors) = run_into(check, format, target, full.into())?;
            let is_told = is_plugin || errors.contains("No space left");
            ensure!(is_told, "check-{check} --format {format} > /dev/full: {errors}");
            let wanted = if is_plugin { 3 } else { 2 };
            ensure!(code == Some(wanted), "check-{check} --format {format} > /dev/full: {code:?}: {errors}");
            let (reader, writer) = std::io::pipe()?;
            drop(reader);
            let (code, errors) = run_into(check, format, target, writer.into())?;
            let wanted = if is_plugin { 3 } else { 141 };
            let is_silent = code == Some(wanted) && errors.is_empty();
            ensure!(is_silent, "check-{check} --format {format} | true: {code:?}: {errors}");
        }
    }
    Ok(())
}

/// The exit code, and what is said on stderr.
fn run_into(
    check: &str,
    format: &str,
    target: &[&str],
    output: Stdio,
) -> anyhow::Result<(Option<i32>, String)> {
    let mut command = command(check, &["--format", format], target);
    let mut child = command.stdout(output).stderr(Stdio::piped()).spawn()?;
    let mut errors = String::new();
    child.stderr.take().context("errors")?.read_to_string(&mut errors)?;
    Ok((child.wait()?.code(), errors))
}

/// Nobody's user, no home, no folder for locks that could be used: as in a read-only container.
fn bare_environment() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    fs::copy(binary("subunit"), folder.path().join("subunit"))?;
    for (check, target) in CHECKS {
        let copy = folder.path().join(format!("check-{check}"));
        symlink("subunit", &copy)?;
        for runtime in ["/proc", "/no/such/folder", ""] {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&copy);
            command.args(["--format=human", "--color=never"]).args(*target).env_clear();
            command.env("PATH", "/usr/bin:/bin").env("XDG_RUNTIME_DIR", runtime).current_dir("/");
            let done = complete(command.stdin(Stdio::null()))?;
            expect(check, &done, 1)?;
            let text = done.stdout.text();
            ensure!(text.contains("FAIL ") && !text.contains("cannot lock"), "check-{check}: {text}");
        }
    }
    Ok(())
}

const SECRET: &str = "s3cr3t/of+the=checker";

/// Not in what is written, whatever a server makes of it, and not in what others see of the process.
fn no_secret_is_shown() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let token = folder.path().join("token");
    fs::write(&token, SECRET)?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}/", listener.local_addr()?);
    // It is never joined: it waits for connections for as long as there is somebody to make some.
    std::thread::spawn(move || listener.incoming().flatten().for_each(echo));
    let file = token.display().to_string();
    let targets: [(&str, &[&str]); 5] = [
        ("jupyterhub", &["--user=u", &url]),
        ("proxy", &[&url]),
        ("container", &["--kubernetes", &url, "it"]),
        ("http", &[&url]),
        ("database", &["--hub", &url, "/no/such.sqlite"]),
    ];
    for (check, target) in targets {
        let options = ["--token-file", &file, "--probe=deep", "--timeout=2s"];
        for format in ["subunit", "human", "nagios", "json", "openmetrics", "junit"] {
            let mut command = command(check, &[&options[..], &["--format", format]].concat(), target);
            let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
            let mut seen = Vec::new();
            while child.try_wait()?.is_none() {
                seen.extend(seen_of(child.id())?);
                std::thread::sleep(Duration::from_millis(20));
            }
            let mut output = child.stdout.take().context("an output")?;
            output.read_to_end(&mut seen)?;
            child.stderr.take().context("errors")?.read_to_end(&mut seen)?;
            ensure!(child.wait()?.code().is_some_and(|code| code != 0), "check-{check} found nothing wrong");
            expect_no_secret(check, &seen)?;
        }
    }
    Ok(())
}

/// Repeats what was asked for, in headers and body, as a page for debugging does.
fn echo(mut stream: std::net::TcpStream) {
    let _limited = stream.set_read_timeout(Some(Duration::from_secs(2)));
    let mut head = Vec::new();
    let mut block = [0; 4096];
    while !head.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
        match stream.read(&mut block) {
            Ok(count @ 1..) => head.extend_from_slice(block.get(..count).unwrap_or_default()),
            _ => return,
        }
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    let secret =
        text.lines().find(|line| line.to_lowercase().starts_with("authorization:")).unwrap_or("none");
    let body = format!("{text}\n{{\"message\": \"{secret}\"}}");
    let answer = format!(
        "HTTP/1.1 418 Echo\r\nx-debug: {secret}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let _gone = stream.write_all(answer.as_bytes());
}

/// What everybody can see now of a process and those that it started.
fn seen_of(pid: u32) -> anyhow::Result<Vec<u8>> {
    let mut seen = Vec::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        let path = entry.path();
        let is_ours =
            |stat: &str| stat.rsplit(')').next().is_some_and(|rest| rest.contains(&format!(" {pid} ")));
        let is_number = path.file_name().is_some_and(|name| name.to_string_lossy().parse::<u32>().is_ok());
        if is_number && read(&path, "stat").is_some_and(|stat| is_ours(&stat)) {
            seen.extend(fs::read(path.join("cmdline")).unwrap_or_default());
        }
    }
    seen.extend(fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default());
    Ok(seen)
}

fn read(path: &Path, name: &str) -> Option<String> {
    fs::read_to_string(path.join(name)).ok()
}

fn expect_no_secret(check: &str, seen: &[u8]) -> anyhow::Result<()> {
    let text = String::from_utf8_lossy(seen);
    for part in [SECRET, "s3cr3t"] {
        if let Some(at) = text.find(part) {
            let around: String =
                text.get(at.saturating_sub(80)..).unwrap_or(&text).chars().take(120).collect();
            bail!("check-{check} shows the token: {around}");
        }
    }
    Ok(())
}
