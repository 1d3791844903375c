//! This machine.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use process::{Exit, Follow, Following, Wait};
use rustix::system::uname;

use super::file::folder_and_name;
use super::{Look, NodeCommand, NodeExit, NodeFailure, NodeFile, NodeProgram, PROGRAM, Transport};

/// This machine. Nothing has to be brought here; files are the caller's to have on file systems that answer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Local;

impl Transport for Local {
    fn look(&self, _: &NodeProgram, _: Wait<'_>) -> Result<Look, NodeFailure> {
        let name = uname();
        let word = |word: &std::ffi::CStr| word.to_string_lossy().into_owned();
        let (system, machine) = (word(name.sysname()), word(name.machine()));
        Ok(Look { system, machine, path: PROGRAM.to_owned(), mode: 0o755, has_program: true })
    }

    fn spawn<'a>(&self, command: &NodeCommand, follow: Follow<'a>) -> Result<Following<'a>, NodeFailure> {
        let mut own = Command::new(&command.program);
        own.arg0(&command.called).args(&command.args).stdin(Stdio::null());
        follow.start(&mut own).map_err(|error| command.not_started(&error))
    }

    fn exit(&self, exit: &Exit) -> NodeExit {
        NodeExit::Process(exit.clone())
    }

    fn put(&self, file: &NodeFile<'_>, _: Wait<'_>) -> Result<(), NodeFailure> {
        let (folder, _) = folder_and_name(file.path)?;
        let put = || -> io::Result<()> {
            let mut new = tempfile::NamedTempFile::new_in(format!("{folder}/"))?;
            new.write_all(file.content)?;
            new.as_file().set_permissions(fs::Permissions::from_mode(file.mode))?;
            new.persist(file.path)?;
            Ok(())
        };
        put().map_err(|error| failure("write", file.path, &error))
    }

    fn get(&self, path: &str, limit: usize, _: Wait<'_>) -> Result<Option<Vec<u8>>, NodeFailure> {
        let read = || -> io::Result<Vec<u8>> {
            let mut bytes = Vec::new();
            fs::File::open(path)?.take(limit as u64 + 1).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        match read() {
            Ok(bytes) if bytes.len() > limit => Err(too_long(path, limit)),
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failure("read", path, &error)),
        }
    }

    fn remove(&self, path: &str, _: Wait<'_>) -> Result<(), NodeFailure> {
        match fs::remove_file(Path::new(path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failure("remove", path, &error)),
            _ => Ok(()),
        }
    }
}

fn failure(operation: &str, path: &str, error: &io::Error) -> NodeFailure {
    NodeFailure::new(process::explain(operation, path, error.raw_os_error(), &error.to_string()))
}

/// A file that is longer than whoever asked wants to have.
pub(crate) fn too_long(path: &str, limit: usize) -> NodeFailure {
    NodeFailure::new(format!("{path} is longer than {limit} bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_put_read_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a b").display().to_string();
        assert_eq!(Local.get(&path, 9, Wait::FOREVER), Ok(None));
        Local.put(&NodeFile { path: &path, content: b"first", mode: 0o600 }, Wait::FOREVER).unwrap();
        Local.put(&NodeFile { path: &path, content: b"second", mode: 0o640 }, Wait::FOREVER).unwrap();
        assert_eq!(Local.get(&path, 6, Wait::FOREVER), Ok(Some(b"second".to_vec())));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(
            Local
                .get(&path, 5, Wait::FOREVER)
                .is_err_and(|error| error.to_string().contains("longer than 5"))
        );
        Local.remove(&path, Wait::FOREVER).unwrap();
        Local.remove(&path, Wait::FOREVER).unwrap();
        assert_eq!(Local.get(&path, 9, Wait::FOREVER), Ok(None));
        assert!(Local.put(&NodeFile { path: "a", content: b"", mode: 0o600 }, Wait::FOREVER).is_err());
        assert!(
            Local.put(&NodeFile { path: "/no/such/a", content: b"", mode: 0o600 }, Wait::FOREVER).is_err()
        );
    }
}
