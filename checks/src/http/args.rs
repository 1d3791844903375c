//! The command line of `check-http`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};
use cli::OptionFacts;
use cli::value::positive_size;
use net::{Request, Url};
use probe::{ProbeArgs, Secret, TokenArgs, help_end};
use regex::bytes::Regex;

use super::StatusCodes;
use crate::network::NetArgs;

const EXAMPLES: &str = "  check-http https://hub.example/hub/health
  check-http --status 200 --match '\"status\": *\"ok\"' https://api.example/health
  check-http -w certificate_days=30: -c total_seconds=500ms https://www.example/
  check-http --only latency --samples 20 -w request_seconds_p95=200ms http://127.0.0.1:8000/
  check-http --token-file token --token-scheme token https://hub.example/hub/api/user
  check-http --connect-to unix:/run/docker.sock http://localhost/_ping";

/// Check addresses of HTTP: resolve, connect, TLS and certificate, status, body, latency
///
/// Each aspect is a test of its own, http.TARGET.ASPECT: resolve and connect (--probe startup), also status
/// (liveness), also tls, body and latency (readiness, the default). Every request has a connection of its own, and
/// its phases are measured. Redirects are answers, unless --redirects says to follow them.
#[derive(clap::Parser, Clone, Debug)]
#[command(name = "check-http", version, after_help = help_end(EXAMPLES), max_term_width = 110)]
pub struct CheckHttp {
    /// The addresses to check
    #[arg(value_name = "URL")]
    pub urls: Vec<Url>,
    /// The same, as an option
    #[arg(long = "url", value_name = "URL", add = OptionFacts::TARGET)]
    pub more_urls: Vec<Url>,
    /// How to ask; all but GET and HEAD ask only once
    #[arg(long, value_name = "METHOD", default_value = "GET", add = OptionFacts::TARGET)]
    pub method: String,
    /// Send this header; secrets have no place in it, see --token-file
    #[arg(long, value_name = "NAME: VALUE", add = OptionFacts::TARGET)]
    pub header: Vec<String>,
    /// Send what is in this file
    #[arg(long, value_name = "FILE", add = OptionFacts::FILE)]
    pub body_file: Option<PathBuf>,
    /// How the token is sent: `Authorization: SCHEME TOKEN`
    #[arg(long, value_name = "SCHEME", default_value = "Bearer", add = OptionFacts::TARGET)]
    pub token_scheme: String,
    /// The status codes to expect
    #[arg(long, value_name = "CODES", default_value = "2xx,3xx", add = OptionFacts::of_aspects(&["status"]))]
    pub status: StatusCodes,
    /// The body must match; several must all match
    #[arg(long = "match", value_name = "REGEX", add = OptionFacts::of_aspects(&["body"]))]
    pub matches: Vec<Regex>,
    /// The body must not match
    #[arg(long, value_name = "REGEX", add = OptionFacts::of_aspects(&["body"]))]
    pub no_match: Vec<Regex>,
    /// Bytes that the body may have
    #[arg(long, value_name = "SIZE", default_value = "1MiB", value_parser = positive_size, add = OptionFacts::of_aspects(&["body"]))]
    pub max_body: u64,
    /// How many redirects to follow; it fails when there are more
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=20), add = OptionFacts::of_aspects(&["status"]))]
    pub redirects: u32,
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

impl CheckHttp {
    pub(super) fn all_urls(&self) -> impl Iterator<Item = &Url> {
        self.urls.iter().chain(&self.more_urls)
    }

    pub(super) fn request(&self, url: &Url, token: Option<&Secret>) -> anyhow::Result<Request> {
        let is_word = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        ensure!(is_word(&self.method), "`{}` is not a method of HTTP", self.method);
        let mut request = Request::new(&self.method.to_ascii_uppercase(), url.clone());
        for header in &self.header {
            let Some((name, value)) = header.split_once(':') else { bail!("`{header}` is not NAME: VALUE") };
            let is_secret =
                ["authorization", "cookie"].iter().any(|other| name.trim().eq_ignore_ascii_case(other));
            ensure!(
                !is_secret,
                "everyone can see a secret on a command line: --token-file names a file with it"
            );
            request = request.header(name.trim(), value.trim());
        }
        if let Some(token) = token {
            request = request.header("authorization", &format!("{} {}", self.token_scheme, token.reveal()));
        }
        if let Some(path) = &self.body_file {
            request.body = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        }
        request.max_body = usize::try_from(self.max_body).unwrap_or(usize::MAX);
        request.redirects = self.redirects;
        Ok(request)
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
        let args = [&["--format=human"], args].concat();
        let outcome = cli::run_with::<Run<CheckHttp>>(&args, b"");
        assert_eq!(outcome.verdict, verdict, "{}{}", outcome.output(), outcome.errors());
        assert!(outcome.output().contains(output), "{}", outcome.output());
        assert!(outcome.errors().contains(errors), "{}", outcome.errors());
    }

    #[test]
    fn the_arguments_are_sound() {
        CheckHttp::command().debug_assert();
    }

