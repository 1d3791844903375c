//! `check-cvmfs` against a stand-in: a read-only mount named `cvmfs2`, with the magic attributes on its files.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use anyhow::ensure;
use process::Signal;
use rustix::fs::{XattrFlags, setxattr};
use subunit::Status::{Fail, Skip, Success};

use crate::autofs::Automount;
use crate::fixtures::Faulty;
use crate::pipeline::{Ended, Pipeline};
use crate::{Need, Scenario};

pub(crate) const SCENARIOS: &[Scenario] = &[
    scenario("components.cvmfs.healthy", healthy),
    scenario("components.cvmfs.absent", absent),
    scenario("components.cvmfs.not-cvmfs", not_cvmfs),
    scenario("components.cvmfs.other-repository", other_repository),
    scenario("components.cvmfs.io-errors", io_errors),
    scenario("components.cvmfs.old-revision", old_revision),
    scenario("components.cvmfs.exhausted", exhausted),
    scenario("components.cvmfs.fallen-back", fallen_back),
    scenario("components.cvmfs.corrupted-cache", corrupted_cache),
    scenario("components.cvmfs.not-cached", not_cached),
    scenario("components.cvmfs.slow", slow),
    scenario("components.cvmfs.read-error", read_error),
    scenario("components.cvmfs.hung-read", hung_read),
    scenario("components.cvmfs.hung-attribute", hung_attribute),
    scenario("components.cvmfs.hidden-attributes", hidden_attributes),
    scenario("components.cvmfs.servers-gone", servers_gone),
    scenario("components.cvmfs.odd-names", odd_names),
    Scenario { needs: AUTOFS, ..scenario("components.cvmfs.autofs", autofs) },
    Scenario { needs: AUTOFS, ..scenario("components.cvmfs.autofs-stopped", autofs_stopped) },
];

const AUTOFS: &[Need] = &[Need::Fuse, Need::Program("automount"), Need::Program("timeout")];

const fn scenario(id: &'static str, run: fn() -> anyhow::Result<()>) -> Scenario {
    Scenario { id, needs: &[Need::Fuse], run }
}

const DEEP: [&str; 2] = ["--probe", "deep"];
const SHORT: [&str; 2] = ["--op-timeout=1s", "--timeout=3s"];
const LIMIT: Duration = Duration::from_secs(45);

/// What a healthy client says of itself. Nobody answers at the server's port.
const HEALTHY: &[(&str, &str)] = &[
    ("fqrn", "it.example.org"),
    ("revision", "14822"),
    ("version", "2.12.6"),
    ("nioerr", "0"),
    ("timestamp_last_ioerr", "0"),
    ("host", "http://127.0.0.1:9/cvmfs/it.example.org"),
    ("host_list", "http://127.0.0.1:9/cvmfs/it.example.org;http://127.0.0.1:9/other"),
    ("proxy", "DIRECT"),
    ("expires", "3"),
    ("hitrate", "99.2"),
    ("ncleanup24", "0"),
    ("usedfd", "10"),
    ("maxfd", "65024"),
    ("nclg", "202"),
];
const SOURCE: &str = "cvmfs2";

fn mark(path: &Path, name: &str, value: &str) -> io::Result<()> {
    Ok(setxattr(path, format!("user.{name}"), value.as_bytes(), XattrFlags::empty())?)
}

/// The stand-in, with these attributes changed.
pub(crate) fn repository(changed: &[(&str, &str)], faults: &str) -> anyhow::Result<Faulty> {
    Faulty::mount_read_only(SOURCE, faults, |root| {
        for (name, value) in HEALTHY.iter().chain(changed) {
            mark(root, name, value)?;
        }
        fs::create_dir(root.join("lib"))?;
        for (number, name) in ["a", "b", "c"].iter().enumerate() {
            let path = root.join("lib").join(name);
            fs::write(&path, vec![b'x'; 300_000])?;
            mark(&path, "hash", &format!("{number}0b"))?;
            mark(&path, "lhash", &format!("{number}0b"))?;
        }
        Ok(())
    })
}

fn check(repository: &Faulty, arguments: &[&str]) -> anyhow::Result<Ended> {
    let home = tempfile::tempdir()?;
    let path = repository.path();
    let path = path.to_str().unwrap_or_default();
    let arguments = [&["--fqrn=it.example.org"], arguments, &[path]].concat();
    Pipeline::of("cvmfs", home.path(), &arguments).run()
}

