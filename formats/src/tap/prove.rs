//! What `prove` says around the documents of test files: `prove -v` writes them one after the other, each below a line
//! with the name of its file and above one that says how it went.
//!
//! ```text
//! t/boot.t ..
//! 1..1
//! ok 1 - boots
//! ok
//! t/net.t ... skipped: no network
//! All tests successful.
//! Files=2, Tests=1,  0 wallclock secs ( 0.02 usr  0.00 sys +  0.07 cusr  0.02 csys =  0.11 CPU)
//! Result: PASS
//! ```
//!
//! Without `-v` only such lines are there, and each file is a test.
//!
//! The `ok` of prove is also a test point of TAP, without a number. Where the plan has been met it is prove's. Where it
//! has not (or is yet to come) the next line tells: behind prove's comes another file, or the summary.

use std::io;

use memchr::memmem;
use streamresult::StreamResult;
use subunit::{Status, part};

use super::line::{self, Line as TapLine, push_id};
use super::read::TapParser;

/// The test that fails when prove itself says that something did, or does not come to its end.
const PROVE: &str = "prove";
/// Of what prove says of a file this much is kept.
const LONGEST_REASON: usize = 4096;

/// A run of prove.
#[derive(Clone, Debug, Default)]
pub(super) struct Prove {
    /// What all ids begin with.
    prefix: String,
    file: File,
    /// The path of the file.
    path: String,
    /// How often something had failed when the file began.
    failures: u64,
    /// What prove says of the file that failed.
    reason: Vec<u8>,
    /// Whether prove has told its result.
    has_result: bool,
}

/// How far the current file is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum File {
    /// There is none, or it has ended.
    #[default]
    None,
    /// Its document is being read.
    Open,
    /// The same, and a line `ok` came that may be its end, or a test point.
    MaybeEnded,
    /// It has failed, and prove says why.
    Failed,
}

/// What a line says if it is prove's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line<'a> {
    /// A file begins.
    File(&'a [u8], Ended<'a>),
    /// It went well. Without a time this is a test point, too.
    Ok { is_timed: bool },
    /// It did not.
    Failed,
    /// All of it was skipped, as its plan says.
    Skipped,
    /// All files have ended.
    Summary,
    /// `Result: PASS`, and whether it is that.
    Result(bool),
}

/// How a file ended on the line that names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended<'a> {
    Not,
    Well,
    Skipped(&'a [u8]),
}

fn parse(line: &[u8]) -> Option<Line<'_>> {
    let is_any = |starts: &[&[u8]]| starts.iter().any(|start| line.starts_with(start));
    if line.starts_with(b"ok") {
        let rest = line.get(2..)?;
        let is_timed = is_time(rest);
        return (rest.trim_ascii().is_empty() || is_timed).then_some(Line::Ok { is_timed });
    }
    let is_count = || line.starts_with(b"Failed ") && memmem::find(line, b" subtests").is_some();
    if is_any(&[b"Dubious, test returned ", b"No subtests run"]) || is_count() {
        return Some(Line::Failed);
    }
    if line.starts_with(b"skipped: ") {
        return Some(Line::Skipped);
    }
    if is_any(&[b"All tests successful.", b"Test Summary Report", b"Files="]) {
        return Some(Line::Summary);
    }
    if let Some(result) = line.strip_prefix(b"Result: ") {
        return Some(Line::Result(result.trim_ascii() != b"FAIL"));
    }
    file(line)
}

/// Whether a line is one with which prove names a test file of Perl's, as they are usually called.
pub(crate) fn is_line_of_prove(line: &[u8]) -> bool {
    matches!(file(line), Some(Line::File(path, _)) if path.ends_with(b".t"))
}

/// `    12 ms ( 0.00 usr …`, with `--timer`.
fn is_time(rest: &[u8]) -> bool {
    let behind = rest.trim_ascii_start();
    let count = behind.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let unit = part(behind, count..);
    count > 0 && (unit.starts_with(b" ms") || unit.starts_with(b" s"))
}

