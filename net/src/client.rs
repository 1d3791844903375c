//! Sends requests, each over a connection of its own.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::Instant;

use ureq::http;

use super::wire::{Log, SharedLog, agent};
use super::{
    Connection, Exchange, Fault, FaultCause, Patience, Place, Request, Response, Route, Stage, Trace, Trust,
    Url,
};

/// Methods that tell the length of their bodies also when these are empty.
const WITH_BODY: [&str; 3] = ["POST", "PUT", "PATCH"];

/// Sends requests.
#[derive(Clone, Debug)]
pub struct Client {
    trust: Arc<Trust>,
    connect_to: Option<Place>,
}

impl Client {
    /// One that trusts these, and connects to this place whatever the addresses say, where one is given.
    #[must_use]
    pub fn new(trust: Trust, connect_to: Option<Place>) -> Self {
        Client { trust: Arc::new(trust), connect_to }
    }

    /// The same, which connects to where addresses say.
    #[must_use]
    pub fn without_detour(self) -> Self {
        Client { connect_to: None, ..self }
    }

    /// Which certificates it trusts.
    #[must_use]
    pub fn trust(&self) -> &Arc<Trust> {
        &self.trust
    }

    /// How to get to an address.
    #[must_use]
    pub fn route(&self, url: &Url) -> Route {
        let tls = url.is_secure().then(|| (Arc::clone(&self.trust), url.host().to_owned()));
        let place = self.connect_to.clone().unwrap_or_else(|| url.place());
        Route { place, tls, protocols: &[b"http/1.1"] }
    }

    /// Sends a request and reads the answer, within the patience.
    #[must_use]
    pub fn send(&self, request: &Request, patience: &Patience) -> Exchange {
        let mut exchange = self.send_one(request, patience);
        let mut before = Vec::new();
        let mut request = request.clone();
        while let Some(next) = request.next(&exchange) {
            let (url, cause) = match next {
                Ok(next) => {
                    request = next;
                    before.push(std::mem::replace(&mut exchange, self.send_one(&request, patience)));
                    continue;
                }
                Err(reason) => (exchange.url.clone(), FaultCause::Protocol(reason)),
            };
            exchange.result = Err(Fault::new(Stage::Transfer, cause, url));
        }
        Exchange { before, ..exchange }
    }

    /// Sends a request and gives the answer's body bit by bit, within the patience.
    ///
    /// # Errors
    ///
    /// The exchange, when there is no answer.
    pub fn stream(
        &self,
        request: &Request,
        patience: &Patience,
    ) -> Result<(Exchange, BodyStream), Box<Exchange>> {
        let mut talk = Talk::new(request, patience.clone());
        match talk.begin(self, request) {
            Ok((response, body)) => {
                let body = BodyStream(body.into_with_config().limit(u64::MAX).reader());
                Ok((talk.exchange(Ok(response)), body))
            }
            Err(fault) => Err(Box::new(talk.exchange(Err(fault)))),
        }
    }

    fn send_one(&self, request: &Request, patience: &Patience) -> Exchange {
        let mut talk = Talk::new(request, patience.clone());
        let result = talk.begin(self, request).and_then(|(response, body)| {
            let body = body.into_with_config().limit(u64::MAX).reader();
            talk.read(response, body, request.max_body)
        });
        talk.exchange(result)
    }
}

/// The body of an answer, as it comes.
pub struct BodyStream(ureq::BodyReader<'static>);

impl Read for BodyStream {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.0.read(bytes)
    }
}

impl std::fmt::Debug for BodyStream {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("BodyStream")
    }
}

/// One request on its way.
struct Talk {
    trace: Trace,
    log: SharedLog,
    patience: Patience,
    url: Url,
    /// When the connection was there.
    opened_at: Option<Instant>,
}

impl Talk {
    fn new(request: &Request, patience: Patience) -> Self {
        let (trace, log) = (Trace::begin(), SharedLog::default());
        Talk { trace, log, patience, url: request.url.clone(), opened_at: None }
    }

    /// Connects, sends the request and reads the head of the answer.
    fn begin(&mut self, client: &Client, request: &Request) -> Result<(Response, ureq::Body), Fault> {
        let message = message(request).map_err(|error| {
            Fault::new(Stage::Send, FaultCause::Local(format!("no such request: {error}")), "")
        })?;
        let connection: Connection = client.route(&request.url).open(&self.patience, &mut self.trace)?;
        self.opened_at = Some(Instant::now());
        let agent = agent(connection, self.log.clone());
        let is_asking = request.body.is_empty() && !WITH_BODY.contains(&request.method.as_str());
        let answer = if is_asking { agent.run(message.map(drop)) } else { agent.run(message) };
        let answer = answer.map_err(|error| self.fault(&error))?;
        let (head, body) = answer.into_parts();
        let reason = head.status.canonical_reason().unwrap_or_default().to_owned();
        let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers =
            head.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
        Ok((Response { status: head.status.as_u16(), reason, headers, ..Response::default() }, body))
    }

    fn read(
        &self,
        response: Response,
        mut reader: ureq::BodyReader<'_>,
        most: usize,
    ) -> Result<Response, Fault> {
        let mut body = Vec::new();
        let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
        let read = (&mut reader).take(limit).read_to_end(&mut body);
        read.map_err(|error| Fault::new(Stage::Transfer, FaultCause::of(&error, &self.patience), &self.url))?;
        let is_cut = body.len() > most;
        body.truncate(most);
        Ok(Response { body, is_cut, ..response })
    }

    /// Why there is no answer.
    fn fault(&self, error: &ureq::Error) -> Fault {
        let log = self.log.lock();
        let stage = match (log.sent_at, log.first_at) {
            (None, _) => Stage::Send,
            (Some(_), None) => Stage::FirstByte,
            (Some(_), Some(_)) => Stage::Transfer,
        };
        let cause = match error {
            ureq::Error::Io(error) => FaultCause::of(error, &self.patience),
            other => FaultCause::Protocol(other.to_string()),
        };
        Fault::new(stage, cause, &self.url)
    }

    /// The exchange with its result, and how long it took.
    fn exchange(mut self, result: Result<Response, Fault>) -> Exchange {
        let log = std::mem::take(&mut *self.log.lock());
        if let (Some(opened), Some(first)) = (self.opened_at, log.first_at) {
            self.trace.phases.first_byte = Some(first.saturating_duration_since(opened));
            self.trace.phases.transfer = Some(first.elapsed());
        }
        self.trace.end();
        let Log { sent, received, .. } = log;
        Exchange { url: self.url, result, trace: self.trace, sent, received, before: Vec::new() }
    }
}

fn message(request: &Request) -> Result<http::Request<Vec<u8>>, http::Error> {
    let mut message = http::Request::builder().method(request.method.as_str()).uri(request.url.text());
    for (name, value) in &request.headers {
        message = message.header(name, value);
    }
    message.body(request.body.clone())
}
