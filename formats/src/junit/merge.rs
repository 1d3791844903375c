//! Several runs of one test as one case.

use std::collections::HashMap;
use std::io::{self, Write};
use std::ops::Range;

use super::case::Element;
use super::case_writer::{Lengths, Section};
use super::suite::Counts;
use streamresult::{Spool, Spooled};
use subunit::element;

/// One run of a test: where its sections are in the stream of cases.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    /// What tells tests apart.
    pub(crate) key: Key,
    pub(crate) element: Element,
    pub(crate) start: u64,
    pub(crate) lengths: Lengths,
}

/// Two hashes of a test. The second one is only compared: if it differs, two tests have one first hash, and
/// none of their failures may be taken for overcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) hash: u64,
    pub(crate) check: u64,
}

/// The runs of a suite: first ones in a stream, as there may be many; later ones in memory.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    firsts: Spooled,
    later: HashMap<u64, Vec<Run>>,
}

/// A [`Run`] as bytes.
const RUN: usize = 8 + 8 + 1 + 8 + 7 * 4;

impl Runs {
    /// Adds a run, the first of its test or a later one.
    pub(crate) fn add(&mut self, run: Run, is_first: bool, spool: &mut Spool) {
        if !is_first {
            self.later.entry(run.key.hash).or_default().push(run);
            return;
        }
        self.firsts.tail().extend_from_slice(&run.to_bytes());
        // If it cannot be written to the temporary file, it stays in memory: without it there is no report.
        let _ = spool.settle(&mut self.firsts);
    }

    /// What the cases add up to.
    pub(crate) fn count(&self, spool: &Spool) -> io::Result<Counts> {
        let mut counts = Counts::default();
        self.each(spool, |first, later| {
            counts.add(Case::of(first, later).element());
            Ok(())
        })?;
        Ok(counts)
    }

    /// Writes the cases.
    pub(crate) fn write(&self, cases: &Spooled, spool: &Spool, output: &mut dyn Write) -> io::Result<()> {
        self.each(spool, |first, later| {
            Case::of(first, later).write(&mut Sections { cases, spool, output: &mut *output })
        })
    }

    fn each(&self, spool: &Spool, mut each: impl FnMut(&Run, &[Run]) -> io::Result<()>) -> io::Result<()> {
        let len = self.firsts.len();
        let mut bytes = Vec::new();
        let mut at = 0;
        while at < len {
            let end = len.min(at + 1024 * RUN as u64);
            bytes.clear();
            spool.copy(&self.firsts, at..end, &mut bytes)?;
            for bytes in bytes.chunks_exact(RUN) {
                let first = Run::of_bytes(bytes).ok_or(io::ErrorKind::UnexpectedEof)?;
                let later = self.later.get(&first.key.hash).map(Vec::as_slice).unwrap_or_default();
                each(&first, later)?;
            }
            at = end;
        }
        Ok(())
    }
}

impl Run {
    fn to_bytes(self) -> [u8; RUN] {
        let mut bytes = [0; RUN];
        let parts = [self.key.hash, self.key.check, self.start].map(u64::to_le_bytes);
        let lengths = self.lengths.map(u32::to_le_bytes);
        let all = parts.as_flattened().iter().chain(lengths.as_flattened());
        bytes.iter_mut().zip(all.chain([&(self.element as u8)])).for_each(|(into, byte)| *into = *byte);
        bytes
    }

    fn of_bytes(mut bytes: &[u8]) -> Option<Self> {
        let mut number = || {
            let (number, rest) = bytes.split_first_chunk::<8>()?;
            bytes = rest;
            Some(u64::from_le_bytes(*number))
        };
        let (hash, check, start) = (number()?, number()?, number()?);
        let mut lengths = Lengths::default();
        for length in &mut lengths {
            let (number, rest) = bytes.split_first_chunk::<4>()?;
            *length = u32::from_le_bytes(*number);
            bytes = rest;
        }
        let element = *Element::ALL.get(usize::from(*bytes.first()?))?;
        Some(Run { key: Key { hash, check }, element, start, lengths })
    }

    fn section(&self, section: Section) -> Range<u64> {
        let before: u64 = self.lengths.iter().take(section as usize).map(|len| u64::from(*len)).sum();
        let start = self.start + before;
        start..start + self.len(section)
    }

    fn len(&self, section: Section) -> u64 {
        u64::from(element(&self.lengths, section as usize))
    }
}

/// A test with all its runs.
struct Case<'a> {
    first: &'a Run,
    later: &'a [Run],
    /// The run that says how it ended.
    main: &'a Run,
}

