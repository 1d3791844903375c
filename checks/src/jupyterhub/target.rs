//! A hub to check.

use std::time::SystemTime;

use net::{Exchange, Request, encode};
use probe::{Finding, Limits, Secret, Target};
use serde_json::{Map, Value};

use super::args::CheckJupyterhub;
use super::hub::Hub;
use super::metrics::{PAGES, USER_COUNT};
use super::model::{Root, Token, User};
use super::server::UserServer;
use super::{judge, monitoring, pages, routes, services};
use crate::network::{self, Evidence as _};

/// How often to ask by default.
const SAMPLES: u32 = 5;

/// A hub to check.
pub(super) struct HubTarget {
    name: String,
    hub: Hub,
    args: CheckJupyterhub,
    options: Map<String, Value>,
    /// Whose token it is, once the hub has said it.
    owner: Option<User>,
    server: Option<UserServer>,
}

impl HubTarget {
    pub(super) fn new(name: String, hub: Hub, options: Map<String, Value>, args: CheckJupyterhub) -> Self {
        HubTarget { name, hub, args, options, owner: None, server: None }
    }

    pub(super) fn health(&mut self, limits: Limits<'_>) -> Finding {
        let exchange = self.hub.send(&Request::get(self.hub.url("health")), limits);
        match exchange.answer() {
            Ok(response) => exchange.measure(exchange.witness(judge::health(response))),
            Err(finding) => exchange.measure(*finding),
        }
    }

    /// The request that every hub answers, whoever asks.
    fn root(&self) -> Request {
        Request::get(self.hub.url("api/"))
    }

    pub(super) fn version(&mut self, limits: Limits<'_>) -> Finding {
        let exchange = self.hub.send(&self.root(), limits);
        let finding = match exchange.json::<Root>(200) {
            Ok(root) => {
                let (min, expected) = (self.args.min_version.as_deref(), self.args.expect_version.as_deref());
                exchange.witness(judge::version(&root, min, expected))
            }
            Err(finding) => *finding,
        };
        exchange.measure(finding)
    }

    /// Whose token it is. Nothing else tells whether it is one: some answers are for everyone.
    fn owner(&mut self, limits: Limits<'_>) -> Result<(Exchange, User), Box<Finding>> {
        let exchange = self.hub.get("api/user", limits);
        let response = exchange.answer()?;
        // Every token allows this.
        if matches!(response.status, 401 | 403) {
            let reason = format!("the hub refuses the token: {}", judge::words(response));
            return Err(Box::new(exchange.witness(Finding::broken(reason))));
        }
        let owner: User = exchange.json(200)?;
        if owner.name.is_none() {
            let reason = format!("{} does not say whose token it is: it is another service", exchange.url);
            return Err(Box::new(exchange.witness(Finding::broken(reason))));
        }
        self.owner = Some(owner.clone());
        Ok((exchange, owner))
    }

    pub(super) fn token(&mut self, limits: Limits<'_>) -> Finding {
        match self.owner(limits) {
            Ok((exchange, owner)) => {
                let token = self.details(&owner, limits);
                let finding = judge::token(&owner, token.as_ref(), &self.args.scope, SystemTime::now());
                exchange.measure(exchange.witness(finding))
            }
            Err(finding) => *finding,
        }
    }

    /// What there is to know of the token, where it may be known. Those of services have no end.
    fn details(&self, owner: &User, limits: Limits<'_>) -> Option<Token> {
        let (name, id) = (owner.name.as_deref()?, owner.token_id.as_deref()?);
        let path = format!("{}/tokens/{}", Hub::path_of(name), encode(id));
        owner.is_user().then(|| self.hub.json(&path, limits).ok())?
    }

    pub(super) fn users(&mut self, limits: Limits<'_>) -> Finding {
        let found = match pages::read::<Vec<User>>(&self.hub, "api/users", self.args.page_size, limits) {
            Ok(found) => found,
            Err(finding) => return *finding,
        };
        let names: Vec<_> =
            found.pages.iter().flatten().map(|user| user.name.as_deref().unwrap_or_default()).collect();
        let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        pages::judge(&names, found.total)
            .with_metric(USER_COUNT, number(names.len()))
            .with_metric(PAGES, number(found.pages.len()))
    }

    pub(super) fn latency(&mut self, limits: Limits<'_>) -> Finding {
        let samples = self.args.probe.samples.unwrap_or(SAMPLES);
        let accept = |exchange: &Exchange| exchange.json::<Root>(200).map(drop);
        network::latency(self.hub.client(), &self.root(), samples, accept, limits)
    }

    /// The server of the user that is named, else of the token's own.
    fn server(&mut self, limits: Limits<'_>) -> Result<&mut UserServer, Box<Finding>> {
        if self.server.is_none() {
            let user = self.user(limits)?;
            self.server = Some(UserServer::new(self.hub.clone(), user, self.options.clone()));
        }
        self.server.as_mut().ok_or_else(|| Box::new(Finding::unknown("there is no server".to_owned())))
    }

    fn user(&mut self, limits: Limits<'_>) -> Result<String, Box<Finding>> {
        if let Some(user) = &self.args.user {
            return Ok(user.clone());
        }
        let owner = match &self.owner {
            Some(owner) => owner.clone(),
            None => self.owner(limits)?.1,
        };
        let name = owner.name.clone().filter(|_| owner.is_user());
        name.ok_or_else(|| {
            let reason = "the token is of no user: --user names one whose server is to be started";
            Box::new(Finding::unknown(reason.to_owned()))
        })
    }

    pub(super) fn services(&mut self, limits: Limits<'_>) -> Finding {
        services::look(&self.hub, limits)
    }

    pub(super) fn proxy_routes(&mut self, limits: Limits<'_>) -> Finding {
        routes::look(&self.hub, self.args.page_size, limits)
    }

    pub(super) fn metrics(&mut self, limits: Limits<'_>) -> Finding {
        monitoring::look(&self.hub, limits)
    }

    pub(super) fn tls(&mut self, limits: Limits<'_>) -> Finding {
        network::tls(&self.hub.client().route(self.hub.base()), limits)
    }

    pub(super) fn is_secure(&self) -> bool {
        self.hub.base().is_secure()
    }

    /// Looks at what takes a token.
    pub(super) fn with_token(
        &mut self,
        look: fn(&mut Self, Limits<'_>) -> Finding,
        limits: Limits<'_>,
    ) -> Finding {
        if self.hub.token.is_none() { without_token() } else { look(self, limits) }
    }

    /// Looks at the user's server, which takes a token, too.
    pub(super) fn with_server(
        &mut self,
        look: fn(&mut UserServer, Limits<'_>) -> Finding,
        limits: Limits<'_>,
    ) -> Finding {
        if self.hub.token.is_none() {
            return without_token();
        }
        match self.server(limits) {
            Ok(server) => look(server, limits),
            Err(finding) => *finding,
        }
    }
}

fn without_token() -> Finding {
    Finding::skipped("there is no token: --token-file or --token-env names it".to_owned())
}

impl Target for HubTarget {
    fn name(&self) -> &str {
        &self.name
    }

    fn shown(&self) -> String {
        self.hub.base().to_string()
    }

    fn finish(&mut self, limits: Limits<'_>) -> Option<Finding> {
        self.server.as_mut()?.clean_up(limits)
    }

    fn tags(&self) -> Vec<String> {
        self.args.net.tags()
    }

    fn secrets(&self) -> Vec<Secret> {
        self.hub.token.iter().cloned().collect()
    }
}
