//! What the repository's servers say: whether they answer, and which revision they have.

use super::args::CheckCvmfs;
use super::attributes::Attributes;
use super::judge::hidden;
use super::published::Published;
use crate::net::{Client, Request, Url};
use crate::probe::{Finding, Limits};

/// After how many lifetimes of a manifest a client that has not taken it is broken.
const MOST_LIFETIMES: f64 = 3.0;

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
        None => match first_manifest(&urls(args, attributes), client, limits) {
            Ok((url, published)) => compare(revision, &url, published, now),
            Err(reason) => Finding::skipped(format!(
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

/// Whether the servers answer.
pub(super) fn network(
    args: &CheckCvmfs,
    attributes: &Attributes,
    client: &Client,
    limits: Limits<'_>,
) -> Finding {
    let urls = urls(args, attributes);
    if urls.is_empty() {
        return if attributes.is_empty() {
            hidden(attributes)
        } else {
            Finding::skipped("the client names no server; --server names some".to_owned())
        };
    }
    let answers: Vec<_> = urls.iter().map(|url| (url, manifest(url, client, limits))).collect();
    let failed = answers.iter().filter(|(_, answer)| answer.is_err()).count();
    let line = |(url, answer): &(&String, Result<Published, String>)| match answer {
        Ok(published) => format!("{url}: revision {}\n", published.revision),
        Err(reason) => format!("{url}: {reason}\n"),
    };
    let finding = if failed == urls.len() {
        let lines: String = answers.iter().map(line).collect();
        Finding::broken(format!(
            "none of {failed} servers answers: {}",
            lines.lines().next().unwrap_or_default()
        ))
    } else {
        Finding::fine(format!("{} of {} servers answer", urls.len() - failed, urls.len()))
    };
    finding
        .with_metric("servers", urls.len() as f64)
        .with_metric("unreachable_servers", failed as f64)
        .with_text("servers.txt", answers.iter().map(line).collect())
}

/// The URLs of the repository on its servers.
fn urls(args: &CheckCvmfs, attributes: &Attributes) -> Vec<String> {
    if !args.server.is_empty() {
        return args.server.clone();
    }
    let list = attributes.text("host_list").or(attributes.text("host")).unwrap_or_default();
    list.split([';', '|']).map(str::trim).filter(|url| !url.is_empty()).map(str::to_owned).collect()
}

fn first_manifest(
    urls: &[String],
    client: &Client,
    limits: Limits<'_>,
) -> Result<(String, Published), String> {
    let mut reason = "the client names no server; --server or --min-revision does".to_owned();
    for url in urls {
        match manifest(url, client, limits) {
            Ok(published) => return Ok((url.clone(), published)),
            Err(error) => reason = format!("{url}: {error}"),
        }
    }
    Err(reason)
}

/// The manifest that a server has.
fn manifest(url: &str, client: &Client, limits: Limits<'_>) -> Result<Published, String> {
    let url: Url = format!("{}/.cvmfspublished", url.trim_end_matches('/')).parse()?;
    let exchange = client.send(&Request::get(url), limits);
    let response = exchange.result.as_ref().map_err(ToString::to_string)?;
    if response.status != 200 {
        return Err(response.describe());
    }
    Published::parse(&response.body)
        .ok_or_else(|| format!("it has no manifest there: {}", response.describe()))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use cli::Interrupt;

    use super::*;
    use crate::net::testing::{Server, answer, client, limits};
    use crate::probe::Level;

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
    fn what_cannot_be_compared_is_skipped() {
        check_reason(&fresh(&[], "<html>", "revision 1", 0.0), "it has no manifest there");
        check_reason(&fresh(&[], "", "fqrn it", 0.0), "does not have the attribute");
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
    }
}
