//! What the repository's servers say: whether they answer, and which revision they have.

use std::fmt;

use net::{Client, Place, Request, Url, get_through};
use probe::{Finding, Limits};

use super::args::CheckCvmfs;
use super::attributes::Attributes;
use super::judge::hidden;
use super::published::Published;
use crate::network::one_operation;

/// After how many lifetimes of a manifest a client that has not taken it is broken.
const MOST_LIFETIMES: f64 = 3.0;
/// How far servers are apart that are only not done with copying what was published.
const CLOSE: u64 = 1;

/// Whether the revision that is mounted is the published one.
pub(super) fn freshness(
    args: &CheckCvmfs,
    attributes: &Attributes,
    now: f64,
    client: &Client,
    limits: Limits<'_>,
) -> Finding {
    let Some(revision) = attributes.number("revision") else { return hidden(attributes) };
    let finding = match args.min_revision {
        Some(least) if revision < least as f64 => {
            Finding::broken(format!("revision {revision} is mounted, {least} is the lowest that is fresh"))
        }
        Some(_) => Finding::fine(format!("revision {revision} is mounted")),
        None => match first_manifest(&routes(args, attributes), client, limits) {
            Ok((route, published)) => compare(revision, &route.url, published, now),
            Err(reason) => Finding::unknown(format!(
                "revision {revision} is mounted; there is nothing to compare it with: {reason}"
            )),
        },
    };
    let finding = finding.with_metric("revision", revision);
    let expires = attributes.number("expires").map(|minutes| minutes * 60.0);
    expires.into_iter().fold(finding, |finding, seconds| finding.with_metric("expires_seconds", seconds))
}

fn compare(revision: f64, url: &str, published: Published, now: f64) -> Finding {
    let behind = (published.revision as f64 - revision).max(0.0);
    let age = published.time.map(|time| (now - time as f64).max(0.0));
    let lifetime = published.lifetime.map(|seconds| seconds as f64);
    let is_stale =
        behind > 0.0 && age.zip(lifetime).is_some_and(|(age, lifetime)| age > MOST_LIFETIMES * lifetime);
    let finding = if is_stale {
        let ago = age.unwrap_or_default();
        Finding::broken(format!(
            "revision {revision} is mounted; {url} has had {} for {ago:.0} s, and clients look every {:.0} s",
            published.revision,
            lifetime.unwrap_or_default()
        ))
    } else {
        Finding::fine(format!("revision {revision} is mounted, {url} has {}", published.revision))
    };
    let finding = finding
        .with_metric("published_revision", published.revision as f64)
        .with_metric("revisions_behind", behind);
    age.into_iter().fold(finding, |finding, age| finding.with_metric("published_seconds", age))
}

/// Whether the servers answer, and the proxies on the route to them.
pub(super) fn network(
    args: &CheckCvmfs,
    attributes: &Attributes,
    client: &Client,
    limits: Limits<'_>,
) -> Finding {
    let routes = routes(args, attributes);
    if routes.is_empty() {
        return if attributes.is_empty() {
            hidden(attributes)
        } else {
            Finding::unknown("the client names no server: name one with --server".to_owned())
        };
    }
    let answers: Vec<_> = routes.iter().map(|route| (route, route.manifest(client, limits))).collect();
    let failed = answers.iter().filter(|(_, answer)| answer.is_err()).count();
    let line = |(route, answer): &Answer<'_>| match answer {
        Ok(published) => format!("{route}: revision {}\n", published.revision),
        Err(reason) => format!("{route}: {reason}\n"),
    };
    let finding = match apart(&answers) {
        None => {
            let lines: String = answers.iter().map(line).collect();
            Finding::broken(format!(
                "none of {failed} servers answers: {}",
                lines.lines().next().unwrap_or_default()
            ))
        }
        Some((behind, ahead)) => told_apart(behind, ahead, routes.len() - failed, routes.len()),
    };
    finding
        .with_metric("servers", routes.len() as f64)
        .with_metric("unreachable_servers", failed as f64)
        .with_text("servers.txt", answers.iter().map(line).collect())
}

