//! The files that a report names, where reading them is allowed.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use memchr::memchr;
use streamresult::StreamResult;
use subunit::{Event, part, part_mut, split_part};

use super::case::Case;
use super::text::{file, pieces};
use crate::place::Place;

const OPENING: &[u8] = b"[[ATTACHMENT|";
const CLOSING: &[u8] = b"]]";
/// A longer line does not name a file.
const LONGEST_LINE: usize = 4 << 10;
/// More files of one output are not read.
const MOST: usize = 1000;
/// How much of all files together is read: a report may name one file any number of times.
const MOST_BYTES: u64 = 4 << 30;
const BLOCK: usize = 64 << 10;

/// Looks for `[[ATTACHMENT|path]]` on a line of its own, and reads the files in a folder.
#[derive(Debug)]
pub(crate) struct Files {
    /// `None` where no file may be read.
    folder: Option<PathBuf>,
    /// The line so far, as long as it may name a file.
    line: Vec<u8>,
    is_other_line: bool,
    found: Vec<PathBuf>,
    left: u64,
}

impl Files {
    pub(crate) fn new(folder: Option<PathBuf>) -> Self {
        Files { folder, line: Vec::new(), is_other_line: false, found: Vec::new(), left: MOST_BYTES }
    }

    /// Begins an output.
    pub(crate) fn begin(&mut self) {
        self.line.clear();
        self.is_other_line = false;
        self.found.clear();
    }

    /// Looks at the next bytes of the output.
    pub(crate) fn look(&mut self, mut bytes: &[u8]) {
        if self.folder.is_none() {
            return;
        }
        while let Some(end) = memchr(b'\n', bytes) {
            let (line, rest) = split_part(bytes, end);
            self.extend(line);
            self.end_line();
            bytes = part(rest, 1..);
        }
        self.extend(bytes);
    }

    fn extend(&mut self, piece: &[u8]) {
        if self.is_other_line || self.line.len() + piece.len() > LONGEST_LINE {
            self.is_other_line = true;
            return;
        }
        self.line.extend_from_slice(piece);
    }

    fn end_line(&mut self) {
        let line = self.line.trim_ascii();
        if !self.is_other_line
            && self.found.len() < MOST
            && let Some(path) = line.strip_prefix(OPENING).and_then(|line| line.strip_suffix(CLOSING))
            && let Ok(path) = std::str::from_utf8(path)
        {
            self.found.push(PathBuf::from(path));
        }
        self.line.clear();
        self.is_other_line = false;
    }

    /// Attaches the files that the output named.
    pub(crate) fn attach(&mut self, case: &mut Case, sink: &mut dyn StreamResult) -> io::Result<()> {
        self.end_line();
        let Some(folder) = &self.folder else { return Ok(()) };
        for path in std::mem::take(&mut self.found) {
            let name = path.file_name().map(|name| name.to_string_lossy().replace('\0', r"\x00"));
            let name = case.file_name(name.as_deref().unwrap_or("attachment"));
            match open(folder, &path) {
                Ok(file) => copy(file, &name, &mut self.left, &case.event(), sink)?,
                Err(error) => {
                    let note = format!("[{} is not attached: {error}]\n", path.display());
                    pieces(&format!("{name} (missing)"), note.as_bytes(), &case.event(), sink)?;
                }
            }
        }
        Ok(())
    }
}

/// Opens a file below a folder. No part of its path may be a link or lead upwards.
fn open(folder: &Path, path: &Path) -> io::Result<File> {
    let inside = path.strip_prefix(folder).unwrap_or(path);
    let names = inside.components().filter(|part| *part != Component::CurDir).map(|part| match part {
        Component::Normal(name) => Ok(Path::new(name)),
        _ => Err(io::Error::other("it is not in the folder")),
    });
    let names = names.collect::<io::Result<Vec<_>>>()?;
    let (name, folders) = names.split_last().ok_or_else(|| io::Error::other("it is no regular file"))?;
    let mut place = Place::open(folder)?;
    for folder in folders {
        place = place.folder(folder)?;
    }
    place.file(name)
}

/// Copies a file to the stream, so far as there is room.
fn copy(
    mut from: File,
    name: &str,
    left: &mut u64,
    event: &Event<'_>,
    sink: &mut dyn StreamResult,
) -> io::Result<()> {
    let mut block = vec![0; BLOCK];
    loop {
        let most = usize::try_from(*left).unwrap_or(BLOCK).min(BLOCK);
        let count = match from.read(part_mut(&mut block, ..most)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        *left -= count as u64;
        let bytes = part(&block, ..count);
        sink.status(&Event { mime_type: None, ..file(name, bytes, count == 0, event) })?;
        if count == 0 {
            break;
        }
    }
    if *left > 0 {
        return Ok(());
    }
    let note = format!(
        "[the files of the report have more than {} GiB: what is beyond is left out]\n",
        MOST_BYTES >> 30
    );
    pieces(&format!("{name} (cut)"), note.as_bytes(), event, sink)
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn check_found(text: &str, expected: &[&str]) {
        for piece in 1..=text.len() {
            let mut files = Files::new(Some(PathBuf::from(".")));
            files.begin();
            text.as_bytes().chunks(piece).for_each(|piece| files.look(piece));
            files.end_line();
            assert_eq!(files.found, expected.iter().map(PathBuf::from).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_file_is_named_on_a_line_of_its_own() {
        check_found(
            "a\n[[ATTACHMENT|x/a.png]]\n  [[ATTACHMENT|b]] \r\n[[ATTACHMENT|c]]",
            &["x/a.png", "b", "c"],
        );
        check_found("see [[ATTACHMENT|a]]\n[[ATTACHMENT|a\n]]", &[]);
    }

    fn check_open(path: &str, expected: Option<&str>) {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("folder");
        fs::create_dir_all(folder.join("in")).unwrap();
        fs::write(place.path().join("secret"), "secret").unwrap();
        fs::write(folder.join("in/a"), "text").unwrap();
        std::os::unix::fs::symlink("../secret", folder.join("link")).unwrap();
        std::os::unix::fs::symlink("..", folder.join("up")).unwrap();
        let path = path.replace("FOLDER", folder.to_str().unwrap());
        let text = open(&folder, Path::new(&path)).and_then(io::read_to_string);
        assert_eq!(text.ok().as_deref(), expected, "{path}");
    }

    #[test]
    fn only_files_below_the_folder_are_read() {
        check_open("in/a", Some("text"));
        check_open("./in/./a", Some("text"));
        check_open("FOLDER/in/a", Some("text"));
        for path in
            ["../secret", "in/../../secret", "link", "up/secret", "/etc/passwd", "in", "", "/dev/zero", "no"]
        {
            check_open(path, None);
        }
    }
}
