//! The arguments of checks that talk over the network.

use std::path::PathBuf;

use cli::OptionFacts;
use net::{Client, Place, Trust};
use probe::ACCESS;

/// `--ca`, `--insecure`, `--min-tls`, `--connect-to`: how to get there, and which certificates to trust.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct NetArgs {
    /// Trust the certificates in this file (PEM), and no others, instead of those that the system trusts
    #[arg(long, value_name = "FILE", add = OptionFacts::FILE, help_heading = ACCESS)]
    pub ca: Vec<PathBuf>,
    /// Do not verify the server's certificate; every result gets the tag `insecure`
    #[arg(long, add = OptionFacts::TARGET, help_heading = ACCESS)]
    pub insecure: bool,
    /// The oldest version of TLS that is accepted
    #[arg(long, value_name = "VERSION", default_value = "1.2", add = OptionFacts::TARGET, help_heading = ACCESS)]
    pub min_tls: MinTls,
    /// Connect to this place (HOST:PORT or unix:PATH), whatever the address says
    #[arg(long, value_name = "PLACE", add = OptionFacts::TARGET, help_heading = ACCESS)]
    pub connect_to: Option<Place>,
}

/// The oldest version of TLS that is accepted.
#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MinTls {
    /// TLS 1.2
    #[default]
    #[value(name = "1.2")]
    V12,
    /// TLS 1.3
    #[value(name = "1.3")]
    V13,
}

impl NetArgs {
    /// A client with these arguments.
    ///
    /// # Errors
    ///
    /// When a file of certificates cannot be read, or holds no certificate.
    pub fn client(&self) -> anyhow::Result<Client> {
        let trust = Trust::new(&self.ca, self.insecure, self.min_tls == MinTls::V13)?;
        Ok(Client::new(trust, self.connect_to.clone()))
    }

    /// The tags of all results: `insecure`, where it is.
    #[must_use]
    pub fn tags(&self) -> Vec<String> {
        if self.insecure { vec!["insecure".to_owned()] } else { Vec::new() }
    }
}
