//! What checks make of the network: faults become findings, phases metrics, and what was exchanged evidence.
//!
//! The crate [`net`] knows none of that: it says how far an exchange came and how long each part took.
//!
//! ```no_run
//! use checks::network::{Evidence as _, one_operation};
//! use probe::{Finding, Limits};
//! use net::{Client, Request};
//!
//! fn health(client: &Client, limits: Limits<'_>) -> Finding {
//!     let url = match "https://hub.example/hub/health".parse() {
//!         Ok(url) => url,
//!         Err(error) => return Finding::unknown(error),
//!     };
//!     let exchange = client.send(&Request::get(url), &one_operation(limits));
//!     let finding = match exchange.answer() {
//!         Ok(response) if response.status == 200 => Finding::fine("it is there".to_owned()),
//!         Ok(response) => Finding::broken(response.describe()),
//!         Err(finding) => return *finding,
//!     };
//!     exchange.witness(finding)
//! }
//! ```

mod args;
mod evidence;
mod fault;
mod look;
mod metrics;

use net::Patience;

pub use args::{MinTls, NetArgs};
pub use evidence::Evidence;
pub use fault::FaultFinding;
pub use look::{TLS, connect, latency, resolve, tls};
pub use metrics::{
    CERTIFICATE_DAYS, CONNECT_SECONDS, FIRST_BYTE_SECONDS, REQUEST_SECONDS, RESOLVE_SECONDS, SAMPLES,
    TLS_SECONDS, TOTAL_SECONDS, TRANSFER_SECONDS, measure,
};

use probe::Limits;

/// As long as an operation may take that begins now.
#[must_use]
pub fn one_operation(limits: Limits<'_>) -> Patience {
    Patience::new(limits.operation, limits.deadline, limits.interrupt)
}

/// As long as the test may take: for answers that come bit by bit.
#[must_use]
pub fn whole_test(limits: Limits<'_>) -> Patience {
    Patience::until(limits.deadline, limits.operation, limits.interrupt)
}

#[cfg(test)]
pub(crate) mod testing {
    use std::time::Duration;

    use probe::Limits;
    use process::Deadline;
    use process::Interrupt;

    /// Half a second for an operation, two for a test.
    pub(crate) fn limits(interrupt: &Interrupt) -> Limits<'_> {
        let deadline = Deadline::after(Duration::from_secs(2));
        Limits { operation: Duration::from_millis(500), deadline, interrupt }
    }
}
