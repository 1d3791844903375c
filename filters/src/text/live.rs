//! The live part: events change the state, time draws it.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;
use std::time::Instant;

use formats::text::Ascii;
use streamresult::StreamResult;
use subunit::Event;

use super::progress::{RunProgress, Size};
use super::screen::Screen;

/// The progress of a run on a screen, shared by those who change it.
pub(crate) struct Live<'a>(Rc<RefCell<State<'a>>>);

struct State<'a> {
    progress: RunProgress,
    screen: Screen<Ascii<&'a mut dyn Write>>,
    size: Box<dyn Fn() -> Size>,
}

impl<'a> Live<'a> {
    /// Draws on `screen`; `size` tells how large the terminal is now.
    pub(crate) fn new(
        progress: RunProgress,
        screen: Screen<Ascii<&'a mut dyn Write>>,
        size: impl Fn() -> Size + 'static,
    ) -> Self {
        Live(Rc::new(RefCell::new(State { progress, screen, size: Box::new(size) })))
    }

    /// Draws when it is time, and tells when it is time again.
    pub(crate) fn tick(&self, now: Instant) -> io::Result<Instant> {
        self.0.borrow_mut().tick(now)
    }

    /// Takes the lines away; what is written from now on passes.
    pub(crate) fn close(&self) -> io::Result<()> {
        let State { screen, size, .. } = &mut *self.0.borrow_mut();
        screen.close(size())
    }
}

impl Clone for Live<'_> {
    fn clone(&self) -> Self {
        Live(Rc::clone(&self.0))
    }
}

impl State<'_> {
    fn tick(&mut self, now: Instant) -> io::Result<Instant> {
        if now >= self.screen.next() {
            self.draw(now)?;
        }
        Ok(self.screen.next())
    }

    fn draw(&mut self, now: Instant) -> io::Result<()> {
        let size = (self.size)();
        let lines = self.progress.lines(now, size);
        self.screen.draw(&lines, now, size)
    }
}

impl StreamResult for Live<'_> {
    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        let state = &mut *self.0.borrow_mut();
        let now = Instant::now();
        match state.progress.note(event, now) {
            Some(line) if state.screen.print_line(&line)? => state.draw(now),
            _ => Ok(()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tick(Instant::now()).map(drop)
    }
}

/// What is written stands above the lines.
impl Write for Live<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let state = &mut *self.0.borrow_mut();
        if state.screen.print(bytes)? {
            state.draw(Instant::now())?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use subunit::Status;

    use super::*;

    #[test]
    fn events_change_the_lines_and_text_stands_above() {
        let began = Instant::now();
        let mut shown = Vec::new();
        let progress = RunProgress::new(began, Duration::from_secs(30), true);
        let out: &mut dyn Write = &mut shown;
        let screen = Screen::new(Ascii::new(out, false), false, began);
        let mut live = Live::new(progress, screen, || Size { columns: 40, rows: 10 });
        let mut above = live.clone();
        live.status(&Event::status("a", Status::InProgress)).unwrap();
        // Too early for the first redraw.
        assert!(live.tick(began).unwrap() > began);
        above.write_all(b"make: ").unwrap();
        live.tick(began + Duration::from_millis(500)).unwrap();
        live.status(&Event::status("a", Status::Fail)).unwrap();
        above.write_all(b"done\n").unwrap();
        live.tick(began + Duration::from_millis(700)).unwrap();
        live.close().unwrap();
        above.write_all(b"report\n").unwrap();
        drop((live, above));
        let blanks = " ".repeat(39);
        let expected = format!(
            "\x0b\x0b\x1b[2A\x1b7\x1b[J\r\n      0s  0 done, 1 running\r\n      0s  a\x1b8\
             {blanks}\r\x1b[Jmake: \nFAIL      0s  a\ndone\n\
             \x0b\x1b[1A\x1b7\x1b[J\r\n      0s  1 done, 1 failed\x1b8\
             {blanks}\r\x1b[Jreport\n"
        );
        assert_eq!(String::from_utf8(shown).unwrap(), expected);
    }
}