fn healthy() -> anyhow::Result<()> {
    let ended =
        check(&repository(&[], "")?, &[&DEEP[..], &["--skip", "network", "--min-revision=14822"]].concat())?;
    for aspect in ["automount", "responsive", "identity", "errors", "freshness", "failover", "cache", "fds"] {
        ended.expect(aspect, Success, "")?;
    }
    for aspect in ["catalogs", "version", "ttfb.warm", "throughput", "integrity"] {
        ended.expect(aspect, Success, "")?;
    }
    ended.expect("ttfb.cold", Skip, "in the client's cache already")?.expect_end(0, LIMIT)
}

fn absent() -> anyhow::Result<()> {
    let home = tempfile::tempdir()?;
    let ended = Pipeline::of("cvmfs", home.path(), &["no-such.example.org"]).run()?;
    ended.expect("automount", Fail, "does not exist (ENOENT")?.expect(
        "identity",
        Skip,
        "cvmfs.it.automount",
    )?;
    ended.expect_end(1, LIMIT)
}

fn not_cvmfs() -> anyhow::Result<()> {
    // A folder of the right name is no repository: that one always passed.
    let (home, folder) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let path = folder.path().join("sft.cern.ch");
    fs::create_dir(&path)?;
    let ended = Pipeline::of("cvmfs", home.path(), &[path.to_str().unwrap_or_default()]).run()?;
    ended.expect("automount", Fail, "no CVMFS repository is mounted at")?.expect_end(1, LIMIT)
}

fn other_repository() -> anyhow::Result<()> {
    let ended = check(&repository(&[("fqrn", "other.example.org")], "")?, &[])?;
    ended.expect("identity", Fail, "is other.example.org, not it.example.org")?;
    ended.expect_attachment("identity", "attributes.txt")?.expect_end(1, LIMIT)
}

fn io_errors() -> anyhow::Result<()> {
    let changed = [("nioerr", "3"), ("timestamp_last_ioerr", "1700000000")];
    let ended = check(&repository(&changed, "")?, &["--only", "errors"])?;
    ended.expect("errors", Success, "io_errors = 3")?.expect_tag("errors", "warning")?.expect_end(0, LIMIT)
}

fn old_revision() -> anyhow::Result<()> {
    let ended = check(&repository(&[], "")?, &["--only", "freshness", "--min-revision", "14823"])?;
    ended.expect("freshness", Fail, "14823 is the lowest that is fresh")?.expect_end(1, LIMIT)
}

fn exhausted() -> anyhow::Result<()> {
    let changed = [("usedfd", "60000"), ("nclg", "9000"), ("ncleanup24", "30"), ("hitrate", "40")];
    let ended = check(&repository(&changed, "")?, &["--only", "fds", "--only", "cat*", "--only", "cache"])?;
    ended.expect_tag("fds", "warning")?.expect_tag("catalogs", "warning")?.expect_tag("cache", "warning")?;
    ended.expect("cache", Success, "cleanups_a_day = 30")?.expect_end(0, LIMIT)
}

fn fallen_back() -> anyhow::Result<()> {
    let ended = check(&repository(&[("host", "http://127.0.0.1:9/other")], "")?, &["--only", "failover"])?;
    ended.expect("failover", Success, "is in use; the first server")?.expect_tag("failover", "warning")?;
    let arguments = ["--only", "version", "--expect-version", "2.13", "--warning-as", "fail"];
    let ended = check(&repository(&[], "")?, &arguments)?;
    ended.expect("version", Fail, "version 2.12.6, not 2.13")?.expect_end(1, LIMIT)
}

fn corrupted_cache() -> anyhow::Result<()> {
    let repository = repository(&[], "")?;
    mark(&repository.backing().join("lib/b"), "lhash", "ffff")?;
    let ended = check(&repository, &["--only", "integrity"])?;
    ended.expect("integrity", Fail, "mismatched_files = 1")?.expect_attachment("integrity", "hashes.txt")?;
    ended.expect_end(1, LIMIT)
}

fn not_cached() -> anyhow::Result<()> {
    let repository = repository(&[], "read slow 200\n")?;
    mark(&repository.backing().join("lib/c"), "lhash", "Not in cache")?;
    let ended = check(&repository, &["--only", "ttfb.cold", "-c", "slow_ttfb_seconds=100ms"])?;
    ended.expect("ttfb.cold", Fail, "slow_ttfb_seconds")?.expect_end(1, LIMIT)
}

fn slow() -> anyhow::Result<()> {
    let repository = repository(&[], "open slow 150\n")?;
    let ended = check(&repository, &["--only", "ttfb.warm", "-w", "slow_ttfb_seconds=100ms"])?;
    ended.expect("ttfb.warm", Success, "slow_ttfb_seconds")?.expect_tag("ttfb.warm", "warning")?;
    ended.expect_end(0, LIMIT)
}