/// `t/boot.t .. `, with `--timer` behind a time of the day.
fn file(line: &[u8]) -> Option<Line<'_>> {
    let line = match line.strip_prefix(b"[") {
        Some([_, _, b':', _, _, b':', _, _, b']', b' ', rest @ ..]) => rest,
        _ => line,
    };
    let at = memmem::find(line, b" ..")?;
    let (path, rest) = line.split_at(at);
    let rest = rest.get(1..)?;
    let dots = rest.iter().take_while(|byte| **byte == b'.').count();
    let rest = rest.get(dots..)?.strip_prefix(b" ")?;
    let ended = match rest.strip_prefix(b"skipped") {
        _ if rest.is_empty() => Ended::Not,
        Some(reason) => Ended::Skipped(reason.strip_prefix(b":").unwrap_or(reason).trim_ascii()),
        None if rest == b"ok" || rest.strip_prefix(b"ok").is_some_and(is_time) => Ended::Well,
        None => return None,
    };
    let is_path = !path.is_empty() && path.first() != Some(&b'#') && !path.starts_with(b" ");
    is_path.then_some(Line::File(path, ended))
}

/// Whether this names a file: `Starting the server ... ok` is not one of prove's lines.
fn names_file(path: &[u8]) -> bool {
    path.ends_with(b".t") || !path.contains(&b' ') && path.iter().any(|byte| b"./\\".contains(byte))
}

/// Whether a line is of a document, so that what stood before it was not the document's end.
fn is_tap(content: &[u8]) -> bool {
    let said = line::parse(content.trim_ascii_start(), false);
    said.is_some_and(|said| !matches!(said, TapLine::Comment))
}

