//! Judges the attributes, aspect by aspect.

use formats::human::show_duration;
use probe::Finding;

use super::args::CheckCvmfs;
use super::attributes::Attributes;

/// Judges the attributes; `None` where one is missing.
pub(super) type Judgement = fn(&Judge<'_>) -> Option<Finding>;

/// What is needed to judge an aspect.
pub(super) struct Judge<'a> {
    pub(super) args: &'a CheckCvmfs,
    /// The name that the repository must have.
    pub(super) fqrn: &'a str,
    pub(super) attributes: &'a Attributes,
    /// Now, in seconds since 1970.
    pub(super) now: f64,
}

impl Judge<'_> {
    /// The finding of a judgement; unknown where it needs an attribute that is missing.
    pub(super) fn judge(&self, judgement: Judgement) -> Finding {
        judgement(self).unwrap_or_else(|| hidden(self.attributes))
    }
}

pub(super) fn identity(judge: &Judge<'_>) -> Option<Finding> {
    let found = judge.attributes.text("fqrn")?;
    Some(if found == judge.fqrn {
        Finding::fine(format!("it is {found}"))
    } else {
        Finding::broken(format!("the repository that is mounted is {found}, not {}", judge.fqrn))
    })
}

pub(super) fn errors(judge: &Judge<'_>) -> Option<Finding> {
    let errors = judge.attributes.number("nioerr")?;
    let last = judge.attributes.number("timestamp_last_ioerr").filter(|at| *at > 0.0);
    let ago = last.map(|at| (judge.now - at).max(0.0));
    let when = ago.map_or_else(String::new, |ago| {
        format!(", the last one {} ago", show_duration(std::time::Duration::from_secs_f64(ago.min(1e9))))
    });
    let finding = Finding::fine(format!("{errors} reads have failed since it was mounted{when}"));
    let finding = finding.with_metric("io_errors", errors);
    Some(ago.into_iter().fold(finding, |finding, ago| finding.with_metric("last_io_error_seconds", ago)))
}

pub(super) fn failover(judge: &Judge<'_>) -> Option<Finding> {
    let host = judge.attributes.text("host")?;
    let first = judge.attributes.text("host_list").and_then(|list| list.split([';', '|']).next());
    if let Some(first) = first.map(str::trim).filter(|first| *first != host) {
        return Some(Finding::warning(format!("{host} is in use; the first server of its list is {first}")));
    }
    let proxy = judge.attributes.text("proxy").unwrap_or("DIRECT");
    let proxies = judge.attributes.text("proxy_list").unwrap_or("DIRECT");
    let has_proxies = proxies.split([';', '|']).any(|proxy| !matches!(proxy.trim(), "" | "DIRECT"));
    Some(if proxy == "DIRECT" && has_proxies {
        Finding::warning(format!("no proxy is in use, though there are {proxies}"))
    } else {
        Finding::fine(format!("{host} through {proxy}"))
    })
}

pub(super) fn cache(judge: &Judge<'_>) -> Option<Finding> {
    let cleanups = judge.attributes.number("ncleanup24");
    let hitrate = judge.attributes.number("hitrate");
    cleanups.or(hitrate)?;
    let mut finding = Finding::fine(match cleanups {
        Some(count) if count > 0.0 => format!("the cache was cleaned up {count} times within a day"),
        _ => "the cache is large enough".to_owned(),
    });
    for (name, number) in [("cleanups_a_day", cleanups), ("hitrate_percent", hitrate)] {
        finding = number.into_iter().fold(finding, |finding, number| finding.with_metric(name, number));
    }
    Some(finding)
}

pub(super) fn fds(judge: &Judge<'_>) -> Option<Finding> {
    let used = judge.attributes.number("usedfd")?;
    let most = judge.attributes.number("maxfd").filter(|most| *most > 0.0)?;
    let finding = Finding::fine(format!("{used} of {most} file descriptors are in use"));
    let finding = finding.with_metric("used_fds", used).with_metric("most_fds", most);
    Some(finding.with_metric("fds_percent", used / most * 100.0))
}

pub(super) fn catalogs(judge: &Judge<'_>) -> Option<Finding> {
    let catalogs = judge.attributes.number("nclg")?;
    let finding = Finding::fine(format!("{catalogs} catalogs are loaded")).with_metric("catalogs", catalogs);
    let most = judge.attributes.number("maxfd").filter(|most| *most > 0.0);
    // Each has a file open.
    let percent = most.map(|most| catalogs / most * 100.0);
    Some(
        percent
            .into_iter()
            .fold(finding, |finding, percent| finding.with_metric("catalogs_percent_of_fds", percent)),
    )
}

