//! Mounts that hang, and what later runs make of it.

use super::*;

pub(super) fn still_hung() -> anyhow::Result<()> {
    let faulty = Faulty::mount("* hang\n")?;
    let home = tempfile::tempdir()?;
    let again = || Pipeline::new(home.path(), &faulty.path(), &SHORT).run();
    again()?.expect("responsive", Fail, "statx hangs")?;
    // The second run looks whether it was only that one request; after it, none is added.
    for _ in 0..3 {
        again()?.expect("responsive", Fail, "is still hung since 20")?.expect_end(1, SHORT_LIMIT)?;
    }
    let probes = crate::pipeline::probes(&faulty.path())?;
    ensure!(probes <= 2, "{probes} probes hang");
    Ok(())
}

/// What hangs is told to who does not have the time to find it out.
pub(super) fn told_at_once() -> anyhow::Result<()> {
    let faulty = Faulty::mount("* hang\n")?;
    let home = tempfile::tempdir()?;
    Pipeline::new(home.path(), &faulty.path(), &SHORT).run()?.expect("responsive", Fail, "statx hangs")?;
    for _ in 0..2 {
        // An operation may take five seconds.
        let told = Pipeline::new(home.path(), &faulty.path(), &[]).run()?;
        told.expect("responsive", Fail, "is still hung since 20")?.expect_end(1, Duration::from_secs(3))?;
    }
    Ok(())
}

/// The state may be on a mount that hangs: then the check is made without it.
pub(super) fn hung_state() -> anyhow::Result<()> {
    let (faulty, home) = (Faulty::mount("")?, tempfile::tempdir()?);
    let state = format!("--state-file={}", faulty.path().join("state").display());
    let again = || Pipeline::of("command", home.path(), &[&state, "--fail-after=3", "--", "false"]).run();
    again()?.expect("result", Success, "")?.expect_tag("result", "failing")?;
    faulty.set("* hang\n")?;
    for _ in 0..2 {
        let ended = again()?;
        ended.expect("result", Fail, "")?.expect_end(1, SHORT_LIMIT)?;
    }
    faulty.set("")?;
    Ok(())
}

pub(super) fn one_lost_request() -> anyhow::Result<()> {
    let faulty = Faulty::mount("statfs hang\n")?;
    let home = tempfile::tempdir()?;
    let again = |more: &[&str]| Pipeline::new(home.path(), &faulty.path(), more).run();
    again(&SHORT)?.expect("responsive", Fail, "statfs hangs")?;
    faulty.set("")?;
    for _ in 0..3 {
        let ended = again(&[])?;
        ended.expect("responsive", Success, "was never answered (process ")?;
        ended.expect_tag("responsive", "warning")?.expect("space", Success, "")?.expect_end(0, LIMIT)?;
    }
    Ok(())
}

/// What is slow is slow, for all who look at the same time.
pub(super) fn slow_for_all() -> anyhow::Result<()> {
    let faulty = Faulty::mount("statfs slow 1500\n")?;
    let home = tempfile::tempdir()?;
    let look = || Pipeline::new(home.path(), &faulty.path(), &[]).run();
    let ended: Vec<_> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..3).map(|_| scope.spawn(look)).collect();
        runs.into_iter().map(|run| run.join().map_err(|_| anyhow::anyhow!("a run panicked"))?).collect()
    });
    for ended in ended {
        let ended = ended?;
        ended.expect("responsive", Success, "response_seconds = 1.5")?.expect_tag("responsive", "warning")?;
        ended.expect_end(0, LIMIT)?;
    }
    Ok(())
}
