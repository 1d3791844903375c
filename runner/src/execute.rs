//! Runs what a schedule says may run: each unit by a thread of its own, whose events come back in one place.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use process::Interrupt;

use super::Schedule;

/// Does a unit, hands its events on as they come, and tells how it ended. It ends by itself in its time, and early
/// when a signal comes.
pub type Work<Event, Ending> = Box<dyn FnOnce(&Interrupt, &mut dyn FnMut(Event)) -> Ending + Send>;

/// Knows what the units of a schedule are: starts them, and takes their events and endings.
pub trait Workload {
    /// What a unit yields while it runs.
    type Event: Send + 'static;
    /// How a unit ended.
    type Ending: Send + 'static;

    /// Gives the work of a unit that may begin now; `None` if it is settled without being run.
    ///
    /// # Errors
    ///
    /// When a result cannot be written.
    fn begin(&mut self, unit: usize) -> io::Result<Option<Work<Self::Event, Self::Ending>>>;

    /// Takes an event of a unit.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    fn event(&mut self, unit: usize, event: Self::Event) -> io::Result<()>;

    /// Takes the end of a unit.
    ///
    /// # Errors
    ///
    /// When a result cannot be written.
    fn end(&mut self, unit: usize, ending: Self::Ending) -> io::Result<()>;
}

enum Message<Event, Ending> {
    Event(Event),
    Ended(Ending),
}

type Numbered<B> = (usize, Message<<B as Workload>::Event, <B as Workload>::Ending>);

/// Runs all units, each when it may. After a signal none is begun, and those that run are waited for: they end by
/// themselves.
///
/// # Errors
///
/// When the workload fails, or no thread can be had.
pub fn execute<B: Workload>(
    schedule: &mut Schedule,
    workload: &mut B,
    interrupt: &Interrupt,
) -> io::Result<()> {
    let (sender, receiver) = channel();
    loop {
        begin(schedule, workload, interrupt, &sender)?;
        if !schedule.is_running() {
            return Ok(());
        }
        if !take(schedule, workload, &receiver)? {
            return Ok(());
        }
    }
}

/// Begins what may begin now, and settles what need not run, until nothing changes.
fn begin<B: Workload>(
    schedule: &mut Schedule,
    workload: &mut B,
    interrupt: &Interrupt,
    sender: &Sender<Numbered<B>>,
) -> io::Result<()> {
    while !interrupt.has_come() {
        let Some(number) = schedule.next() else { return Ok(()) };
        let Some(work) = workload.begin(number)? else {
            schedule.end(number);
            continue;
        };
        let name = schedule.unit(number).map(|unit| unit.name.clone()).unwrap_or_default();
        let (sender, interrupt) = (sender.clone(), interrupt.clone());
        let follow = move || {
            // When nothing can be written, nobody listens any longer.
            let ending = work(&interrupt, &mut |event| drop(sender.send((number, Message::Event(event)))));
            drop(sender.send((number, Message::Ended(ending))));
        };
        thread::Builder::new().name(name).spawn(follow)?;
        schedule.begin(number);
    }
    Ok(())
}

/// Takes the next message; false when there can be none.
fn take<B: Workload>(
    schedule: &mut Schedule,
    workload: &mut B,
    receiver: &Receiver<Numbered<B>>,
) -> io::Result<bool> {
    let Ok((number, message)) = receiver.recv() else { return Ok(false) };
    match message {
        Message::Event(event) => workload.event(number, event)?,
        Message::Ended(ending) => {
            workload.end(number, ending)?;
            schedule.end(number);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Capacity, Unit};

    /// Units that say their number; the second one is settled without being run.
    #[derive(Default)]
    struct Journal(Vec<String>);

    impl Workload for Journal {
        type Event = usize;
        type Ending = bool;

        fn begin(&mut self, unit: usize) -> io::Result<Option<Work<usize, bool>>> {
            if unit == 1 {
                self.0.push("settled 1".to_owned());
                return Ok(None);
            }
            Ok(Some(Box::new(move |_, on_event| {
                on_event(unit);
                true
            })))
        }

        fn event(&mut self, unit: usize, event: usize) -> io::Result<()> {
            self.0.push(format!("{unit} says {event}"));
            Ok(())
        }

        fn end(&mut self, unit: usize, ending: bool) -> io::Result<()> {
            self.0.push(format!("{unit} ended {ending}"));
            Ok(())
        }
    }

    #[test]
    fn each_unit_runs_after_those_it_builds_on() {
        let unit = |after: &[usize]| Unit { after: after.to_vec(), ..Unit::default() };
        let units = vec![unit(&[]), unit(&[0]), unit(&[1])];
        let mut schedule = Schedule::new(units, Capacity { units: 2, per_node: 1 });
        let mut diary = Journal::default();
        execute(&mut schedule, &mut diary, &Interrupt::never()).unwrap();
        assert_eq!(diary.0, ["0 says 0", "0 ended true", "settled 1", "2 says 2", "2 ended true"]);
    }
}
