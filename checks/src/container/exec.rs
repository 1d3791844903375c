//! A command run in the container.
//!
//! An engine can start a command, and not end it. What does not end in time is ended by a second command, which looks
//! for all processes with a mark that the first one has in its environment and hands on to its children. Where that
//! fails, or the check is killed before, one is left: no check starts a second one beside it.

use std::io::Read as _;
use std::time::Duration;

use net::{BodyStream, Exchange, encode};
use probe::{Finding, Level, Limits, nonce};
use serde::Deserialize;
use serde_json::json;
use transport::{CreatedExec, ExecState};

use super::engine::Engine;
use super::inspect::Inspect;
use super::logs::{Chunks, lossy};
use crate::network::{Evidence as _, one_operation, whole_test};

/// How much of its output is kept.
const MOST: usize = 64 << 10;
/// The variable of the environment by which the processes of a command are found again.
const MARK: &str = "SUBUNIT_CHECK";
/// How often it is tried to end a command: it may start a process while another one is ended.
const TRIES: u32 = 5;
/// How long a command that was ended may take to be gone.
const PAUSE: Duration = Duration::from_millis(100);

/// A command that was started, and may go on.
#[derive(Clone, Debug)]
pub(super) struct Started {
    container: String,
    command: String,
    mark: String,
    id: String,
}

/// An answer of `/exec/ID/json`, as far as it says what was started.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Other {
    running: bool,
    process_config: Words,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Words {
    entrypoint: String,
    arguments: Vec<String>,
}

/// Runs it, and looks at its exit status. What was started and may go on is put into `left`.
pub(super) fn exec(
    engine: &Engine,
    inspect: &Inspect,
    command: &str,
    left: &mut Option<Started>,
    limits: Limits<'_>,
) -> Finding {
    run(engine, inspect, command, left, limits).unwrap_or_else(|finding| *finding)
}

fn run(
    engine: &Engine,
    inspect: &Inspect,
    command: &str,
    left: &mut Option<Started>,
    limits: Limits<'_>,
) -> Result<Finding, Box<Finding>> {
    if goes_on(engine, inspect, command, limits) {
        let reason = format!(
            "`{command}` of an earlier check still goes on in the container; no other one is started"
        );
        return Err(Box::new(hung(reason)));
    }
    let mark = format!("{MARK}={:016x}", nonce());
    let id = create(engine, &inspect.id, (command, Some(&mark)), limits)?;
    let started = Started { container: inspect.id.clone(), command: command.to_owned(), mark, id };
    let Started { id, .. } = left.insert(started);
    let id = id.clone();
    let (_, body) = start(engine, &id, limits)?;
    let mut output = Vec::new();
    let read = body.take(MOST as u64).read_to_end(&mut output);
    let output = lossy(&Chunks(&output).text());
    if limits.interrupt.has_come() {
        return Ok(Finding::new(Level::Interrupted(format!(
            "a signal ended the check while `{command}` was running in the container"
        ))));
    }
    if let Err(error) = read {
        return Ok(hung(format!("`{command}` did not end in time: {error}")).with_text("output", output));
    }
    let ended: ExecState = engine.json(&state_of(&id), limits)?;
    let Some(code) = ended.exit_code.filter(|_| !ended.running) else {
        let reason = format!("`{command}` wrote more than {MOST} bytes, or closed its output and went on");
        return Ok(Finding::broken(reason).with_text("output", output));
    };
    *left = None;
    Ok(match code {
        0 => Finding::fine(format!("`{command}` ended with 0")).with_metric("exit_status", 0.0),
        code => Finding::broken(format!("`{command}` ended with {code}"))
            .with_metric("exit_status", code as f64)
            .with_text("output", output),
    })
}

/// Ends what was started. A finding says that it goes on.
pub(super) fn end(engine: &Engine, started: &Started, limits: Limits<'_>) -> Option<Finding> {
    for _ in 0..TRIES {
        if !is_running(engine, &started.id, limits) {
            return None;
        }
        let ended = create(engine, &started.container, (&killer(&started.mark), None), limits)
            .and_then(|id| start(engine, &id, limits));
        if let Ok((_, body)) = ended {
            let _output = body.take(MOST as u64).read_to_end(&mut Vec::new());
        }
        if is_running(engine, &started.id, limits) && !limits.sleep(PAUSE) {
            break;
        }
    }
    is_running(engine, &started.id, limits).then(|| {
        let command = &started.command;
        Finding::broken(format!(
            "`{command}` could not be ended, and goes on in the container; no check starts another one until it is gone"
        ))
    })
}

