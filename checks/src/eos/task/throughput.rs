//! How fast large files are written and read.

use std::path::{Path, PathBuf};
use std::time::Duration;

use probe::helper::tell_summary;
use probe::{Aligned, Percentiles};
use process::helper::Stop;
use rustix::fs::statvfs;

use super::files::{BLOCK, read_file, remove, write_file};
use super::{Fact, Reporter, Volume, metric};

/// Writes files; the time includes syncing and closing them.
pub(super) fn write(volume: &Volume, folder: &Path, reporter: &mut Reporter) -> Result<(), Stop> {
    if !has_room(volume, folder, reporter)? {
        return Ok(());
    }
    let path = folder.join(&volume.name);
    let header = "sample,bytes,open_seconds,write_seconds,fsync_seconds,close_seconds,seconds,mbps";
    reporter.tell(Fact::Sample(header.to_owned()))?;
    let mut times = Vec::new();
    for number in 1..=volume.samples {
        let seed = volume.seed.wrapping_add(u64::from(number));
        let took = write_file(&path, volume.size, seed, reporter, |_| {})?;
        remove(&path, reporter)?;
        let [open, write, fsync, close, total] =
            [took.open, took.write, took.fsync, took.close, took.total()].map(|time| time.as_secs_f64());
        let speed = speed(volume.size, took.total());
        let size = volume.size;
        reporter.tell(Fact::Sample(format!(
            "{number},{size},{open},{write},{fsync},{close},{total},{speed:.3}"
        )))?;
        times.push(took.total());
    }
    tell("write", volume.size, &times, "synced and closed", reporter)
}

/// Reads a file, past the page cache where that is possible: one that is there already, which this host need not
/// have in any cache, else one that is written before.
pub(super) fn read(
    volume: &Volume,
    folder: &Path,
    file: Option<PathBuf>,
    reporter: &mut Reporter,
) -> Result<(), Stop> {
    let path = match file {
        Some(path) => folder.join(path),
        None => {
            if !has_room(volume, folder, reporter)? {
                return Ok(());
            }
            let path = folder.join(&volume.name);
            write_file(&path, volume.size, volume.seed, reporter, |_| {})?;
            path
        }
    };
    let size = reporter.step("stat", || Ok(std::fs::metadata(&path)?.len()))?;
    reporter.tell(Fact::Sample("sample,bytes,seconds,mbps,cache".to_owned()))?;
    let (mut times, mut caches) = (Vec::new(), Vec::new());
    let mut buffer = Aligned::new(BLOCK);
    for number in 1..=volume.samples {
        let (time, total, cache) = read_file(&path, &mut buffer, reporter, |_| {})?;
        if total != size {
            let text = format!("{total} bytes were read of a file of {size}");
            return reporter.tell(Fact::Broken(text));
        }
        let (seconds, speed, cache) = (time.as_secs_f64(), speed(total, time), cache.as_str());
        reporter.tell(Fact::Sample(format!("{number},{total},{seconds},{speed:.3},{cache}")))?;
        times.push(time);
        caches.push(cache);
    }
    caches.dedup();
    let cache = if let [cache] = *caches { cache } else { "mixed" };
    tell("read", size, &times, &format!("cache={cache}"), reporter)
}

/// Whether there is room for twice as much as is written: a check must not fill what it checks.
pub(super) fn has_room(volume: &Volume, folder: &Path, reporter: &mut Reporter) -> Result<bool, Stop> {
    let space = reporter.step("statfs", || statvfs(folder).map_err(Into::into))?;
    let free = space.f_bavail.saturating_mul(space.f_frsize);
    // A file system that reports no size has no known limit.
    let enough = space.f_blocks == 0 || free >= volume.size.saturating_mul(2);
    if !enough {
        let text = format!("only {free} bytes are free, too few to write {} without harm", volume.size);
        reporter.tell(Fact::Unknown(text))?;
    }
    Ok(enough)
}

fn speed(bytes: u64, time: Duration) -> f64 {
    bytes as f64 / 1e6 / time.as_secs_f64().max(1e-9)
}

fn tell(word: &str, size: u64, times: &[Duration], how: &str, reporter: &mut Reporter) -> Result<(), Stop> {
    let total: Duration = times.iter().sum();
    let all = size.saturating_mul(u64::try_from(times.len()).unwrap_or(u64::MAX));
    let speed = speed(all, total);
    metric(reporter, &format!("{word}_mbps"), speed)?;
    metric(reporter, "samples", times.len() as f64)?;
    metric(reporter, "size_bytes", size as f64)?;
    let summary = Percentiles::of(times.iter().map(Duration::as_secs_f64).collect());
    tell_summary(reporter, &format!("{word}_seconds"), &summary)?;
    let (count, size) = (times.len(), size as f64 / 1e6);
    reporter.tell(Fact::Summary(format!("{speed:.1} MB/s ({count} × {size:.1} MB, {how})")))
}