pub(super) fn version(judge: &Judge<'_>) -> Option<Finding> {
    let found = judge.attributes.text("version")?;
    Some(match &judge.args.expect_version {
        Some(expected) if !begins(found, expected) => {
            Finding::warning(format!("the client is version {found}, not {expected}"))
        }
        _ => Finding::fine(format!("the client is version {found}")),
    })
}

/// Whether a version is another one or one of its releases: 2.12.6 is of 2.12, 2.120 is not.
fn begins(found: &str, expected: &str) -> bool {
    found
        .strip_prefix(expected)
        .is_some_and(|rest| rest.is_empty() || !rest.starts_with(|next: char| next.is_ascii_digit()))
}

/// Why nothing is known without an attribute.
pub(super) fn hidden(attributes: &Attributes) -> Finding {
    Finding::skipped(if attributes.is_empty() {
        "the client shows no attributes: CVMFS_MAGIC_XATTRS_VISIBILITY hides them, or it is not a CVMFS client"
            .to_owned()
    } else {
        "this client does not have the attribute".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use probe::Level;

    use super::*;

    const HEALTHY: &str = "fqrn sft.cern.ch\nnioerr 0\nhost http://s1\nhost_list http://s1;http://s2\nproxy http://p1\n\
                           proxy_list http://p1;DIRECT\nncleanup24 3\nhitrate 99.2\nusedfd 10\nmaxfd 1000\nnclg 20\n\
                           version 2.12.6";

    fn judge(judgement: Judgement, changed: &str, args: &[&str]) -> Finding {
        let args = [&["check-cvmfs"], args].concat();
        let lines = HEALTHY.lines().chain(changed.lines());
        let judge = Judge {
            args: &CheckCvmfs::parse_from(args),
            fqrn: "sft.cern.ch",
            attributes: &Attributes::parse(lines),
            now: 2000.0,
        };
        judge.judge(judgement)
    }

    fn check(judgement: Judgement, changed: &str, args: &[&str], level: fn(String) -> Level, words: &str) {
        let found = judge(judgement, changed, args).level;
        let reason = found.reason().unwrap_or_default().to_owned();
        assert!(reason.contains(words), "{reason}");
        assert_eq!(found, level(reason));
    }

    fn check_fine(judgement: Judgement, changed: &str, args: &[&str]) {
        assert_eq!(judge(judgement, changed, args).level, Level::Fine);
    }

    #[test]
    fn a_healthy_client_is_fine() {
        let all: [Judgement; 7] = [identity, errors, failover, cache, fds, catalogs, version];
        for judgement in all {
            check_fine(judgement, "", &[]);
        }
    }

    #[test]
    fn another_repository_is_broken() {
        check(identity, "fqrn lhcb.cern.ch", &[], Level::Broken, "is lhcb.cern.ch, not sft.cern.ch");
    }

    #[test]
    fn what_is_fallen_back_on_is_a_warning() {
        check(failover, "host http://s2", &[], Level::Warning, "http://s2 is in use");
        check(failover, "proxy DIRECT", &[], Level::Warning, "no proxy is in use");
        check_fine(failover, "proxy DIRECT\nproxy_list DIRECT", &[]);
    }

    #[test]
    fn a_version_is_expected_whole_or_by_its_beginning() {
        check_fine(version, "", &["--expect-version=2.12"]);
        check_fine(version, "", &["--expect-version=2.12.6"]);
        check(version, "", &["--expect-version=2.1"], Level::Warning, "2.12.6, not 2.1");
    }

    #[test]
    fn numbers_are_left_to_the_thresholds() {
        let metric = |finding: &Finding, name: &str| {
            finding.metrics.iter().find(|metric| metric.name == name).map(|metric| metric.value)
        };
        let errors = judge(errors, "nioerr 7\ntimestamp_last_ioerr 1940", &[]);
        assert_eq!(
            (metric(&errors, "io_errors"), metric(&errors, "last_io_error_seconds")),
            (Some(7.0), Some(60.0))
        );
        assert_eq!(metric(&judge(fds, "usedfd 900", &[]), "fds_percent"), Some(90.0));
        assert_eq!(metric(&judge(catalogs, "nclg 200", &[]), "catalogs_percent_of_fds"), Some(20.0));
    }

    #[test]
    fn what_is_hidden_is_skipped() {
        check(fds, "maxfd -1", &[], Level::Skipped, "does not have");
        let none = Judge {
            args: &CheckCvmfs::parse_from(["check-cvmfs"]),
            fqrn: "",
            attributes: &Attributes::default(),
            now: 0.0,
        };
        assert!(none.judge(identity).level.reason().unwrap().contains("VISIBILITY"));
    }
}
