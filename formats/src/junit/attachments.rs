//! Attachments as files in a folder that no name can leave.

use std::borrow::Cow;
use std::fmt;
use std::fs::{self, File};
use std::hash::BuildHasher as _;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use foldhash::quality::RandomState;
use streamresult::Attachment;

use crate::hash_set::{CompactHashSet, first_free};
use crate::place;

/// A file's name has up to 255 bytes; the rest is for its number.
const LONGEST_ID: usize = 160;
const LONGEST_NAME: usize = 60;
const BUFFER: usize = 64 << 10;

/// A folder that takes one file for each attachment: `ID--NAME`, where whatever a file system could object to is `_`.
///
/// Files that are there already stay as they are: `-2` is added to the name instead.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    seen: CompactHashSet,
    state: RandomState,
}

impl Folder {
    pub(crate) fn new(path: PathBuf) -> Self {
        Folder { path, seen: CompactHashSet::default(), state: RandomState::default() }
    }

    /// Writes a file, and returns its path: the folder's path as it was given, and the file's name.
    pub(crate) fn save(&mut self, test_id: &str, attachment: &Attachment<'_>) -> io::Result<String> {
        fs::create_dir_all(&self.path).map_err(|error| in_making(&self.path, error))?;
        let (stem, end) = split_extension(attachment.name());
        let stem = format!("{}--{}", safe(test_id, LONGEST_ID), safe(stem, LONGEST_NAME));
        let (path, file) = self.create(&stem, &end)?;
        let mut file = BufWriter::with_capacity(BUFFER, file);
        let copied = io::copy(&mut attachment.reader(), &mut file).and_then(|_| file.flush());
        copied.map_err(|error| in_making(&path, error))?;
        Ok(path.to_string_lossy().into_owned())
    }

    /// Makes a file that was not there.
    fn create(&mut self, stem: &str, end: &str) -> io::Result<(PathBuf, File)> {
        let name = |number| match number {
            1 => format!("{stem}{end}"),
            _ => format!("{stem}-{number}{end}"),
        };
        let is_used = |number| {
            let name = name(number);
            self.seen.contains(self.hash(&name)) || self.path.join(&name).symlink_metadata().is_ok()
        };
        let mut number = if is_used(1) { first_free(is_used) } else { 1 };
        loop {
            let name = name(number);
            let path = self.path.join(&name);
            // This neither follows a link nor opens what another process has just made.
            let made = place::make_public(&path);
            match made {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(in_making(&path, error)),
                Ok(file) => {
                    self.seen.insert(self.hash(&name));
                    return Ok((path, file));
                }
            }
        }
    }

    /// The hash of a name, the same for names that differ in case only: some file systems take them for one.
    fn hash(&self, name: &str) -> u64 {
        self.state.hash_one(name.to_ascii_lowercase())
    }
}

fn in_making(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot write {}: {error}", path.display()))
}

/// The name up to its last dot, and the dot with what follows, where that is short and harmless.
fn split_extension(name: &str) -> (&str, Cow<'_, str>) {
    match name.rfind('.').map(|at| name.split_at(at)) {
        Some((stem, end))
            if !stem.is_empty()
                && (2..=10).contains(&end.len())
                && end.bytes().skip(1).all(|byte| byte.is_ascii_alphanumeric()) =>
        {
            (stem, Cow::Borrowed(end))
        }
        _ => (name, Cow::Borrowed("")),
    }
}

/// A piece of a file's name that means nothing to any file system or shell.
fn safe(text: &str, longest: usize) -> String {
    let mut out = String::new();
    for character in text.chars() {
        if out.len() >= longest {
            break;
        }
        let is_safe = character.is_ascii_alphanumeric()
            || matches!(character, '-' | '_' | '+' | '=' | ',')
            || (character == '.' && !out.is_empty());
        if is_safe {
            out.push(character);
        } else if character.is_ascii() {
            out.push('_');
        } else {
            // Writing to a string cannot fail.
            let _ = fmt::Write::write_fmt(&mut out, format_args!("{:x}", u32::from(character)));
        }
    }
    if out.is_empty() { "_".to_owned() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(safe(text, 20), expected);
    }

    #[test]
    fn a_name_means_nothing_to_a_file_system() {
        check("pkg.Test.test_x[1]", "pkg.Test.test_x_1_");
        check("../../etc/passwd", "_./../etc/passwd".replace('/', "_").as_str());
        check("..", "_.");
        check("", "_");
        check("a\0b\n", "a_b_");
        check("grün", "grfcn");
        check(&"x".repeat(300), &"x".repeat(20));
    }

    #[test]
    fn an_extension_is_kept_where_it_is_one() {
        for (name, stem, end) in
            [("a.png", "a", ".png"), (".png", ".png", ""), ("a.b/c", "a.b/c", ""), ("a.", "a.", "")]
        {
            assert_eq!(split_extension(name), (stem, Cow::Borrowed(end)));
        }
    }

    #[cfg(unix)]
    #[test]
    fn no_file_takes_the_place_of_another() {
        let place = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/dev/null", place.path().join("a.txt")).unwrap();
        let mut folder = Folder::new(place.path().to_owned());
        let names: Vec<String> = ["a", "A", "a", "b"]
            .iter()
            .map(|stem| {
                folder.create(stem, ".txt").unwrap().0.file_name().unwrap().to_string_lossy().into_owned()
            })
            .collect();
        assert_eq!(names, ["a-2.txt", "A.txt", "a-3.txt", "b.txt"]);
    }
}