type Answer<'a> = (&'a ServerRoute, Result<Published, String>);

/// What answered with the lowest revision, and what with the highest.
fn apart<'a>(answers: &[Answer<'a>]) -> Option<(Answered<'a>, Answered<'a>)> {
    let answered = || {
        let revision =
            |(route, answer): &Answer<'a>| answer.as_ref().ok().map(|answer| (*route, answer.revision));
        answers.iter().filter_map(revision)
    };
    // Of the same revision it is the one that the client asks first.
    Some((
        answered().min_by_key(|(_, revision)| *revision)?,
        answered().rev().max_by_key(|(_, revision)| *revision)?,
    ))
}

/// A server with its revision.
type Answered<'a> = (&'a ServerRoute, u64);

/// A server that is behind another is told: whoever asks it sees an old repository, and nothing that fails.
fn told_apart((old, lowest): Answered<'_>, (new, highest): Answered<'_>, up: usize, all: usize) -> Finding {
    let apart = highest - lowest;
    let finding = if apart > CLOSE {
        Finding::warning(format!(
            "{new} has {highest}, {apart} revisions more than {old}, which has {lowest}"
        ))
    } else {
        Finding::fine(format!("{up} of {all} servers answer, with revision {highest}"))
    };
    finding.with_metric("revisions_apart", apart as f64)
}

/// A server, and the proxy through which the client gets there.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ServerRoute {
    url: String,
    proxy: Option<Proxy>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Proxy {
    shown: String,
    place: Result<Place, String>,
}

impl ServerRoute {
    /// The manifest that the server has.
    fn manifest(&self, client: &Client, limits: Limits<'_>) -> Result<Published, String> {
        let url: Url = format!("{}/.cvmfspublished", self.url.trim_end_matches('/')).parse()?;
        let response = match &self.proxy {
            None => client.send(&Request::get(url), &one_operation(limits)).result,
            Some(proxy) => get_through(proxy.place.as_ref()?, &url, &one_operation(limits)),
        };
        let response = response.map_err(|fault| fault.to_string())?;
        if response.status != 200 {
            return Err(response.describe());
        }
        Published::parse(&response.body)
            .ok_or_else(|| format!("it has no manifest there: {}", response.describe()))
    }
}

impl fmt::Display for ServerRoute {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.proxy {
            Some(proxy) => write!(formatter, "{} through {}", self.url, proxy.shown),
            None => formatter.write_str(&self.url),
        }
    }
}

impl Proxy {
    fn new(text: &str) -> Self {
        let place = text.parse::<Url>().map(|url| url.place());
        Proxy { shown: text.to_owned(), place }
    }
}

/// Every server through the proxy in use, then every other proxy to the first server. What --server or --connect-to
/// names is asked as it is named.
fn routes(args: &CheckCvmfs, attributes: &Attributes) -> Vec<ServerRoute> {
    let direct = |url: &String| ServerRoute { url: url.clone(), proxy: None };
    if !args.server.is_empty() {
        return args.server.iter().map(direct).collect();
    }
    let urls = entries(attributes.text("host_list").or(attributes.text("host")).unwrap_or_default());
    let proxies = match &args.net.connect_to {
        Some(_) => Vec::new(),
        None => proxies(attributes),
    };
    let Some(used) = proxies.first() else { return urls.iter().map(direct).collect() };
    let route = |url: &String, proxy: &Option<Proxy>| ServerRoute { url: url.clone(), proxy: proxy.clone() };
    let others =
        urls.first().into_iter().flat_map(|url| proxies.iter().skip(1).map(move |proxy| route(url, proxy)));
    urls.iter().map(|url| route(url, used)).chain(others).collect()
}

