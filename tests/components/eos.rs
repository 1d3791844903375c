//! `check-eos` against mounts in every state.

mod hung;

use std::path::Path;
use std::time::Duration;

use anyhow::ensure;
use process::Signal;
use subunit::Status::{Fail, Skip, Success};

use crate::autofs::Automount;
use crate::fixtures::{Control, Disk, Faulty, Small, eventually};
use crate::pipeline::{Ended, Pipeline, complete};
use crate::{Need, Scenario};
use hung::{hung_state, one_lost_request, slow_for_all, still_hung, told_at_once};

pub(crate) const SCENARIOS: &[Scenario] = &[
    scenario("components.eos.healthy", &[Need::Fuse], healthy),
    scenario("components.eos.nothing-mounted", &[Need::Brought(no_mount_listed)], nothing_mounted),
    scenario("components.eos.nothing-found", &[], nothing_found),
    scenario("components.eos.missing-folder", &[], missing_folder),
    scenario("components.eos.read-only", &[Need::Root], read_only),
    scenario("components.eos.full", &[Need::Root], full),
    scenario("components.eos.stopped-daemon", &[Need::Fuse], stopped_daemon),
    scenario("components.eos.never-answered", &[Need::Fuse], never_answered),
    scenario("components.eos.still-hung", &[Need::Fuse], still_hung),
    scenario("components.eos.told-at-once", &[Need::Fuse], told_at_once),
    scenario("components.eos.hung-state", &[Need::Fuse], hung_state),
    scenario("components.eos.one-lost-request", &[Need::Fuse], one_lost_request),
    scenario("components.eos.slow-for-all", &[Need::Fuse], slow_for_all),
    scenario("components.eos.hung-write", &[Need::Fuse], hung_write),
    scenario("components.eos.slow", &[Need::Fuse], slow),
    scenario("components.eos.too-slow-for-the-test", &[Need::Fuse], too_slow_for_the_test),
    scenario("components.eos.dead-daemon", &[Need::Fuse], dead_daemon),
    scenario("components.eos.stale", &[Need::Fuse], stale),
    scenario("components.eos.read-error", &[Need::Fuse], read_error),
    scenario("components.eos.close-error", &[Need::Fuse], close_error),
    scenario("components.eos.corrupted", &[Need::Fuse], corrupted),
    scenario("components.eos.left-behind", &[Need::Fuse], left_behind),
    scenario("components.eos.terminated", &[Need::Fuse], terminated),
    scenario("components.eos.visible", &[Need::Fuse], visible),
    scenario("components.eos.stale-probes", &[Need::Fuse], stale_probes),
    scenario("components.eos.parts", &[Need::Fuse], parts),
    scenario("components.eos.failing-metadata", &[Need::Fuse], failing_metadata),
    scenario("components.eos.read-file", &[Need::Fuse], read_file),
    scenario("components.eos.pending", &[Need::Fuse, FUSECTL], pending),
    scenario("components.eos.attributes", &[Need::Fuse], attributes),
    scenario("components.eos.plugin", &[Need::Fuse], plugin),
    scenario("components.eos.textfile", &[], textfile),
    scenario("components.eos.second-hung", &[Need::Fuse], second_hung),
    scenario("components.eos.second-run", &[Need::Fuse], second_run),
    scenario("components.eos.never-gone", &[Need::Fuse], never_gone),
    scenario("components.eos.honest-speed", &[Need::Fuse], honest_speed),
    scenario("components.eos.odd-path", &[Need::Root], odd_path),
    scenario("components.eos.autofs", &[Need::Fuse, Need::Program("automount")], autofs),
    scenario("components.eos.cold", DISK, cold),
    scenario("components.eos.never-cold", &[Need::Fuse], never_cold),
];

const FUSECTL: Need = Need::Brought(Control::missing);
const DISK: &[Need] =
    &[Need::Root, Need::Program("mke2fs"), Need::Program("mount"), Need::Brought(Disk::missing)];

const fn scenario(id: &'static str, needs: &'static [Need], run: fn() -> anyhow::Result<()>) -> Scenario {
    Scenario { id, needs, run }
}

