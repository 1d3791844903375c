//! From text in any pieces to tags and what stands between them.
//!
//! quick-xml hands out a text as a whole, and a failure's log of a gibibyte would have to be in memory. So what stands
//! between tags is found here and goes out in the pieces that are there; only a tag is put together from its pieces,
//! since it is short, and one of more than 4 MiB is refused. Where a tag ends is quick-xml's to say.
//!
//! The scanner is in one of seven places, and each says what may come next:
//!
//! | place | what is read | until |
//! |---|---|---|
//! | `Text` | text, handed out piece by piece | `<` |
//! | `Markup` | the few bytes that tell what begins; they are held | it is known |
//! | `Tag` | a start or end tag, held if it is cut | a `>` that is in no quotes |
//! | `Comment`, `Instruction` | nothing: they are passed over | `-->`, `?>` |
//! | `CData` | text without references | `]]>` |
//! | `Doctype` | nothing, and no declaration is allowed in it | a `>` that is in no quotes |
//!
//! Endings of several bytes may be cut anywhere. [`Terminator`] remembers how many of its bytes ended the last piece, and
//! gives them back as content when the next byte shows that it was not the ending after all.
//!
//! A place in the document, line and column, costs a look at every byte before it, and is only asked for when
//! something is wrong. So a token remembers how many bytes before the end of its input it begins, and the rest is
//! worked out once for each input.

use memchr::{memchr, memchr_iter};
use quick_xml::parser::{ElementParser, Parser as _};

use super::error::{Failure, Position, problem};
use subunit::{part, split_part};

/// A longer tag is refused: it has to be in memory.
const LONGEST_TAG: usize = 4 << 20;

