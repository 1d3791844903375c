//! Checks of a running service, as subunit streams.
//!
//! Each component has a module; what they share is in [`probe`]: the arguments, the plan, the
//! thresholds, the packets. A check is a set of aspects, and each aspect is one test.

pub mod all;
pub mod command;
pub mod config;
pub mod container;
pub mod cvmfs;
pub mod database;
pub mod eos;
pub mod http;
pub mod jupyterhub;
pub mod network;
pub mod proxy;
pub mod tcp;

/// All checks that a configuration file may name, by their names.
const CHECKS: &[all::Entry] = &[
    all::entry::<command::CheckCommand>(),
    all::entry::<container::CheckContainer>(),
    all::entry::<cvmfs::CheckCvmfs>(),
    all::entry::<database::CheckDatabase>(),
    all::entry::<eos::CheckEos>(),
    all::entry::<http::CheckHttp>(),
    all::entry::<jupyterhub::CheckJupyterhub>(),
    all::entry::<proxy::CheckProxy>(),
    all::entry::<tcp::CheckTcp>(),
];

/// The names of all components, with which the ids of their tests begin.
pub fn components() -> impl Iterator<Item = &'static str> {
    CHECKS.iter().map(|entry| entry.name)
}

/// The command of a check, whose targets may stand in a configuration file.
pub type Run<C> = probe::CheckRun<C, config::Configured>;
