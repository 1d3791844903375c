//! Repositories of `testr` and `stestr`: a file a run, by its number, with lines of version 1.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, bail};
use repository::{Foreign, RunEnd, RunInfo, Tool};
use subunit::Timestamp;

use super::super::export::without_brackets;
use super::failing;
use super::inspect::{Digest, FileFormat, FileSummary, inspect};
use super::source::{Content, Source, SourceRun};
use super::timings::{self, Timings};

/// The one version that there is.
const FORMAT: &[u8] = b"1\n";

/// Reads a repository. `mixed` allows runs of both versions of the protocol in it.
pub(super) fn read(foreign: &Foreign, mixed: bool) -> anyhow::Result<Source> {
    let path = &foreign.path;
    check_format(path)?;
    let mut notes = Vec::new();
    let files = files(path, &mut notes)?;
    let mut timings = timings(foreign, &mut notes);
    let looks = looks(&files, |id| {
        timings.remove(key(foreign.tool, id).as_ref());
    })?;
    check_forms(path, &looks, mixed)?;
    let metadata = metadata(path, &mut notes);
    let mut runs: Vec<SourceRun> = Vec::new();
    for (number, (file, summary)) in looks {
        runs.push(run(path, number, file, summary, metadata.get(&number.to_string())));
    }
    if !timings.is_empty() && !runs.is_empty() {
        runs.insert(0, of_timings(path, timings));
    }
    let failing = match fs::metadata(path.join("failing")) {
        Ok(_) => failing::of_file(&path.join("failing"))?,
        Err(_) => Default::default(),
    };
    Ok(Source {
        path: foreign.path.clone(),
        tool: foreign.tool.to_string(),
        runs,
        failing: Some(failing),
        notes,
    })
}

/// Refuses anything but a repository of this kind.
pub(super) fn check_format(path: &Path) -> anyhow::Result<()> {
    let file = path.join("format");
    let format = fs::read(&file).with_context(|| {
        format!("{} is not a repository: its file `format` cannot be read", path.display())
    })?;
    if format != FORMAT {
        let shown = format.get(..20).unwrap_or(&format).escape_ascii();
        bail!("{} says \"{shown}\", and only \"1\\n\" is known: nothing was imported", file.display());
    }
    Ok(())
}

/// The files of the runs, by their numbers.
fn files(path: &Path, notes: &mut Vec<String>) -> anyhow::Result<BTreeMap<u64, PathBuf>> {
    let failed = || format!("cannot read {}", path.display());
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(path).with_context(failed)? {
        let entry = entry.with_context(failed)?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_number = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
        match name.parse() {
            Ok(number) if is_number => {
                files.insert(number, entry.path());
            }
            _ if name.starts_with("tmp") => {
                notes.push(format!(
                    "{} was left by a load that was killed: it is not imported",
                    entry.path().display()
                ));
            }
            _ => {}
        }
    }
    check_next(path, &files, notes);
    Ok(files)
}

/// Says when the number of the next run is not as it should be.
fn check_next(path: &Path, files: &BTreeMap<u64, PathBuf>, notes: &mut Vec<String>) {
    let file = path.join("next-stream");
    let next = fs::read_to_string(&file).ok().and_then(|text| text.trim().parse::<u64>().ok());
    let after = files.last_key_value().map_or(0, |(last, _)| last.saturating_add(1));
    let file = file.display();
    match next {
        None => notes.push(format!("{file} is missing or no number: all runs that are there are imported")),
        Some(next) if next < after => {
            notes.push(format!("{file} says {next}, but there is run {}", after - 1))
        }
        Some(next) if next > after => {
            notes.push(format!("{file} says {next}: the runs from {after} on are missing"));
        }
        Some(_) => {}
    }
}

type Looks = BTreeMap<u64, (PathBuf, FileSummary)>;

