//! What the attributes come to, aspect by aspect.

use formats::human::show_duration;
use probe::Finding;

use super::args::CheckCvmfs;
use super::aspect::{CACHE, CATALOGS, ERRORS, FAILOVER, FDS, IDENTITY, VERSION};
use super::attributes::Attributes;

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
    /// What an aspect comes to that the attributes alone decide.
    pub(super) fn judge(&self, aspect: &str) -> Finding {
        let judged = match aspect {
            IDENTITY => self.identity(),
            ERRORS => self.errors(),
            FAILOVER => self.failover(),
            CACHE => self.cache(),
            FDS => self.fds(),
            CATALOGS => self.catalogs(),
            VERSION => self.version(),
            _ => None,
        };
        judged.unwrap_or_else(|| hidden(self.attributes))
    }

    fn identity(&self) -> Option<Finding> {
        let found = self.attributes.text("fqrn")?;
        Some(if found == self.fqrn {
            Finding::fine(format!("it is {found}"))
        } else {
            Finding::broken(format!("the repository that is mounted is {found}, not {}", self.fqrn))
        })
    }

    fn errors(&self) -> Option<Finding> {
        let errors = self.attributes.number("nioerr")?;
        let last = self.attributes.number("timestamp_last_ioerr").filter(|at| *at > 0.0);
        let ago = last.map(|at| (self.now - at).max(0.0));
        let when = ago.map_or_else(String::new, |ago| {
            format!(", the last one {} ago", show_duration(std::time::Duration::from_secs_f64(ago.min(1e9))))
        });
        let finding = Finding::fine(format!("{errors} reads have failed since it was mounted{when}"));
        let finding = finding.with_metric("io_errors", errors);
        Some(ago.into_iter().fold(finding, |finding, ago| finding.with_metric("last_io_error_seconds", ago)))
    }

    fn failover(&self) -> Option<Finding> {
        let host = self.attributes.text("host")?;
        let first = self.attributes.text("host_list").and_then(|list| list.split([';', '|']).next());
        if let Some(first) = first.map(str::trim).filter(|first| *first != host) {
            return Some(Finding::warning(format!(
                "{host} is in use; the first server of its list is {first}"
            )));
        }
        let proxy = self.attributes.text("proxy").unwrap_or("DIRECT");
        let proxies = self.attributes.text("proxy_list").unwrap_or("DIRECT");
        let has_proxies = proxies.split([';', '|']).any(|proxy| !matches!(proxy.trim(), "" | "DIRECT"));
        Some(if proxy == "DIRECT" && has_proxies {
            Finding::warning(format!("no proxy is in use, though there are {proxies}"))
        } else {
            Finding::fine(format!("{host} through {proxy}"))
        })
    }

    fn cache(&self) -> Option<Finding> {
        let cleanups = self.attributes.number("ncleanup24");
        let hitrate = self.attributes.number("hitrate");
        cleanups.or(hitrate)?;
        let mut finding = Finding::fine("the cache is large enough".to_owned());
        for (name, number) in [("cleanups_a_day", cleanups), ("hitrate_percent", hitrate)] {
            finding = number.into_iter().fold(finding, |finding, number| finding.with_metric(name, number));
        }
        Some(finding)
    }

    fn fds(&self) -> Option<Finding> {
        let used = self.attributes.number("usedfd")?;
        let most = self.attributes.number("maxfd").filter(|most| *most > 0.0)?;
        let finding = Finding::fine(format!("{used} of {most} file descriptors are in use"));
        let finding = finding.with_metric("used_fds", used).with_metric("most_fds", most);
        Some(finding.with_metric("fds_percent", used / most * 100.0))
    }

    fn catalogs(&self) -> Option<Finding> {
        let catalogs = self.attributes.number("nclg")?;
        let finding =
            Finding::fine(format!("{catalogs} catalogs are loaded")).with_metric("catalogs", catalogs);
        let most = self.attributes.number("maxfd").filter(|most| *most > 0.0);
        // Each has a file open.
        let percent = most.map(|most| catalogs / most * 100.0);
        Some(
            percent
                .into_iter()
                .fold(finding, |finding, percent| finding.with_metric("catalogs_percent_of_fds", percent)),
        )
    }

    fn version(&self) -> Option<Finding> {
        let found = self.attributes.text("version")?;
        Some(match &self.args.expect_version {
            Some(expected) if !begins(found, expected) => {
                Finding::warning(format!("the client is version {found}, not {expected}"))
            }
            _ => Finding::fine(format!("the client is version {found}")),
        })
    }
}

