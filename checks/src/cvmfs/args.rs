//! The command line of `check-cvmfs`.

use std::path::PathBuf;

use cli::OptionFacts;
use cli::value::positive_size;
use probe::{ProbeArgs, help_end};

use crate::network::NetArgs;

const EXAMPLES: &str = "  check-cvmfs sft.cern.ch
  check-cvmfs --probe deep --file lcg/releases/version.txt sft.cern.ch | subunit2junitxml -o cvmfs.xml
  check-cvmfs --min-revision 14822 --expect-version 2.12 /cvmfs/sft.cern.ch
  check-cvmfs --only 'ttfb*' --samples 20 -w slow_ttfb_seconds=100ms sft.cern.ch
  check-cvmfs --list";

/// Check a CVMFS repository: mounted, answering, the right one, fresh, readable
///
/// Each aspect is a test of its own, cvmfs.TARGET.ASPECT. Liveness is automount and responsive; readiness, the
/// default, asks the client about itself (identity, errors, freshness, failover, cache, fds, catalogs, version)
/// and times first bytes; deep reads whole files, what is not cached among them, and asks the servers.
#[derive(clap::Parser, Clone, Debug)]
#[command(name = "check-cvmfs", version, after_help = help_end(EXAMPLES), max_term_width = 110)]
pub struct CheckCvmfs {
    /// Repositories, by name or by path (default: every CVMFS mount there is)
    #[arg(value_name = "REPOSITORY")]
    pub repositories: Vec<PathBuf>,
    /// The same, as an option
    #[arg(long = "path", value_name = "REPOSITORY", add = OptionFacts::PLACE)]
    pub more_repositories: Vec<PathBuf>,
    /// The name that the repository must have (default: the last part of its path)
    #[arg(long, value_name = "NAME", add = OptionFacts::of_aspects(&["identity"]))]
    pub fqrn: Option<String>,
    /// What mountinfo must name as mounted there; `*` accepts every file system
    #[arg(long, value_name = "GLOB", default_value = "*cvmfs*", add = OptionFacts::of_aspects(&["automount"]))]
    pub source: String,
    /// A file to read, below the repository; may be repeated (default: the first ones that are found)
    #[arg(long, value_name = "PATH", add = OptionFacts::of_aspects(&["ttfb.warm"]))]
    pub file: Vec<PathBuf>,
    /// The lowest revision that is fresh
    #[arg(long, value_name = "N", add = OptionFacts::of_aspects(&["freshness"]))]
    pub min_revision: Option<u64>,
    /// The version of the client, or how it begins
    #[arg(long, value_name = "VERSION", add = OptionFacts::of_aspects(&["version"]))]
    pub expect_version: Option<String>,
    /// The URL of a repository on a server, to compare with; may be repeated (default: those the client uses)
    #[arg(long, value_name = "URL", add = OptionFacts::of_aspects(&["freshness"]))]
    pub server: Vec<String>,
    /// How much to read at most
    #[arg(long, value_name = "SIZE", default_value = "100MB", value_parser = positive_size, add = OptionFacts::of_aspects(&["throughput", "integrity"]))]
    pub max_bytes: u64,
    /// How to get to the servers.
    #[command(flatten)]
    pub net: NetArgs,
    /// The options that all checks have.
    #[command(flatten)]
    pub probe: ProbeArgs,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use cli::Verdict;

    use super::*;
    use crate::Run;

    #[test]
    fn the_arguments_are_sound() {
        CheckCvmfs::command().debug_assert();
    }

    #[test]
    fn a_name_is_a_repository_below_cvmfs() {
        let args = ["--list", "--format=human", "--probe=liveness", "sft.cern.ch", "/mnt/other.cern.ch"];
        let outcome = cli::run_with::<Run<CheckCvmfs>>(&args, b"");
        let expected = "cvmfs.sft_cern_ch.automount\ncvmfs.sft_cern_ch.responsive\n\
                        cvmfs.other_cern_ch.automount\ncvmfs.other_cern_ch.responsive\n";
        assert_eq!((outcome.verdict, outcome.output()), (Verdict::Passed, expected), "{}", outcome.errors());
    }
}
