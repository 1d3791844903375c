//! What all servers can be asked: is the name known, is there anyone, whom does the certificate name, how long does
//! it take?

use std::fmt::Write as _;
use std::time::SystemTime;

use net::{Client, Exchange, Fault, FaultCause, Peer, Place, Request, Route, Trace};
use probe::{Finding, Limits, Percentiles};

use super::{
    CERTIFICATE_DAYS, Evidence as _, FaultFinding as _, REQUEST_SECONDS, SAMPLES, measure, one_operation,
};

/// Resolves the name; which address it has is the summary.
#[must_use]
pub fn resolve(route: &Route, limits: Limits<'_>) -> Finding {
    let Place::Tcp { host, .. } = &route.place else {
        return Finding::skipped(format!("{} is a file, not a name", route.place));
    };
    let mut trace = Trace::begin();
    let finding = match route.resolve(&one_operation(limits), &mut trace) {
        Ok(addresses) => {
            let shown: Vec<_> = addresses.iter().map(|address| address.ip().to_string()).collect();
            Finding::fine(format!("{host} is {}", shown.join(", ")))
        }
        Err(fault) => fault.finding(),
    };
    measure(&trace.phases, finding)
}

/// Connects, and says nothing.
#[must_use]
pub fn connect(route: &Route, limits: Limits<'_>) -> Finding {
    let mut trace = Trace::begin();
    let finding = match route.connect(&one_operation(limits), &mut trace) {
        Ok(_) => Finding::fine(match trace.address {
            Some(address) => format!("{address} accepts connections"),
            None => format!("{} accepts connections", route.place),
        }),
        Err(fault) => fault.finding(),
    };
    measure(&trace.phases, finding)
}

/// What [`tls`] does, for people.
pub const TLS: &str =
    "does a TLS handshake: is the certificate to be trusted, for this name, and for how long?";

/// Does the TLS handshake: whom does the certificate name, is it to be trusted, for how long is it valid?
#[must_use]
pub fn tls(route: &Route, limits: Limits<'_>) -> Finding {
    let mut trace = Trace::begin();
    let opened = route.open(&one_operation(limits), &mut trace);
    let peer = trace.peer.clone().unwrap_or_default();
    let finding = match opened.map(drop) {
        Ok(()) => Finding::fine(summary(&peer)),
        Err(fault) => fault.finding(),
    };
    let finding = measure(&trace.phases, with_certificates(finding, &peer));
    finding.with_text("certificates.txt", described(&peer))
}

fn summary(peer: &Peer) -> String {
    let subject = peer.certificates.first().map_or("", |own| own.subject.as_str());
    let protocol = peer.protocol.as_deref().unwrap_or_default();
    match &peer.objection {
        Some(objection) => format!("{protocol}, {subject}, not verified: {objection}"),
        None => format!("{protocol}, {subject}{}", first_to_expire(peer)),
    }
}

/// Until when the certificates are valid, and which of them is not any longer then.
fn first_to_expire(peer: &Peer) -> String {
    let first = peer.certificates.iter().enumerate().min_by_key(|(_, certificate)| certificate.not_after);
    match first {
        Some((0, own)) => format!(", valid until {}", own.last_day()),
        Some((_, other)) => format!(", whose issuer {} is valid until {}", other.subject, other.last_day()),
        None => String::new(),
    }
}

/// The days of that certificate which expires first.
fn with_certificates(finding: Finding, peer: &Peer) -> Finding {
    let now = SystemTime::now();
    let days = peer.certificates.iter().map(|certificate| certificate.days_left(now));
    match days.min_by(f64::total_cmp) {
        Some(days) => finding.with_metric(CERTIFICATE_DAYS.name, days),
        None => finding,
    }
}

fn described(peer: &Peer) -> String {
    let mut text = String::new();
    for certificate in &peer.certificates {
        let _infallible = writeln!(text, "{certificate}");
    }
    text
}

/// Sends the same request again and again, and tells the percentiles of its time and the phases of the slowest;
/// what `accept` refuses is broken.
#[must_use]
pub fn latency(
    client: &Client,
    request: &Request,
    samples: u32,
    accept: impl Fn(&Exchange) -> Result<(), Box<Finding>>,
    limits: Limits<'_>,
) -> Finding {
    let mut exchanges: Vec<Exchange> = Vec::new();
    for _ in 0..samples.max(1) {
        if !exchanges.is_empty() && limits.deadline.has_passed() {
            break;
        }
        let exchange = client.send(request, &one_operation(limits));
        if let Err(finding) = accept(&exchange) {
            // The last one had less time than an operation may take: it tells nothing.
            let was_cut = matches!(&exchange.result, Err(Fault { cause: FaultCause::Timeout(time), .. }) if *time < limits.operation);
            if was_cut && !exchanges.is_empty() {
                break;
            }
            return *finding;
        }
        exchanges.push(exchange);
    }
    let total = |exchange: &Exchange| exchange.phases().total.unwrap_or_default().as_secs_f64();
    let seconds = Percentiles::of(exchanges.iter().map(total).collect());
    let slowest = exchanges.iter().max_by(|one, other| total(one).total_cmp(&total(other)));
    let median = seconds.percentile(50).unwrap_or_default();
    let count = u32::try_from(exchanges.len()).unwrap_or(u32::MAX);
    let finding = Finding::fine(format!("{:.1} ms at the median of {count}", median * 1e3))
        .with_metric(SAMPLES.name, f64::from(count))
        .with_summary(REQUEST_SECONDS.name, &seconds);
    let finding = slowest.map(|exchange| exchange.measure(finding.clone())).unwrap_or(finding);
    finding.with_file("samples.csv", "text/csv", csv(&exchanges).into_bytes())
}

fn csv(exchanges: &[Exchange]) -> String {
    let mut text =
        "resolve_seconds,connect_seconds,tls_seconds,first_byte_seconds,transfer_seconds,total_seconds\n"
            .to_owned();
    for exchange in exchanges {
        let phases = exchange.phases();
        let all =
            [phases.resolve, phases.connect, phases.tls, phases.first_byte, phases.transfer, phases.total];
        let cell = |time: &Option<std::time::Duration>| {
            time.map_or_else(String::new, |time| format!("{:.6}", time.as_secs_f64()))
        };
        let _infallible = writeln!(text, "{}", all.iter().map(cell).collect::<Vec<_>>().join(","));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use net::testing::{Server, answer, client};
    use process::Deadline;
    use process::Interrupt;

    use super::*;

    #[test]
    fn samples_for_which_there_is_no_time_are_not_taken() {
        let server = Server::answering(|_| {
            std::thread::sleep(Duration::from_millis(400));
            answer("200 OK", "", "")
        });
        let (request, never) = (Request::get(server.url("/")), Interrupt::never());
        let accept = |exchange: &Exchange| exchange.answer().map(drop);
        let (operation, deadline) = (Duration::from_secs(5), Deadline::after(Duration::from_secs(1)));
        let found =
            latency(&client(), &request, 5, accept, Limits { operation, deadline, interrupt: &never });
        let samples =
            found.metrics.iter().find(|metric| metric.name == SAMPLES.name).map(|metric| metric.value);
        assert!(
            found.level.reason().is_none() && samples.is_some_and(|count| (1.0..=2.0).contains(&count)),
            "{found:?}"
        );
        // One that took all the time it may have is not a sample.
        let limits = Limits { operation: Duration::from_millis(100), deadline, interrupt: &never };
        assert!(latency(&client(), &request, 5, accept, limits).level.reason().is_some());
    }
}