    #[test]
    fn an_address_has_the_aspects_that_apply() {
        let list =
            |args: &[&str], expected| check(&[&["--list"], args].concat(), Verdict::Passed, expected, "");
        list(&["http://a/"], "http.a.resolve\nhttp.a.connect\nhttp.a.status\nhttp.a.body\nhttp.a.latency\n");
        list(&["--only=tls", "https://hub.example/"], "http.hub_example.tls\n");
        list(&["--probe=liveness", "http://a/"], "http.a.resolve\nhttp.a.connect\nhttp.a.status\n");
        list(
            &["--method=POST", "--only=status", "http://a/x", "http://a/y"],
            "http.a-x.status\nhttp.a-y.status\n",
        );
        let local = ["--connect-to=unix:/x", "--only=*e*", "http://a/"];
        list(&local, "http.a.connect\nhttp.a.latency\n");
        check(
            &["--list", "--only=latency", "--method=post", "http://a/"],
            Verdict::Error,
            "",
            "`latency` matches no test",
        );
    }

    #[test]
    fn wrong_arguments_are_refused() {
        let refused =
            |args: &[&str], words| check(&[args, &["http://a/"]].concat(), Verdict::Error, "", words);
        refused(&["--status=ok"], "`ok` is not a status code");
        refused(&["--header=x"], "`x` is not NAME: VALUE");
        refused(&["--header", "Authorization: token x"], "everyone can see a secret on a command line");
        refused(&["--ca=/no/such/file"], "cannot read /no/such/file");
        refused(&["--match=("], "unclosed group");
        refused(&["--connect-to=x"], "is not a place");
        check(&["example.org"], Verdict::Error, "", "begins with neither http:// nor https://");
    }

    #[test]
    fn the_token_is_sent_and_shown_nowhere() {
        let server = Server::answering(|head| match head.contains("authorization: token hunter2") {
            true => answer("200 OK", "", head),
            false => answer("403 Forbidden", "", head),
        });
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, "hunter2\n").unwrap();
        let (path, url) = (path.display().to_string(), server.url("/").to_string());
        let args =
            ["--format=json", "--token-file", &path, "--token-scheme=token", "--no-match=hunter", &url];
        let outcome = cli::run_with::<Run<CheckHttp>>(&args, b"");
        assert!(outcome.output().contains("the body matches"), "{}", outcome.output());
        assert!(!outcome.output().contains("hunter2"), "{}", outcome.output());
        check(&["--only=status", &url], Verdict::Failed, "answers 403 Forbidden", "");
        let args = ["--format=json", "--header=X-Api-Key: hunter3", "--no-match=.", "--status=403", &url];
        let outcome = cli::run_with::<Run<CheckHttp>>(&args, b"");
        assert!(outcome.output().contains("the body matches"), "{}", outcome.output());
        assert!(!outcome.output().contains("hunter3"), "{}", outcome.output());
    }

    #[test]
    fn redirects_are_followed_to_their_end_or_it_fails() {
        let server = Server::answering(|head| match head.split(' ').nth(1) {
            Some("/loop") => answer("302 Found", "location: /loop\r\n", ""),
            Some("/in") => answer("301 Moved Permanently", "location: /out\r\n", ""),
            Some("/secret") => answer("302 Found", "location: http://u:hunter2@x/?token=hunter2\r\n", ""),
            _ => answer("200 OK", "", "x"),
        });
        let url = |path| server.url(path).to_string();
        let look = |args: &[&str], path, verdict, words: &str| {
            check(&[args, &["--only=status", &url(path)]].concat(), verdict, words, "");
        };
        look(
            &["--redirects=5"],
            "/loop",
            Verdict::Failed,
            ": 5 redirects were followed, and it leads on to /loop\n",
        );
        look(
            &["--redirects=1", "--status=302"],
            "/loop",
            Verdict::Failed,
            ": 1 redirect was followed, and it leads",
        );
        look(&[], "/loop", Verdict::Passed, ": 302 Found, to /loop\n");
        look(&["--redirects=1"], "/in", Verdict::Passed, ", by redirects\n");
        check(
            &["--redirects=2", "--only=latency", &url("/loop")],
            Verdict::Failed,
            "2 redirects were followed",
            "",
        );
        check(
            &["--redirects=2", "--only=body", &url("/loop")],
            Verdict::Failed,
            "2 redirects were followed",
            "",
        );
        let outcome =
            cli::run_with::<Run<CheckHttp>>(&["--format=json", "--only=status", &url("/secret")], b"");
        assert!(!outcome.output().contains("hunter2"), "{}", outcome.output());
    }

    #[test]
    fn what_is_not_asked_twice_is_asked_once() {
        let count = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
        let seen = std::sync::Arc::clone(&count);
        let server = Server::answering(move |head| {
            seen.fetch_add(u32::from(head.starts_with("POST")), std::sync::atomic::Ordering::SeqCst);
            answer("200 OK", "", "done")
        });
        check(
            &["--method=post", "--match=done", &server.url("/").to_string()],
            Verdict::Passed,
            "4 passed",
            "",
        );
        assert_eq!(count.load(std::sync::atomic::Ordering::SeqCst), 1);
    }
}