fn looks(files: &BTreeMap<u64, PathBuf>, mut seen: impl FnMut(&str)) -> anyhow::Result<Looks> {
    files.iter().map(|(number, path)| Ok((*number, (path.clone(), inspect(path, &mut seen)?)))).collect()
}

/// Refuses a repository that would be read wrong, or as one without tests.
fn check_forms(path: &Path, looks: &Looks, mixed: bool) -> anyhow::Result<()> {
    let of =
        |form| looks.iter().filter(move |(_, (_, summary))| summary.form == form).map(|(number, _)| *number);
    let path = path.display();
    if let Some(number) = of(FileFormat::Unknown).next() {
        bail!("run {number} of {path} holds bytes, but no test of either version: nothing was imported");
    }
    if let (Some(v1), Some(v2)) = (of(FileFormat::V1).next(), of(FileFormat::V2).next())
        && !mixed
    {
        bail!(
            "{path} was written by two tools: run {v1} is version 1 of the protocol, as testr and stestr store it, \
             run {v2} is version 2, as inq stores it, which the others misread. Nothing was imported; \
             --mixed reads each run as what it is"
        );
    }
    Ok(())
}

fn run(
    path: &Path,
    number: u64,
    file: PathBuf,
    summary: FileSummary,
    metadata: Option<&String>,
) -> SourceRun {
    let FileSummary { form, digest, first, last } = summary;
    let name = number.to_string();
    let content = if form == FileFormat::V2 { Content::V2(file) } else { Content::V1(file) };
    let mut info = info(path, &name, first);
    info.arguments.extend(metadata.map(|text| format!("metadata={text}")));
    SourceRun {
        name,
        digest: digest.text(),
        info,
        end: RunEnd { end: Some(last), ..RunEnd::default() },
        content,
    }
}

/// What is known of a run: where it comes from.
fn info(path: &Path, name: &str, start: Timestamp) -> RunInfo {
    let folder = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = folder.file_name().unwrap_or_default().to_string_lossy();
    RunInfo {
        command: Some("subunit import".to_owned()),
        arguments: vec![folder.into_owned(), name.to_owned()],
        start: Some(start),
        ..RunInfo::default()
    }
}

/// The timings, or a loud note.
fn timings(foreign: &Foreign, notes: &mut Vec<String>) -> Timings {
    timings::read(&foreign.path).unwrap_or_else(|error| {
        notes.push(format!(
            "the timings are skipped: {}; those of the runs themselves are not lost",
            process::chain(error.as_ref())
        ));
        HashMap::new()
    })
}

/// The key of a test in the timings.
fn key(tool: Tool, id: &str) -> Cow<'_, str> {
    if tool == Tool::Stestr { without_brackets(id) } else { Cow::Borrowed(id) }
}

/// Durations of tests that no run has, as a run before all others.
fn of_timings(path: &Path, timings: Timings) -> SourceRun {
    let name = "times.dbm";
    let modified = |name: &str| fs::metadata(path.join(name)).and_then(|file| file.modified()).ok();
    let modified = modified(name).max(modified("times.dbm.dat"));
    let at: Timestamp = modified.unwrap_or(SystemTime::UNIX_EPOCH).into();
    let mut timings: Vec<(String, Duration)> = timings.into_iter().collect();
    timings.sort();
    let mut digest = Digest::default();
    for (id, duration) in &timings {
        digest.push(format!("{id}\n{duration:?}\n").as_bytes());
    }
    SourceRun {
        name: name.to_owned(),
        digest: digest.text(),
        info: info(path, name, at),
        end: RunEnd { end: Some(at), ..RunEnd::default() },
        content: Content::Timings(timings, at),
    }
}

/// What `stestr` keeps of runs besides their streams, by their numbers.
fn metadata(path: &Path, notes: &mut Vec<String>) -> HashMap<String, String> {
    timings::strings(path, "meta.dbm").unwrap_or_else(|error| {
        notes.push(format!("the metadata of runs is skipped: {}", process::chain(error.as_ref())));
        HashMap::new()
    })
}
