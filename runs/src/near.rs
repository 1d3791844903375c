//! Tests that may be meant by an id that no test has.

use cli::Nearest;
use repository::{Error, Repository, RunId, RunState};

use super::list;

/// In so many of the latest runs ids are looked for.
const RUNS: usize = 5;

/// What the id of a test may be meant to be, as the end of a sentence; empty where none is like it. Without a run it is
/// one of the latest ones.
pub(super) fn test_id(repository: &Repository, run: Option<RunId>, id: &str) -> anyhow::Result<String> {
    let runs: Vec<RunId> = match run {
        Some(run) => vec![run],
        None => {
            let over = repository.runs()?.into_iter().filter(|run| run.state != RunState::Running);
            over.map(|run| run.id).rev().take(RUNS).collect()
        }
    };
    let mut nearest = Nearest::to(id);
    for run in runs {
        let looked = list::each(repository, run, |result| {
            nearest.look_at(result.test_id);
            Ok(())
        });
        // A suggestion is not worth an error.
        if looked.is_err_and(|error| !error.is::<Error>()) {
            break;
        }
    }
    Ok(nearest.to_string())
}
