//! `subunit links`: the names of all commands, as links to this program.
//!
//! What stands in the way is replaced only when it is such a link itself: a symbolic link to a program `subunit`, or a
//! hard link or a copy, which are known by a mark in the program. Everything is looked at before anything is done.

use std::env;
use std::fs::{self, File, FileType, Metadata};
use std::io;
use std::marker::PhantomData;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use cli::{Command, Streams, Verdict};
use globset::Glob;
use memchr::memmem;

use crate::entry::CommandTable;

/// The name of the program itself.
const PROGRAM: &str = "subunit";
/// What only this program has in it, whatever its version and its name.
const MARK: &[u8] = b"the subunit toolkit: one program that answers to the names of all commands";

/// Make links of all names to this program
///
/// With them each command is called by its own name: subunit-ls, subunit2junitxml, check-eos. DIR is made if it does
/// not exist. Links that were made before are replaced. If anything else has one of the names, nothing is done at
/// all.
///
/// A check that is called by a name such as check_eos exits as monitoring plugins do. These links are made where --only
/// asks for them.
#[derive(clap::Parser, Debug)]
#[command(
    name = "subunit links",
    version,
    after_help = cli::help!(
        [Passed = "all links are there"],
        "  subunit links ~/.local/bin\n  \
           subunit links --only 'check_*' /usr/lib/nagios/plugins\n  \
           subunit links --copy /mnt/image/usr/bin"
    )
)]
pub struct Links<T: CommandTable> {
    /// The folder to make them in
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Make hard links, not symbolic ones
    #[arg(long, conflicts_with = "copy")]
    hard: bool,
    /// Make copies of the program, not links
    #[arg(long)]
    copy: bool,
    /// Only the names that match GLOB; may be repeated
    #[arg(long, value_name = "GLOB")]
    only: Vec<Glob>,
    #[arg(skip)]
    table: PhantomData<T>,
}

impl<T: CommandTable> Command for Links<T> {
    fn run(self, _: Streams<'_>) -> anyhow::Result<Verdict> {
        let program = env::current_exe().context("cannot find this program")?;
        let only: Vec<_> = self.only.iter().map(Glob::compile_matcher).collect();
        let monitoring: Vec<_> =
            T::entries().filter_map(|entry| Some(format!("check_{}", entry.component()?))).collect();
        let mut names: Vec<&str> = names::<T>();
        // By these a check exits as monitoring plugins do, so they are made where they are asked for.
        names.extend(monitoring.iter().map(String::as_str).filter(|_| !only.is_empty()));
        names.retain(|name| only.is_empty() || only.iter().any(|glob| glob.is_match(name)));
        if names.is_empty() {
            bail!("no command has a name like that; `subunit help` lists them");
        }
        make(&program, &self.folder, &names, self.kind())?;
        Ok(Verdict::Passed)
    }
}

impl<T: CommandTable> Links<T> {
    fn kind(&self) -> LinkKind {
        match (self.hard, self.copy) {
            (true, _) => LinkKind::Hard,
            (_, true) => LinkKind::Copy,
            _ => LinkKind::Symbolic,
        }
    }
}

/// All names that the program answers to, its own among them.
#[must_use]
pub fn names<T: CommandTable>() -> Vec<&'static str> {
    [PROGRAM].into_iter().chain(T::entries().filter_map(|entry| entry.link())).collect()
}

/// What is made of a name. Closed: the three that file systems have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LinkKind {
    /// A symbolic link: by name alone where the program is in the same folder, else by its whole path.
    #[default]
    Symbolic,
    /// Another name of the same file.
    Hard,
    /// Another file.
    Copy,
}

/// Makes these names of the program in a folder, which is made if it does not exist. If the program itself is one of
/// them, it stays as it is.
///
/// # Errors
///
/// When one of the names is taken by something that is not a link to such a program: nothing has been done then. Also
/// when the links cannot be made.
pub fn make(program: &Path, folder: &Path, names: &[&str], kind: LinkKind) -> anyhow::Result<()> {
    let program = program.canonicalize().with_context(|| format!("cannot find {}", program.display()))?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let folder = folder.canonicalize().with_context(|| format!("cannot use {}", folder.display()))?;
    let metadata = program.metadata().with_context(|| format!("cannot use {}", program.display()))?;
    let (mut wanted, mut taken) = (Vec::new(), Vec::new());
    for path in names.iter().map(|name| folder.join(name)).filter(|path| *path != program) {
        let is_free =
            is_free(&path, &metadata, kind).with_context(|| format!("cannot read {}", path.display()))?;
        if is_free { &mut wanted } else { &mut taken }.push(path);
    }
    if !taken.is_empty() {
        let taken: Vec<_> = taken.iter().map(|path| path.display().to_string()).collect();
        bail!("not links of this program: {}; move them away first: nothing was done", taken.join(", "));
    }
    wanted.iter().try_for_each(|path| {
        put(&program, path, kind).with_context(|| format!("cannot make {}", path.display()))
    })
}

/// Whether there is nothing at this path, or a link that may be replaced.
fn is_free(path: &Path, program: &Metadata, kind: LinkKind) -> io::Result<bool> {
    let found = match path.symlink_metadata() {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(error),
    };
    let is_same = |other: &Metadata| (other.dev(), other.ino()) == (program.dev(), program.ino());
    if found.is_symlink() {
        let is_named = path.read_link()?.file_name().is_some_and(|name| name == PROGRAM);
        return match path.metadata() {
            Ok(target) => Ok(is_same(&target) || is_named && is_marked(path, target.file_type())?),
            // Of a link that leads nowhere, only its words tell.
            Err(_) => Ok(is_named),
        };
    }
    // Another program `subunit` is the one that is installed: a newer one may replace it, but a link may not.
    let is_program = path.file_name().is_some_and(|name| name == PROGRAM);
    Ok(is_same(&found) || (!is_program || kind != LinkKind::Symbolic) && is_marked(path, found.file_type())?)
}

