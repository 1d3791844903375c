//! A small file's whole life, as often as asked.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

use formats::human::show_duration;
use probe::Percentiles;
use probe::helper::tell_summary;
use process::helper::Stop;

use super::files::{close, create, remove};
use super::{Fact, Part, Reporter, Volume, metric};

const STEPS: [&str; 10] =
    ["create", "write", "fsync", "close", "stat", "open", "read back", "rename", "unlink", "look again"];

/// Creates, writes, syncs, closes, reads back through a new open, renames, deletes, and looks whether it is
/// gone, or a part of that: each must work and each is measured.
pub(super) fn rounds(
    volume: &Volume,
    part: Part,
    folder: &Path,
    reporter: &mut Reporter,
) -> Result<(), Stop> {
    let [path, renamed] = volume.names().map(|name| folder.join(name));
    let columns: Vec<_> = STEPS.iter().map(|step| format!("{}_seconds", step.replace(' ', "_"))).collect();
    reporter.tell(Fact::Sample(format!("round,{}", columns.join(","))))?;
    let mut totals = Vec::new();
    for number in 1..=volume.samples {
        let times = round(&path, &renamed, &content(volume.seed, number), part, reporter)?;
        let seconds =
            |time: &Option<Duration>| time.map(|time| time.as_secs_f64().to_string()).unwrap_or_default();
        let row: Vec<_> = times.iter().map(seconds).collect();
        reporter.tell(Fact::Sample(format!("{number},{}", row.join(","))))?;
        totals.push(times.iter().flatten().sum::<Duration>().as_secs_f64());
    }
    let summary = Percentiles::of(totals);
    metric(reporter, "samples", f64::from(volume.samples))?;
    tell_summary(reporter, "round_seconds", &summary)?;
    let half = Duration::from_secs_f64(summary.percentile(50).unwrap_or_default());
    let what = match part {
        Part::All => "written, read back and deleted",
        Part::Write => "written",
        Part::Exists => "looked at and read back",
        Part::Delete => "renamed and deleted",
    };
    let text = format!("{} files {what}, {} each", volume.samples, show_duration(half));
    reporter.tell(Fact::Summary(text))
}

fn content(seed: u64, number: u32) -> String {
    let now = subunit::Timestamp::now();
    format!("subunit check {seed:016x} {number} {}.{:09}\n", now.seconds(), now.nanoseconds())
}

/// Does the steps, and tells what those took that are asked for.
fn round(
    path: &Path,
    renamed: &Path,
    content: &str,
    part: Part,
    reporter: &mut Reporter,
) -> Result<[Option<Duration>; 10], Stop> {
    let wants = |other| (part == Part::All || part == other).then_some(());
    let written = write(path, content, reporter)?.map(|time| wants(Part::Write).map(|()| time));
    let seen = match wants(Part::Exists) {
        Some(()) => exists(path, content, reporter)?.map(Some),
        None => [None; 3],
    };
    let gone = match wants(Part::Delete) {
        Some(()) => delete(path, renamed, reporter)?.map(Some),
        None => {
            remove(path, reporter)?;
            [None; 3]
        }
    };
    let mut all = written.into_iter().chain(seen).chain(gone);
    Ok([(); 10].map(|()| all.next().flatten()))
}

fn write(path: &Path, content: &str, reporter: &mut Reporter) -> Result<[Duration; 4], Stop> {
    let (mut file, create) = reporter.timed_step("create", || create(path))?;
    let ((), write) = reporter.timed_step("write", || file.write_all(content.as_bytes()))?;
    let ((), fsync) = reporter.timed_step("fsync", || file.sync_all())?;
    let ((), close) = reporter.timed_step("close", || close(file))?;
    Ok([create, write, fsync, close])
}

fn exists(path: &Path, content: &str, reporter: &mut Reporter) -> Result<[Duration; 3], Stop> {
    let ((), stat) = reporter.timed_step("stat", || has_length(path, content.len()))?;
    let (file, open) = reporter.timed_step("open", || File::open(path))?;
    let ((), read) = reporter.timed_step("read back", || holds(file, content))?;
    Ok([stat, open, read])
}

fn delete(path: &Path, renamed: &Path, reporter: &mut Reporter) -> Result<[Duration; 3], Stop> {
    let ((), rename) = reporter.timed_step("rename", || fs::rename(path, renamed))?;
    let ((), unlink) = reporter.timed_step("unlink", || fs::remove_file(renamed))?;
    let ((), gone) = reporter.timed_step("look again", || is_gone(path).and_then(|()| is_gone(renamed)))?;
    Ok([rename, unlink, gone])
}

fn has_length(path: &Path, len: usize) -> io::Result<()> {
    match fs::metadata(path)?.len() {
        found if usize::try_from(found) == Ok(len) => Ok(()),
        found => Err(io::Error::other(format!("the file has {found} bytes after {len} were written"))),
    }
}

fn holds(mut file: File, content: &str) -> io::Result<()> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    if bytes == content.as_bytes() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Err(io::Error::other(format!("{content:?} was written, but {text:?} is read back")))
}

fn is_gone(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err(io::Error::other("the file is still there after it was renamed or deleted")),
    }
}

#[cfg(test)]
mod tests {
    use probe::Algorithm;

    use super::super::{Message, Task, outcome};
    use super::*;

    fn volume() -> Volume {
        let checksum = Algorithm::Sha256;
        Volume { name: ".probe-test".to_owned(), samples: 2, size: 1, seed: 1, checksum }
    }

    #[test]
    fn a_writable_folder_is_left_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let (done, messages) = outcome(&Task::Writable(volume(), Part::All), folder.path());
        assert!(done, "{messages:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let samples = messages.iter().filter(|message| matches!(message, Message::Found(Fact::Sample(_))));
        assert_eq!(samples.count(), 3);
    }

    #[test]
    fn another_ones_file_is_not_touched_by_the_test() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("other"), "kept").unwrap();
        outcome(&Task::Writable(volume(), Part::All), folder.path());
        assert_eq!(fs::read(folder.path().join("other")).unwrap(), b"kept");
    }

    #[test]
    fn a_part_is_measured_alone_and_leaves_nothing() {
        for (part, columns) in [(Part::Write, 4), (Part::Exists, 3), (Part::Delete, 3)] {
            let folder = tempfile::tempdir().unwrap();
            let (done, messages) = outcome(&Task::Writable(volume(), part), folder.path());
            assert!(done, "{messages:?}");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
            let mut rows = messages.iter().filter_map(|message| match message {
                Message::Found(Fact::Sample(row)) => Some(row),
                _ => None,
            });
            let filled = rows.next_back().unwrap().split(',').skip(1).filter(|cell| !cell.is_empty()).count();
            assert_eq!(filled, columns, "{part:?}");
        }
    }
}
