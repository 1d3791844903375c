//! From bytes in any pieces to events.

use std::io;

use streamresult::{StreamResult, damage};

use super::Options;
use super::encoding::Decoding;
use super::error::{Error, Failure, Position};
use super::report::Report;
use super::scan::{Scanner, Token};

/// Bytes of a wrong tag that are shown.
const SHOWN: usize = 256;

/// Turns JUnit XML into events, as its bytes come; see the [module](super) for which.
///
/// Input may be cut anywhere: the events are the same.
#[derive(Debug)]
pub struct Parser {
    decoding: Decoding,
    scanner: Scanner,
    report: Report,
    is_broken: bool,
    passes_over_others: bool,
}

impl Parser {
    /// A parser at the start of a document.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Parser {
            decoding: Decoding::new(),
            scanner: Scanner::default(),
            report: Report::new(options),
            is_broken: false,
            passes_over_others: false,
        }
    }

    /// Whether a document that is something else than JUnit XML is passed over with a note, as in a folder that is
    /// searched for reports; otherwise it is an error.
    pub fn pass_over_others(&mut self, yes: bool) {
        self.passes_over_others = yes;
    }

    /// Takes what there was to say about the documents so far that changes no test: elements that are not known, counts
    /// that cannot be right, documents that were passed over. Each is a line, up to twenty.
    pub fn take_notes(&mut self) -> Vec<String> {
        self.report.take_notes()
    }

    /// Takes the next bytes. Those after an error are skipped, up to [`finish`](Parser::finish).
    ///
    /// # Errors
    ///
    /// When the document is broken, or the sink fails.
    pub fn feed(&mut self, bytes: &[u8], sink: &mut dyn StreamResult) -> Result<(), Error> {
        if self.is_broken { Ok(()) } else { self.take(bytes, false, sink) }
    }

    /// Ends the input: what comes next belongs to another one. The sink's run is not stopped.
    ///
    /// # Errors
    ///
    /// When the document is not whole, there was none, or the sink fails.
    pub fn finish(&mut self, sink: &mut dyn StreamResult) -> Result<(), Error> {
        let ended = if self.is_broken { Ok(()) } else { self.take(&[], true, sink) };
        self.decoding = Decoding::new();
        self.scanner = Scanner::default();
        self.is_broken = false;
        ended
    }

    /// Ends what is open when no more input comes, whatever is missing: a test that began stays unfinished.
    ///
    /// # Errors
    ///
    /// When the sink fails.
    pub fn give_up(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        self.is_broken = true;
        self.report.give_up(sink)
    }

    fn take(&mut self, bytes: &[u8], last: bool, sink: &mut dyn StreamResult) -> Result<(), Error> {
        let Parser { decoding, scanner, report, .. } = self;
        let mut wrong = Wrong::default();
        let taken = decoding.feed(bytes, last, |text| {
            let mut rest = text;
            let taken = take_all(scanner, report, &mut rest, sink, &mut wrong);
            match taken {
                Ok(()) => scanner.end_input(text),
                Err(_) => wrong.place(scanner.position(text)),
            }
            taken
        });
        let taken = taken.and_then(|()| {
            if !last {
                return Ok(());
            }
            wrong.position = scanner.end();
            match scanner.unfinished() {
                Some(what) => Err(Failure::Problem(format!("the document ends within {what}"))),
                None => report.finish(sink),
            }
        });
        match taken {
            Ok(()) => Ok(()),
            Err(Failure::Io(error)) => Err(Error::Io(error)),
            Err(Failure::Foreign(root)) => {
                let root = crate::visible::line(&root).into_owned();
                if self.passes_over_others && !self.report.has_begun() {
                    self.is_broken = true;
                    self.report.note(format!("passed over: it is not JUnit XML but a <{root}>"));
                    return Ok(());
                }
                let problem = format!("no JUnit XML: the document is a <{root}>");
                self.break_off(Error::Broken { position: wrong.position, problem }, &wrong.tag, sink)
            }
            Err(Failure::Problem(problem) | Failure::Reference { problem, .. }) => {
                self.break_off(Error::Broken { position: wrong.position, problem }, &wrong.tag, sink)
            }
        }
    }

    /// Passes on all that came before, and the damage.
    #[cold]
    fn break_off(&mut self, error: Error, tag: &[u8], sink: &mut dyn StreamResult) -> Result<(), Error> {
        self.give_up(sink)?;
        damage(tag, &format!("broken JUnit XML, {error}"), sink)?;
        Err(error)
    }
}

/// Takes all tokens of a text.
fn take_all(
    scanner: &mut Scanner,
    report: &mut Report,
    rest: &mut &[u8],
    sink: &mut dyn StreamResult,
    wrong: &mut Wrong,
) -> Result<(), Failure> {
    while let Some(token) = scanner.next(rest)? {
        if let Err(failure) = report.token(token, sink) {
            *wrong = Wrong::new(token, &failure);
            return Err(failure);
        }
    }
    Ok(())
}

/// What is wrong with a token.
#[derive(Debug, Default)]
struct Wrong {
    position: Position,
    /// The beginning of a tag.
    tag: Vec<u8>,
    /// Of a piece of text, what is before the reference.
    before: Vec<u8>,
    offset: isize,
}

impl Wrong {
    fn new(token: Token<'_>, failure: &Failure) -> Self {
        let bytes = token.bytes();
        match (token, failure) {
            (_, Failure::Reference { at, .. }) => {
                let before = usize::try_from(*at).ok().and_then(|at| bytes.get(..at)).unwrap_or_default();
                Wrong { before: before.to_vec(), offset: *at, ..Wrong::default() }
            }
            (Token::Start { .. } | Token::End(_), _) => {
                Wrong { tag: bytes.get(..SHOWN).unwrap_or(bytes).to_vec(), ..Wrong::default() }
            }
            _ => Wrong::default(),
        }
    }

    /// Places it, as the token begins here.
    fn place(&mut self, token: Position) {
        self.position = token.at(self.offset, &self.before);
    }
}
