//! A database to check.

use std::time::Duration;

use net::Client;
use probe::helper::Answer;
use probe::{Finding, Helper, Limits, Secret, Target, target_names};

use super::args::{CheckDatabase, Expected};
use super::cross::{self, Running};
use super::fact::DatabaseFact;
use super::place::Place;
use super::task::{Credentials, Task, Work};
use super::tls::TlsOptions;

/// The databases that the arguments name.
pub(super) fn targets(args: &CheckDatabase) -> anyhow::Result<Vec<Database>> {
    let places: Vec<_> =
        args.all_databases().map(|text| Place::parse(text.as_os_str())).collect::<anyhow::Result<_>>()?;
    let both: Vec<_> = places.iter().map(|place| (place.short(), place.shown())).collect();
    let both: Vec<_> = both.iter().map(|(short, long)| (short.as_str(), long.as_str())).collect();
    let names = target_names(&args.probe.name, &both)?;
    places.into_iter().zip(names).map(|(place, name)| Database::new(place, name, args)).collect()
}

/// A database to check.
pub(super) struct Database {
    place: Place,
    name: String,
    args: CheckDatabase,
    credentials: Option<Credentials>,
    password: Option<Secret>,
    token: Option<Secret>,
    client: Client,
    helper: Helper,
    /// Whether others had it locked when it was looked at last.
    locked: bool,
}

impl Database {
    fn new(place: Place, name: String, args: &CheckDatabase) -> anyhow::Result<Self> {
        let (mut credentials, mut password) = (None, None);
        if let Place::Postgres(remote) = &place {
            let (args, net) = (args.password.absolute()?, &args.net);
            password = args.password(&remote.url.parse()?)?;
            credentials =
                Some(Credentials { password: args, is_here: remote.is_here, tls: TlsOptions::new(net)? });
        }
        let helper = Helper::new("database", place.operand());
        let (token, client) = (args.token.token()?, args.net.client()?);
        let args = args.clone();
        Ok(Database { place, name, args, credentials, password, token, client, helper, locked: false })
    }

    /// Whether a state of the users is looked at: the one that is expected, or that is asked for by name.
    pub(super) fn looks_for(&self, state: Expected) -> bool {
        let is_named = || {
            let names = |text: &String| text == "user.stopped" || text.ends_with(".user.stopped");
            self.args.probe.only.iter().any(names)
        };
        !self.args.user.is_empty()
            && match self.args.expect {
                Some(expected) => expected == state,
                None => state == Expected::Active || is_named(),
            }
    }

    /// Whether a server has it, and not only a file.
    pub(super) fn is_served(&self) -> bool {
        matches!(self.place, Place::Postgres(_))
    }

    /// Whether there is a hub to compare it with.
    pub(super) fn has_hub(&self) -> bool {
        self.args.hub.is_some()
    }

    pub(super) fn schema(&mut self, limits: Limits<'_>) -> Finding {
        let accepted = self.args.revision.clone();
        self.do_work(Work::Schema { accepted }, limits)
    }

    fn ask(&mut self, work: Work, limits: Limits<'_>) -> Result<Answer<DatabaseFact>, Box<Finding>> {
        let patience = self.args.lock_timeout.min(limits.operation / 2).max(Duration::from_millis(1));
        let task = Task {
            work,
            remote: self.credentials.clone(),
            patience,
            operation: limits.operation,
            max_copy: self.args.max_copy,
        };
        self.helper.ask(&task, self.place.operand(), &[], limits)
    }

    pub(super) fn do_work(&mut self, work: Work, limits: Limits<'_>) -> Finding {
        let waits = matches!(work, Work::Open | Work::LockWait);
        if self.locked && !waits {
            return Finding::skipped(
                "it was locked when it was opened, and is not waited for again".to_owned(),
            );
        }
        match self.ask(work, limits) {
            Ok(answer) => {
                if waits {
                    self.locked = answer.own().any(|fact| *fact == DatabaseFact::Locked);
                }
                answer.finding()
            }
            Err(finding) => *finding,
        }
    }

    pub(super) fn users(&mut self, expected: Expected, limits: Limits<'_>) -> Finding {
        let (names, server) = (self.args.user.clone(), self.args.server_name.clone());
        self.do_work(Work::Users { names, server, stopped: expected == Expected::Stopped }, limits)
    }

    pub(super) fn cross(&mut self, limits: Limits<'_>) -> Result<Finding, Box<Finding>> {
        let Some(hub) = self.args.hub.clone() else {
            return Ok(Finding::skipped("no hub is named".to_owned()));
        };
        let before = self.running(limits)?;
        let said = cross::ask(&hub, self.token.as_ref(), &self.client, limits)?;
        let after = self.running(limits)?;
        Ok(cross::compare(&before, &said, &after))
    }

    fn running(&mut self, limits: Limits<'_>) -> Result<Running, Box<Finding>> {
        if self.locked {
            return Err(Box::new(self.do_work(Work::Rows, limits)));
        }
        let answer = self.ask(Work::Rows, limits)?;
        let finding = answer.finding();
        if finding.level != probe::Level::Fine {
            return Err(Box::new(finding));
        }
        let running = |fact: &DatabaseFact| match fact {
            DatabaseFact::Running { user, servers } => Some((user.clone(), servers.clone())),
            DatabaseFact::Locked => None,
        };
        Ok(answer.own().filter_map(running).collect())
    }
}

impl Target for Database {
    fn name(&self) -> &str {
        &self.name
    }

    fn shown(&self) -> String {
        self.place.shown()
    }

    fn tags(&self) -> Vec<String> {
        let is_remote = self.args.hub.is_some() || self.credentials.is_some();
        if is_remote { self.args.net.tags() } else { Vec::new() }
    }

    fn secrets(&self) -> Vec<Secret> {
        self.password.iter().chain(&self.token).cloned().collect()
    }
}
