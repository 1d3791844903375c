//! The services of a hub.

use std::collections::BTreeMap;

use net::{Exchange, Request};
use probe::{Finding, Limits};

use super::hub::{Hub, ended};
use super::judge::words;
use super::metrics::{SERVICE_COUNT, SERVICES_DOWN};
use super::model::Service;

/// Reads the list of services, and asks those that have an address.
pub(super) fn look(hub: &Hub, limits: Limits<'_>) -> Finding {
    let services: BTreeMap<String, Service> = match hub.json("api/services", limits) {
        Ok(services) => services,
        Err(finding) => return *finding,
    };
    let mut down = Vec::new();
    for (name, service) in &services {
        if let Some(finding) = ended(limits, &format!("it asked the services, at {name}")) {
            return finding;
        }
        if limits.deadline.has_passed() {
            return Finding::unknown(format!("the time was up before the service {name} was asked"));
        }
        let objection = match service.prefix() {
            // Without a token: whom it lets in is its own business.
            Some(prefix) => silence(&hub.send(&Request::get(hub.base().at(prefix)), limits)),
            None => idle(service),
        };
        down.extend(objection.map(|why| format!("{name}: {why}")));
    }
    judge(services.len(), &down)
}

/// Why a service is down that the hub starts, if it is.
fn idle(service: &Service) -> Option<String> {
    (service.is_managed() && service.pid == Some(0)).then(|| "the hub has not started it".to_owned())
}

/// Why a service does not answer, if it does not. A page of the proxy's own is not an answer.
fn silence(exchange: &Exchange) -> Option<String> {
    match &exchange.result {
        Ok(response) if (502..=504).contains(&response.status) => {
            Some(format!("{} answers {}", exchange.url, words(response)))
        }
        Ok(_) => None,
        Err(fault) => Some(fault.to_string()),
    }
}

fn judge(count: usize, down: &[String]) -> Finding {
    let finding = match down {
        [] => Finding::fine(format!("{count} services")),
        [one] => Finding::warning(format!("a service is down: {one}")),
        [one, ..] => Finding::warning(format!("{} services are down: {one}", down.len())),
    };
    let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    finding
        .with_metric(SERVICE_COUNT, number(count))
        .with_metric(SERVICES_DOWN, number(down.len()))
        .with_text("services-down.txt", down.iter().map(|line| format!("{line}\n")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_hub_has_not_started_is_down() {
        let service = |command: &[&str], pid| Service {
            command: Some(command.iter().map(|word| (*word).to_owned()).collect()),
            pid,
            ..Service::default()
        };
        assert!(idle(&service(&["idle-culler"], Some(0))).is_some());
        assert!(idle(&service(&["idle-culler"], Some(7))).is_none());
        // Without the scope read:services there is no number.
        assert!(idle(&service(&["idle-culler"], None)).is_none());
        assert!(idle(&service(&[], Some(0))).is_none());
    }
}
