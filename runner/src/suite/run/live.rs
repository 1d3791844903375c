//! Workers that are sent tests one by one.

use std::time::Duration;

use subunit::Event;

use super::super::Answer;
use super::super::program::{Word, line};
use super::Workers;

impl Workers<'_> {
    /// Whether tests are sent to workers one by one.
    pub(super) fn is_live(&self) -> bool {
        self.suite.is_live() && !self.tests.is_empty()
    }

    /// Hears what a worker says of itself; `true` where it does.
    pub(super) fn hear(&mut self, worker: usize, event: &Event<'_>) -> bool {
        let Some(word) = Word::of(event) else { return false };
        let is_fed = self.inputs.get(worker).is_some_and(Option::is_some);
        match word {
            Word::Ready if is_fed => {
                let begun = self.inputs.get(worker).and_then(|input| Some(input.as_ref()?.1));
                self.feed.is_ready(worker, begun.map_or(Duration::ZERO, |begun| begun.elapsed()));
                self.serve(worker, false);
            }
            Word::WantsNext => self.serve(worker, true),
            // It is sent nothing, and ends by that.
            Word::Ready | Word::Unknown => self.dismiss(worker),
        }
        true
    }

    /// Sends a worker what it can take, or tells it that there is nothing more.
    pub(super) fn serve(&mut self, worker: usize, is_wanted: bool) {
        let mut is_wanted = is_wanted;
        loop {
            let Some((input, _)) = self.inputs.get_mut(worker).and_then(Option::as_mut) else { return };
            match self.feed.answer(worker, std::mem::take(&mut is_wanted)) {
                Answer::Send(test) => {
                    let id = self.tests.get(test).map(|test| test.select.as_str()).unwrap_or_default();
                    if input.send(line(id).as_bytes()).is_err() {
                        // It reads no longer, which its end will say.
                        return self.dismiss(worker);
                    }
                }
                Answer::Wait => return,
                Answer::End => return self.dismiss(worker),
            }
        }
    }

    /// Tells a worker that nothing more comes.
    fn dismiss(&mut self, worker: usize) {
        if let Some((mut input, _)) = self.inputs.get_mut(worker).and_then(Option::take) {
            // The end of its input says the same.
            drop(input.send(b"\n"));
        }
    }
}