/// Short limits for what hangs: a second for an operation, three for a test, four for all.
const SHORT: [&str; 6] = ["--op-timeout", "1s", "--timeout", "3s", "--plan-timeout", "4s"];
const SHORT_LIMIT: Duration = Duration::from_secs(4);
/// The usual limit for all tests.
const LIMIT: Duration = Duration::from_secs(45);
const DEEP: [&str; 2] = ["--probe", "deep"];
const ANY: [&str; 2] = ["--fstype", "any"];
const WRITING: [&str; 6] =
    ["stale-probes", "writable", "metadata", "throughput.write", "throughput.read", "integrity"];

fn check(path: &Path, arguments: &[&str]) -> anyhow::Result<Ended> {
    let home = tempfile::tempdir()?;
    Pipeline::new(home.path(), path, arguments).run()
}

fn healthy() -> anyhow::Result<()> {
    let faulty = Faulty::mount("")?;
    let ended = check(&faulty.path(), &DEEP)?;
    for aspect in ["mounted", "responsive", "space"].iter().chain(&WRITING) {
        ended.expect(aspect, Success, "")?;
    }
    ended
        .expect_attachment("throughput.write", "samples.csv")?
        .expect_attachment("integrity", "metrics.json")?;
    ensure!(faulty.files()?.is_empty(), "{:?} are left", faulty.files()?);
    ended.expect_end(0, LIMIT)
}

/// In a chroot mountinfo may have no mount that the temporary folder is on.
fn no_mount_listed() -> Option<String> {
    let list = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let is_above = |line: &str| {
        let point = line.split(' ').nth(4);
        point.is_some_and(|point| std::env::temp_dir().starts_with(point))
    };
    let is_listed = list.lines().any(is_above);
    (!is_listed).then(|| "/proc/self/mountinfo has no mount that the temporary folder is on".to_owned())
}

fn nothing_mounted() -> anyhow::Result<()> {
    // An empty folder, as an unmounted EOS leaves it behind.
    let folder = tempfile::tempdir()?;
    let ended = check(folder.path(), &["--fstype", "fuse.eosxd", "--probe", "deep"])?;
    ended.expect("mounted", Fail, "nothing of type fuse.eosxd is mounted")?;
    for aspect in ["responsive", "space"].iter().chain(&WRITING) {
        ended.expect(aspect, Skip, "eos.it.mounted")?;
    }
    ended.expect_end(1, LIMIT)
}

fn nothing_found() -> anyhow::Result<()> {
    let outcome = complete(
        std::process::Command::new(crate::pipeline::check_eos())
            .args(["--format=human", "--fstype=no-such-type"]),
    )?;
    let text = outcome.stdout.text();
    ensure!(outcome.ending.exit == process::Exit::Exited(1), "{}: {text}", outcome.ending.exit);
    ensure!(text.contains("FAIL      eos.any.mounted: ") && text.contains("check-eos /eos/user"), "{text}");
    Ok(())
}

fn missing_folder() -> anyhow::Result<()> {
    let ended = check(Path::new("/no/such/folder"), &ANY)?;
    ended.expect("responsive", Fail, "does not exist (ENOENT")?.expect("space", Skip, "eos.it.responsive")?;
    ended.expect_end(1, LIMIT)
}

fn read_only() -> anyhow::Result<()> {
    let small = Small::mount()?;
    small.make_read_only()?;
    let ended = check(small.path(), &[ANY, DEEP].concat())?;
    ended.expect("mounted", Fail, "is read-only: nothing can be written there")?.expect_end(1, LIMIT)?;
    let ended = check(small.path(), &[&ANY[..], &["--expect-rw"]].concat())?;
    ended.expect("mounted", Fail, "is read-only")?.expect_end(1, LIMIT)?;
    let ended = check(small.path(), &[&ANY[..], &["--dir", "."]].concat())?;
    ended.expect("mounted", Success, "")?.expect("responsive", Success, "")?;
    ended.expect("writable", Fail, "mounted read-only (EROFS")?.expect_end(1, LIMIT)
}

fn full() -> anyhow::Result<()> {
    let small = Small::mount()?;
    small.fill()?;
    let ended = check(small.path(), &[ANY, DEEP].concat())?;
    ended.expect("space", Fail, "free_percent = 0 %")?.expect("writable", Fail, "no room is left (ENOSPC")?;
    ended
        .expect("integrity", Fail, "too few to write")?
        .expect_tag("integrity", "unknown")?
        .expect_end(1, LIMIT)
}

