//! A command run in the container.

use std::io::Read as _;

use net::encode;
use probe::{Finding, Limits};
use serde_json::json;
use transport::{CreatedExec, ExecState};

use super::engine::Engine;
use super::inspect::Inspect;
use super::logs::{Chunks, lossy};
use crate::network::{Evidence as _, one_operation, whole_test};

/// How much of its output is kept.
const MOST: usize = 64 << 10;

/// Runs it, and looks at its exit status. What does not end cannot be ended through the engine: it goes on.
pub(super) fn exec(engine: &Engine, inspect: &Inspect, command: &str, limits: Limits<'_>) -> Finding {
    run(engine, inspect, command, limits).unwrap_or_else(|finding| *finding)
}

fn run(
    engine: &Engine,
    inspect: &Inspect,
    command: &str,
    limits: Limits<'_>,
) -> Result<Finding, Box<Finding>> {
    let wanted = json!({ "AttachStdout": true, "AttachStderr": true, "Cmd": ["/bin/sh", "-c", command] });
    let path = format!("/containers/{}/exec", encode(&inspect.id));
    let created: CreatedExec =
        engine.client().send(&engine.post(&path, &wanted.to_string()), &one_operation(limits)).json(201)?;
    let start =
        engine.post(&format!("/exec/{}/start", encode(&created.id)), r#"{"Detach":false,"Tty":false}"#);
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
    let mut output = Vec::new();
    let read = body.take(MOST as u64).read_to_end(&mut output);
    let output = lossy(&Chunks(&output).text());
    if let Err(error) = read {
        let reason = format!("`{command}` did not end in time, and goes on in the container: {error}");
        return Ok(Finding::broken(reason).with_text("output", output));
    }
    let ended: ExecState = engine.json(&format!("/exec/{}/json", encode(&created.id)), limits)?;
    Ok(match ended.exit_code.filter(|_| !ended.running) {
        Some(0) => Finding::fine(format!("`{command}` ended with 0")).with_metric("exit_status", 0.0),
        Some(code) => Finding::broken(format!("`{command}` ended with {code}"))
            .with_metric("exit_status", code as f64)
            .with_text("output", output),
        None => {
            let reason =
                format!("`{command}` wrote more than {MOST} bytes, or closed its output, and goes on");
            Finding::broken(reason).with_text("output", output)
        }
    })
}
