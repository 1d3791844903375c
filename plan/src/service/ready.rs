//! When a member can be used.

use std::fmt;
use std::net::TcpStream;
use std::net::ToSocketAddrs as _;
use std::sync::mpsc::channel;
use std::time::Duration;

use fancy_regex::Regex;
use net::{Client, Request, Trust, Url};
use process::{Deadline, Interrupt, Mark, Source, Wait, last_line};
use transport::{Led, Told};

use super::Member;

/// How long one look may take.
const LOOK: Duration = Duration::from_secs(5);

/// What has to hold until a member can be used.
#[derive(Clone, Debug)]
pub enum Condition {
    /// This is found in what it has written since it was started.
    Log(Regex),
    /// This takes connections: `HOST:PORT`.
    Tcp(String),
    /// This answers with success.
    Http(Url),
    /// This command succeeds at its node.
    Run(Led),
}

/// How long somebody waits for conditions, and how often they are looked at.
#[derive(Clone, Copy, Debug)]
pub struct Patience<'a> {
    /// All together.
    pub timeout: Duration,
    /// Between two looks.
    pub every: Duration,
    /// What ends it early.
    pub interrupt: &'a Interrupt,
}

/// Waits until all conditions hold, each after the one before it.
///
/// # Errors
///
/// When they do not in time, or the member ends before; with what was seen last.
pub fn until_ready(member: &Member, conditions: &[Condition], patience: Patience<'_>) -> Result<(), String> {
    let deadline = Deadline::after(patience.timeout);
    for condition in conditions {
        loop {
            if let Some(death) = member.death() {
                return Err(format!("before {condition}, {death}"));
            }
            let wait =
                Wait { deadline: deadline.earlier(Deadline::after(LOOK)), interrupt: patience.interrupt };
            let Err(seen) = condition.look(member, wait) else { break };
            if deadline.has_passed() || patience.interrupt.has_come() {
                let (name, time, last) = (member.name(), patience.timeout, member.last_lines());
                return Err(format!(
                    "{name} is not ready after {time:?}: not yet {condition}: {seen}\n{last}"
                ));
            }
            let pause = deadline.remaining().map_or(patience.every, |left| left.min(patience.every));
            member.watch(pause);
        }
    }
    Ok(())
}

impl Condition {
    /// Looks whether it holds; what was seen where it does not.
    fn look(&self, member: &Member, wait: Wait<'_>) -> Result<(), String> {
        match self {
            Condition::Log(regex) => {
                member.find(regex, 0).map(drop).ok_or_else(|| "no such line has come".to_owned())
            }
            Condition::Tcp(address) => connect(address, wait),
            Condition::Http(url) => answer(url, wait),
            Condition::Run(led) => run(member, led, wait),
        }
    }
}

fn connect(address: &str, wait: Wait<'_>) -> Result<(), String> {
    let addresses = address.to_socket_addrs().map_err(|error| error.to_string())?;
    let time = wait.deadline.remaining().unwrap_or(LOOK).max(Duration::from_millis(1));
    let mut last = "it has no address".to_owned();
    for address in addresses {
        match TcpStream::connect_timeout(&address, time) {
            Ok(_) => return Ok(()),
            Err(error) => last = error.to_string(),
        }
    }
    Err(last)
}

fn answer(url: &Url, wait: Wait<'_>) -> Result<(), String> {
    let trust = Trust::new(&[], false, false).map_err(|error| error.to_string())?;
    let patience = net::Patience::new(LOOK, wait.deadline, wait.interrupt);
    match Client::new(trust, None).send(&Request::get(url.clone()), &patience).result {
        Ok(response) if (200..400).contains(&response.status) => Ok(()),
        Ok(response) => Err(response.describe()),
        Err(fault) => Err(fault.to_string()),
    }
}

/// Runs a command at the node of the member.
fn run(member: &Member, led: &Led, wait: Wait<'_>) -> Result<(), String> {
    let limit = wait.deadline.remaining();
    let led = Led { mark: format!("{}-{}", led.mark, Mark::new().value()), limit, ..led.clone() };
    let (sender, told) = channel();
    let heard = Box::new(move |told| drop(sender.send(told)));
    let leading = member.place().lead(led, wait, heard).map_err(|failure| failure.to_string())?;
    let (mut noise, mut done) = (Vec::new(), Err("its end was not told".to_owned()));
    // It has its limit there; a way that is silent is broken.
    while let Ok(told) = told.recv_timeout(limit.unwrap_or(LOOK).saturating_add(LOOK)) {
        match told {
            Told::Started(_) | Told::Wrote(Source::Stdout, _) => {}
            Told::Wrote(Source::Stderr, bytes) => noise.extend(bytes),
            Told::Ended(end) if end.is_success() => done = Ok(()),
            Told::Ended(end) => done = Err(end.exit.to_string()),
            Told::Lost(why) => done = Err(why),
        }
    }
    leading.give_up();
    leading.join();
    let noise = String::from_utf8_lossy(&noise);
    done.map_err(|exit| last_line(&noise).map_or(exit.clone(), |line| format!("{exit}: {line}")))
}

impl fmt::Display for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Condition::Log(regex) => write!(formatter, "a line with `{}`", regex.as_str()),
            Condition::Tcp(address) => write!(formatter, "a connection to {address}"),
            Condition::Http(url) => write!(formatter, "an answer of {url}"),
            Condition::Run(led) => write!(formatter, "success of `{}`", led.script),
        }
    }
}
