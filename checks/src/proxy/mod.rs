//! `check-proxy`: does a configurable-http-proxy serve, does it take orders, do its routes lead anywhere?
//!
//! The proxy goes on serving when its hub is dead, and is silent when it is stopped: each aspect looks at another
//! part of the way from a browser to a server.

mod api;
mod args;
mod aspect;
mod canary;
mod lag;
mod responder;
mod routes;
mod target;
mod websocket;

pub use args::CheckProxy;
