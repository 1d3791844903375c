//! The command line of `check-proxy`.

use cli::OptionFacts;
use net::Url;
use probe::{ProbeArgs, Secret, TokenArgs, help_end};

use crate::network::NetArgs;

const EXAMPLES: &str = "  check-proxy http://127.0.0.1:8000
  check-proxy --token-file proxy.token --api-url http://127.0.0.1:8001 https://hub.example
  check-proxy --probe deep --token-env CONFIGPROXY_AUTH_TOKEN http://127.0.0.1:8000
  check-proxy --metrics-url http://127.0.0.1:8002/metrics -w eventloop_lag_p99_seconds=50ms http://127.0.0.1:8000";

/// The variable by which the proxy itself is given its token.
pub(super) const VARIABLE: &str = "CONFIGPROXY_AUTH_TOKEN";

/// Check a configurable-http-proxy: health, API and token, routes, WebSocket, TLS, latency
///
/// Each aspect is a test of its own, proxy.TARGET.ASPECT: health (--probe startup), also tls, latency and, with a
/// token, api, hub-route and routes, with --metrics-url also eventloop-lag (readiness, the default), also canary and
/// websocket, which add a route of their own and remove it (deep).
#[derive(clap::Parser, Clone, Debug)]
#[command(name = "check-proxy", version, after_help = help_end(EXAMPLES), max_term_width = 110)]
pub struct CheckProxy {
    /// Where browsers go
    #[arg(value_name = "URL")]
    pub urls: Vec<Url>,
    /// The same, as an option
    #[arg(long = "url", value_name = "URL", add = OptionFacts::TARGET)]
    pub more_urls: Vec<Url>,
    /// Where the API of the proxy is
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8001", add = OptionFacts::of_aspects(&["api"]))]
    pub api_url: Url,
    /// Where the metrics of the proxy are
    #[arg(long, value_name = "URL", add = OptionFacts::of_aspects(&["eventloop-lag"]))]
    pub metrics_url: Option<Url>,
    /// By which address of this host the proxy can reach a server of this check (default: that by which this host
    /// reaches the proxy)
    #[arg(long, value_name = "ADDRESS", add = OptionFacts::of_aspects(&["canary", "websocket"]))]
    pub canary_address: Option<std::net::IpAddr>,
    /// Routes whose targets are looked at, at most
    #[arg(long, value_name = "N", default_value_t = 1000, add = OptionFacts::of_aspects(&["routes"]))]
    pub max_routes: usize,
    /// The proxy's token; without one, it is taken from `CONFIGPROXY_AUTH_TOKEN`.
    #[command(flatten)]
    pub token: TokenArgs,
    /// The options that all checks over the network have.
    #[command(flatten)]
    pub net: NetArgs,
    /// The options that all checks have.
    #[command(flatten)]
    pub probe: ProbeArgs,
}

impl CheckProxy {
    pub(super) fn all_urls(&self) -> impl Iterator<Item = &Url> {
        self.urls.iter().chain(&self.more_urls)
    }

    pub(super) fn token(&self) -> anyhow::Result<Option<Secret>> {
        let usual =
            || std::env::var(VARIABLE).ok().filter(|text| !text.is_empty()).map(|text| Secret::new(&text));
        Ok(self.token.token()?.or_else(usual))
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use cli::Verdict;
    use net::testing::{Server, answer};

    use super::*;
    use crate::Run;

    fn check(args: &[&str], verdict: Verdict, output: &str, errors: &str) {
        let outcome = cli::run_with::<Run<CheckProxy>>(&[&["--format=human"], args].concat(), b"");
        assert_eq!(outcome.verdict, verdict, "{}{}", outcome.output(), outcome.errors());
        assert!(outcome.output().contains(output), "{}", outcome.output());
        assert!(outcome.errors().contains(errors), "{}", outcome.errors());
    }

    #[test]
    fn the_arguments_are_sound() {
        CheckProxy::command().debug_assert();
    }

    #[test]
    fn a_proxy_has_the_aspects_that_apply() {
        let list =
            |args: &[&str], expected| check(&[&["--list"], args].concat(), Verdict::Passed, expected, "");
        list(
            &["http://a"],
            "proxy.a.health\nproxy.a.api\nproxy.a.hub-route\nproxy.a.routes\nproxy.a.latency\n",
        );
        list(&["--probe=startup", "http://a"], "proxy.a.health\n");
        list(&["--only=certificate", "https://a"], "proxy.a.tls\n");
        list(&["--only=eventloop-lag", "--metrics-url=http://a/m", "http://a"], "proxy.a.eventloop-lag\n");
        check(&["--only=tls", "http://a"], Verdict::Error, "", "`tls` matches no test");
        check(&["http://a", "http://b"], Verdict::Error, "", "one proxy at a time");
    }

    #[test]
    fn what_says_it_is_not_well_is_broken() {
        let ill = Server::answering(|_| answer("200 OK", "", r#"{"status": "ill"}"#));
        check(
            &["--only=health", &ill.url("/").to_string()],
            Verdict::Failed,
            "does not say that the proxy is OK",
            "",
        );
        let other = Server::answering(|_| answer("200 OK", "", "<html>welcome</html>"));
        check(
            &["--only=health", &other.url("/").to_string()],
            Verdict::Failed,
            "is not the JSON it should be",
            "",
        );
    }

    #[test]
    fn lag_is_read_from_the_metrics() {
        let slow = Server::answering(|_| answer("200 OK", "", "nodejs_eventloop_lag_p99_seconds 1.5\n"));
        let url = slow.url("/metrics").to_string();
        let lag = |range, verdict, words| {
            check(
                &["--only=eventloop-lag", "--metrics-url", &url, "-c", range, "http://a"],
                verdict,
                words,
                "",
            );
        };
        lag("eventloop_lag_p99_seconds=1s", Verdict::Failed, "eventloop_lag_p99_seconds = 1.5 s is outside");
        lag("eventloop_lag_p99_seconds=2s", Verdict::Passed, "outside of the warning range 100ms");
    }
}