fn stopped_daemon() -> anyhow::Result<()> {
    let faulty = Faulty::mount("")?;
    faulty.signal(Signal::STOP)?;
    let ended = check(&faulty.path(), &[&SHORT[..], &DEEP].concat())?;
    faulty.signal(Signal::CONT)?;
    ended.expect("responsive", Fail, "statx hangs")?.expect("writable", Skip, "eos.it.responsive")?;
    ended.expect_attachment("responsive", "proc-state.txt")?.expect_end(1, SHORT_LIMIT)
}

fn never_answered() -> anyhow::Result<()> {
    let faulty = Faulty::mount("statfs hang\n")?;
    let ended = check(&faulty.path(), &SHORT)?;
    ended.expect("responsive", Fail, "statfs hangs")?.expect("responsive", Fail, "is left behind")?;
    ended.expect_attachment("responsive", "mountinfo.txt")?.expect_end(1, SHORT_LIMIT)
}

fn hung_write() -> anyhow::Result<()> {
    let faulty = Faulty::mount("fsync slow 3000\n")?;
    let ended = check(&faulty.path(), &[&SHORT[..], &DEEP].concat())?;
    ended.expect("writable", Fail, "fsync hangs")?.expect("integrity", Skip, "still hangs")?;
    ended.expect_end(1, SHORT_LIMIT)?;
    // The probe that was left behind comes back, and takes its file along.
    eventually("the file is gone", || Ok(faulty.files()?.is_empty()))
}

fn slow() -> anyhow::Result<()> {
    let faulty = Faulty::mount("statfs slow 300\n")?;
    let ended = check(&faulty.path(), &["-w", "response_seconds=200ms"])?;
    ended.expect("responsive", Success, "outside of the warning range 200ms")?;
    ended.expect_tag("responsive", "warning")?.expect_end(0, LIMIT)?;
    let ended = check(&faulty.path(), &["-c", "response_seconds=200ms"])?;
    ended.expect("responsive", Fail, "outside of the critical range 200ms")?.expect_end(1, LIMIT)
}

fn too_slow_for_the_test() -> anyhow::Result<()> {
    let faulty = Faulty::mount("write slow 400\n")?;
    let ended = check(&faulty.path(), &[&SHORT[..], &["--only", "throughput.write"]].concat())?;
    ended.expect("throughput.write", Fail, "the time for the test was up")?.expect_end(1, SHORT_LIMIT)?;
    eventually("the file is gone", || Ok(faulty.files()?.is_empty()))
}

fn dead_daemon() -> anyhow::Result<()> {
    let faulty = Faulty::mount("")?;
    faulty.signal(Signal::KILL)?;
    let ended = check(&faulty.path(), &[])?;
    // Its last moments may still be seen.
    ended.expect("mounted", Success, "")?.expect("responsive", Fail, "the daemon behind the mount")?;
    ended.expect_end(1, LIMIT)
}

fn stale() -> anyhow::Result<()> {
    let faulty = Faulty::mount("statfs 116\n")?;
    check(&faulty.path(), &[])?.expect("responsive", Fail, "mounted anew (ESTALE")?.expect_end(1, LIMIT)
}

fn read_error() -> anyhow::Result<()> {
    let faulty = Faulty::mount("read 5\n")?;
    let ended = check(&faulty.path(), &DEEP)?;
    ended.expect("space", Success, "")?.expect("writable", Fail, "read back failed")?;
    ended.expect("integrity", Fail, "(EIO")?.expect("throughput.write", Success, "")?;
    ensure!(faulty.files()?.is_empty(), "{:?} are left", faulty.files()?);
    ended.expect_end(1, LIMIT)
}

fn close_error() -> anyhow::Result<()> {
    let faulty = Faulty::mount("flush 122\n")?;
    let ended = check(&faulty.path(), &["--only", "writable"])?;
    ended.expect("writable", Fail, "close failed")?.expect("writable", Fail, "quota is used up (EDQUOT")?;
    ensure!(faulty.files()?.is_empty(), "{:?} are left", faulty.files()?);
    ended.expect_end(1, LIMIT)
}