impl TapParser {
    /// Takes a line of prove; false when it is something else.
    pub(super) fn prove_line(
        &mut self,
        content: &[u8],
        raw: &[u8],
        sink: &mut dyn StreamResult,
    ) -> io::Result<bool> {
        let said = parse(content);
        match (said, self.file_of_prove()) {
            (Some(Line::File(path, ended)), file)
                if (self.prove.is_some() || names_file(path))
                    && (file != File::Open || self.nesting.outer.is_met()) =>
            {
                self.end_file_of_prove(sink)?;
                self.begin_file(path, ended, sink)?;
            }
            (Some(Line::Ok { is_timed: true }), File::Open) => self.file_went_well(sink)?,
            (Some(Line::Ok { .. } | Line::Skipped), File::Open) if self.nesting.outer.is_met() => {
                self.file_went_well(sink)?;
            }
            (Some(Line::Ok { .. }), File::Open) => self.prove_is(File::MaybeEnded),
            (Some(Line::Failed), File::Open | File::MaybeEnded | File::Failed) => {
                self.take_back_end(sink)?;
                self.file_failed(content, raw, sink)?;
            }
            (_, File::Failed) if self.is_more_of_reason(content) => self.file_failed(content, raw, sink)?,
            (Some(Line::Summary | Line::Result(_)), File::None | File::MaybeEnded | File::Failed)
                if self.prove.is_some() =>
            {
                self.end_file_of_prove(sink)?;
                if let Some(Line::Result(is_pass)) = said {
                    self.result_of_prove(is_pass, sink)?;
                }
                self.release(sink)?;
                self.push_text(raw, sink)?;
            }
            (Some(Line::Result(_)), File::None) if content.starts_with(b"Result: NOTESTS") => {
                // There was no file to say that it is prove.
                let prove = Prove { prefix: self.prefix.clone(), has_result: true, ..Prove::default() };
                self.prove = Some(Box::new(prove));
                self.push_text(raw, sink)?;
            }
            (_, File::MaybeEnded) if is_tap(content) => {
                self.take_back_end(sink)?;
                return self.prove_line(content, raw, sink);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Outside of a run of prove a file can only begin where a document can.
    pub(super) fn may_begin_file(&self) -> bool {
        self.nesting.outer.is_new() && self.nesting.depth() == 1 && !self.bailed_out
    }

    fn file_of_prove(&self) -> File {
        self.prove.as_ref().map_or(File::None, |prove| prove.file)
    }

    fn prove_is(&mut self, file: File) {
        if let Some(prove) = &mut self.prove {
            prove.file = file;
        }
    }

    fn begin_file(&mut self, path: &[u8], ended: Ended<'_>, sink: &mut dyn StreamResult) -> io::Result<()> {
        self.release(sink)?;
        if !self.nesting.outer.is_new() {
            self.end_document(sink)?;
        }
        let mut prove = self
            .prove
            .take()
            .unwrap_or_else(|| Box::new(Prove { prefix: self.prefix.clone(), ..Prove::default() }));
        let mut id = prove.prefix.clone();
        push_id(path, &mut id);
        (prove.file, prove.failures, prove.has_result) = (File::Open, self.failures, false);
        prove.path = id;
        self.set_prefix(format!("{}/", prove.path));
        self.prove = Some(prove);
        match ended {
            Ended::Not => Ok(()),
            Ended::Well => self.file_is(Status::Success, b"", sink),
            Ended::Skipped(reason) => self.file_is(Status::Skip, reason, sink),
        }
    }

    /// A file is one test: nothing else is told of it.
    fn file_is(&mut self, status: Status, reason: &[u8], sink: &mut dyn StreamResult) -> io::Result<()> {
        self.prove_is(File::None);
        let id = self.id_of_file();
        self.held.clear();
        (self.held.test.id, self.held.test.status, self.held.test.time) = (id, Some(status), self.now);
        self.held.reason.extend_from_slice(reason);
        self.holds = true;
        self.release(sink)
    }

    fn id_of_file(&mut self) -> String {
        let path = self.prove.as_ref().map(|prove| prove.path.clone()).unwrap_or_default();
        self.unique(&path)
    }

    fn file_went_well(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        self.prove_is(File::None);
        self.end_document(sink)
    }

    /// What looked like the end of the file was a test point.
    fn take_back_end(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        if self.file_of_prove() != File::MaybeEnded {
            return Ok(());
        }
        self.prove_is(File::Open);
        self.tap_line(b"ok", b"ok\n", None, sink)
    }

    fn file_failed(&mut self, content: &[u8], raw: &[u8], sink: &mut dyn StreamResult) -> io::Result<()> {
        if self.file_of_prove() != File::Failed {
            self.prove_is(File::Failed);
            if self.nesting.outer.is_new() {
                self.release(sink)?;
            } else {
                self.end_document(sink)?;
            }
        }
        self.push_text(raw, sink)?;
        if let Some(prove) = &mut self.prove
            && prove.reason.len() + content.len() < LONGEST_REASON
        {
            prove.reason.extend_from_slice(content.trim_ascii());
            prove.reason.push(b'\n');
        }
        Ok(())
    }

    fn is_more_of_reason(&self, content: &[u8]) -> bool {
        content.starts_with(b"\t(")
            || content.starts_with(b"All ") && content.trim_ascii().ends_with(b" passed")
    }

    /// Ends what is open of the last file.
    pub(super) fn end_file_of_prove(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        match self.file_of_prove() {
            File::None => return Ok(()),
            File::Open | File::MaybeEnded => return self.file_went_well(sink),
            File::Failed => {}
        }
        let Some(prove) = &mut self.prove else { return Ok(()) };
        prove.file = File::None;
        let (reason, is_told) = (std::mem::take(&mut prove.reason), self.failures > prove.failures);
        if is_told {
            return Ok(());
        }
        let id = self.id_of_file();
        self.fail_with(&id, "reason", &reason, sink)
    }

    fn result_of_prove(&mut self, is_pass: bool, sink: &mut dyn StreamResult) -> io::Result<()> {
        self.leave_file();
        if let Some(prove) = &mut self.prove {
            prove.has_result = true;
        }
        if is_pass || self.failures > 0 {
            return Ok(());
        }
        self.fail_prove(b"prove says that something failed: Result: FAIL\n", sink)
    }

    fn fail_prove(&mut self, why: &[u8], sink: &mut dyn StreamResult) -> io::Result<()> {
        let prefix = self.prove.as_ref().map(|prove| prove.prefix.clone()).unwrap_or_default();
        let id = self.unique(&format!("{prefix}{PROVE}"));
        self.fail_with(&id, "reason", why, sink)
    }

    /// What comes is of no file.
    fn leave_file(&mut self) {
        let prefix = self.prove.as_ref().map(|prove| prove.prefix.clone());
        if let Some(prefix) = prefix {
            self.set_prefix(prefix);
        }
    }

    /// There are no more lines. Returns whether this was a run of prove.
    pub(super) fn end_prove(&mut self, sink: &mut dyn StreamResult) -> io::Result<bool> {
        if self.prove.is_none() {
            return Ok(false);
        }
        self.end_file_of_prove(sink)?;
        let is_cut = self.prove.as_ref().is_some_and(|prove| !prove.has_result);
        if is_cut && self.failures == 0 {
            self.fail_prove(b"prove has not told its result: it may have been cut off\n", sink)?;
        }
        self.leave_file();
        self.prove = None;
        Ok(true)
    }
}
