//! A server of a user, from its start to its end.
//!
//! Nothing is touched that was there before: a start is asked for only where there is no server, and only what this
//! check has asked for is stopped. What is asked for is noted before the answer is there, so that it is stopped also
//! when that never came, and by the next run when this one is killed.

use std::time::{Duration, Instant};

use net::{Exchange, Request, Response, Url};
use probe::{Finding, Limits};
use process::Deadline;
use serde_json::{Map, Value};

use super::earlier::Starts;
use super::hub::{Hub, accepted, ended, slow, unexpected};
use super::judge::words;
use super::metrics::{KERNELS, SPAWN_SECONDS, STOP_SECONDS};
use super::model::{Root, ServerStatus, State};
use super::progress::{End, Progress};
use crate::network::{Evidence as _, whole_test};

/// How often to look whether something has changed.
const INTERVAL: Duration = Duration::from_millis(250);
/// How long to wait where a hub that has too much to do does not say how long.
const BUSY: Duration = Duration::from_secs(2);
/// What is kept of the time to look once more when something does not come about.
const LAST_LOOK: Duration = Duration::from_secs(1);

/// The server of a user, and what this check has done to it.
pub(super) struct UserServer {
    hub: Hub,
    user: String,
    options: Map<String, Value>,
    /// What this run and earlier ones have asked for.
    starts: Starts,
    /// When this check asked for its start, until it is gone.
    started: Option<Instant>,
    /// Whether the hub has said that the start is done.
    is_done: bool,
    /// When this check asked for its end.
    stopped: Option<Instant>,
    /// Where it is, once the hub has said it.
    url: Option<Url>,
}

impl UserServer {
    pub(super) fn new(hub: Hub, user: String, options: Map<String, Value>) -> Self {
        let starts = Starts::new(&hub.base().to_string(), &user);
        UserServer { hub, user, options, starts, started: None, is_done: false, stopped: None, url: None }
    }

    /// Asks for a start, where there is no server.
    pub(super) fn start(&mut self, limits: Limits<'_>) -> Finding {
        self.try_start(limits).unwrap_or_else(|finding| *finding)
    }

    fn try_start(&mut self, limits: Limits<'_>) -> Result<Finding, Box<Finding>> {
        let mut is_anew = false;
        match self.hub.state(&self.user, limits)? {
            (State::Absent, _) => self.starts.forget_all(),
            // An earlier try, of which the answer got lost.
            _ if self.started.is_some() => {
                return Ok(Finding::fine("the start was asked for before".to_owned()));
            }
            (_, user) if self.starts.is_left_behind(&user) => {
                self.stop_left_behind(limits)?;
                is_anew = true;
            }
            (state, user) => return Err(Box::new(occupied(&self.user, &state, user.started()))),
        }
        let mut finding = self.ask_to_start(limits)?;
        if is_anew {
            let anew = "one that an earlier run of this check had left behind was stopped first";
            finding.summary = finding.summary.map(|summary| format!("{summary}; {anew}"));
        }
        Ok(finding)
    }

    fn ask_to_start(&mut self, limits: Limits<'_>) -> Result<Finding, Box<Finding>> {
        let body = Value::Object(self.options.clone()).to_string();
        let request = self.hub.request("POST", &self.path("server")).json(&body);
        loop {
            self.starts.begin();
            self.started.get_or_insert_with(Instant::now);
            let exchange = self.hub.send(&request, slow(limits));
            let response = exchange.answer()?;
            if response.status != 429 {
                return self.judge_start(&exchange, response);
            }
            self.not_started();
            let pause = retry_after(response).unwrap_or(BUSY);
            if limits.deadline.remaining().is_some_and(|left| left < pause) || !limits.sleep(pause) {
                let reason = format!("the hub has too much to do: {}", words(response));
                let finding = ended(limits, &format!("it waited to ask again: {reason}"));
                return Err(Box::new(exchange.witness(finding.unwrap_or(Finding::broken(reason)))));
            }
        }
    }

    fn judge_start(&mut self, exchange: &Exchange, response: &Response) -> Result<Finding, Box<Finding>> {
        let user = self.user.clone();
        let finding = match response.status {
            201 => {
                self.is_done = true;
                Finding::fine(format!("the server of {user} was started at once (201)"))
            }
            status @ 200..300 => Finding::fine(format!("the server of {user} is being started ({status})")),
            // What failed may be half there.
            500.. => {
                return Err(Box::new(unexpected(exchange, &format!("the server of {user} does not start"))));
            }
            _ => {
                self.not_started();
                accepted(exchange)?;
                let what = format!("the hub does not start a server for {user}");
                let finding = unexpected(exchange, &what);
                let is_taken = response.status == 400 && words(response).contains("already running");
                return Err(Box::new(if is_taken { Finding::unknown(reason_of(finding)) } else { finding }));
            }
        };
        Ok(exchange.witness(finding))
    }