/// The proxies of the client, the one in use first; none is the direct route.
fn proxies(attributes: &Attributes) -> Vec<Option<Proxy>> {
    let listed = attributes.text("proxy").into_iter().chain(attributes.text("proxy_list"));
    let mut proxies: Vec<Option<Proxy>> = Vec::new();
    for text in listed.flat_map(entries) {
        let proxy = (text != "DIRECT").then(|| Proxy::new(&text));
        if !proxies.contains(&proxy) {
            proxies.push(proxy);
        }
    }
    proxies
}

/// The entries of a list, in its order.
fn entries(list: &str) -> Vec<String> {
    list.split([';', '|']).map(str::trim).filter(|entry| !entry.is_empty()).map(str::to_owned).collect()
}

fn first_manifest(
    routes: &[ServerRoute],
    client: &Client,
    limits: Limits<'_>,
) -> Result<(ServerRoute, Published), String> {
    let mut reason = "the client names no server; --server or --min-revision does".to_owned();
    for route in routes {
        match route.manifest(client, limits) {
            Ok(published) => return Ok((route.clone(), published)),
            Err(error) => reason = format!("{route}: {error}"),
        }
    }
    Err(reason)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use net::testing::{Server, answer, client};
    use probe::Level;
    use process::Interrupt;

    use super::*;
    use crate::network::testing::limits;

    const MANIFEST: &str = "S14823\nT1000\nD240\n--\n";

    fn serving(body: &'static str) -> Server {
        Server::answering(move |head| {
            let is_asked = head.starts_with("GET /cvmfs/it/.cvmfspublished ");
            if is_asked { answer("200 OK", "", body) } else { answer("404 Not Found", "", "") }
        })
    }

    fn fresh(args: &[&str], body: &'static str, revision: &str, now: f64) -> Finding {
        let server = serving(body);
        let url = server.url("/cvmfs/it").to_string();
        let args = CheckCvmfs::parse_from([&["check-cvmfs", "--server", &url], args].concat());
        let attributes = Attributes::parse([revision].into_iter());
        freshness(&args, &attributes, now, &client(), limits(&Interrupt::never()))
    }

    fn metric(finding: &Finding, name: &str) -> Option<f64> {
        finding.metrics.iter().find(|metric| metric.name == name).map(|metric| metric.value)
    }

    fn check_reason(finding: &Finding, words: &str) {
        let reason = finding.level.reason().unwrap_or_default();
        assert!(reason.contains(words), "{finding:?}");
    }

    #[test]
    fn the_revision_is_compared_with_the_published_one() {
        let behind = fresh(&[], MANIFEST, "revision 14822", 1100.0);
        assert_eq!((behind.level.clone(), metric(&behind, "revisions_behind")), (Level::Fine, Some(1.0)));
        assert_eq!(metric(&fresh(&[], MANIFEST, "revision 14823", 9e9), "revisions_behind"), Some(0.0));
        let stale = fresh(&[], MANIFEST, "revision 14822", 2000.0);
        check_reason(&stale, "has had 14823 for 1000 s, and clients look every 240 s");
        assert!(matches!(stale.level, Level::Broken(_)));
    }

    #[test]
    fn a_lowest_revision_needs_no_server() {
        let low = fresh(&["--min-revision=14824"], "", "revision 14822", 0.0);
        check_reason(&low, "14824 is the lowest that is fresh");
        assert_eq!(fresh(&["--min-revision=14822"], "", "revision 14822", 0.0).level, Level::Fine);
    }

    #[test]
    fn what_cannot_be_compared_is_unknown() {
        let nothing = fresh(&[], "<html>", "revision 1", 0.0);
        check_reason(&nothing, "it has no manifest there");
        assert!(matches!(nothing.level, Level::Unknown(_)));
        let hidden = fresh(&[], "", "fqrn it", 0.0);
        check_reason(&hidden, "does not have the attribute");
        assert!(matches!(hidden.level, Level::Skipped(_)));
    }

    fn asked(hosts: &str) -> Finding {
        let server = serving(MANIFEST);
        let good = server.url("/cvmfs/it").to_string();
        let bad = server.url("/cvmfs/other").to_string();
        let list = format!("host_list {}", hosts.replace("GOOD", &good).replace("BAD", &bad));
        let args = CheckCvmfs::parse_from(["check-cvmfs"]);
        network(
            &args,
            &Attributes::parse([list.as_str()].into_iter()),
            &client(),
            limits(&Interrupt::never()),
        )
    }

    #[test]
    fn each_server_is_asked() {
        let one = asked("GOOD;BAD");
        assert_eq!((one.level.clone(), metric(&one, "unreachable_servers")), (Level::Fine, Some(1.0)));
        assert_eq!(metric(&asked("GOOD"), "unreachable_servers"), Some(0.0));
        check_reason(&asked("BAD;BAD"), "none of 2 servers answers");
        check_reason(&asked(""), "names no server");
        assert!(matches!(asked("").level, Level::Unknown(_)));
    }

    #[test]
    fn a_server_that_is_behind_another_is_told() {
        let (old, new) = (serving("S14822\n"), serving(MANIFEST));
        let newest = serving("S14900\nT1000\n");
        let urls = [&old, &new, &newest].map(|server| server.url("/cvmfs/it").to_string());
        let asked = |hosts: &[&String]| {
            let args = CheckCvmfs::parse_from(
                std::iter::once("check-cvmfs".to_owned())
                    .chain(hosts.iter().map(|url| format!("--server={url}"))),
            );
            network(&args, &Attributes::default(), &client(), limits(&Interrupt::never()))
        };
        let behind = asked(&[&urls[0], &urls[2], &urls[1]]);
        let words = format!("{} has 14900, 78 revisions more than {}, which has 14822", urls[2], urls[0]);
        assert_eq!(behind.level, Level::Warning(words));
        assert_eq!(metric(&behind, "revisions_apart"), Some(78.0));
        // Copying takes a moment.
        assert_eq!(asked(&[&urls[1], &urls[0]]).level, Level::Fine);
    }

    #[test]
    fn each_proxy_of_the_client_is_on_a_way() {
        let check = |lines: &[&str], expected: &[&str]| {
            let attributes = Attributes::parse(lines.iter().copied());
            let found: Vec<_> = routes(&CheckCvmfs::parse_from(["check-cvmfs"]), &attributes)
                .iter()
                .map(ServerRoute::to_string)
                .collect();
            assert_eq!(found, expected);
        };
        let hosts = "host_list http://s1/it;http://s2/it";
        check(&[hosts], &["http://s1/it", "http://s2/it"]);
        check(&[hosts, "proxy DIRECT"], &["http://s1/it", "http://s2/it"]);
        check(
            &[hosts, "proxy http://p2:3128", "proxy_list http://p1:3128|http://p2:3128;DIRECT"],
            &[
                "http://s1/it through http://p2:3128",
                "http://s2/it through http://p2:3128",
                "http://s1/it through http://p1:3128",
                "http://s1/it",
            ],
        );
    }

    #[test]
    fn a_server_that_only_a_proxy_reaches_answers() {
        let proxy = Server::answering(|head| {
            let is_asked = head.starts_with("GET http://stratum.invalid/cvmfs/it/.cvmfspublished ");
            if is_asked { answer("200 OK", "", MANIFEST) } else { answer("400 Bad Request", "", "") }
        });
        let used = format!("proxy {}", proxy.url(""));
        let attributes = ["host_list http://stratum.invalid/cvmfs/it", &used, "revision 14823"];
        let attributes = Attributes::parse(attributes.into_iter());
        let (args, never) = (CheckCvmfs::parse_from(["check-cvmfs"]), Interrupt::never());
        let found = network(&args, &attributes, &client(), limits(&never));
        assert_eq!((found.level.clone(), metric(&found, "unreachable_servers")), (Level::Fine, Some(0.0)));
        let fresh = freshness(&args, &attributes, 1100.0, &client(), limits(&never));
        assert_eq!(metric(&fresh, "revisions_behind"), Some(0.0), "{fresh:?}");
    }
}
