//! The state file by way of a helper: what it is on may hang, and a check is not kept from its work by that.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use process::helper::folder;
use process::{Cause, Deadline, Interrupt};
use serde::{Deserialize, Serialize};

use super::{Content, Tests, look, write};
use crate::Limits;
use crate::helper::{Answer, Helper, Task, assist};

/// How long reading, or writing, may take: longer than another run's lock is waited for.
const OPERATION: Duration = Duration::from_secs(3);
/// The most tests that are written at a time: what a helper is asked has to be one argument.
const AT_A_TIME: usize = 64;

/// What the helper is to do with the file. Its words are in no task of a check.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum StateTask {
    ReadState,
    WriteState(Tests),
}

/// What it did.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum StateFact {
    Read { content: Content, warnings: Vec<String> },
    Wrote(Result<(), String>),
}

impl Task for StateTask {
    type Fact = StateFact;

    fn title(&self) -> &'static str {
        match self {
            StateTask::ReadState => "read state",
            StateTask::WriteState(_) => "write state",
        }
    }
}

/// Why there is no answer.
enum NoAnswer {
    /// There can be no helper here: then nobody says that the file hangs.
    NoHelper,
    /// The file does not answer, for this reason.
    OutOfReach(String),
}

/// Reads the file and tries whether it can be written: its content and warnings. `Err` says why it is out of reach.
pub(super) fn read(
    check: &'static str,
    path: &Path,
    interrupt: &Interrupt,
) -> Result<(Content, Vec<String>), String> {
    match ask(check, path, &StateTask::ReadState, interrupt) {
        Ok(StateFact::Read { content, warnings }) => Ok((content, warnings)),
        Ok(StateFact::Wrote(_)) | Err(NoAnswer::NoHelper) => Ok(look(path)),
        Err(NoAnswer::OutOfReach(reason)) => Err(reason),
    }
}

/// Writes what has become of these tests.
pub(super) fn save(check: &'static str, path: &Path, tests: &Tests) -> Result<(), String> {
    let all: Vec<_> = tests.iter().map(|(id, known)| (id.clone(), known.clone())).collect();
    let mut parts: Vec<Tests> = all.chunks(AT_A_TIME).map(|part| part.iter().cloned().collect()).collect();
    if parts.is_empty() {
        parts.push(Tests::new());
    }
    // What was found is kept after a signal, too.
    let never = Interrupt::never();
    for part in parts {
        match ask(check, path, &StateTask::WriteState(part.clone()), &never) {
            Ok(StateFact::Wrote(done)) => done?,
            Ok(StateFact::Read { .. }) | Err(NoAnswer::NoHelper) => {
                write(path, part).map_err(|error| error.to_string())?;
            }
            Err(NoAnswer::OutOfReach(reason)) => return Err(reason),
        }
    }
    Ok(())
}

fn ask(
    check: &'static str,
    path: &Path,
    task: &StateTask,
    interrupt: &Interrupt,
) -> Result<StateFact, NoAnswer> {
    if folder("subunit-checks").is_err() {
        return Err(NoAnswer::NoHelper);
    }
    let path = std::path::absolute(path).map_err(|error| NoAnswer::OutOfReach(error.to_string()))?;
    let limits = Limits { operation: OPERATION, deadline: Deadline::after(2 * OPERATION), interrupt };
    let mut helper = Helper::new(check, path.as_os_str());
    let reason = |finding: &crate::Finding| finding.level.reason().unwrap_or_default().to_owned();
    match helper.ask(task, path.as_os_str(), &[], limits) {
        Ok(answer) => fact(&answer).ok_or_else(|| match answer.ending.cause {
            Cause::Itself => NoAnswer::NoHelper,
            _ => NoAnswer::OutOfReach(reason(&answer.finding())),
        }),
        Err(finding) => Err(NoAnswer::OutOfReach(reason(&finding))),
    }
}

fn fact(answer: &Answer<StateFact>) -> Option<StateFact> {
    answer.own().next().cloned()
}

/// Does the task, if it is one about a state file: the helper's side.
pub(crate) fn help(task: &OsStr) -> Option<anyhow::Result<()>> {
    #[derive(Deserialize)]
    struct Asked {
        #[serde(rename = "task")]
        _task: StateTask,
    }
    serde_json::from_slice::<Asked>(task.as_encoded_bytes()).ok()?;
    Some(assist(task, |task: &StateTask, path, reporter| {
        let path = Path::new(path);
        let fact = match task {
            StateTask::ReadState => {
                let (content, warnings) = reporter.step("reading it", || Ok(look(path)))?;
                StateFact::Read { content, warnings }
            }
            StateTask::WriteState(tests) => {
                let done = reporter.step("writing it", || Ok(write(path, tests.clone())))?;
                StateFact::Wrote(done.map_err(|error| error.to_string()))
            }
        };
        reporter.tell(crate::helper::Fact::Own(fact))
    }))
}