/// A piece of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'t> {
    /// What stands between `<` and `>` or `/>`.
    Start { tag: &'t [u8], is_empty: bool },
    /// What stands between `</` and `>`.
    End(&'t [u8]),
    /// A piece of text, with its references.
    Text(&'t [u8]),
    /// A piece of what stands in `<![CDATA[`, which has none.
    CData(&'t [u8]),
    /// The end of a `<!DOCTYPE`.
    Doctype,
}

#[derive(Debug, Default)]
pub(crate) struct Scanner {
    place: Place,
    /// The markup so far, from after its `<`, where it came in more than one piece.
    held: Vec<u8>,
    /// Where the input begins that is being read.
    base: Position,
    start: Start,
}

/// Where a token begins. Places are worked out only when they are asked for.
#[derive(Clone, Copy, Debug)]
enum Start {
    /// In the input that is being read, this many bytes before its end.
    Here(usize),
    Before(Position),
}

impl Default for Start {
    fn default() -> Self {
        Start::Before(Position::default())
    }
}

#[derive(Clone, Copy, Debug, Default)]
enum Place {
    #[default]
    Text,
    /// After a `<`, and what is held.
    Markup,
    Tag(ElementParser),
    Comment(Terminator),
    Instruction(Terminator),
    CData(Terminator),
    /// In a DOCTYPE; the quote that is open.
    Doctype(Option<u8>),
}

impl<'t> Token<'t> {
    /// What stands in it.
    pub(crate) fn bytes(self) -> &'t [u8] {
        match self {
            Token::Start { tag: bytes, .. }
            | Token::End(bytes)
            | Token::Text(bytes)
            | Token::CData(bytes) => bytes,
            Token::Doctype => &[],
        }
    }
}

impl Scanner {
    /// Where the last token begins, in this input or before.
    pub(crate) fn position(&self, input: &[u8]) -> Position {
        match self.start {
            Start::Before(position) => position,
            Start::Here(left) => {
                let mut position = self.base;
                position.advance(part(input, ..input.len().saturating_sub(left)));
                position
            }
        }
    }

    /// Ends an input of which all was taken.
    pub(crate) fn end_input(&mut self, input: &[u8]) {
        self.start = Start::Before(self.position(input));
        self.base.advance(input);
    }

    /// Where the next input begins.
    pub(crate) fn end(&self) -> Position {
        self.base
    }

    /// What ends too early, when there is no more.
    pub(crate) fn unfinished(&self) -> Option<&'static str> {
        match self.place {
            Place::Text => None,
            Place::Markup | Place::Tag(_) => Some("a tag"),
            Place::Comment(_) => Some("a comment"),
            Place::Instruction(_) => Some("a processing instruction"),
            Place::CData(_) => Some("a CDATA section"),
            Place::Doctype(_) => Some("a DOCTYPE"),
        }
    }

    /// The next token, if it is in the input; what is done with is taken off that.
    #[inline]
    pub(crate) fn next<'t, 'i: 't>(&'t mut self, input: &mut &'i [u8]) -> Result<Option<Token<'t>>, Failure> {
        loop {
            if input.is_empty() {
                return Ok(None);
            }
            match &mut self.place {
                Place::Text => {
                    self.start = Start::Here(input.len());
                    let len = memchr(b'<', input).unwrap_or(input.len());
                    if len > 0 {
                        return Ok(Some(Token::Text(Self::take(input, len))));
                    }
                    Self::take(input, 1);
                    self.held.clear();
                    self.place = Place::Markup;
                }
                Place::Markup => self.take_opening(input)?,
                Place::Tag(parser) => {
                    let Some(end) = plain_end(*parser, input).or_else(|| parser.feed(input)) else {
                        self.hold(input)?;
                        continue;
                    };
                    let rest = Self::take(input, end);
                    Self::take(input, 1);
                    self.place = Place::Text;
                    if self.held.is_empty() {
                        return Ok(Some(tag(rest)));
                    }
                    self.held.extend_from_slice(rest);
                    return Ok(Some(tag(&self.held)));
                }
                Place::Comment(ending) | Place::Instruction(ending) => {
                    let piece = ending.find(input);
                    if piece.is_last {
                        self.place = Place::Text;
                    }
                }
                Place::CData(ending) => {
                    let piece = ending.find(input);
                    if piece.is_last {
                        self.place = Place::Text;
                    }
                    if !piece.content.is_empty() {
                        return Ok(Some(Token::CData(piece.content)));
                    }
                }
                Place::Doctype(quote) => {
                    let mut quote = *quote;
                    let end = doctype_end(input, &mut quote)?;
                    Self::take(input, end.map_or(input.len(), |end| end + 1));
                    self.place = Place::Doctype(quote);
                    if end.is_some() {
                        self.place = Place::Text;
                        return Ok(Some(Token::Doctype));
                    }
                }
            }
        }
    }

    /// Finds out what begins with the `<`.
    fn take_opening(&mut self, input: &mut &[u8]) -> Result<(), Failure> {
        const OPENINGS: [(&[u8], Place); 3] = [
            (b"!--", Place::Comment(Terminator::new(b"-->"))),
            (b"![CDATA[", Place::CData(Terminator::new(b"]]>"))),
            (b"!DOCTYPE", Place::Doctype(None)),
        ];
        let Some(first) = input.first().copied() else { return Ok(()) };
        if self.held.is_empty() {
            match first {
                b'!' => {}
                b'?' => {
                    self.place = Place::Instruction(Terminator::new(b"?>"));
                    return Ok(());
                }
                b'/' | b'_' | b':' | 0x80.. => {
                    self.place = Place::Tag(ElementParser::Outside);
                    return Ok(());
                }
                letter if letter.is_ascii_alphabetic() => {
                    self.place = Place::Tag(ElementParser::Outside);
                    return Ok(());
                }
                _ => return problem("a < that begins no tag"),
            }
        }
        Self::take(input, 1);
        self.held.push(first);
        if !OPENINGS.iter().any(|(opening, _)| opening.starts_with(&self.held)) {
            return problem("a <! that begins neither a comment, CDATA nor a DOCTYPE");
        }
        if let Some((_, place)) = OPENINGS.iter().find(|(opening, _)| *opening == self.held) {
            self.place = *place;
            self.held.clear();
        }
        Ok(())
    }

    /// Keeps the beginning of a tag.
    fn hold(&mut self, input: &mut &[u8]) -> Result<(), Failure> {
        if self.held.len() + input.len() > LONGEST_TAG {
            return problem(format!("a tag of more than {} MiB", LONGEST_TAG >> 20));
        }
        let piece = Self::take(input, input.len());
        self.held.extend_from_slice(piece);
        Ok(())
    }

    #[inline]
    fn take<'t>(input: &mut &'t [u8], len: usize) -> &'t [u8] {
        let (taken, rest) = split_part(input, len);
        *input = rest;
        taken
    }
}

fn tag(content: &[u8]) -> Token<'_> {
    if let Some(name) = content.strip_prefix(b"/") {
        return Token::End(name);
    }
    match content.strip_suffix(b"/") {
        Some(tag) => Token::Start { tag, is_empty: true },
        None => Token::Start { tag: content, is_empty: false },
    }
}

