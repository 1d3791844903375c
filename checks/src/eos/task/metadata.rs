//! How fast names come and go.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use probe::Percentiles;
use probe::helper::tell_summary;
use process::helper::Stop;

use super::files::{close, create};
use super::{Fact, Reporter, Volume, metric};

/// Creates files, looks at each, deletes them: one operation of a kind after the other.
pub(super) fn rates(volume: &Volume, folder: &Path, reporter: &mut Reporter) -> Result<(), Stop> {
    let paths: Vec<_> = volume.numbered().iter().map(|name| folder.join(name)).collect();
    let made = timed("create", &paths, reporter, |path| close(create(path)?))?;
    let looked = timed("stat", &paths, reporter, |path| fs::symlink_metadata(path).map(drop))?;
    let gone = timed("unlink", &paths, reporter, |path| fs::remove_file(path))?;
    metric(reporter, "files", f64::from(volume.samples))?;
    let rates = [made, looked, gone].map(|rate| format!("{rate:.0}")).join(" / ");
    reporter.tell(Fact::Summary(format!("{rates} files created / looked at / deleted a second")))
}

/// Does the same to each path: how many a second.
fn timed(
    name: &str,
    paths: &[PathBuf],
    reporter: &mut Reporter,
    mut action: impl FnMut(&Path) -> std::io::Result<()>,
) -> Result<f64, Stop> {
    let mut times = Vec::new();
    for path in paths {
        times.push(reporter.timed_step(name, || action(path))?.1);
    }
    let total = times.iter().sum::<Duration>().as_secs_f64();
    let rate = times.len() as f64 / total.max(1e-9);
    metric(reporter, &format!("{name}_per_second"), rate)?;
    let summary = Percentiles::of(times.iter().map(Duration::as_secs_f64).collect());
    tell_summary(reporter, &format!("{name}_seconds"), &summary)?;
    Ok(rate)
}

#[cfg(test)]
mod tests {
    use probe::Algorithm;

    use process::helper::Progress;

    use super::super::{Message, Task, outcome};
    use super::*;

    #[test]
    fn all_files_are_gone_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let checksum = Algorithm::Sha256;
        let volume = Volume { name: ".probe-test".to_owned(), samples: 5, size: 1, seed: 1, checksum };
        let (done, messages) = outcome(&Task::Metadata(volume), folder.path());
        assert!(done, "{messages:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let created = messages.iter().filter(|message| match message {
            Message::Progress(Progress::Done { operation, .. }) => operation == "create",
            _ => false,
        });
        assert_eq!(created.count(), 5);
    }
}
