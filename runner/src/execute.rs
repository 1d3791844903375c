//! Runs what a schedule says may run: each unit by a thread of its own, whose events come back in one place.

use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use process::Interrupt;

/// How many events wait for the workload. Beyond, units wait for it: what they say has to be in memory.
const WAITING: usize = 64;

/// Does a unit, hands its events on as they come, and tells how it ended. It ends by itself in its time, and early
/// when a signal comes.
pub type Work<Event, Ending> = Box<dyn FnOnce(&Interrupt, &mut dyn FnMut(Event)) -> Ending + Send>;

/// Decides which unit may begin: a state machine that neither reads, writes nor waits.
pub trait Order {
    /// The first unit that may begin now.
    fn next(&self) -> Option<usize>;

    /// Notes that a unit runs.
    fn begin(&mut self, unit: usize);

    /// Notes that a unit has ended, or need not run at all.
    fn end(&mut self, unit: usize);

    /// What a unit is called, for people.
    fn name(&self, unit: usize) -> String;
}

/// Knows what the units are: starts them, and takes their events and endings.
pub trait Workload {
    /// What a unit yields while it runs.
    type Event: Send + 'static;
    /// How a unit ended.
    type Ending: Send + 'static;
    /// What decides which unit may begin.
    type Order: Order;

    /// What decides which unit may begin.
    fn order(&mut self) -> &mut Self::Order;

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
pub fn execute<B: Workload>(workload: &mut B, interrupt: &Interrupt) -> io::Result<()> {
    let (sender, receiver) = sync_channel(WAITING);
    let mut running = 0;
    loop {
        running += begin(workload, interrupt, &sender)?;
        if running == 0 {
            return Ok(());
        }
        let Ok((number, message)) = receiver.recv() else { return Ok(()) };
        match message {
            Message::Event(event) => workload.event(number, event)?,
            Message::Ended(ending) => {
                running -= 1;
                workload.end(number, ending)?;
                workload.order().end(number);
            }
        }
    }
}

/// Begins what may begin now, and settles what need not run, until nothing changes. Tells how many were begun.
fn begin<B: Workload>(
    workload: &mut B,
    interrupt: &Interrupt,
    sender: &SyncSender<Numbered<B>>,
) -> io::Result<usize> {
    let mut begun = 0;
    while !interrupt.has_come() {
        let Some(number) = workload.order().next() else { break };
        let Some(work) = workload.begin(number)? else {
            workload.order().end(number);
            continue;
        };
        let name = workload.order().name(number);
        let (sender, interrupt) = (sender.clone(), interrupt.clone());
        let follow = move || {
            // When nothing can be written, nobody listens any longer.
            let ending = work(&interrupt, &mut |event| drop(sender.send((number, Message::Event(event)))));
            drop(sender.send((number, Message::Ended(ending))));
        };
        thread::Builder::new().name(name).spawn(follow)?;
        workload.order().begin(number);
        begun += 1;
    }
    Ok(begun)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Capacity, Schedule, Unit};

    /// Units that say their number; the second one is settled without being run.
    struct Journal(Schedule, Vec<String>);

    impl Workload for Journal {
        type Event = usize;
        type Ending = bool;
        type Order = Schedule;

        fn order(&mut self) -> &mut Schedule {
            &mut self.0
        }

        fn begin(&mut self, unit: usize) -> io::Result<Option<Work<usize, bool>>> {
            if unit == 1 {
                self.1.push("settled 1".to_owned());
                return Ok(None);
            }
            Ok(Some(Box::new(move |_, on_event| {
                on_event(unit);
                true
            })))
        }

        fn event(&mut self, unit: usize, event: usize) -> io::Result<()> {
            self.1.push(format!("{unit} says {event}"));
            Ok(())
        }

        fn end(&mut self, unit: usize, ending: bool) -> io::Result<()> {
            self.1.push(format!("{unit} ended {ending}"));
            Ok(())
        }
    }

    #[test]
    fn each_unit_runs_after_those_it_builds_on() {
        let unit = |after: &[usize]| Unit { after: after.to_vec(), ..Unit::default() };
        let units = vec![unit(&[]), unit(&[0]), unit(&[1])];
        let schedule = Schedule::new(units, Capacity { units: 2, per_node: 1 });
        let mut journal = Journal(schedule, Vec::new());
        execute(&mut journal, &Interrupt::never()).unwrap();
        assert_eq!(journal.1, ["0 says 0", "0 ended true", "settled 1", "2 says 2", "2 ended true"]);
    }
}
