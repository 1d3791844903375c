//! The site: which address is answered by what.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use formats::openmetrics::RunMetrics;
use hyper::StatusCode;
use repository::{Error, Repository, RunId, RunState, StoredRun};
use streamresult::{Details, Records, Summary};
use subunit::Timestamp;

use crate::answer::Answer;
use crate::guard::decoded;
use crate::pages::board::{Board, Targets};
use crate::pages::{board, compare, run, runs as list, test};

const LIVE: &str = include_str!("assets/live.js");

/// The repository, and what was found out about runs that are over, which does not change any more.
#[derive(Debug)]
pub(crate) struct Site {
    repository: Repository,
    targets: Mutex<Targets>,
}

/// What may change while somebody looks at it. Closed: these are all.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change {
    /// There are other runs, or the latest has more.
    Runs,
    /// A run has more.
    Run(RunId),
}

impl Change {
    /// What the events of this address are about.
    pub(crate) fn of(path: &str) -> Option<Self> {
        match path {
            "/events" => Some(Change::Runs),
            _ => path.strip_prefix("/runs/")?.strip_suffix("/events").and_then(number).map(Change::Run),
        }
    }
}

/// What stands in an address behind the question mark.
#[derive(Clone, Debug, Default)]
pub(crate) struct Words(HashMap<String, String>);

impl Words {
    fn read(query: &str) -> Self {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        Words(pairs.map(|(name, value)| (decoded(name), decoded(value))).collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub(crate) fn number(&self, name: &str) -> Option<u32> {
        self.get(name)?.parse().ok()
    }

    pub(crate) fn run(&self, name: &str) -> Option<RunId> {
        self.number(name).map(RunId)
    }
}

fn number(text: &str) -> Option<RunId> {
    text.parse().ok().map(RunId)
}

impl Site {
    pub(crate) fn new(repository: &Repository) -> Self {
        Site { repository: repository.clone(), targets: Mutex::default() }
    }

    /// Looks at the runs that there are, so that the first page has not to wait for it.
    pub(crate) fn warm(&self) {
        // What is wrong is said by the pages.
        let _ = self.board(&self.repository);
    }

    /// What is at an address.
    pub(crate) fn answer(&self, path: &str, query: &str) -> Answer {
        match path {
            "/style.css" => return Answer::new("text/css; charset=utf-8", page::frame::STYLE),
            "/run.js" => return Answer::new("text/javascript; charset=utf-8", page::frame::linked_script()),
            "/live.js" => return Answer::new("text/javascript; charset=utf-8", LIVE),
            _ => {}
        }
        self.page(path, &Words::read(query)).unwrap_or_else(|error| failed(&error))
    }

    fn page(&self, path: &str, words: &Words) -> anyhow::Result<Answer> {
        // Opened anew, so that it is noticed when it is gone.
        let repository = Repository::open(self.repository.root())?.snapshot()?;
        let repository = &repository;
        match path {
            "/" => list::page(repository, words),
            "/runs.json" => list::json(repository, words),
            "/tests" => test::page(repository, words),
            "/tests.json" => test::json(repository, words),
            "/compare" => compare::page(repository, words),
            "/compare.json" => compare::json(repository, words),
            "/board" => Ok(board::page(&self.board(repository)?)),
            "/board.json" => Ok(board::json(&self.board(repository)?)),
            "/metrics" => self.metrics(repository),
            "/badge.svg" => list::badge(repository),
            _ => match path.strip_prefix("/runs/").map(|rest| rest.strip_suffix(".json").ok_or(rest)) {
                Some(Ok(id)) if number(id).is_some() => run::json(repository, number(id)),
                Some(Err(id)) if number(id).is_some() => run::page(repository, number(id)),
                _ => Ok(Answer::plain(StatusCode::NOT_FOUND, "there is no such page: / has the runs")),
            },
        }
    }

    fn board(&self, repository: &Repository) -> anyhow::Result<Board> {
        let mut targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        targets.update(repository)?;
        Ok(targets.board(Timestamp::now()))
    }

    /// The latest run that is over, and all targets.
    fn metrics(&self, repository: &Repository) -> anyhow::Result<Answer> {
        let mut records = Records::new((RunMetrics::default(), Summary::new())).details(Details::None);
        let mut is_whole = false;
        if let Some(run) = list::latest_over(repository)? {
            ::runs::show::feed(repository, &run, &mut records)?;
            is_whole = run.state == RunState::Complete;
        }
        let (metrics, summary) = records.into_sink();
        let mut families = metrics.families("latest", &summary, is_whole);
        board::metrics(&self.board(repository)?, &mut families);
        let mut text = Vec::new();
        families.write(&mut text)?;
        Ok(Answer::new("application/openmetrics-text; version=1.0.0; charset=utf-8", text))
    }

    /// Something that differs when what is looked at has changed, and whether it changes no more.
    pub(crate) fn stamp(&self, what: Change) -> (String, bool) {
        let repository = &self.repository;
        let of = |run: &StoredRun| format!("{} {:?} {}", run.id, run.state, run.disk);
        match what {
            Change::Runs => match repository.latest_runs(None, 1) {
                Ok(runs) => (runs.first().map(of).unwrap_or_default(), false),
                Err(error) => (error.to_string(), false),
            },
            Change::Run(id) => match repository.run(id) {
                Ok(run) => (of(&run), run.state != RunState::Running),
                Err(error) => (error.to_string(), true),
            },
        }
    }
}

/// What is wrong, on a page.
fn failed(error: &anyhow::Error) -> Answer {
    let status = match error.downcast_ref() {
        Some(Error::NoSuchRun(_) | Error::NoRuns { .. }) => StatusCode::NOT_FOUND,
        Some(Error::Pruned(_)) => StatusCode::GONE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let said = process::without_passwords(&format!("{error:#}")).into_owned();
    let mut text = String::new();
    let site = crate::pages::site("", "/runs.json", None);
    page::frame::open("This page cannot be shown", Some(site.of_page()), &mut text);
    text.push_str("<div class=\"wrap\">");
    page::frame::verdict(page::frame::Tone::Bad, ("This page cannot be shown", &said), "", None, &mut text);
    text.push_str("</div>");
    page::frame::close("", Some(site.of_page()), false, &mut text);
    Answer { status, ..Answer::html(text) }
}