/// Whether a version is another one or one of its releases: 2.12.6 is of 2.12, 2.120 is not.
fn begins(found: &str, expected: &str) -> bool {
    found
        .strip_prefix(expected)
        .is_some_and(|rest| rest.is_empty() || !rest.starts_with(|next: char| next.is_ascii_digit()))
}

/// Why what takes an attribute cannot be told.
pub(super) fn hidden(attributes: &Attributes) -> Finding {
    Finding::skipped(if attributes.is_empty() {
        "the client shows no attributes: CVMFS_MAGIC_XATTRS_VISIBILITY hides them, or it is no CVMFS client"
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

    fn judge(aspect: &str, changed: &str, args: &[&str]) -> Finding {
        let args = [&["check-cvmfs"], args].concat();
        let lines = HEALTHY.lines().chain(changed.lines());
        let judge = Judge {
            args: &CheckCvmfs::parse_from(args),
            fqrn: "sft.cern.ch",
            attributes: &Attributes::parse(lines),
            now: 2000.0,
        };
        judge.judge(aspect)
    }

    fn check(aspect: &str, changed: &str, args: &[&str], level: fn(String) -> Level, words: &str) {
        let found = judge(aspect, changed, args).level;
        let reason = found.reason().unwrap_or_default().to_owned();
        assert!(reason.contains(words), "{reason}");
        assert_eq!(found, level(reason));
    }

    fn check_fine(aspect: &str, changed: &str, args: &[&str]) {
        assert_eq!(judge(aspect, changed, args).level, Level::Fine, "{aspect}");
    }

    #[test]
    fn a_healthy_client_is_fine() {
        for aspect in [IDENTITY, ERRORS, FAILOVER, CACHE, FDS, CATALOGS, VERSION] {
            check_fine(aspect, "", &[]);
        }
    }

    #[test]
    fn another_repository_is_broken() {
        check(IDENTITY, "fqrn lhcb.cern.ch", &[], Level::Broken, "is lhcb.cern.ch, not sft.cern.ch");
    }

    #[test]
    fn what_is_fallen_back_on_is_a_warning() {
        check(FAILOVER, "host http://s2", &[], Level::Warning, "http://s2 is in use");
        check(FAILOVER, "proxy DIRECT", &[], Level::Warning, "no proxy is in use");
        check_fine(FAILOVER, "proxy DIRECT\nproxy_list DIRECT", &[]);
    }

    #[test]
    fn a_version_is_expected_whole_or_by_its_beginning() {
        check_fine(VERSION, "", &["--expect-version=2.12"]);
        check_fine(VERSION, "", &["--expect-version=2.12.6"]);
        check(VERSION, "", &["--expect-version=2.1"], Level::Warning, "2.12.6, not 2.1");
    }

    #[test]
    fn numbers_are_left_to_the_thresholds() {
        let metric = |finding: &Finding, name: &str| {
            finding.metrics.iter().find(|metric| metric.name == name).map(|metric| metric.value)
        };
        let errors = judge(ERRORS, "nioerr 7\ntimestamp_last_ioerr 1940", &[]);
        assert_eq!(
            (metric(&errors, "io_errors"), metric(&errors, "last_io_error_seconds")),
            (Some(7.0), Some(60.0))
        );
        assert_eq!(metric(&judge(FDS, "usedfd 900", &[]), "fds_percent"), Some(90.0));
        assert_eq!(metric(&judge(CATALOGS, "nclg 200", &[]), "catalogs_percent_of_fds"), Some(20.0));
    }

    #[test]
    fn what_is_hidden_is_skipped() {
        check(FDS, "maxfd -1", &[], Level::Skipped, "does not have");
        let none = Judge {
            args: &CheckCvmfs::parse_from(["check-cvmfs"]),
            fqrn: "",
            attributes: &Attributes::default(),
            now: 0.0,
        };
        assert!(none.judge(IDENTITY).level.reason().unwrap().contains("VISIBILITY"));
    }
}
