//! A folder in which only new files and folders are made, and which no name can leave.

use std::collections::HashSet;
use std::fs::File;
use std::hash::{BuildHasher as _, BuildHasherDefault, Hasher};
use std::io;
use std::path::Path;

use foldhash::quality::RandomState;

use super::names::{numbered, safe};
use crate::place::Place;

/// A folder, held open: what happens to its path later does not matter.
#[derive(Debug)]
pub(super) struct Folder {
    place: Place,
    /// The hashes of names that were given out, in lower case: some file systems take names for one that differ in
    /// case only.
    taken: HashSet<u64, BuildHasherDefault<AsIs>>,
    state: RandomState,
}

impl Folder {
    /// Opens the folder at a path that the user gave.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Folder::of(Place::open(path)?).knowing_names()
    }

    fn of(place: Place) -> Self {
        Folder { place, taken: HashSet::default(), state: RandomState::default() }
    }

    /// The folder, where the names that it holds are taken. Those that differ from a new one in case only would
    /// else not be in the way here, and be lost where the folder is copied to.
    fn knowing_names(mut self) -> io::Result<Self> {
        self.place.names()?.iter().for_each(|name| self.reserve(name));
        Ok(self)
    }

    /// Makes a folder for this text, and returns the number that its name got.
    pub(super) fn make_folder(&mut self, text: &str) -> io::Result<(Folder, u64)> {
        let (name, number) = self.make(text, Place::make_folder)?;
        Ok((self.folder(&name)?, number))
    }

    /// The folder that this text and number got.
    pub(super) fn find_folder(&self, text: &str, number: u64) -> io::Result<Folder> {
        self.folder(&numbered(&safe(text), number))?.knowing_names()
    }

    /// Makes a file for this text, and returns its name.
    pub(super) fn make_file(&mut self, text: &str) -> io::Result<(File, String)> {
        let mut made = None;
        let (name, _) = self.make(text, |place, name| {
            made = Some(place.make_file(name)?);
            Ok(())
        })?;
        let file = made.ok_or(io::ErrorKind::NotFound)?;
        Ok((file, name))
    }

    /// Keeps this name for [`make_reserved`](Folder::make_reserved).
    pub(super) fn reserve(&mut self, name: &str) {
        let hash = self.hash(name);
        self.taken.insert(hash);
    }

    /// Makes the file whose name was kept.
    pub(super) fn make_reserved(&mut self, name: &str) -> io::Result<File> {
        self.place.make_file(name)
    }

    fn folder(&self, name: &str) -> io::Result<Folder> {
        Ok(Folder::of(self.place.folder(name.as_ref())?))
    }

    /// Makes something under the first name that is free.
    fn make(
        &mut self,
        text: &str,
        mut make: impl FnMut(&Place, &str) -> io::Result<()>,
    ) -> io::Result<(String, u64)> {
        let name = safe(text);
        let mut number = self.first_free(&name);
        loop {
            let candidate = numbered(&name, number);
            let hash = self.hash(&candidate);
            if !self.taken.contains(&hash) {
                match make(&self.place, &candidate) {
                    Ok(()) => {
                        self.taken.insert(hash);
                        return Ok((candidate, number));
                    }
                    // It is of an earlier run; a file system may also take two names for one.
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                        self.taken.insert(hash);
                    }
                    Err(error) => return Err(error),
                }
            }
            number += 1;
        }
    }

    /// A number from which on a name is likely to be free, found in few steps however often it was given out.
    fn first_free(&self, name: &str) -> u64 {
        let is_taken = |number| self.taken.contains(&self.hash(&numbered(name, number)));
        let mut free = 1;
        while is_taken(free) {
            free *= 2;
        }
        let mut taken = free / 2;
        while taken + 1 < free {
            let middle = taken.midpoint(free);
            if is_taken(middle) { taken = middle } else { free = middle }
        }
        free
    }

    fn hash(&self, name: &str) -> u64 {
        self.state.hash_one(name.to_lowercase())
    }
}

/// Hashes are used as they are.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0 << 8 | u64::from(*byte));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn nothing_takes_the_place_of_what_is_there() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("dir");
        fs::create_dir(&path).unwrap();
        symlink("..", path.join("a")).unwrap();
        symlink("../outside", path.join("a~2")).unwrap();
        fs::write(path.join("a~3"), "old").unwrap();
        let mut folder = Folder::open(&path).unwrap();
        let names = ["a", "A", "a", "b"].map(|text| folder.make_file(text).unwrap().1);
        assert_eq!(names, ["a~4", "A~5", "a~6", "b"]);
        assert_eq!(fs::read(path.join("a~3")).unwrap(), b"old");
        assert_eq!(fs::metadata(path.join("b")).unwrap().permissions().mode() & 0o777, 0o600);
        let (mut inner, number) = folder.make_folder("a").unwrap();
        inner.make_file("..").unwrap();
        assert_eq!(number, 7);
        assert!(path.join("a~7/%2E%2E").is_file());
        assert_eq!(fs::metadata(path.join("a~7")).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1, "nothing is outside");
    }

    #[test]
    fn a_folder_that_became_a_link_is_not_followed() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        symlink("..", place.path().join("a")).unwrap();
        assert!(folder.find_folder("a", 1).is_err());
    }

    #[test]
    fn a_name_given_out_often_costs_few_steps() {
        let place = tempfile::tempdir().unwrap();
        let mut folder = Folder::open(place.path()).unwrap();
        for expected in 1..=500 {
            assert_eq!(folder.make_folder("a").unwrap().1, expected);
        }
    }
}
