//! HTTP and TCP with every phase measured: every wait ends, and what was said is kept as evidence.
//!
//! A [`Client`] sends a [`Request`] and gives an [`Exchange`] back, whatever became of it: the [`Response`] or the
//! [`Fault`], with the [`Trace`] of the way there. Each exchange has a connection of its own, opened by this crate
//! (so that resolving, connecting and the TLS handshake are measured apart, and a signal or a deadline ends them);
//! HTTP over it is that of `ureq`. Redirects are followed only when a request asks for it.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use process::Interrupt;
//! use net::{Client, Patience, Request, Trust};
//! use process::Deadline;
//!
//! fn is_healthy(client: &Client) -> Result<bool, String> {
//!     let request = Request::get("https://hub.example/hub/health".parse()?);
//!     let patience = Patience::new(Duration::from_secs(5), Deadline::NEVER, &Interrupt::never());
//!     let exchange = client.send(&request, &patience);
//!     exchange.result.map(|response| response.status == 200).map_err(|fault| fault.to_string())
//! }
//!
//! let client = Client::new(Trust::new(&[], false, false)?, None);
//! println!("{:?}", is_healthy(&client));
//! # Ok::<(), anyhow::Error>(())
//! ```

mod certificate;
mod client;
mod connection;
mod exchange;
mod fault;
mod patience;
mod peer;
mod phases;
mod place;
mod request;
mod resolve;
mod socket;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
mod through;
mod trust;
mod url;
mod wire;
mod witness;

pub use certificate::Certificate;
pub use client::{BodyStream, Client};
pub use connection::{Connection, Route};
pub use exchange::{Exchange, Response};
pub use fault::{Fault, FaultCause, Stage, shown_limit};
pub use patience::Patience;
pub use peer::Peer;
pub use phases::{Phases, Trace};
pub use place::Place;
pub use request::Request;
pub use through::get_through;
pub use trust::Trust;
pub use url::{Url, decode, encode, hide};