    /// Stops what a run that was killed has started, and waits until it is gone.
    fn stop_left_behind(&mut self, limits: Limits<'_>) -> Result<(), Box<Finding>> {
        let told = self.ask_to_stop(slow(limits));
        self.stopped = None;
        loop {
            match self.hub.state(&self.user, limits)?.0 {
                State::Absent => break,
                state if !before_the_end(limits).sleep(INTERVAL) => {
                    let reason = format!(
                        "the server of {} that an earlier run of this check has left behind could not be stopped: {}; {}",
                        self.user,
                        said(&told),
                        shown(&state)
                    );
                    let finding = ended(limits, &format!("it waited: {reason}"));
                    let finding = finding.unwrap_or(Finding::broken(reason));
                    return Err(Box::new(told.witness(finding)));
                }
                _ => {}
            }
        }
        self.starts.forget_all();
        Ok(())
    }

    /// Nothing was started after all.
    fn not_started(&mut self) {
        self.started = None;
        self.starts.forget_own();
    }

    /// Follows the start to its end, or looks at the server that is there.
    pub(super) fn ready(&mut self, limits: Limits<'_>) -> Finding {
        let mut progress = Progress::default();
        let finding = self.try_ready(&mut progress, limits).unwrap_or_else(|finding| *finding);
        finding.with_file("progress.jsonl", "application/jsonl", progress.lines.into_bytes())
    }

    fn try_ready(&mut self, progress: &mut Progress, limits: Limits<'_>) -> Result<Finding, Box<Finding>> {
        let waiting = before_the_end(limits);
        if self.started.is_some()
            && !self.is_done
            && let End::Failed(why) = self.follow(progress, waiting)
        {
            return Err(Box::new(Finding::broken(format!(
                "the server of {} did not start: {why}",
                self.user
            ))));
        }
        loop {
            let (state, user) = self.hub.state(&self.user, limits)?;
            self.starts.identify(&user);
            match state {
                State::Ready(url) => {
                    self.note(url);
                    return Ok(self.is_ready());
                }
                State::Pending(what) if !waiting.sleep(INTERVAL) => {
                    return Err(Box::new(self.late(&what, progress, limits)));
                }
                State::Pending(_) => {}
                State::Absent | State::Broken | State::Hidden => return Err(Box::new(self.is_not_ready())),
            }
        }
    }

    /// Follows the events of the start. Where there are none, or they break off, the hub can still be asked.
    fn follow(&self, progress: &mut Progress, limits: Limits<'_>) -> End {
        let request = self.hub.request("GET", &self.path("server/progress"));
        let request = request.header("accept", "text/event-stream");
        match self.hub.client().stream(&request, &whole_test(limits)) {
            Ok((exchange, body)) if exchange.result.as_ref().is_ok_and(|head| head.status == 200) => {
                progress.follow(body)
            }
            _ => End::Unknown,
        }
    }

    /// Notes where the server is, as the hub says it.
    fn note(&mut self, url: Option<String>) {
        self.url = url.and_then(|url| self.hub.base().join(&url).ok());
    }

    fn is_ready(&self) -> Finding {
        let finding = Finding::fine(format!("the server of {} is ready", self.user));
        // A second look says nothing about the start.
        let since = self.started.filter(|_| self.stopped.is_none());
        since
            .into_iter()
            .fold(finding, |finding, start| finding.with_metric(SPAWN_SECONDS, start.elapsed().as_secs_f64()))
    }

    fn is_not_ready(&self) -> Finding {
        let user = &self.user;
        Finding::broken(match self.started {
            Some(_) => {
                format!("the server of {user} is gone: its start was given up, or it has ended by itself")
            }
            None => format!("{user} has no server"),
        })
    }

    fn late(&self, what: &str, progress: &Progress, limits: Limits<'_>) -> Finding {
        let seconds = self.started.map_or(0.0, |start| start.elapsed().as_secs_f64());
        let since = if self.started.is_some() { format!(" after {seconds:.0} s") } else { String::new() };
        let reason =
            format!("the server of {} is not ready{since} ({what}); {}", self.user, progress.shown());
        ended(limits, &format!("it waited for the server: {reason}")).unwrap_or(Finding::broken(reason))
    }

    /// Asks the server itself.
    pub(super) fn api(&mut self, limits: Limits<'_>) -> Finding {
        self.try_api(limits).unwrap_or_else(|finding| *finding)
    }