fn corrupted() -> anyhow::Result<()> {
    let faulty = Faulty::mount("read flip\n")?;
    for algorithm in ["sha256", "adler32", "crc32c", "md5", "xxh3"] {
        let ended = check(&faulty.path(), &["--only", "checksum", "--checksum", algorithm])?;
        ended.expect("integrity", Fail, "the first difference is at byte 0")?.expect_end(1, LIMIT)?;
    }
    Ok(())
}

fn left_behind() -> anyhow::Result<()> {
    let faulty = Faulty::mount("unlink 5\n")?;
    let home = tempfile::tempdir()?;
    let again = || Pipeline::new(home.path(), &faulty.path(), &["--only", "writable"]).run();
    again()?.expect("writable", Fail, "unlink failed")?.expect_attachment("writable", "left-behind.txt")?;
    ensure!(faulty.files()?.len() == 1, "{:?} are left", faulty.files()?);
    faulty.set("")?;
    again()?.expect("writable", Success, "")?;
    ensure!(faulty.files()?.is_empty(), "{:?} are left", faulty.files()?);
    Ok(())
}

fn terminated() -> anyhow::Result<()> {
    let faulty = Faulty::mount("write slow 300\n")?;
    let (home, path) = (tempfile::tempdir()?, faulty.path());
    let (target, backing) = (path.clone(), faulty.backing());
    let pipeline = Pipeline::new(home.path(), &path, &DEEP).beside(move || {
        eventually("it writes", || Ok(std::fs::read_dir(&backing)?.next().is_some()))?;
        crate::pipeline::terminate_check(&target)
    });
    let ended = pipeline.run()?;
    ended.expect("writable", Fail, "a signal ended the check")?.expect_tag("writable", "interrupted")?;
    ended.expect("integrity", subunit::Status::Exists, "")?;
    ensure!(faulty.files()?.is_empty(), "{:?} are left", faulty.files()?);
    ended.expect_end(143, LIMIT)
}

fn visible() -> anyhow::Result<()> {
    let faulty = Faulty::mount("")?;
    let elsewhere = tempfile::tempdir()?;
    let through = |path: &Path| {
        let path = path.to_string_lossy().into_owned();
        check(&faulty.path(), &[&SHORT[..], &["--only", "visible", "--visible-through", &path]].concat())
    };
    through(&faulty.backing())?.expect("visible", Success, "")?.expect_end(0, LIMIT)?;
    let ended = through(elsewhere.path())?;
    ended.expect("visible", Fail, "is not seen as")?.expect_end(1, LIMIT)?;
    ensure!(faulty.files()?.is_empty(), "{:?} are left", faulty.files()?);
    // The other path may hang as well as the first.
    let hung = Faulty::mount("* hang\n")?;
    let ended = through(&hung.path())?;
    ended.expect("visible", Fail, "read on the other path hangs")?.expect_end(1, SHORT_LIMIT)
}

fn stale_probes() -> anyhow::Result<()> {
    let faulty = Faulty::mount("")?;
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname")?;
    let host = host.trim().split('.').next().unwrap_or_default();
    let file = std::fs::File::create(faulty.backing().join(format!(".probe-{host}-1-0123456789abcdef")))?;
    file.set_modified(std::time::SystemTime::now() - Duration::from_secs(4000))?;
    let stale = |more: &[&str]| check(&faulty.path(), &[&["--only", "stale-probes"], more].concat());
    stale(&[])?
        .expect_tag("stale-probes", "warning")?
        .expect_attachment("stale-probes", "stale-probes.txt")?;
    stale(&["--remove-stale"])?.expect("stale-probes", Success, "")?.expect_end(0, LIMIT)?;
    ensure!(faulty.files()?.is_empty(), "{:?} are left", faulty.files()?);
    Ok(())
}

fn parts() -> anyhow::Result<()> {
    let faulty = Faulty::mount("unlink 5\n")?;
    let home = tempfile::tempdir()?;
    let check = |arguments: &[&str]| Pipeline::new(home.path(), &faulty.path(), arguments).run();
    let ended = check(&["--only", "delete", "--samples=1"])?;
    ended.expect("writable.delete", Fail, "unlink failed")?.expect_end(1, LIMIT)?;
    faulty.set("read 5\n")?;
    let ended = check(&["--only", "write", "--only", "exists", "--only", "delete"])?;
    ended.expect("writable.write", Success, "")?.expect("writable.exists", Fail, "read back failed")?;
    ended.expect("writable.delete", Success, "")?.expect_end(1, LIMIT)?;
    ensure!(faulty.files()?.is_empty(), "{:?} are left", faulty.files()?);
    Ok(())
}

