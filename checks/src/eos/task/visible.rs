//! Whether what is written here is seen elsewhere.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use formats::human::show_duration;
use process::helper::Stop;

use super::files::{close, create, remove};
use super::{Fact, Reporter, Volume, metric};

/// The time between two looks.
const BETWEEN: Duration = Duration::from_millis(20);

/// Writes a file and looks for it, and then for its end, on another path to the same folder.
pub(super) fn visible(
    volume: &Volume,
    folder: &Path,
    other: &OsStr,
    patience: Duration,
    reporter: &mut Reporter,
) -> Result<(), Stop> {
    let (path, seen) = (folder.join(&volume.name), Path::new(other).join(&volume.name));
    let content = format!("subunit check {:016x}\n", volume.seed);
    let mut file = reporter.step("create", || create(&path))?;
    reporter.step("write", || file.write_all(content.as_bytes()))?;
    reporter.step("fsync", || file.sync_all())?;
    reporter.step("close", || close(file))?;
    let name = "read on the other path";
    let Some(delay) = wait(patience, name, reporter, || holds(&seen, &content))? else {
        let text =
            format!("what was written is not seen as {} within {}", seen.display(), show_duration(patience));
        return reporter.tell(Fact::Broken(text));
    };
    metric(reporter, "visible_seconds", delay.as_secs_f64())?;
    remove(&path, reporter)?;
    let name = "look on the other path";
    let Some(gone) = wait(patience, name, reporter, || is_gone(&seen))? else {
        let text =
            format!("what was deleted is still seen as {} after {}", seen.display(), show_duration(patience));
        return reporter.tell(Fact::Broken(text));
    };
    metric(reporter, "gone_seconds", gone.as_secs_f64())?;
    let (delay, gone) = (show_duration(delay), show_duration(gone));
    reporter.tell(Fact::Summary(format!("seen after {delay}, gone after {gone}")))
}

/// Looks until it is so: how long that took, or `None`.
fn wait(
    patience: Duration,
    name: &str,
    reporter: &mut Reporter,
    mut is_so: impl FnMut() -> io::Result<bool>,
) -> Result<Option<Duration>, Stop> {
    let begin = Instant::now();
    loop {
        if reporter.step(name, &mut is_so)? {
            return Ok(Some(begin.elapsed()));
        }
        if begin.elapsed() > patience {
            return Ok(None);
        }
        std::thread::sleep(BETWEEN);
    }
}

fn holds(path: &Path, content: &str) -> io::Result<bool> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        read => Ok(read? == content.as_bytes()),
    }
}

fn is_gone(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        found => found.map(|_| false),
    }
}

#[cfg(test)]
mod tests {
    use probe::Algorithm;

    use super::super::{Message, Task, outcome};
    use super::*;

    fn check(other_is_same: bool, expected: fn(&Fact) -> bool) {
        let [here, elsewhere] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let other = if other_is_same { &here } else { &elsewhere };
        let checksum = Algorithm::Sha256;
        let volume = Volume { name: ".probe-test".to_owned(), samples: 1, size: 1, seed: 1, checksum };
        let task = Task::Visible(volume, other.path().into(), Duration::from_millis(50));
        let (done, messages) = outcome(&task, here.path());
        assert!(done, "{messages:?}");
        let says = |message: &Message| matches!(message, Message::Found(fact) if expected(fact));
        assert!(messages.iter().any(says), "{messages:?}");
        assert_eq!(fs::read_dir(here.path()).unwrap().count(), 0);
    }

    #[test]
    fn the_same_folder_sees_it_and_another_does_not() {
        check(true, |fact| matches!(fact, Fact::Summary(_)));
        check(false, |fact| matches!(fact, Fact::Broken(_)));
    }
}