/// Whether it is a program like this, whatever its version.
fn is_marked(path: &Path, kind: FileType) -> io::Result<bool> {
    if !kind.is_file() {
        return Ok(false);
    }
    let content = fs::read(path)?;
    Ok(content.starts_with(b"\x7fELF") && memmem::find(&content, MARK).is_some())
}

/// Makes a link, in one step where there is one already.
fn put(program: &Path, path: &Path, kind: LinkKind) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let made = tempfile::Builder::new().prefix(".subunit-").make_in(folder, |made| match kind {
        LinkKind::Symbolic => symlink(target(program, path), made),
        LinkKind::Hard => fs::hard_link(program, made),
        LinkKind::Copy => copy(program, made),
    })?;
    // What is made is removed when it cannot be renamed, and when both were names of one file already.
    fs::rename(made.into_temp_path(), path)
}

/// Copies the program to where nothing is yet.
fn copy(program: &Path, path: &Path) -> io::Result<()> {
    let mut file = File::options().write(true).create_new(true).open(path)?;
    io::copy(&mut File::open(program)?, &mut file)?;
    file.set_permissions(program.metadata()?.permissions())
}

/// What a symbolic link says.
fn target<'a>(program: &'a Path, path: &Path) -> &'a Path {
    let is_beside = program.parent() == path.parent();
    program.file_name().filter(|_| is_beside).map_or(program, Path::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with a program in it, and what the names in it are.
    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            let folder = Folder(tempfile::tempdir().unwrap());
            folder.write("subunit", &program(b"1"));
            folder
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().canonicalize().unwrap().join(name)
        }

        fn write(&self, name: &str, content: &[u8]) {
            fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
            fs::write(self.path(name), content).unwrap();
        }

        fn make(&self, folder: &str, kind: LinkKind) -> Result<(), String> {
            let names = ["subunit", "subunit-ls", "check-eos"];
            make(&self.path("subunit"), &self.path(folder), &names, kind)
                .map_err(|error| format!("{error:#}"))
        }

        fn check_program(&self, names: &[&str], version: &[u8]) {
            for name in names {
                assert_eq!(fs::read(self.path(name)).unwrap(), program(version), "{name}");
            }
            let files = fs::read_dir(self.path(names[0]).parent().unwrap()).unwrap();
            let left = files
                .map(|file| file.unwrap().file_name())
                .find(|name| name.to_string_lossy().starts_with('.'));
            assert_eq!(left, None);
        }
    }

    fn program(version: &[u8]) -> Vec<u8> {
        [b"\x7fELF", MARK, version].concat()
    }

    #[test]
    fn links_are_made_and_made_again() {
        let folder = Folder::new();
        for kind in [
            LinkKind::Symbolic,
            LinkKind::Hard,
            LinkKind::Copy,
            LinkKind::Hard,
            LinkKind::Symbolic,
            LinkKind::Symbolic,
        ] {
            folder.make("bin", kind).unwrap();
            folder.check_program(&["bin/subunit", "bin/subunit-ls", "bin/check-eos"], b"1");
            let is_symbolic = folder.path("bin/check-eos").is_symlink();
            assert_eq!(is_symbolic, kind == LinkKind::Symbolic);
        }
        assert_eq!(folder.path("bin/check-eos").read_link().unwrap(), folder.path("subunit"));
    }

    #[test]
    fn beside_the_program_a_link_has_its_name_alone() {
        let folder = Folder::new();
        folder.make("", LinkKind::Symbolic).unwrap();
        assert_eq!(folder.path("subunit-ls").read_link().unwrap(), Path::new("subunit"));
        assert!(!folder.path("subunit").is_symlink());
    }

    #[test]
    fn links_of_other_versions_are_replaced() {
        let folder = Folder::new();
        symlink("/no/such/folder/subunit", folder.path("subunit-ls")).unwrap();
        folder.write("check-eos", &program(b"0"));
        folder.make("", LinkKind::Copy).unwrap();
        folder.check_program(&["subunit-ls", "check-eos"], b"1");
    }

    #[test]
    fn nothing_is_done_where_a_name_is_taken() {
        let check = |name: &str, take: &dyn Fn(&Path)| {
            let folder = Folder::new();
            fs::create_dir(folder.path("bin")).unwrap();
            take(&folder.path(name));
            let error = folder.make("bin", LinkKind::Symbolic).unwrap_err();
            assert!(error.contains(name) && error.contains("nothing was done"), "{error}");
            assert_eq!(fs::read_dir(folder.path("bin")).unwrap().count(), 1, "{name}");
        };
        check("bin/subunit-ls", &|path| fs::write(path, "#!/usr/bin/python3\n").unwrap());
        check("bin/subunit-ls", &|path| fs::write(path, MARK).unwrap());
        check("bin/subunit-ls", &|path| fs::create_dir(path).unwrap());
        check("bin/check-eos", &|path| symlink("/bin/sh", path).unwrap());
        let other = tempfile::tempdir().unwrap();
        fs::write(other.path().join("subunit"), "#!/bin/sh\n").unwrap();
        check("bin/subunit-ls", &|path| symlink(other.path().join("subunit"), path).unwrap());
        check("bin/subunit", &|path| fs::write(path, program(b"0")).unwrap());
    }
}
