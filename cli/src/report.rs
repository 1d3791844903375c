//! Where a report goes, and what goes beside it.

use std::cell::RefCell;
use std::fmt;
use std::fs::{self, File, Permissions};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context as _, bail};
use streamresult::{StreamResult, deliver};
use subunit::Frame;
use subunit::io::Reader;
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
        let passthrough = !self.passthrough.no_passthrough;
        // What is forwarded carries its text along.
        let loose = (passthrough && forward.is_none()).then(|| Box::new(errors.clone()) as Box<dyn Write>);
        let words = (self.output.output_to.is_some() || forward.is_none()).then_some(errors);
        Ok(Channels { report, forward, passthrough, loose, words })
    }
}

/// What a report command writes to.
pub struct Channels<'a> {
    /// The report.
    pub report: Report<'a>,
    /// The stream, when it is to go on.
    pub forward: Option<Shared<'a>>,
    /// Whether text goes on with it.
    pub passthrough: bool,
    /// Text that stands between packets and files of no test, when they are to be shown.
    pub loose: Option<Box<dyn Write + 'a>>,
    /// Stderr, for words to the user, unless the report is there.
    pub words: Option<Shared<'a>>,
}

impl Channels<'_> {
    /// Reads a stream to its end, as [`streamresult::drive`] does, and passes on and shows of it what is to be.
    ///
    /// # Errors
    ///
    /// When reading fails, or writing, or the sink does.
    pub fn drive<S: StreamResult + ?Sized>(&mut self, input: impl Read, sink: &mut S) -> io::Result<()> {
        let driven = sink.start_run().and_then(|()| self.pass(&mut Reader::new(input), sink));
        driven.and(sink.stop_run())
    }

    fn pass<S: StreamResult + ?Sized>(
        &mut self,
        reader: &mut Reader<impl Read>,
        sink: &mut S,
    ) -> io::Result<()> {
        let take = |(channels, sink): &mut (&mut Self, &mut S), frame: Frame<'_>, offset| {
            if channels.forward.is_some() || channels.loose.is_some() {
                channels.frame(&frame)?;
            }
            deliver(&frame, offset, *sink)
        };
        reader.each(&mut (self, sink), take, |(channels, sink)| sink.flush().and_then(|()| channels.flush()))
    }

    fn frame(&mut self, frame: &Frame<'_>) -> io::Result<()> {
        let text = loose_text(frame);
        if let Some(forward) = self.forward.as_mut().filter(|_| self.passthrough || text.is_none()) {
            forward.write_all(frame.as_bytes())?;
        }
        match (&mut self.loose, text) {
            (Some(loose), Some(text)) => loose.write_all(text),
            _ => Ok(()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.forward.as_mut().map_or(Ok(()), Write::flush)?;
        self.loose.as_mut().map_or(Ok(()), Write::flush)
    }
}

/// What is of no test: text between packets, or a piece of a file of the run as a whole.
fn loose_text<'a>(frame: &Frame<'a>) -> Option<&'a [u8]> {
    match frame {
        Frame::Text(text) => Some(text),
        // In this order: most packets have a status, which is seen at a glance.
        Frame::Packet(packet) if packet.status().is_none() && packet.test_id().is_none() => {
            packet.file().map(|file| file.bytes)
        }
        _ => None,
    }
}

impl fmt::Debug for Channels<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Channels").field("report", &self.report).finish_non_exhaustive()
    }
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
        formatter.debug_struct("Shared").finish_non_exhaustive()
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
    use streamresult::Summary;

    use super::*;

    fn flags(output_to: Option<&Path>, forward: bool) -> ReportArgs {
        ReportArgs {
            output: OutputArgs { output_to: output_to.map(Path::to_owned) },
            forward: ForwardArgs { forward },
            passthrough: PassthroughArgs::default(),
        }
    }

    const STREAM: &[u8] = b"text \xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b";

    fn report(mut channels: Channels<'_>) {
        let mut summary = Summary::new();
        channels.drive(STREAM, &mut summary).unwrap();
        assert_eq!(summary.announced(), 1);
        channels.report.write_all(b"report").unwrap();
        channels.report.finish().unwrap();
        if let Some(words) = &mut channels.words {
            words.write_all(b" words").unwrap();
        }
    }

    /// `S` stands for the packet of the stream.
    fn check(args: &ReportArgs, expected: (&str, &str)) {
        let (mut output, mut errors) = (Vec::new(), Vec::new());
        report(args.channels(&mut output, &mut errors).unwrap());
        let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let packet = shown(&STREAM[5..]);
        let found = (shown(&output).replace(&packet, "S"), shown(&errors).replace(&packet, "S"));
        assert_eq!((&*found.0, &*found.1), expected);
    }

    #[test]
    fn stdout_carries_one_format() {
        check(&flags(None, false), ("report", "text  words"));
        check(&flags(None, true), ("text S", "report"));
        check(&flags(Some(Path::new("-")), false), ("report", "text  words"));
        let silent =
            ReportArgs { passthrough: PassthroughArgs { no_passthrough: true }, ..flags(None, false) };
        check(&silent, ("report", " words"));
        let silent = ReportArgs { forward: ForwardArgs { forward: true }, ..silent };
        check(&silent, ("S", "report"));
        let both = flags(Some(Path::new("-")), true);
        assert!(both.channels(&mut Vec::new(), &mut Vec::new()).is_err());
    }

    #[test]
    fn a_file_is_replaced_once_the_report_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.xml");
        check(&flags(Some(&path), true), ("text S", " words"));
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
        check(&flags(Some(&link), false), ("", "text  words"));
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
