//! HTTP and TCP as checks need them: every phase is measured, every wait ends, what was said is evidence.
//!
//! A [`Client`] sends a [`Request`] and gives an [`Exchange`] back, whatever became of it: the [`Response`] or the
//! [`Fault`], with the [`Trace`] of the way there. Each exchange has a connection of its own, opened by this module
//! (so that resolving, connecting and the TLS handshake are measured apart, and a signal or a deadline ends them);
//! HTTP over it is that of `ureq`. Redirects are followed only when a request asks for it.
//!
//! ```no_run
//! use checks::net::{Client, NetArgs, Request};
//! use checks::probe::{Finding, Limits};
//!
//! fn health(client: &Client, limits: Limits<'_>) -> Finding {
//!     let url = match "https://hub.example/hub/health".parse() {
//!         Ok(url) => url,
//!         Err(error) => return Finding::unknown(error),
//!     };
//!     let exchange = client.send(&Request::get(url), limits);
//!     let finding = match exchange.answer() {
//!         Ok(response) if response.status == 200 => Finding::fine("it is there".to_owned()),
//!         Ok(response) => Finding::broken(response.describe()),
//!         Err(finding) => return *finding,
//!     };
//!     exchange.witness(finding)
//! }
//! ```

mod args;
mod certificate;
mod client;
mod connection;
mod evidence;
mod exchange;
mod fault;
mod look;
mod patience;
mod phases;
mod place;
mod redirect;
mod resolve;
mod socket;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod through;
mod trust;
mod url;
mod wire;
mod witness;

pub use args::{MinTls, NetArgs};
pub use certificate::Certificate;
pub use client::{BodyStream, Client, Request};
pub use connection::{Connection, Route};
pub use exchange::{Exchange, Response};
pub use fault::{Cause, Fault, Stage};
pub use look::{connect, latency, resolve, tls};
pub use patience::Patience;
pub use phases::{
    CERTIFICATE_DAYS, CONNECT_SECONDS, FIRST_BYTE_SECONDS, Phases, REQUEST_SECONDS, RESOLVE_SECONDS, SAMPLES,
    TLS_SECONDS, TOTAL_SECONDS, TRANSFER_SECONDS, Trace,
};
pub use place::Place;
pub use through::get_through;
pub use trust::{Peer, Trust};
pub use url::{Url, encode};