/// Where a tag ends that has no other quotes than double ones: at the first `>`, unless a quote is open there. It is
/// what quick-xml says, who stops at each quote; `None` is for it to tell.
#[inline]
fn plain_end(parser: ElementParser, input: &[u8]) -> Option<usize> {
    let end = memchr(b'>', input).filter(|_| parser == ElementParser::Outside)?;
    let (content, _) = input.split_at_checked(end)?;
    let (chunks, rest) = content.as_chunks::<16>();
    let mut last = [0; 16];
    last.iter_mut().zip(rest).for_each(|(place, byte)| *place = *byte);
    let (mut quotes, mut has_single) = (0_u8, false);
    // Without a branch for each byte, the compiler looks at sixteen at once.
    for chunk in chunks.iter().chain([&last]) {
        quotes ^= chunk.iter().map(|byte| u8::from(*byte == b'"')).sum::<u8>();
        has_single |= chunk.iter().fold(false, |any, byte| any | (*byte == b'\''));
    }
    // Of an even number of quotes none is open.
    (quotes & 1 == 0 && !has_single).then_some(end)
}

/// Where a DOCTYPE ends. One that declares something is refused: entities of its own can be made to read other
/// files, or to take all memory.
fn doctype_end(input: &[u8], quote: &mut Option<u8>) -> Result<Option<usize>, Failure> {
    for (at, byte) in input.iter().enumerate() {
        match (*quote, *byte) {
            (None, b'>') => return Ok(Some(at)),
            (None, b'[') => {
                return problem("a DOCTYPE with declarations: entities of a document's own are not read");
            }
            (None, b'"' | b'\'') => *quote = Some(*byte),
            (Some(open), byte) if open == byte => *quote = None,
            _ => {}
        }
    }
    Ok(None)
}

/// Looks for an ending that is one byte some times and then `>`, in pieces.
#[derive(Clone, Copy, Debug)]
struct Terminator {
    text: &'static [u8],
    /// How much of it stood at the end of the piece before.
    seen: usize,
}

/// What stands before an ending.
struct Piece<'t> {
    content: &'t [u8],
    is_last: bool,
}

impl Terminator {
    const fn new(text: &'static [u8]) -> Self {
        Terminator { text, seen: 0 }
    }