fn read_error() -> anyhow::Result<()> {
    let ended = check(&repository(&[], "read 5\n")?, &["--only", "ttfb.warm", "--only", "throughput"])?;
    ended.expect("ttfb.warm", Fail, "(EIO")?.expect("throughput", Fail, "(EIO")?.expect_end(1, LIMIT)
}

fn hung_read() -> anyhow::Result<()> {
    let ended = check(&repository(&[], "read hang\n")?, &[&["--only", "throughput"], &SHORT[..]].concat())?;
    ended.expect("throughput", Fail, "read hangs")?.expect_end(1, Duration::from_secs(5))
}

fn hung_attribute() -> anyhow::Result<()> {
    let ended = check(&repository(&[], "getxattr hang\n")?, &SHORT)?;
    ended.expect("responsive", Success, "")?.expect("identity", Fail, "getxattr fqrn hangs")?;
    ended.expect("fds", Skip, "still hangs")?.expect_end(1, Duration::from_secs(8))
}

fn hidden_attributes() -> anyhow::Result<()> {
    let repository = Faulty::mount_read_only(SOURCE, "", |root| Ok(fs::write(root.join("file"), "x")?))?;
    let ended = check(&repository, &["--skip", "ttfb*"])?;
    ended.expect("responsive", Success, "")?.expect("identity", Skip, "VISIBILITY hides them")?;
    ended.expect("errors", Skip, "VISIBILITY")?.expect("freshness", Skip, "VISIBILITY")?.expect_end(0, LIMIT)
}

fn servers_gone() -> anyhow::Result<()> {
    let ended = check(&repository(&[], "")?, &["--only", "network", "--only", "freshness"])?;
    ended.expect("network", Fail, "none of 2 servers answers")?;
    ended
        .expect("freshness", Fail, "nothing to compare it with")?
        .expect_tag("freshness", "unknown")?
        .expect_end(1, LIMIT)
}

/// What is mounted on demand is nowhere to be seen before it is entered.
fn autofs() -> anyhow::Result<()> {
    let repository = repository(&[], "")?;
    let automount = Automount::start("it.example.org", &repository.path())?;
    let check = |name: &str| {
        let (home, path) = (tempfile::tempdir()?, automount.folder().join(name));
        Pipeline::of(
            "cvmfs",
            home.path(),
            &["--skip=network", "--min-revision=14822", path.to_str().unwrap_or_default()],
        )
        .run()
    };
    ensure!(!automount.has_mounted("it.example.org"), "it is mounted before it was entered");
    let ended = check("it.example.org")?;
    ended.expect("automount", Success, "")?.expect("identity", Success, "")?.expect_end(0, LIMIT)?;
    ensure!(automount.has_mounted("it.example.org"), "it was not entered");
    let ended = check("other.example.org")?;
    ended.expect("automount", Fail, "does not exist (ENOENT")?.expect("identity", Skip, "")?;
    ended.expect_end(1, LIMIT)
}

fn autofs_stopped() -> anyhow::Result<()> {
    let repository = repository(&[], "")?;
    let automount = Automount::start("it.example.org", &repository.path())?;
    automount.signal(Signal::STOP)?;
    let (home, path) = (tempfile::tempdir()?, automount.folder().join("it.example.org"));
    let arguments = [&SHORT[..], &[path.to_str().unwrap_or_default()]].concat();
    let ended = Pipeline::of("cvmfs", home.path(), &arguments).run()?;
    ended.expect("automount", Fail, "opendir hangs")?.expect("responsive", Skip, "cvmfs.it.automount")?;
    ended.expect_end(1, Duration::from_secs(3))
}

/// Names are bytes, and no words for a shell; a link that leads nowhere is no failure.
fn odd_names() -> anyhow::Result<()> {
    let repository = Faulty::mount_read_only(SOURCE, "", |root| {
        for (name, value) in HEALTHY {
            mark(root, name, value)?;
        }
        std::os::unix::fs::symlink("/no/such/file", root.join("a-dead-link"))?;
        for name in [&b"$(touch hacked); 'x\" y"[..], b"a\nb", b"not \xff UTF-8"] {
            fs::write(
                root.join(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(name)),
                "text",
            )?;
        }
        Ok(())
    })?;
    let ended = check(&repository, &["--only=ttfb.warm", "--only=throughput", "-w", "read_mbps=0:"])?;
    ended.expect("ttfb.warm", Success, "")?.expect_summary("throughput", "3 files")?.expect_end(0, LIMIT)
}
