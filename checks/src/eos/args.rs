//! The command line of `check-eos`.

use std::path::PathBuf;

use cli::OptionFacts;
use cli::value::positive_size;
use probe::{Algorithm, ProbeArgs, TokenArgs, help_end};

const EXAMPLES: &str = "  check-eos /eos/user
  check-eos --probe deep --dir .checks /eos/user | subunit2junitxml -o eos.xml
  check-eos --only throughput --samples 10 --size 100MB -c write_mbps=20: /eos/user
  check-eos --format openmetrics -o /var/lib/node_exporter/eos.prom
  check-eos --probe deep --native root://eos.example.org//eos/user
  check-eos --fstype any --probe deep /tmp
  check-eos --list";

/// Check an EOS mount or any other one, or a `root://` server: answering, room, writable, intact
///
/// Each aspect is a test of its own, eos.TARGET.ASPECT: mounted, requests-pending and responsive (--probe liveness;
/// what waits for the daemon of another user's FUSE mount only root may read: then by name alone), also space
/// (readiness, the default), also stale-probes, writable, visible, metadata, throughput.write, throughput.read and
/// integrity (deep). Parts of writable are run by name: --only write, exists or delete. An option that is about an
/// aspect selects it: --dir, --visible-through, --read-file and so on. Whatever hangs, the check ends in time and says
/// what hangs where.
#[derive(clap::Parser, Clone, Debug)]
#[command(name = "check-eos", version, after_help = help_end(EXAMPLES), max_term_width = 110)]
pub struct CheckEos {
    /// Paths on the mounts to check (default: every EOS mount there is)
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The same, as an option
    #[arg(long = "path", value_name = "PATH", add = OptionFacts::PLACE)]
    pub more_paths: Vec<PathBuf>,
    /// Check a folder on an XRootD or EOS server without a mount, through xrdfs and xrdcp
    #[arg(long, value_name = "root://HOST[:PORT]//PATH", add = OptionFacts::TARGET)]
    pub native: Vec<String>,
    /// The file system type that is expected there; `any` accepts every directory
    #[arg(long, value_name = "GLOB", default_value = "fuse*", add = OptionFacts::TARGET)]
    pub fstype: String,
    /// Fail when the mount is read-only; --probe deep does without being told
    #[arg(long, add = OptionFacts::of_aspects(&["mounted"]))]
    pub expect_rw: bool,
    /// Where to write, below the path
    #[arg(long, value_name = "DIR", add = OptionFacts::of_aspects(&["writable"]))]
    pub dir: Option<PathBuf>,
    /// How much to write at a time
    #[arg(long, value_name = "SIZE", default_value = "4MiB", value_parser = positive_size, add = OptionFacts::of_aspects(&["throughput.write", "throughput.read"]))]
    pub size: u64,
    /// The checksum that is compared
    #[arg(long, value_name = "ALGORITHM", default_value = "sha256", add = OptionFacts::of_aspects(&["integrity"]))]
    pub checksum: Algorithm,
    /// How many small files to create, look at and delete
    #[arg(long, value_name = "N", default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..=1000), add = OptionFacts::of_aspects(&["metadata"]))]
    pub files: u32,
    /// Read this file below the path for throughput.read, one that this host has not written
    #[arg(long, value_name = "FILE", add = OptionFacts::of_aspects(&["throughput.read"]))]
    pub read_file: Option<PathBuf>,
    /// Another path to the same storage (a second mount), on which what is written must be seen
    #[arg(long, value_name = "PATH", add = OptionFacts::of_aspects(&["visible"]))]
    pub visible_through: Option<PathBuf>,
    /// Remove what earlier checks of this host have left behind more than an hour ago
    #[arg(long, add = OptionFacts::of_aspects(&["stale-probes"]))]
    pub remove_stale: bool,
    /// The token for servers that are not mounted. Mounts do not use it.
    #[command(flatten)]
    pub token: TokenArgs,
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

    fn check(args: &[&str], verdict: Verdict, output: &str, errors: &str) {
        let outcome = cli::run_with::<Run<CheckEos>>(args, b"");
        assert_eq!((outcome.verdict, outcome.output()), (verdict, output), "{}", outcome.errors());
        assert!(outcome.errors().contains(errors), "{}", outcome.errors());
    }

    #[test]
    fn the_arguments_are_sound() {
        CheckEos::command().debug_assert();
    }

    #[test]
    fn a_list_names_the_tests_of_the_kind() {
        let list = |kind, expected| {
            check(&["--list", "--format=human", "--probe", kind, "/eos/u"], Verdict::Passed, expected, "");
        };
        list("startup", "eos.u.mounted\neos.u.responsive\n");
        list("liveness", "eos.u.mounted\neos.u.requests-pending\neos.u.responsive\n");
        list("readiness", "eos.u.mounted\neos.u.requests-pending\neos.u.responsive\neos.u.space\n");
    }

    #[test]
    fn what_is_named_is_run_whatever_the_kind() {
        let list = |only, expected| {
            check(&["--list", "--format=human", "--only", only, "/eos/u"], Verdict::Passed, expected, "");
        };
        list("mount_sanity", "eos.u.responsive\n");
        list("throughput", "eos.u.throughput.write\neos.u.throughput.read\n");
        list("eos.u.integrity", "eos.u.integrity\n");
        list("exists", "eos.u.writable.exists\n");
        list("thr*", "eos.u.throughput.write\neos.u.throughput.read\n");
        list("*sp*", "eos.u.responsive\neos.u.space\n");
    }

    #[test]
    fn what_selects_nothing_is_an_error() {
        check(&["--only=speed", "/eos/u"], Verdict::Error, "", "`speed` matches no test");
        check(&["--skip=speed", "/eos/u"], Verdict::Error, "", "`speed` matches no test");
        check(
            &["--only=vis*", "/eos/u"],
            Verdict::Error,
            "",
            "`vis*` matches no test: it takes --visible-through",
        );
        check(&["--only=[", "/eos/u"], Verdict::Error, "", "error parsing glob");
    }

    #[test]
    fn a_token_is_of_no_use_on_a_mount() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "token").unwrap();
        let token = format!("--token-file={}", file.path().display());
        let refused = "a mount is looked at with the rights of its own, and not with a token";
        check(&["--list", &token, "/eos/u"], Verdict::Error, "", refused);
        check(
            &["--list", "--format=human", &token, "root://h//eos"],
            Verdict::Passed,
            "eos.eos.responsive\neos.eos.space\n",
            "",
        );
        check(
            &["--list", "--format=human", &token, "/eos/u", "root://h//eos"],
            Verdict::Passed,
            "eos.u.mounted\neos.u.requests-pending\neos.u.responsive\neos.u.space\neos.eos.responsive\n\
             eos.eos.space\n",
            "",
        );
    }

    #[test]
    fn thresholds_of_unknown_metrics_are_an_error() {
        check(&["-w", "speed=1", "/eos/u"], Verdict::Error, "", "there is no metric `speed`");
        check(
            &["-c", "free_percent=5MB", "/eos/u"],
            Verdict::Error,
            "",
            "\"5MB\" is not a number for a percentage (10%)",
        );
    }
}
