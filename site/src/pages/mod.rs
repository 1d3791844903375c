//! The pages: each is a function from the repository to HTML, and beside it one to JSON.

pub(crate) mod board;
pub(crate) mod compare;
pub(crate) mod run;
pub(crate) mod runs;
pub(crate) mod test;

use std::time::Duration;

use page::frame::{self, Tone};
use page::{Esc, State};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use repository::{RunState, Standing, StoredRun};
use subunit::Timestamp;

/// The links above all pages, and what a page says of its place.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    top: String,
    json: String,
    events: Option<String>,
}

/// The place of the page that these links lead to.
pub(crate) fn site(here: &str, json: &str, events: Option<&str>) -> Place {
    let links = [("/", "Runs"), ("/tests", "Tests"), ("/compare", "Compare"), ("/board", "Board")];
    let link = |(address, title): (&str, &str)| {
        let current = if address == here { " aria-current=\"page\"" } else { "" };
        format!("<a href=\"{address}\"{current}>{title}</a> ")
    };
    let links: String = links.into_iter().map(link).collect();
    let top =
        format!("<header class=\"top\"><nav class=\"wrap\" aria-label=\"Site\">{links}</nav></header>\n");
    Place { top, json: json.to_owned(), events: events.map(str::to_owned) }
}

impl Place {
    pub(crate) fn of_page(&self) -> frame::Site<'_> {
        frame::Site { top: &self.top, json: &self.json, events: self.events.as_deref() }
    }

    /// A whole page: what it says, and its content.
    pub(crate) fn whole(&self, tone: Tone, said: (&str, &str), content: &str, foot: &str) -> String {
        let mut out = String::new();
        frame::open(said.0, Some(self.of_page()), &mut out);
        out.push_str("<div class=\"wrap\">\n");
        frame::verdict(tone, said, "", None, &mut out);
        out.push_str(content);
        out.push_str("</div>");
        frame::close(foot, Some(self.of_page()), false, &mut out);
        out
    }
}

/// Where a test is.
pub(crate) fn address(test_id: &str) -> String {
    format!("/tests?id={}", utf8_percent_encode(test_id, NON_ALPHANUMERIC))
}

/// A link to a test.
pub(crate) fn test_link(test_id: &str) -> String {
    format!("<a class=\"id\" href=\"{}\">{}</a>", Esc(&address(test_id)), page::Id(test_id))
}

/// How long ago something was.
pub(crate) fn ago(time: Option<Timestamp>, now: Timestamp) -> String {
    time.map_or_else(String::new, |time| format!("{} ago", age(now.saturating_since(time))))
}

/// A time of which only the larger part matters.
pub(crate) fn age(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// How a run went, as the state of a test.
pub(crate) fn state(run: &StoredRun) -> State {
    match run.standing() {
        _ if run.state == RunState::Running => State::Exists,
        Standing::Failed => State::Fail,
        Standing::Incomplete => State::Unfinished,
        Standing::Empty => State::Skip,
        Standing::Passed if run.counts.flaky > 0 => State::Flaky,
        Standing::Passed => State::Pass,
    }
}

/// A state with words of its own.
pub(crate) fn sign(state: State, words: &str) -> String {
    let (class, icon) = (state.class(), state.icon());
    format!(
        "<span class=\"st {class}\"><svg aria-hidden=\"true\" width=\"13\" height=\"13\"><use href=\"#i-{icon}\"/></svg>{}</span>",
        Esc(words)
    )
}