    fn try_api(&mut self, limits: Limits<'_>) -> Result<Finding, Box<Finding>> {
        if self.url.is_none() {
            match self.hub.state(&self.user, limits)? {
                (State::Ready(url), _) => self.note(url),
                _ => return Err(Box::new(self.is_not_ready())),
            }
        }
        let exchange = self.ask("api", limits);
        self.expect_own_answer(&exchange)?;
        let root: Root = exchange.json(200)?;
        let status = self.ask("api/status", limits);
        self.expect_own_answer(&status)?;
        let ServerStatus { kernels } = status.json(200)?;
        let version = root.version.unwrap_or_else(|| "unknown".to_owned());
        let finding = Finding::fine(format!("the server of {} answers, version {version}", self.user));
        let finding = exchange.measure(exchange.witness(finding));
        Ok(kernels
            .into_iter()
            .fold(finding, |finding, kernels| finding.with_metric(KERNELS, f64::from(kernels))))
    }

    /// Whether it is the server that answers, and not the hub or the proxy in its place.
    fn expect_own_answer(&self, exchange: &Exchange) -> Result<(), Box<Finding>> {
        accepted(exchange)?;
        let response = exchange.answer()?;
        let user = &self.user;
        let finding = match response.status {
            200 => return Ok(()),
            // To the page where people log in.
            300..400 => Finding::unknown(format!(
                "the server of {user} does not take the token ({}): it takes the scope access:servers",
                words(response)
            )),
            404 | 424 | 502..=504 => Finding::broken(format!(
                "the hub says that the server of {user} is ready, but it does not answer: {}",
                words(response)
            )),
            _ => Finding::broken(format!("the server of {user} answers {}", words(response))),
        };
        Err(Box::new(exchange.witness(finding)))
    }

    /// Asks for the end of the server that this check has started.
    pub(super) fn stop(&mut self, limits: Limits<'_>) -> Finding {
        self.try_stop(limits).unwrap_or_else(|finding| *finding)
    }

    fn try_stop(&mut self, limits: Limits<'_>) -> Result<Finding, Box<Finding>> {
        let user = self.user.clone();
        if self.started.is_none() {
            let reason = match self.hub.state(&user, limits)? {
                (State::Absent, _) => format!("{user} has no server: that it can be stopped was not seen"),
                (_, model) if self.starts.is_left_behind(&model) => return self.stop_of_earlier(limits),
                _ => format!("this check has not started the server that {user} has, and does not stop it"),
            };
            return Err(Box::new(Finding::skipped(reason)));
        }
        // Hubs say yes also when there is nothing to stop.
        if self.stopped.is_none() && !self.is_running(limits)? {
            let reason =
                format!("the server of {user} was not running any more: that it can be stopped was not seen");
            return Err(Box::new(Finding::skipped(reason)));
        }
        self.end(limits)
    }

    /// Asks for the end of what a run that was killed has started: from here on it is as if this one had.
    fn stop_of_earlier(&mut self, limits: Limits<'_>) -> Result<Finding, Box<Finding>> {
        self.started = Some(Instant::now());
        let finding = self.end(limits)?;
        let summary = finding.summary.as_ref().map(|text| format!("{text}; an earlier run had started it"));
        Ok(Finding { summary, ..finding })
    }

    fn end(&mut self, limits: Limits<'_>) -> Result<Finding, Box<Finding>> {
        let user = self.user.clone();
        let exchange = self.ask_to_stop(slow(limits));
        let finding = match exchange.answer()?.status {
            204 => Finding::fine(format!("the server of {user} was stopped at once (204)")),
            202 => Finding::fine(format!("the server of {user} is being stopped (202)")),
            _ => {
                accepted(&exchange)?;
                unexpected(&exchange, &format!("the hub does not stop the server of {user}"))
            }
        };
        Ok(exchange.witness(finding))
    }

    fn ask_to_stop(&mut self, limits: Limits<'_>) -> Exchange {
        self.stopped.get_or_insert_with(Instant::now);
        let request = self.hub.request("DELETE", &self.path("server"));
        self.hub.send(&request, limits)
    }

    /// Whether the hub knows of a server, and that answers for itself.
    fn is_running(&mut self, limits: Limits<'_>) -> Result<bool, Box<Finding>> {
        let (state, _) = self.hub.state(&self.user, limits)?;
        if let State::Ready(url) = state {
            self.note(url);
            let exchange = self.ask("api", limits);
            return Ok(exchange
                .result
                .is_ok_and(|response| !matches!(response.status, 404 | 424 | 502..=504)));
        }
        Ok(state != State::Absent)
    }

