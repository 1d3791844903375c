//! The repository as a site: what the commands say of runs, to be looked at in a browser.
//!
//! It is read only, on the loopback unless an address and a token are given, and asks nobody for anything. Each page
//! names where the same is to be had as JSON, with the keys that the commands' `--json` has.
//!
//! | address | what is there |
//! |---|---|
//! | `/`, `/runs.json` | the latest runs; `?before=N` for older ones |
//! | `/runs/N`, `/runs/N.json` | a run: the page of `subunit show --html`, live while it goes on; its tests |
//! | `/tests`, `/tests.json` | what is failing; with `?id=ID` the outcomes of a test, of the latest `&runs=N` |
//! | `/compare?before=A&after=B`, `/compare.json` | what changed from one run to another |
//! | `/board`, `/board.json` | the targets of checks, and how long each has been silent |
//! | `/metrics` | the latest run that is over, and all targets, for Prometheus |
//! | `/badge.svg` | how the latest run that is over went, as a picture |
//! | `/events`, `/runs/N/events` | events that say that a page has changed |
//!
//! A thread answers all connections and never blocks; what asks the repository runs beside it, a few at a time.

mod answer;
mod command;
mod guard;
mod pages;
mod server;
mod site;
#[cfg(test)]
mod tests;

pub use command::Serve;
