//! The command `subunit serve`.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use cli::{OptionFacts, Streams, Verdict};
use runs::{RepoArgs, RepositoryCommand};

use crate::guard::Guard;
use crate::server;
use crate::site::Site;

/// Show the repository as a site: runs, tests, and the targets of checks
///
/// Open the address that it writes in a browser. A run is shown live while it goes on. The site is read only and asks
/// nobody for anything; it answers this machine alone, unless --listen and --token-file say otherwise. Each page names
/// where the same is to be had as JSON; /metrics is for Prometheus, and /badge.svg a picture of how the latest run went.
///
/// The board has the targets of all checks whose runs were stored. A target is silent when its last word is older than
/// twice its usual time between two words, or than 15 minutes where that is not known.
#[derive(clap::Args, Debug)]
#[command(after_help = cli::help!(
    [Passed = "never: it goes on until a signal ends it"],
    "  subunit serve\n  \
       subunit serve --listen 0.0.0.0:8080 --token-file token --host ci.example"
))]
pub struct Serve {
    /// Where to listen; port 0 takes one that is free
    #[arg(long, value_name = "ADDRESS", default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)))]
    listen: SocketAddr,
    /// The file of the token that readers need: they open the site once with ?token=TOKEN. Other machines are answered
    /// only where there is one
    #[arg(long, value_name = "FILE", add = OptionFacts::SECRET)]
    token_file: Option<PathBuf>,
    /// A name that this site has, beside localhost and addresses; may be repeated
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<String>,
}

impl RepositoryCommand for Serve {
    const NAME: &'static str = "subunit serve";

    fn run(self, repo: &RepoArgs, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let token = self.token()?;
        ensure!(
            token.is_some() || self.listen.ip().is_loopback(),
            "{} can be reached from other machines: --token-file says who may read",
            self.listen
        );
        let site = Site::new(repo.repository()?);
        let listener =
            TcpListener::bind(self.listen).with_context(|| format!("cannot listen at {}", self.listen))?;
        writeln!(streams.output, "http://{}/", listener.local_addr()?)?;
        streams.output.flush()?;
        let hosts = self.hosts.iter().map(|name| name.to_ascii_lowercase()).collect();
        server::serve(listener, site, Guard::new(hosts, token.as_deref()), &streams.interrupt)?;
        Ok(Verdict::Passed)
    }
}

impl Serve {
    fn token(&self) -> anyhow::Result<Option<String>> {
        let Some(path) = &self.token_file else { return Ok(None) };
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let token = text.trim();
        ensure!(token.len() >= 16, "{}: a token has 16 characters at least", path.display());
        Ok(Some(token.to_owned()))
    }
}