fn failing_metadata() -> anyhow::Result<()> {
    let faulty = Faulty::mount("create 28\n")?;
    let ended = check(&faulty.path(), &["--only", "metadata"])?;
    ended.expect("metadata", Fail, "no room is left (ENOSPC")?.expect_end(1, LIMIT)?;
    faulty.set("create slow 20\n")?;
    let ended = check(&faulty.path(), &["--only", "metadata", "--files=5", "-c", "create_seconds_p95=10ms"])?;
    ended.expect("metadata", Fail, "create_seconds_p95 = ")?.expect_end(1, LIMIT)?;
    ensure!(faulty.files()?.is_empty(), "{:?} are left", faulty.files()?);
    Ok(())
}

fn read_file() -> anyhow::Result<()> {
    let faulty = Faulty::mount("create 30\n")?;
    std::fs::write(faulty.backing().join("staged"), vec![7; 3_000_000])?;
    let read = |file| check(&faulty.path(), &["--only", "throughput.read", "--read-file", file]);
    read("staged")?.expect("throughput.read", Success, "")?.expect_end(0, LIMIT)?;
    read("missing")?.expect("throughput.read", Fail, "does not exist (ENOENT")?.expect_end(1, LIMIT)?;
    ensure!(faulty.files()?.len() == 1, "{:?} are left", faulty.files()?);
    Ok(())
}

fn pending() -> anyhow::Result<()> {
    let _control = Control::mount()?;
    let faulty = Faulty::mount("statfs hang\n")?;
    let pending = || check(&faulty.path(), &["--only", "requests-pending", "-w", "pending_requests_least=0"]);
    pending()?.expect("requests-pending", Success, "")?.expect_end(0, LIMIT)?;
    let mut stuck = std::process::Command::new("stat");
    let stuck = stuck.arg("-f").arg(faulty.path()).stdout(std::process::Stdio::null());
    process::Child::spawn(stuck.stderr(std::process::Stdio::null()))?.detach();
    eventually("a request waits", || Ok(pending()?.expect_tag("requests-pending", "warning").is_ok()))
}

fn attributes() -> anyhow::Result<()> {
    let attributes = "xattr eos.name eosit\nxattr eos.identity uid=99 gid=99\n";
    let faulty = Faulty::mount_as("eosxd", attributes)?;
    let ended = check(&faulty.path(), &[])?;
    ended.expect("responsive", Success, "")?.expect_attachment("responsive", "eos-attributes.txt")?;
    let integrity = || check(&faulty.path(), &["--only", "integrity"]);
    integrity()?.expect("integrity", Success, "")?;
    faulty.set("xattr eos.checksum 00000000\n")?;
    let ended = integrity()?;
    ended
        .expect("integrity", Success, "the server's own checksum is 00000000")?
        .expect_tag("integrity", "warning")?;
    // What is read back counts, whatever the server says.
    faulty.set("xattr eos.checksum 00000000\nread flip\n")?;
    integrity()?.expect("integrity", Fail, "is not what was written")?.expect_end(1, LIMIT)?;
    // A daemon that hangs on what it need not know of hangs all the same.
    faulty.set("getxattr hang\n")?;
    let ended = check(&faulty.path(), &SHORT)?;
    ended.expect("responsive", Fail, "getxattr eos.name hangs")?.expect_end(1, SHORT_LIMIT)
}