    fn find<'t>(&mut self, input: &mut &'t [u8]) -> Piece<'t> {
        if self.seen > 0 {
            return self.find_rest(input);
        }
        let (content, taken, is_last) = match self.position(input) {
            Some(at) => (at, at + self.text.len(), true),
            None => {
                let repeated = self.text.first().copied();
                let most = self.text.len() - 1;
                self.seen = input.iter().rev().take(most).take_while(|byte| Some(**byte) == repeated).count();
                (input.len() - self.seen, input.len(), false)
            }
        };
        let (taken, rest) = split_part(input, taken);
        *input = rest;
        Piece { content: part(taken, ..content), is_last }
    }

    /// Where it begins in the input, if it is in there whole. Its last byte is rarer than its first in what people
    /// write.
    fn position(&self, input: &[u8]) -> Option<usize> {
        let end = |at: usize| input.get(..=at).is_some_and(|bytes| bytes.ends_with(self.text));
        memchr_iter(b'>', input).find(|at| end(*at)).map(|at| at + 1 - self.text.len())
    }

    /// Takes one byte after what may be the beginning of the ending.
    fn find_rest<'t>(&mut self, input: &mut &'t [u8]) -> Piece<'t> {
        let (first, rest) = split_part(input, 1);
        let is_whole = self.seen + 1 == self.text.len();
        let (repeated, seen) = split_part(self.text, self.seen);
        if first == seen && is_whole {
            *input = rest;
            return Piece { content: &[], is_last: true };
        }
        if first.first() == self.text.first() {
            // More of them than it takes are content, all but the last ones.
            let run = input.iter().take_while(|byte| Some(*byte) == self.text.first()).count();
            let (content, rest) = split_part(input, if is_whole { run } else { 1 });
            *input = rest;
            self.seen += usize::from(!is_whole);
            return Piece { content: if is_whole { content } else { &[] }, is_last: false };
        }
        // It was none; this byte is looked at again.
        self.seen = 0;
        Piece { content: repeated, is_last: false }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The tokens of a document, with text joined, however it is cut.
    fn scan(document: &[u8], piece: usize) -> Result<Vec<String>, (String, Position)> {
        let mut scanner = Scanner::default();
        let mut found: Vec<String> = Vec::new();
        for piece in document.chunks(piece) {
            let mut rest = piece;
            loop {
                let token = match scanner.next(&mut rest) {
                    Ok(Some(token)) => token,
                    Ok(None) => break,
                    Err(Failure::Problem(problem)) => return Err((problem, scanner.position(piece))),
                    Err(other) => panic!("{other:?}"),
                };
                let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
                let (kind, content) = match token {
                    Token::Start { tag, is_empty: true } => ("empty ", text(tag)),
                    Token::Start { tag, is_empty: false } => ("start ", text(tag)),
                    Token::End(name) => ("end ", text(name)),
                    Token::Text(bytes) => ("text ", text(bytes)),
                    Token::CData(bytes) => ("cdata ", text(bytes)),
                    Token::Doctype => ("doctype", String::new()),
                };
                match found.last_mut() {
                    Some(last) if kind.ends_with("t ") && kind != "start " && last.starts_with(kind) => {
                        last.push_str(&content);
                    }
                    Some(last) if kind == "cdata " && last.starts_with(kind) => last.push_str(&content),
                    _ => found.push(format!("{kind}{content}")),
                }
            }
            scanner.end_input(piece);
        }
        found.extend(scanner.unfinished().map(|what| format!("unfinished: {what}")));
        Ok(found)
    }

    fn check(document: &str, expected: &[&str]) {
        for piece in 1..=document.len().max(1) {
            assert_eq!(scan(document.as_bytes(), piece).unwrap(), expected, "in pieces of {piece}");
        }
    }

    fn check_problem(document: &str, expected: &str, line: u64, column: u64) {
        for piece in 1..=document.len() {
            let (problem, position) = scan(document.as_bytes(), piece).unwrap_err();
            assert!(problem.contains(expected), "{problem}");
            assert_eq!(position, Position { line, column }, "in pieces of {piece}");
        }
    }

    proptest! {
        #[test]
        fn a_tag_ends_where_quick_xml_says(input in "[a=\"'>/ ]{0,24}") {
            let (input, mut parser) = (input.as_bytes(), ElementParser::Outside);
            let fast = plain_end(parser, input);
            prop_assert!(fast.is_none() || fast == parser.feed(input));
        }
    }

    #[test]
    fn tags_and_text_take_turns() {
        check(
            "<a b='>' c=\"/>\"/>\n<d>x</d >",
            &["empty a b='>' c=\"/>\"", "text \n", "start d", "text x", "end d "],
        );
    }

    #[test]
    fn comments_and_instructions_are_passed_over() {
        check("<?xml version='1.0'?><!-- <a> -- ---><a/><?x ??>", &["empty a"]);
    }

    #[test]
    fn cdata_ends_where_it_ends() {
        check("<![CDATA[a ]] ]>]]]>b", &["cdata a ]] ]>]", "text b"]);
        check("<![CDATA[]]><![CDATA[]]]]]>", &["cdata ]]]"]);
        check("<![CDATA[a]]", &["cdata a", "unfinished: a CDATA section"]);
    }

    #[test]
    fn a_doctype_may_name_a_file_but_declare_nothing() {
        check("<!DOCTYPE a SYSTEM \"[>\"><a/>", &["doctype", "empty a"]);
        check_problem("\n<!DOCTYPE a [<!ENTITY b 'c'>]>", "a DOCTYPE with declarations", 2, 1);
    }

    #[test]
    fn what_is_no_markup_is_a_problem() {
        check_problem("ü\nü < b", "a < that begins no tag", 2, 3);
        check_problem("<!ELEMENT a>", "a <! that begins neither", 1, 1);
    }

    #[test]
    fn what_ends_too_early_is_named() {
        check("<a b='", &["unfinished: a tag"]);
        check("<!", &["unfinished: a tag"]);
        check("<!-- -", &["unfinished: a comment"]);
        check("<!DOCTYPE", &["unfinished: a DOCTYPE"]);
    }

    #[test]
    fn a_tag_of_any_length_is_refused() {
        let mut scanner = Scanner::default();
        let block = vec![b'a'; 1 << 20];
        let problems = (0..5).filter(|_| scanner.next(&mut &block[..]).is_err()).count();
        assert_eq!(problems, 0, "text");
        let _ = scanner.next(&mut &b"<a"[..]);
        let problems = (0..5).filter(|_| scanner.next(&mut &block[..]).is_err()).count();
        assert!(problems > 0);
    }
}
