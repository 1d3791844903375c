//! Do the routes lead to anyone?

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use net::{Route, Trace, Url};
use probe::{Finding, Limits, listed};

use super::api::Routes;
use super::metrics::{ROUTE_COUNT, STALE_ROUTES};
use crate::network::one_operation;

/// How many targets are connected to at a time.
const AT_A_TIME: usize = 16;

/// Connects to the target of each route. What accepts no connection is stale.
pub(super) fn look(routes: &Routes, most: usize, limits: Limits<'_>) -> Finding {
    let all: Vec<(&str, &str)> =
        routes.iter().take(most).map(|(path, route)| (path.as_str(), route.target.as_str())).collect();
    let mut stale = stale(&all, limits);
    stale.sort();
    let (count, shown) = (routes.len(), all.len());
    let mut summary = format!("{count} routes");
    if shown < count {
        summary = format!("{summary}, of which {shown} were looked at");
    }
    let finding = if limits.interrupt.has_come() {
        Finding::new(probe::Level::Interrupted(
            "a signal ended the check while it connected to the targets of routes".to_owned(),
        ))
    } else {
        Finding::fine(format!("{summary}, {} stale{}", stale.len(), listed(&stale)))
    };
    finding
        .with_metric(ROUTE_COUNT, number(count))
        .with_metric(STALE_ROUTES, number(stale.len()))
        .with_text("stale-routes.txt", stale.join(""))
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// A line for each route that leads to nobody.
fn stale(all: &[(&str, &str)], limits: Limits<'_>) -> Vec<String> {
    let found = Mutex::new(Vec::new());
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME.min(all.len()) {
            scope.spawn(|| {
                while let Some((path, target)) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(reason) = reach(target, limits) {
                        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                        found.push(format!("{path} → {target}: {reason}\n"));
                    }
                }
            });
        }
    });
    found.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn reach(target: &str, limits: Limits<'_>) -> Result<(), String> {
    let url: Url = target.parse()?;
    let route = Route { place: url.place(), tls: None, protocols: &[] };
    let connected = route.connect(&one_operation(limits), &mut Trace::begin());
    connected.map(drop).map_err(|fault| fault.to_string())
}
