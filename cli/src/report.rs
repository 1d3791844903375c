//! Where a report goes: a stream, or a file that is replaced once the report is whole.

use std::cell::RefCell;
use std::fmt;
use std::fs::{self, File, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::Context as _;
use tempfile::NamedTempFile;

use crate::args::OutputArgs;
use crate::error::PathError;

/// A writer that several parts of a command write to in turn.
#[derive(Clone)]
pub struct Shared<'a>(Rc<RefCell<&'a mut dyn Write>>);

impl<'a> Shared<'a> {
    /// Shares this writer.
    pub fn new(writer: &'a mut dyn Write) -> Self {
        Shared(Rc::new(RefCell::new(writer)))
    }
}

impl Write for Shared<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.borrow_mut().write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.borrow_mut().flush()
    }
}

impl fmt::Debug for Shared<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl OutputArgs {
    /// Whether the report goes where it would without this option.
    #[must_use]
    pub fn is_stdout(&self) -> bool {
        self.output_to.as_ref().is_none_or(|path| path.as_os_str() == "-")
    }

    /// The report: to the file that was named, or else to this writer.
    ///
    /// # Errors
    ///
    /// When nothing can be written there.
    pub fn open<'a>(&self, stdout: &Shared<'a>) -> anyhow::Result<Report<'a>> {
        match &self.output_to {
            Some(path) if !self.is_stdout() => Report::create(path),
            _ => Ok(Report::stream(stdout.clone())),
        }
    }
}

/// A report being written: a stream, or a file that is replaced once the report is whole.
///
/// A file is first written under another name in the same folder, so that a report which fails half-way
/// never takes the place of the last good one. Anything but a regular file (a pipe, `/dev/stderr`) is written to
/// as it is.
#[derive(Debug)]
pub struct Report<'a>(Kind<'a>);

#[derive(Debug)]
enum Kind<'a> {
    Stream(Shared<'a>),
    Device(BufWriter<File>, PathBuf),
    File(BufWriter<NamedTempFile>, PathBuf),
}

impl<'a> Report<'a> {
    /// A report to this writer.
    #[must_use]
    pub fn stream(writer: Shared<'a>) -> Self {
        Report(Kind::Stream(writer))
    }

    /// A report to this file.
    ///
    /// # Errors
    ///
    /// When nothing can be written there.
    pub fn create(path: &Path) -> anyhow::Result<Self> {
        let failed = |error| PathError::wrap("write", path, error);
        // The file that a link names is replaced, not the link.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let before = fs::metadata(&path).ok();
        if before.as_ref().is_some_and(|found| !found.is_file()) {
            let file = File::options().write(true).open(&path).map_err(failed)?;
            return Ok(Report(Kind::Device(BufWriter::new(file), path)));
        }
        let permissions = before.map_or_else(|| Permissions::from_mode(0o666), |found| found.permissions());
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let name = path.file_name().context("the report's path has no file name")?;
        let file = tempfile::Builder::new()
            .prefix(&[".".as_ref(), name, ".".as_ref()].join("".as_ref()))
            .permissions(permissions)
            .tempfile_in(folder)
            .map_err(|error| failed(without_path(error)))?;
        Ok(Report(Kind::File(BufWriter::with_capacity(1 << 16, file), path)))
    }

    /// Declares the report complete: now its file takes its place.
    ///
    /// # Errors
    ///
    /// When the last of it cannot be written, or the file cannot be renamed.
    pub fn finish(self) -> io::Result<()> {
        match self.0 {
            Kind::Stream(mut stream) => stream.flush(),
            Kind::Device(mut device, path) => in_writing(device.flush(), &path),
            Kind::File(file, path) => {
                let file = in_writing(file.into_inner().map_err(io::IntoInnerError::into_error), &path)?;
                in_writing(file.persist(&path).map(drop).map_err(|error| error.error), &path)
            }
        }
    }
}

/// An error of `tempfile` without the temporary name, which means nothing to the user.
fn without_path(error: io::Error) -> io::Error {
    let text = error.to_string();
    match text.split_once(" at path ") {
        Some((what, _)) => io::Error::new(error.kind(), what),
        None => error,
    }
}

fn in_writing<T>(done: io::Result<T>, path: &Path) -> io::Result<T> {
    done.map_err(|error| PathError::wrap("write", path, error))
}

impl Write for Report<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Kind::Stream(stream) => stream.write(bytes),
            Kind::Device(device, path) => in_writing(device.write(bytes), path),
            Kind::File(file, path) => in_writing(file.write(bytes), path),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Kind::Stream(stream) => stream.flush(),
            Kind::Device(device, path) => in_writing(device.flush(), path),
            Kind::File(file, path) => in_writing(file.flush(), path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &Path) {
        let mut stdout = Vec::new();
        let args = OutputArgs { output_to: Some(path.to_owned()) };
        let mut report = args.open(&Shared::new(&mut stdout)).unwrap();
        report.write_all(b"report").unwrap();
        report.finish().unwrap();
        assert_eq!((fs::read(path).unwrap(), stdout), (b"report".to_vec(), Vec::new()));
    }

    #[test]
    fn a_dash_is_stdout() {
        let mut stdout = Vec::new();
        for output_to in [None, Some("-".into())] {
            let mut report = OutputArgs { output_to }.open(&Shared::new(&mut stdout)).unwrap();
            report.write_all(b"report ").unwrap();
            report.finish().unwrap();
        }
        assert_eq!(stdout, b"report report ");
    }

    #[test]
    fn a_file_is_replaced_once_the_report_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.xml");
        check(&path);
        let mut half = Report::create(&path).unwrap();
        half.write_all(b"half").unwrap();
        half.flush().unwrap();
        drop(half);
        assert_eq!(fs::read(&path).unwrap(), b"report");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_keeps_its_mode_and_a_link_its_target() {
        let folder = tempfile::tempdir().unwrap();
        let [path, link] = ["report.xml", "latest.xml"].map(|name| folder.path().join(name));
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("report.xml", &link).unwrap();
        check(&link);
        assert_eq!(fs::read(&path).unwrap(), b"report");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[test]
    fn a_folder_that_is_not_there_is_told_without_the_temporary_name() {
        let error = Report::create(Path::new("no/folder/report.xml")).unwrap_err();
        let expected = "cannot write no/folder/report.xml: No such file or directory (os error 2)";
        assert_eq!(format!("{error:#}"), expected);
    }

    #[test]
    fn a_full_device_is_an_error() {
        let mut report = Report::create(Path::new("/dev/full")).unwrap();
        report.write_all(b"report").unwrap();
        let error = report.finish().unwrap_err();
        assert_eq!(
            (error.kind(), &*error.to_string()),
            (io::ErrorKind::StorageFull, "cannot write /dev/full")
        );
    }
}
