//! A port, and what it says.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Instant;

use net::{Connection, Fault, Place, Route, Stage, Trace, Trust};
use probe::{Finding, Limits, Target};

use super::args::CheckTcp;
use crate::network::{FaultFinding as _, measure, one_operation};

/// Bytes of what the other side says to look at.
const BANNER_BYTES: usize = 16 * 1024;

/// A port to check.
pub(super) struct TcpTarget {
    name: String,
    place: Place,
    pub(super) route: Route,
    pub(super) args: CheckTcp,
}

impl TcpTarget {
    pub(super) fn new(name: String, place: Place, trust: &Arc<Trust>, args: &CheckTcp) -> Self {
        let server = match (&args.server_name, &place) {
            (Some(name), _) => name.clone(),
            (None, Place::Tcp { host, .. }) => host.clone(),
            (None, Place::Unix(_)) => "localhost".to_owned(),
        };
        let tls = args.tls.then(|| (Arc::clone(trust), server));
        let to = args.net.connect_to.clone().unwrap_or_else(|| place.clone());
        let route = Route { place: to, tls, protocols: &[] };
        TcpTarget { name, place, route, args: args.clone() }
    }

    /// Whether there is a name to be resolved.
    pub(super) fn has_name(&self) -> bool {
        matches!(self.route.place, Place::Tcp { .. })
    }

    pub(super) fn banner(&mut self, limits: Limits<'_>) -> Finding {
        let patience = one_operation(limits);
        let mut trace = Trace::begin();
        let mut said = Vec::new();
        let opened = self.route.open(&patience, &mut trace);
        let heard = opened.and_then(|mut connection| self.talk(&mut connection, &mut trace, &mut said));
        trace.end();
        let finding = match heard {
            Ok(()) if self.is_satisfied(&said) => Finding::fine(first_line(&said)),
            Ok(()) => Finding::broken(self.disappointment(&said, "it said no more")),
            // Whatever else comes, what was waited for did not.
            Err(fault) if !said.is_empty() => Finding::broken(self.disappointment(&said, &fault.to_string())),
            Err(fault) => fault.finding(),
        };
        let bytes = u32::try_from(said.len()).unwrap_or(u32::MAX);
        let finding = measure(&trace.phases, finding).with_metric("banner_bytes", f64::from(bytes));
        finding.with_text("banner.txt", String::from_utf8_lossy(&said).into_owned())
    }

    /// Says what is to be said, and listens until it is what is expected.
    fn talk(&self, connection: &mut Connection, trace: &mut Trace, said: &mut Vec<u8>) -> Result<(), Fault> {
        if let Some(send) = &self.args.send {
            let sent = connection.write_all(&send.0).and_then(|()| connection.flush());
            sent.map_err(|error| connection.fault(Stage::Send, &error))?;
        }
        let begin = Instant::now();
        let mut block = [0; 4096];
        loop {
            let stage = if said.is_empty() { Stage::FirstByte } else { Stage::Transfer };
            let count = match connection.read(&mut block) {
                Ok(0) if said.is_empty() => {
                    let error = io::ErrorKind::UnexpectedEof.into();
                    return Err(connection.fault(stage, &error));
                }
                Ok(count) => count,
                Err(error) => return Err(connection.fault(stage, &error)),
            };
            trace.phases.first_byte.get_or_insert_with(|| begin.elapsed());
            let room = BANNER_BYTES.saturating_sub(said.len());
            said.extend(block.iter().take(count.min(room)));
            if count == 0 || self.is_satisfied(said) || said.len() >= BANNER_BYTES {
                return Ok(());
            }
        }
    }

    fn is_satisfied(&self, said: &[u8]) -> bool {
        self.args.expect.as_ref().is_none_or(|expected| expected.is_match(said))
    }

    fn disappointment(&self, said: &[u8], why: &str) -> String {
        let expected = self.args.expect.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("{} says `{}`, which does not match `{expected}`; {why}", self.place, first_line(said))
    }
}

fn first_line(said: &[u8]) -> String {
    const LENGTH: usize = 200;
    let text = String::from_utf8_lossy(said);
    let line = text.lines().next().unwrap_or_default();
    line.chars().take(LENGTH).filter(|letter| !letter.is_control()).collect()
}

impl Target for TcpTarget {
    fn name(&self) -> &str {
        &self.name
    }

    fn shown(&self) -> String {
        self.place.to_string()
    }

    fn tags(&self) -> Vec<String> {
        self.args.net.tags()
    }
}