    /// Waits until there is no server, and asks where it was.
    pub(super) fn gone(&mut self, limits: Limits<'_>) -> Finding {
        self.try_gone(limits).unwrap_or_else(|finding| *finding)
    }

    fn try_gone(&mut self, limits: Limits<'_>) -> Result<Finding, Box<Finding>> {
        let waiting = before_the_end(limits);
        let user = self.user.clone();
        loop {
            match self.hub.state(&user, limits)?.0 {
                State::Absent => break,
                // Nobody has asked for its end.
                State::Ready(_) if self.started.is_none() => {
                    return Err(Box::new(Finding::broken(format!("{user} has a server"))));
                }
                state if !waiting.sleep(INTERVAL) => {
                    let reason = format!("the server of {user} is not gone: {}", shown(&state));
                    let finding = ended(limits, &format!("it waited: {reason}"));
                    return Err(Box::new(finding.unwrap_or(Finding::broken(reason))));
                }
                _ => {}
            }
        }
        let took = self.stopped.map(|since| since.elapsed().as_secs_f64());
        let exchange = self.ask("api", limits);
        if exchange.answer()?.status == 200 {
            let reason = format!("the hub says that the server of {user} is gone, but it still answers");
            return Err(Box::new(exchange.witness(Finding::broken(reason))));
        }
        self.started = None;
        self.starts.forget_all();
        let finding = exchange.witness(Finding::fine(format!("the server of {user} is gone")));
        Ok(took.into_iter().fold(finding, |finding, took| finding.with_metric(STOP_SECONDS, took)))
    }

    /// Stops what was started and is not gone; gives a finding when that is not possible. It is enough that the hub has
    /// begun to stop it.
    pub(super) fn clean_up(&mut self, limits: Limits<'_>) -> Option<Finding> {
        self.started?;
        let exchange = self.ask_to_stop(Limits { operation: limits.operation, ..before_the_end(limits) });
        let told = said(&exchange);
        let left = loop {
            match self.hub.state(&self.user, limits) {
                Ok((State::Absent, _)) => {
                    self.starts.forget_all();
                    return None;
                }
                // The note stays: nobody has seen that it ends.
                Ok((State::Pending(what), _)) if what == "stop" => return None,
                Ok((state, _)) if !before_the_end(limits).sleep(INTERVAL) => break shown(&state),
                Ok(_) => {}
                Err(finding) => break reason_of(*finding),
            }
        };
        let reason = format!(
            "the server of {} that this check has started could not be stopped: {told}\n{left}",
            self.user
        );
        Some(exchange.witness(Finding::broken(reason)))
    }

    /// A request to the server itself.
    fn ask(&self, path: &str, limits: Limits<'_>) -> Exchange {
        let usual = || self.hub.base().below("user").below(&net::encode(&self.user));
        let url = self.url.clone().unwrap_or_else(usual).below(path);
        self.hub.send(&self.hub.with_token(Request::get(url)), limits)
    }

    fn path(&self, part: &str) -> String {
        format!("{}/{part}", Hub::path_of(&self.user))
    }
}

/// That the server of a user is not ours.
fn occupied(user: &str, state: &State, since: Option<&str>) -> Finding {
    let since = since.map_or_else(String::new, |since| format!(" since {since}"));
    Finding::unknown(format!(
        "{user} has a server already, {}{since}: this check touches none that it has not started; stop it, or name \
         another --user",
        shown(state)
    ))
}

fn shown(state: &State) -> String {
    match state {
        State::Pending(what) => format!("it is pending ({what})"),
        State::Ready(_) => "it is ready".to_owned(),
        State::Absent => "it is gone".to_owned(),
        State::Broken => "it is neither ready nor on its way".to_owned(),
        State::Hidden => "it is hidden".to_owned(),
    }
}

/// What the hub said, or that it did not.
fn said(exchange: &Exchange) -> String {
    match &exchange.result {
        Ok(response) => words(response),
        Err(fault) => fault.to_string(),
    }
}

fn retry_after(response: &Response) -> Option<Duration> {
    response.header("retry-after")?.trim().parse().ok().map(Duration::from_secs)
}

/// The limits without the time that a last look takes.
fn before_the_end(limits: Limits<'_>) -> Limits<'_> {
    let left = limits.deadline.remaining().unwrap_or(limits.operation);
    let deadline = Deadline::after(left.saturating_sub(LAST_LOOK.min(left / 4)));
    Limits { deadline: limits.deadline.earlier(deadline), ..limits }
}

fn reason_of(finding: Finding) -> String {
    finding.level.reason().unwrap_or_default().to_owned()
}
