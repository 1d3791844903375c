//! Where a report goes, and what goes beside it.

use std::cell::RefCell;
use std::fmt;
use std::fs::{self, File, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context as _, bail};
use tempfile::NamedTempFile;

use crate::args::{ForwardArgs, OutputArgs, PassthroughArgs};
use crate::error::PathError;

/// `-o`, `-f` and `--no-passthrough`: the flags of commands that make a report.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct ReportArgs {
    /// Where the report goes.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Whether the stream goes on.
    #[command(flatten)]
    pub forward: ForwardArgs,
    /// Whether loose text is shown.
    #[command(flatten)]
    pub passthrough: PassthroughArgs,
}

impl ReportArgs {
    /// Sorts out what goes where.
    ///
    /// # Errors
    ///
    /// When the file of the report cannot be made, or stdout would take both the stream and the report.
    pub fn channels<'a>(
        &self,
        output: &'a mut dyn Write,
        errors: &'a mut dyn Write,
    ) -> anyhow::Result<Channels<'a>> {
        let (output, errors) = (Shared::new(output), Shared::new(errors));
        let report = match self.output.output_to.as_deref() {
            Some(path) if path.as_os_str() != "-" => Report::create(path)?,
            Some(_) if self.forward.forward => {
                bail!("stdout cannot take both the stream (-f) and the report (-o -)")
            }
            None if self.forward.forward => Report::stream(errors.clone()),
            _ => Report::stream(output.clone()),
        };
        let forward = self.forward.forward.then_some(output);
        // What is forwarded carries its text along.
        let is_shown = !self.passthrough.no_passthrough && forward.is_none();
        Ok(Channels { report, forward, loose: is_shown.then(|| errors.clone()), errors })
    }
}

/// What a report command writes to.
#[derive(Debug)]
pub struct Channels<'a> {
    /// The report.
    pub report: Report<'a>,
    /// The stream, when it is to go on.
    pub forward: Option<Shared<'a>>,
    /// Text that stands between packets, when it is to be shown.
    pub loose: Option<Shared<'a>>,
    /// Stderr, for words to the user.
    pub errors: Shared<'a>,
}

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
        formatter.write_str("Shared")
    }
}

/// A report in the making: a stream, or a file that is replaced once the report is whole.
///
/// A file is first written under another name in the same folder, so that a report which fails half-way
/// never takes the place of the last good one. What is no regular file (a pipe, `/dev/stderr`) is written to
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
    fn stream(writer: Shared<'a>) -> Self {
        Report(Kind::Stream(writer))
    }

    fn create(path: &Path) -> anyhow::Result<Self> {
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
            .map_err(failed)?;
        Ok(Report(Kind::File(BufWriter::with_capacity(1 << 16, file), path)))
    }

    /// Says that the report is whole, which is when its file takes its place.
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

    fn flags(output_to: Option<&Path>, forward: bool) -> ReportArgs {
        ReportArgs {
            output: OutputArgs { output_to: output_to.map(Path::to_owned) },
            forward: ForwardArgs { forward },
            passthrough: PassthroughArgs::default(),
        }
    }

    fn check(args: &ReportArgs, expected: (&str, &str)) {
        let (mut output, mut errors) = (Vec::new(), Vec::new());
        let mut channels = args.channels(&mut output, &mut errors).unwrap();
        channels.report.write_all(b"report").unwrap();
        if let Some(forward) = &mut channels.forward {
            forward.write_all(b"stream").unwrap();
        }
        if let Some(loose) = &mut channels.loose {
            loose.write_all(b" text").unwrap();
        }
        channels.report.finish().unwrap();
        drop((channels.forward, channels.loose, channels.errors));
        assert_eq!((&*output, &*errors), (expected.0.as_bytes(), expected.1.as_bytes()));
    }

    #[test]
    fn stdout_carries_one_format() {
        check(&flags(None, false), ("report", " text"));
        check(&flags(None, true), ("stream", "report"));
        check(&flags(Some(Path::new("-")), false), ("report", " text"));
        let silent =
            ReportArgs { passthrough: PassthroughArgs { no_passthrough: true }, ..flags(None, false) };
        check(&silent, ("report", ""));
        let both = flags(Some(Path::new("-")), true);
        assert!(both.channels(&mut Vec::new(), &mut Vec::new()).is_err());
    }

    #[test]
    fn a_file_is_replaced_once_the_report_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.xml");
        check(&flags(Some(&path), true), ("stream", ""));
        assert_eq!(fs::read(&path).unwrap(), b"report");
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
        check(&flags(Some(&link), false), ("", " text"));
        assert_eq!(fs::read(&path).unwrap(), b"report");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
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