/// The check as a monitoring plugin: by its name, with its exit codes.
fn plugin() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let faulty = Faulty::mount("statfs slow 200\n")?;
    let link = folder.path().join("check_eos");
    std::os::unix::fs::symlink(crate::pipeline::check_eos(), &link)?;
    let run = |arguments: &[&str], code: i32, start: &str| {
        let mut command = std::process::Command::new(&link);
        command.args(arguments).arg(faulty.path()).env("XDG_RUNTIME_DIR", folder.path());
        let finished = complete(&mut command)?;
        let text = finished.stdout.text();
        ensure!(finished.ending.exit == process::Exit::Exited(code), "{}: {text}", finished.ending.exit);
        ensure!(text.starts_with(start), "{text:?} does not start with {start:?}");
        Ok(())
    };
    let only = ["--only", "responsive", "--name", "it"];
    run(&only, 0, "EOS OK - 1 ok | 'it.responsive.response_seconds'=0.2")?;
    run(
        &[&only[..], &["-w", "response_seconds=100ms"]].concat(),
        1,
        "EOS WARNING - eos.it.responsive: the slowest answer took ",
    )?;
    run(
        &[&only[..], &["-c", "response_seconds=100ms"]].concat(),
        2,
        "EOS CRITICAL - eos.it.responsive: the slowest answer took ",
    )?;
    run(&["--only", "speed"], 3, "UNKNOWN - check_eos: `speed` matches no test")?;
    run(&["--no-such-option"], 3, "UNKNOWN - error: unexpected argument")
}

/// What node_exporter reads: readable by others, replaced as a whole.
fn textfile() -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("eos.prom");
    let mut command = std::process::Command::new(crate::pipeline::check_eos());
    command.args(["--fstype=any", "--format=openmetrics", "--name=it", "-o"]).arg(&file).arg(folder.path());
    let finished = complete(command.env("XDG_RUNTIME_DIR", folder.path()))?;
    ensure!(finished.ending.is_success(), "{}: {}", finished.ending.exit, finished.stderr.text());
    let text = std::fs::read_to_string(&file)?;
    ensure!(
        text.contains("subunit_check_status{check=\"eos\",target=\"it\",aspect=\"responsive\","),
        "{text}"
    );
    ensure!(text.ends_with("# EOF\n"), "{text}");
    let mode = std::fs::metadata(&file)?.permissions().mode();
    ensure!(mode & 0o044 == 0o044, "others cannot read it: {mode:o}");
    Ok(())
}

/// What is called cold was read from the device each time, also what this host has just written or read.
fn cold() -> anyhow::Result<()> {
    for options in ["defaults", "data=journal"] {
        let disk = Disk::mount(options)?;
        // A file that is in the page cache as a whole.
        std::fs::write(disk.path().join("staged"), vec![7; 2_000_000])?;
        rustix::fs::sync();
        ensure!(std::fs::read(disk.path().join("staged"))?.len() == 2_000_000);
        for (only, aspect) in [
            (&["--only=throughput.read"][..], "throughput.read"),
            (&["--only=throughput.read", "--read-file=staged"], "throughput.read"),
            (&["--only=integrity"], "integrity"),
        ] {
            let before = disk.bytes_read()?;
            let common = ["--fstype=ext4", "--size=2MB", "--samples=1"];
            let ended = check(&disk.path(), &[&common[..], only].concat())?;
            let bytes = disk.bytes_read()? - before;
            ended.expect(aspect, Success, "")?.expect_end(0, LIMIT)?;
            // With a journal of data, what was written may have to stay in the cache: then that is not known.
            let is_cold = ended.expect_summary(aspect, "cache=cold").is_ok();
            ensure!(
                is_cold == (bytes >= 2_000_000),
                "{only:?} with {options}: {bytes} bytes were read, cold: {is_cold}"
            );
            ensure!(is_cold || options != "defaults", "{only:?}: it was not read from the device");
        }
    }
    Ok(())
}

/// What cannot be proven is not claimed: a tmpfs has nowhere else to read from, and a FUSE daemon has a cache of its
/// own.
fn never_cold() -> anyhow::Result<()> {
    let small = Small::mount()?;
    let read = ["--only=throughput.read", "--only=integrity", "--size=100kB"];
    let ended = check(small.path(), &[&ANY[..], &read].concat())?;
    ended.expect_summary("throughput.read", "cache=unknown")?.expect_summary("integrity", "cache=unknown")?;
    ended.expect_end(0, LIMIT)?;
    let faulty = Faulty::mount("")?;
    let ended = check(&faulty.path(), &read)?;
    for aspect in ["throughput.read", "integrity"] {
        let is_daemons = ended.expect_summary(aspect, "cache=daemon").is_ok();
        ensure!(
            is_daemons || ended.expect_summary(aspect, "cache=unknown").is_ok(),
            "{aspect} was called cold"
        );
    }
    Ok(())
}

