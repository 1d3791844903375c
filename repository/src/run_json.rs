//! The file `run.json`: how a run came about, how it ended, what it comes to; and a checksum of all that, so that a
//! changed byte is noticed.

use std::fs;
use std::io;

use xxhash_rust::xxh3::xxh3_64;

use crate::error::{Result, at};
use crate::layout::{self, RunFolder};
use crate::run::RunFile;

/// What stands between the rest and its checksum.
const SUM: &str = ",\n  \"sum\": \"";
const END: &str = "\"\n}\n";

/// Reads the file; `None` when it is missing, or is not what was written.
pub(crate) fn read(folder: &RunFolder) -> Result<Option<RunFile>> {
    let path = folder.json();
    match fs::read(&path) {
        Ok(bytes) => Ok(parse(&bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(at("read", &path)(error)),
    }
}

/// Writes the file, whole and on the disk.
pub(crate) fn write(folder: &RunFolder, file: &RunFile) -> Result<()> {
    layout::replace(&folder.json(), text(file)?.as_bytes())
}

/// What is in the file.
pub(crate) fn text(file: &RunFile) -> Result<String> {
    let text = serde_json::to_string_pretty(file);
    let text = text.map_err(|error| at("write", "run.json".as_ref())(error.into()))?;
    let content = text.strip_suffix("\n}").unwrap_or(&text);
    Ok([content, SUM, &sum(content), END].concat())
}

fn parse(text: &[u8]) -> Option<RunFile> {
    let text = std::str::from_utf8(text).ok()?;
    let (content, sum_of_content) = text.rsplit_once(SUM)?;
    let is_whole = sum_of_content.strip_suffix(END)? == sum(content);
    if is_whole { serde_json::from_str(text).ok() } else { None }
}

fn sum(content: &str) -> String {
    format!("{:016x}", xxh3_64(content.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{RunEnd, RunInfo, RunState, Tally};

    fn file() -> RunFile {
        let info = RunInfo { command: Some("make check".to_owned()), ..RunInfo::default() };
        let end = Some(RunEnd { exit: Some(1), ..RunEnd::default() });
        RunFile { end, tally: Some(Tally::default()), ..RunFile::begun(RunState::Complete, info) }
    }

    #[test]
    fn what_was_written_is_read_back() {
        assert_eq!(parse(text(&file()).unwrap().as_bytes()), Some(file()));
    }

    #[test]
    fn a_changed_byte_or_a_cut_is_never_another_run() {
        let good = text(&file()).unwrap().into_bytes();
        for at in 0..good.len() {
            for flip in [1, 4, 0x20] {
                let mut bad = good.clone();
                bad[at] ^= flip;
                assert_eq!(parse(&bad), None, "{at}");
            }
            assert_eq!(parse(&good[..at]), None, "{at}");
        }
    }
}
