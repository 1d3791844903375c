//! Reading: first bytes, whole files, and the client's own hashes.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use formats::human::show_duration;
use probe::Percentiles;
use probe::helper::{tell_metric, tell_summary};
use process::helper::Stop;
use rustix::fs::{Advice, fadvise};

use super::find::files;
use super::{Fact, Reporter, Sample, attribute};

const BLOCK: usize = 256 << 10;
/// What the attribute `lhash` says of a file whose contents the client has not fetched yet.
const NOT_CACHED: &str = "Not in cache";

/// How long it takes to open a file and get its first byte.
///
/// Cold is only what the client itself says is not in its cache; warm are all, read once before.
pub(super) fn first_byte(
    root: &Path,
    sample: &Sample,
    cold: bool,
    reporter: &mut Reporter,
) -> Result<(), Stop> {
    let mut files = files(root, sample, reporter)?;
    if files.is_empty() {
        return reporter.tell(nothing_found());
    }
    if cold {
        let Cached { hidden, cold } = cached(files, reporter)?;
        if cold.is_empty() {
            return reporter.tell(Fact::Skip(if hidden > 0 {
                "the client does not show what is in its cache".to_owned()
            } else {
                "every file that was looked at is in the client's cache already".to_owned()
            }));
        }
        files = cold;
    }
    let rounds = if cold { 1 } else { usize::try_from(sample.count).unwrap_or(1).div_ceil(files.len()) };
    let mut times = Vec::new();
    if !cold {
        files.iter().try_for_each(|file| time_first_byte(file, reporter).map(drop))?;
    }
    for file in std::iter::repeat_n(&files, rounds).flatten() {
        let time = time_first_byte(file, reporter)?;
        reporter.tell(Fact::Sample(format!("{},{}", file.display(), time.as_secs_f64())))?;
        times.push(time.as_secs_f64());
    }
    let summary = Percentiles::of(times);
    tell_summary(reporter, "ttfb_seconds", &summary)?;
    let slow = summary.percentile(95).unwrap_or_default();
    tell_metric(reporter, "slow_ttfb_seconds", slow)?;
    let shown = show_duration(Duration::from_secs_f64(slow));
    reporter.tell(Fact::Summary(format!("{} files, 95 % of first bytes within {shown}", files.len())))
}

fn time_first_byte(path: &Path, reporter: &mut Reporter) -> Result<Duration, Stop> {
    let ((), time) = reporter.timed_step("open and read", || {
        let file = File::open(path)?;
        // The kernel's pages are not what is measured.
        let _kept = fadvise(&file, 0, None, Advice::DontNeed);
        file.read_at(&mut [0], 0).map(drop)
    })?;
    Ok(time)
}

/// What the client says about its cache.
#[derive(Default)]
struct Cached {
    /// The files that are not in it.
    cold: Vec<PathBuf>,
    /// Of how many it says nothing.
    hidden: usize,
}

fn cached(files: Vec<PathBuf>, reporter: &mut Reporter) -> Result<Cached, Stop> {
    let mut cached = Cached::default();
    for file in files {
        match attribute(&file, "lhash", reporter)? {
            Some(hash) if hash.starts_with(NOT_CACHED) => cached.cold.push(file),
            Some(_) => {}
            None => cached.hidden += 1,
        }
    }
    Ok(cached)
}

/// A repository without files cannot be told from one whose files cannot be seen.
fn nothing_found() -> Fact {
    Fact::Unknown("no file to read was found: name one with --file".to_owned())
}

/// How fast whole files are read.
pub(super) fn throughput(
    root: &Path,
    sample: &Sample,
    most: u64,
    reporter: &mut Reporter,
) -> Result<(), Stop> {
    let files = files(root, sample, reporter)?;
    let Cached { cold, hidden } = cached(files.clone(), reporter)?;
    let (mut bytes, mut time, mut count) = (0, Duration::ZERO, 0_u32);
    for file in &files {
        if bytes >= most {
            break;
        }
        let (read, took) = read_whole(file, most - bytes, reporter)?;
        reporter.tell(Fact::Sample(format!("{},{read},{}", file.display(), took.as_secs_f64())))?;
        (bytes, time, count) = (bytes + read, time + took, count + 1);
    }
    if bytes == 0 {
        return reporter.tell(nothing_found());
    }
    tell_metric(reporter, "read_bytes", bytes as f64)?;
    tell_metric(reporter, "files", f64::from(count))?;
    tell_metric(reporter, "read_mbps", bytes as f64 / 1e6 / time.as_secs_f64().max(1e-9))?;
    let cache = match cold.len() {
        _ if hidden > 0 => "cache=unknown",
        0 => "cache=warm",
        cold if cold == files.len() => "cache=cold",
        _ => "cache=mixed",
    };
    reporter.tell(Fact::Summary(format!("{count} files, {:.1} MB, {cache}", bytes as f64 / 1e6)))
}

/// Reads a file to its end, or so many bytes of it. Every block is an operation: a slow file is not a hung one.
fn read_whole(path: &Path, most: u64, reporter: &mut Reporter) -> Result<(u64, Duration), Stop> {
    let (file, mut time) = reporter.timed_step("open", || File::open(path))?;
    let mut file = file.take(most);
    let mut block = vec![0; BLOCK];
    let mut bytes = 0;
    loop {
        let (count, took) = reporter.timed_step("read", || read_block(&mut file, &mut block))?;
        time += took;
        if count == 0 {
            return Ok((bytes, time));
        }
        bytes += u64::try_from(count).unwrap_or_default();
    }
}

fn read_block(file: &mut impl Read, block: &mut [u8]) -> io::Result<usize> {
    let mut count = 0;
    while let Some(rest) = block.get_mut(count..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(read) => count += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(count)
}

/// Whether the cached copies of files are what their catalog says: the client hashes them anew.
pub(super) fn integrity(
    root: &Path,
    sample: &Sample,
    most: u64,
    reporter: &mut Reporter,
) -> Result<(), Stop> {
    let (mut compared, mut mismatched, mut bytes) = (0_u32, 0_u32, 0);
    let files = files(root, sample, reporter)?;
    if files.is_empty() {
        return reporter.tell(nothing_found());
    }
    for file in files {
        let Some(hash) = attribute(&file, "hash", reporter)? else { continue };
        if bytes < most {
            bytes += read_whole(&file, most - bytes, reporter)?.0;
        }
        let Some(local) = attribute(&file, "lhash", reporter)?.filter(|hash| !hash.starts_with(NOT_CACHED))
        else {
            continue;
        };
        compared += 1;
        if local.trim_end_matches('\0') != hash.trim_end_matches('\0') {
            mismatched += 1;
            reporter.tell(Fact::evidence(
                "hashes.txt",
                format!("{}: {hash} in the catalog, {local} in the cache", file.display()),
            ))?;
        }
    }
    if compared == 0 {
        return reporter
            .tell(Fact::Skip("the client shows the hashes of no file that was looked at".to_owned()));
    }
    tell_metric(reporter, "files", f64::from(compared))?;
    tell_metric(reporter, "mismatched_files", f64::from(mismatched))?;
    reporter.tell(Fact::Summary(format!("the cached copies of {compared} files are as published")))
}