/// Ends all processes with this mark, by nothing but what a shell has in itself. One that is just being started shows
/// no environment, so that it looks again until it finds none.
fn killer(mark: &str) -> String {
    format!(
        "for look in 1 2 3 4 5 6 7 8 9; do
            found=
            for e in /proc/[0-9]*/environ; do
                while IFS= read -r line || [ -n \"$line\" ]; do
                    case $line in *{mark}*) p=${{e#/proc/}}; kill -9 \"${{p%/environ}}\"; found=1; break;; esac
                    line=
                done <\"$e\"
            done
            case $look$found in [2-9]) break;; esac
        done 2>/dev/null
        :"
    )
}

/// Whether this command is running in the container, as an earlier check has started it.
fn goes_on(engine: &Engine, inspect: &Inspect, command: &str, limits: Limits<'_>) -> bool {
    let is_it = |id: &String| {
        let other: Other = engine.json(&state_of(id), limits).unwrap_or_default();
        let Words { entrypoint, arguments } = other.process_config;
        other.running && entrypoint == "/bin/sh" && arguments == ["-c", command]
    };
    inspect.exec_ids.iter().any(is_it)
}

fn is_running(engine: &Engine, id: &str, limits: Limits<'_>) -> bool {
    engine.json::<ExecState>(&state_of(id), limits).is_ok_and(|state| state.running)
}

fn state_of(id: &str) -> String {
    format!("/exec/{}/json", encode(id))
}

fn create(
    engine: &Engine,
    container: &str,
    (command, variable): (&str, Option<&str>),
    limits: Limits<'_>,
) -> Result<String, Box<Finding>> {
    let wanted = json!({
        "AttachStdout": true, "AttachStderr": true, "Cmd": ["/bin/sh", "-c", command],
        "Env": variable.into_iter().collect::<Vec<_>>(),
    });
    let path = format!("/containers/{}/exec", encode(container));
    let created: CreatedExec =
        engine.client().send(&engine.post(&path, &wanted.to_string()), &one_operation(limits)).json(201)?;
    Ok(created.id)
}

/// Starts it; what it writes comes as it does.
fn start(engine: &Engine, id: &str, limits: Limits<'_>) -> Result<(Exchange, BodyStream), Box<Finding>> {
    let start = engine.post(&format!("/exec/{}/start", encode(id)), r#"{"Detach":false,"Tty":false}"#);
    let (exchange, body) = engine.client().stream(&start, &whole_test(limits)).map_err(|exchange| {
        Box::new(exchange.answer().err().map_or_else(
            || Finding::unknown("the engine did not start the command".to_owned()),
            |finding| *finding,
        ))
    })?;
    let response = exchange.answer()?;
    if response.status != 200 {
        let reason = format!("the engine does not run the command: {}", response.describe());
        return Err(Box::new(exchange.witness(Finding::broken(reason))));
    }
    Ok((exchange, body))
}

/// What is not tried again: it would be one more that goes on.
fn hung(reason: String) -> Finding {
    Finding { is_hung: true, ..Finding::broken(reason) }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_shell_ends_all_processes_with_the_mark() {
        let mark = format!("{MARK}={:016x}", nonce());
        let (name, value) = mark.split_once('=').unwrap();
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", "sleep 600 & echo up; wait"])
            .env("A", "b\nc")
            .env(name, value)
            .stdout(Stdio::piped());
        let mut started = command.spawn().unwrap();
        let mut output = [0; 3];
        let mut pipe = started.stdout.take().unwrap();
        pipe.read_exact(&mut output).unwrap();
        let killed = Command::new("/bin/sh").args(["-c", &killer(&mark)]).status().unwrap();
        assert!(killed.success());
        assert!(!started.wait().unwrap().success());
        // Its child held the pipe as well: the end comes when nobody does any longer.
        assert_eq!((&output, pipe.read(&mut [0; 1]).unwrap()), (b"up\n", 0));
    }
}