impl<'a> Case<'a> {
    /// The last run says how a test ended; if it failed, the first one that did says why.
    fn of(first: &'a Run, later: &'a [Run]) -> Self {
        let mut failing = std::iter::once(first).chain(later).filter(|run| run.element.is_failure());
        let last = later.last().unwrap_or(first);
        let is_one_test = later.iter().all(|run| run.key == first.key);
        let main =
            if last.element.is_failure() || !is_one_test { failing.next().unwrap_or(last) } else { last };
        Case { first, later, main }
    }

    fn element(&self) -> Element {
        self.main.element
    }

    fn write(&self, sections: &mut Sections<'_>) -> io::Result<()> {
        sections.text("<testcase")?;
        sections.copy(self.first, Section::Attributes)?;
        if self.later.is_empty() && self.main.lengths.iter().skip(1).all(|len| *len == 0) {
            return sections.text("/>\n");
        }
        sections.text(">")?;
        sections.copy(self.first, Section::Properties)?;
        sections.outcome(self.main)?;
        let others = std::iter::once(self.first).chain(self.later).filter(|run| run.start != self.main.start);
        for run in std::iter::once(self.first).chain(self.later) {
            sections.copy(run, Section::Attempts)?;
        }
        for run in others.filter(|run| run.element.is_failure()) {
            sections.rerun(run, if self.element().is_failure() { "rerunFailure" } else { "flakyFailure" })?;
        }
        sections.output(self.main)?;
        sections.text("\n</testcase>\n")
    }
}

/// Puts sections together.
struct Sections<'a> {
    cases: &'a Spooled,
    spool: &'a Spool,
    output: &'a mut dyn Write,
}

impl Sections<'_> {
    fn text(&mut self, text: &str) -> io::Result<()> {
        self.output.write_all(text.as_bytes())
    }

    fn copy(&mut self, run: &Run, section: Section) -> io::Result<()> {
        self.spool.copy(self.cases, run.section(section), self.output)
    }

    fn outcome(&mut self, run: &Run) -> io::Result<()> {
        if run.element == Element::None {
            return Ok(());
        }
        self.text(run.element.opening())?;
        self.copy(run, Section::Outcome)?;
        self.text(">")?;
        self.copy(run, Section::Text)?;
        self.text(run.element.closing())
    }

    fn rerun(&mut self, run: &Run, name: &str) -> io::Result<()> {
        self.text(&format!("\n<{name}"))?;
        self.copy(run, Section::Outcome)?;
        self.text("><stackTrace>")?;
        self.copy(run, Section::Text)?;
        self.text("</stackTrace>")?;
        self.output(run)?;
        self.text(&format!("</{name}>"))
    }

    fn output(&mut self, run: &Run) -> io::Result<()> {
        for (section, name) in [(Section::Out, "system-out"), (Section::Err, "system-err")] {
            if run.len(section) > 0 {
                self.text(&format!("\n<{name}>"))?;
                self.copy(run, section)?;
                self.text(&format!("</{name}>"))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_comes_back_from_its_bytes() {
        for element in Element::ALL {
            let run = Run {
                key: Key { hash: 1, check: u64::MAX },
                element,
                start: 7,
                lengths: [1, 2, 3, 4, 5, 6, u32::MAX],
            };
            let back = Run::of_bytes(&run.to_bytes()).unwrap();
            assert_eq!(
                (back.key, back.element, back.start, back.lengths),
                (run.key, element, 7, run.lengths)
            );
        }
        assert!(Run::of_bytes(&[0; RUN - 1]).is_none());
    }

    fn check(elements: &[Element], same_test: bool, expected: Element) {
        let run = |(at, element): (usize, &Element)| Run {
            key: Key { hash: 1, check: if same_test { 1 } else { at as u64 } },
            element: *element,
            start: at as u64,
            lengths: Lengths::default(),
        };
        let runs: Vec<Run> = elements.iter().enumerate().map(run).collect();
        let (first, later) = runs.split_first().unwrap();
        assert_eq!(Case::of(first, later).element(), expected);
    }

    #[test]
    fn the_last_run_decides() {
        check(&[Element::Failure, Element::None], true, Element::None);
        check(&[Element::Failure, Element::Skipped], true, Element::Skipped);
        check(&[Element::None, Element::Error], true, Element::Error);
        check(&[Element::Failure, Element::None, Element::Error], true, Element::Failure);
    }

    #[test]
    fn tests_with_one_hash_hide_no_failure() {
        check(&[Element::Failure, Element::None], false, Element::Failure);
        check(&[Element::None, Element::Skipped], false, Element::Skipped);
    }
}
