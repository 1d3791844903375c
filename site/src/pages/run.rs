//! A run: the page of `subunit show --html`, live while it goes on.

use ::runs::{json, run_page};
use anyhow::Context as _;
use repository::{Repository, RunId, RunState};

use super::site;
use crate::answer::Answer;

pub(crate) fn page(repository: &Repository, id: Option<RunId>) -> anyhow::Result<Answer> {
    let run = repository.run(id.context("a run has a number")?)?;
    let events = format!("/runs/{}/events", run.id);
    let events = (run.state == RunState::Running).then_some(&*events);
    let place = site("", &format!("/runs/{}.json", run.id), events);
    let mut html = Vec::new();
    run_page::write(repository, &run, Some(place.of_page()), &mut html)?;
    Ok(Answer::new(crate::answer::HTML, html))
}

/// The tests of a run.
pub(crate) fn json(repository: &Repository, id: Option<RunId>) -> anyhow::Result<Answer> {
    let id = id.context("a run has a number")?;
    let (mut lines, mut written) = (Vec::new(), Ok(()));
    repository.for_each_result(id, |result| {
        if written.is_ok() {
            written = json::Test::listed(Some(id), result).write(&mut lines);
        }
    })?;
    written?;
    Ok(Answer::list(&lines))
}
