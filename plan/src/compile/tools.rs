//! Programs without which a plan cannot be run.

use std::env;

use anyhow::Result;

use super::{Task, Written};
use crate::file::At;

/// Refuses a task that needs a program which is not here.
pub(crate) fn look_for_tools(written: &Written<'_>, task: &Task) -> Result<()> {
    let table = &task.table;
    let isolate =
        table.isolate.first().map(At::offset).map(|offset| (offset, "isolate", "bwrap", "bubblewrap"));
    let trace = table.trace.first().map(At::offset).map(|offset| (offset, "trace", "strace", "strace"));
    for (offset, key, program, package) in isolate.into_iter().chain(trace) {
        if !is_here(program) {
            let name = &task.name;
            return Err(written.source.wrong(
                offset,
                format!("task.{name}.{key} needs the program {program}, which is not here (Debian's package {package})"),
            ));
        }
    }
    Ok(())
}

fn is_here(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
