//! The command line of `check-jupyterhub`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use cli::OptionFacts;
use net::Url;
use probe::{ProbeArgs, TokenArgs, help_end};
use serde_json::{Map, Value};

use crate::network::NetArgs;

const EXAMPLES: &str = "  check-jupyterhub https://hub.example
  check-jupyterhub --token-file token --scope 'servers!user=probe' https://hub.example/jupyter
  check-jupyterhub --probe deep --token-file token --user probe --timeout 2min https://hub.example
  check-jupyterhub --only 'server.*' --token-file token --user probe --option ncores=2 https://hub.example
  check-jupyterhub --only latency --samples 20 -w request_seconds_p95=200ms https://hub.example

Scopes that a token needs (a role with them, of a service or the user):
  users list:users · services list:services, read:services · proxy-routes proxy, list:users, read:servers
  metrics read:metrics · server.* servers!user=NAME, read:users!user=NAME, access:servers!user=NAME";

/// What starts a server for a user, and stops it.
const SERVER: &[&str] = &["server.start", "server.ready", "server.api", "server.stop", "server.gone"];

/// Check a JupyterHub: does it answer, does it take the token, do servers start and stop?
///
/// Each aspect is a test of its own, jupyterhub.TARGET.ASPECT: health (--probe startup), also tls, version, token,
/// users, services, proxy-routes, metrics and latency (readiness, the default), also server.start, .ready, .api,
/// .stop and .gone, which start a server for a user and stop it again (deep, or where --user or an option of the
/// server is given). Without a token, what takes one is skipped. A server that was there before is never touched; one
/// that this check has started is stopped, also when a test fails or a signal ends the check, and by the next run on the
/// same host where the check was killed. --only server.ready or server.api, without server.start, only look at the
/// server that the user has.
#[derive(clap::Parser, Clone, Debug)]
#[command(name = "check-jupyterhub", version, after_help = help_end(EXAMPLES), max_term_width = 110)]
pub struct CheckJupyterhub {
    /// Where browsers go: the address of the hub, with its base path
    #[arg(value_name = "URL")]
    pub urls: Vec<Url>,
    /// The same, as an option
    #[arg(long = "url", value_name = "URL", add = OptionFacts::TARGET)]
    pub more_urls: Vec<Url>,
    /// Whose server to start and stop (default: the token's own user)
    #[arg(long, value_name = "NAME", add = OptionFacts::of_aspects(SERVER))]
    pub user: Option<String>,
    /// An option for the server to start; VALUE is JSON, or else text
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_option, add = OptionFacts::of_aspects(SERVER))]
    pub option: Vec<(String, Value)>,
    /// The options for the server to start: a JSON object
    #[arg(long, value_name = "FILE", add = OptionFacts::FILE.about(SERVER))]
    pub options_file: Option<PathBuf>,
    /// A scope that the token must have
    #[arg(long, value_name = "SCOPE", add = OptionFacts::of_aspects(&["token"]))]
    pub scope: Vec<String>,
    /// Fail when the hub is older than this
    #[arg(long, value_name = "VERSION", value_parser = parse_version, add = OptionFacts::of_aspects(&["version"]))]
    pub min_version: Option<String>,
    /// Warn when the hub is of another version: one that does not begin so
    #[arg(long, value_name = "VERSION", value_parser = parse_version, add = OptionFacts::of_aspects(&["version"]))]
    pub expect_version: Option<String>,
    /// How many users to ask for at a time
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000), add = OptionFacts::of_aspects(&["users"]))]
    pub page_size: u32,
    /// The token.
    #[command(flatten)]
    pub token: TokenArgs,
    /// The options that all checks over the network have.
    #[command(flatten)]
    pub net: NetArgs,
    /// The options that all checks have.
    #[command(flatten)]
    pub probe: ProbeArgs,
}

fn parse_option(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("`{text}` is not NAME=VALUE"))?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
    Ok((name.to_owned(), value))
}

fn parse_version(text: &str) -> Result<String, String> {
    match super::judge::numbers(text).is_empty() {
        false => Ok(text.to_owned()),
        true => Err(format!("`{text}` is not a version")),
    }
}

impl CheckJupyterhub {
    pub(super) fn all_urls(&self) -> impl Iterator<Item = &Url> {
        self.urls.iter().chain(&self.more_urls)
    }

    /// The options of the server to start.
    pub(super) fn options(&self) -> anyhow::Result<Map<String, Value>> {
        let mut options = Map::new();
        if let Some(path) = &self.options_file {
            let text = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
            match serde_json::from_slice(&text).with_context(|| format!("in {}", path.display()))? {
                Value::Object(object) => options = object,
                _ => bail!("{} holds no JSON object", path.display()),
            }
        }
        options.extend(self.option.iter().cloned());
        Ok(options)
    }
}