/// Each mount has its time, and what hangs in one is not waited for in the other.
fn second_hung() -> anyhow::Result<()> {
    let (first, second, home) = (Faulty::mount("")?, Faulty::mount("statfs hang\n")?, tempfile::tempdir()?);
    let (one, other) = (first.path(), second.path());
    let paths = [one.to_str().unwrap_or_default(), other.to_str().unwrap_or_default()];
    let arguments = [&["--name=other"], &SHORT[..], &paths].concat();
    let ended = Pipeline::of("eos", home.path(), &arguments).run()?;
    ended.expect("responsive", Success, "")?.expect("space", Success, "")?;
    let ended = ended.of("other");
    ended.expect("mounted", Success, "")?.expect("responsive", Fail, "statfs hangs")?;
    ended.expect("space", Skip, "eos.other.responsive")?.expect_end(1, SHORT_LIMIT)
}

/// While one run waits for what hangs, another ends in time as well.
fn second_run() -> anyhow::Result<()> {
    let faulty = Faulty::mount("statfs hang\n")?;
    let (home, path) = (tempfile::tempdir()?, faulty.path());
    let (there, place) = (home.path().to_owned(), path.clone());
    let first = Pipeline::new(home.path(), &path, &["--op-timeout=4s", "--timeout=6s"]).beside(move || {
        eventually("the first run looks", || Ok(crate::pipeline::probes(&place)? > 0))?;
        let ended = Pipeline::new(&there, &place, &SHORT).run()?;
        ended.expect("responsive", Fail, "is still hung since 20")?.expect_end(1, SHORT_LIMIT)
    });
    first.run()?.expect("responsive", Fail, "statfs hangs")?.expect_end(1, Duration::from_secs(7))
}

/// What the file system says it has deleted is looked for.
fn never_gone() -> anyhow::Result<()> {
    let faulty = Faulty::mount("unlink pretend\n")?;
    let ended = check(&faulty.path(), &["--only", "writable", "--samples=1"])?;
    ended.expect("writable", Fail, "failed on")?.expect_attachment("writable", "left-behind.txt")?;
    ended.expect_end(1, LIMIT)
}

/// All bytes count, and all of the time: also that for syncing them, and for closing.
fn honest_speed() -> anyhow::Result<()> {
    let faulty = Faulty::mount("")?;
    for slow in ["fsync slow 1000\n", "flush slow 1000\n"] {
        faulty.set(slow)?;
        // 4.2 MB in at least a second; a tenth of them, or one of four blocks, would be less.
        let arguments = ["--only=throughput.write", "--size=4MiB", "--samples=1", "-c", "write_mbps=1.1:4.2"];
        check(&faulty.path(), &arguments)?.expect("throughput.write", Success, "")?.expect_end(0, LIMIT)?;
    }
    Ok(())
}

/// What is mounted on demand is mounted by the check.
fn autofs() -> anyhow::Result<()> {
    let faulty = Faulty::mount("")?;
    let automount = Automount::start("user", &faulty.path())?;
    let path = automount.folder().join("user");
    let ended = check(&path, &[&DEEP[..], &["--size=100kB", "--samples=1"]].concat())?;
    for aspect in ["mounted", "responsive", "space"].iter().chain(&WRITING) {
        ended.expect(aspect, Success, "")?;
    }
    ended.expect_end(0, LIMIT)?;
    automount.signal(Signal::STOP)?;
    let missing = automount.folder().join("other");
    let ended = check(&missing, &SHORT)?;
    ended.expect("mounted", Fail, "hangs on")?.expect("responsive", Skip, "eos.it.mounted")?;
    ended.expect_end(1, SHORT_LIMIT)
}

/// Whatever is in its name: mountinfo escapes some of it, and the rest need not be text.
fn odd_path() -> anyhow::Result<()> {
    let name = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"a b\n\\c \"x' \xff$(y)");
    let small = Small::mount_at(name)?;
    let arguments = ["--fstype=tmpfs", "--probe=deep", "--size=100kB", "--files=5"];
    let ended = check(small.path(), &arguments)?;
    for aspect in ["mounted", "responsive", "space"].iter().chain(&WRITING) {
        ended.expect(aspect, Success, "")?;
    }
    ended.expect_end(0, LIMIT)?;
    ensure!(std::fs::read_dir(small.path())?.next().is_none(), "something is left");
    Ok(())
}
