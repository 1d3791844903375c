//! What is checked when: as many targets at a time as may be, each after those it builds on.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use cli::Verdict;
use formats::human::show_duration;
use probe::Redactor;
use process::Deadline;
use process::Interrupt;
use streamresult::StreamResult;
use subunit::PacketBuf;

use super::child::{Ended, Job};
use super::remote::Remote;
use super::scribe::{Progress, Scribe};
use super::unit::{Setting, Unit};

/// How many at a time from the same place elsewhere: servers of ssh refuse the eleventh.
const TOGETHER: usize = 8;

/// How targets are checked.
#[derive(Debug)]
pub(super) struct Schedule<'a> {
    pub(super) units: &'a [Unit],
    /// The program that has all checks.
    pub(super) program: PathBuf,
    /// How many at a time.
    pub(super) jobs: usize,
    /// How long all may take, where that is given.
    pub(super) time: Option<Duration>,
    /// What stands for the host in route codes.
    pub(super) host: Option<String>,
    pub(super) redactor: Redactor,
    pub(super) interrupt: &'a Interrupt,
    /// The ways to elsewhere.
    pub(super) remote: &'a Remote,
}

/// What a process told: a packet, or how it ended.
enum Told {
    Packet(PacketBuf),
    Ended(Ended),
}

#[derive(Debug)]
struct State {
    stage: Stage,
    progress: Progress,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Waiting,
    Running,
    Done,
}

impl Schedule<'_> {
    /// Only tells which tests there are, with what they would do where that is asked for.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub(super) fn list(&self, result: &mut dyn StreamResult, plans: bool) -> io::Result<Verdict> {
        result.start_run()?;
        let mut scribe = self.scribe(result);
        for unit in self.units {
            scribe.announce(unit, plans)?;
        }
        scribe.result().stop_run()?;
        scribe.result().flush()?;
        Ok(Verdict::Passed)
    }

    /// Checks all, and tells what comes of it.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub(super) fn run(&self, result: &mut dyn StreamResult) -> io::Result<Verdict> {
        // What we were started with may have been made to be inherited: a check must not keep it open.
        close_fds::set_fds_cloexec(3, &[]);
        result.start_run()?;
        let mut scribe = self.scribe(result);
        let announced = |unit| Ok(State { stage: Stage::Waiting, progress: scribe.announce(unit, false)? });
        let states: io::Result<Vec<_>> = self.units.iter().map(announced).collect();
        scribe.result().flush()?;
        let (sender, receiver) = channel();
        let time = self.time.unwrap_or_else(|| self.usual_time());
        let mut run =
            Run { schedule: self, scribe, states: states?, sender, time, end: Deadline::after(time) };
        run.all(&receiver)?;
        let mut scribe = run.scribe;
        scribe.result().stop_run()?;
        scribe.result().flush()?;
        Ok(scribe.verdict())
    }

    fn scribe<'r>(&self, result: &'r mut dyn StreamResult) -> Scribe<'r> {
        Scribe::new(result, self.redactor.clone(), self.host.clone())
    }

    /// As long as the longest chain of targets that wait for each other may take, and longer where not all others
    /// can be checked at once.
    fn usual_time(&self) -> Duration {
        let mut chains: Vec<Duration> = Vec::new();
        for unit in self.units {
            let before = unit.after.iter().filter_map(|index| chains.get(*index)).max();
            chains.push(unit.time.saturating_add(before.copied().unwrap_or_default()));
        }
        let longest = self.units.iter().map(|unit| unit.time).max().unwrap_or_default();
        let waves = self.units.len().saturating_sub(1) / self.jobs.max(1);
        let waiting = longest.saturating_mul(u32::try_from(waves).unwrap_or(u32::MAX));
        chains.into_iter().max().unwrap_or_default().saturating_add(waiting)
    }
}

struct Run<'a, 'r> {
    schedule: &'a Schedule<'a>,
    scribe: Scribe<'r>,
    states: Vec<State>,
    sender: Sender<(usize, Told)>,
    time: Duration,
    end: Deadline,
}

impl Run<'_, '_> {
    fn all(&mut self, receiver: &Receiver<(usize, Told)>) -> io::Result<()> {
        loop {
            self.start_what_may()?;
            if !self.states.iter().any(|state| state.stage == Stage::Running) {
                return Ok(());
            }
            // It comes to an end by itself: each process is ended in time by the thread that follows it.
            let Ok((index, told)) = receiver.recv() else { return Ok(()) };
            let (Some(unit), Some(state)) = (self.schedule.units.get(index), self.states.get_mut(index))
            else {
                continue;
            };
            match told {
                Told::Packet(packet) => self.scribe.packet(unit, &mut state.progress, packet)?,
                Told::Ended(ended) => {
                    self.scribe.close(unit, &mut state.progress, &ended)?;
                    state.stage = Stage::Done;
                }
            }
        }
    }

    /// Starts what may be started now, and settles what needs no process, until nothing changes.
    fn start_what_may(&mut self) -> io::Result<()> {
        while !self.schedule.interrupt.has_come() {
            let may = |index: &usize| self.may_start(*index);
            let Some(index) = (0..self.states.len()).find(may) else { return Ok(()) };
            self.start(index)?;
        }
        Ok(())
    }

    fn may_start(&self, index: usize) -> bool {
        let Some(unit) = self.schedule.units.get(index) else { return false };
        let is = |index: &usize, stage| self.states.get(*index).is_some_and(|state| state.stage == stage);
        let running = |others: &[Unit]| {
            others.iter().enumerate().filter(|(other, _)| is(other, Stage::Running)).count()
        };
        let is_place_taken = || {
            let others = self.schedule.units.iter().enumerate();
            unit.place.is_some()
                && others
                    .filter(|(other, _)| is(other, Stage::Running))
                    .any(|(_, other)| other.place == unit.place && other.site == unit.site)
        };
        let is_crowded = || {
            let others = self.schedule.units.iter().enumerate();
            let same = others.filter(|(other, there)| is(other, Stage::Running) && there.site == unit.site);
            unit.site.is_far() && same.count() >= TOGETHER
        };
        is(&index, Stage::Waiting)
            && unit.after.iter().all(|before| is(before, Stage::Done))
            && running(self.schedule.units) < self.schedule.jobs
            && !is_place_taken()
            && !is_crowded()
    }

    fn start(&mut self, index: usize) -> io::Result<()> {
        let reason = self.prevented(index);
        let late =
            format!("the time for all targets ({}) was up before this one began", show_duration(self.time));
        let (Some(unit), Some(state)) = (self.schedule.units.get(index), self.states.get_mut(index)) else {
            return Ok(());
        };
        state.stage = Stage::Done;
        if let Some((id, reason)) = reason {
            // Those that build on this one are told of the first cause.
            state.progress.failed = Some(id);
            return self.scribe.skip(unit, &mut state.progress, &reason);
        }
        if let Some(broken) = &unit.broken {
            return self.scribe.fail_all(unit, &mut state.progress, broken);
        }
        if unit.tests.is_empty() {
            return Ok(());
        }
        if self.end.has_passed() {
            return self.scribe.fail_all(unit, &mut state.progress, &late);
        }
        let work = self.work(unit);
        let (sender, interrupt) = (self.sender.clone(), self.schedule.interrupt.clone());
        let follow = move || {
            // Nobody listens any more when nothing can be written.
            let ended = work(&interrupt, &mut |packet| drop(sender.send((index, Told::Packet(packet)))));
            drop(sender.send((index, Told::Ended(ended))));
        };
        thread::Builder::new().name(unit.name.clone()).spawn(follow)?;
        if let Some(state) = self.states.get_mut(index) {
            state.stage = Stage::Running;
        }
        Ok(())
    }

    /// The test, and the reason, for which a unit is skipped.
    fn prevented(&self, index: usize) -> Option<(String, String)> {
        let unit = self.schedule.units.get(index)?;
        unit.after.iter().find_map(|before| {
            let (other, state) = (self.schedule.units.get(*before)?, self.states.get(*before)?);
            let (name, progress) = (&other.name, &state.progress);
            match &progress.failed {
                Some(id) if progress.ran => {
                    Some((id.clone(), format!("it builds on {name}, of which {id} failed")))
                }
                Some(id) => {
                    Some((id.clone(), format!("it builds on {name}, which was skipped since {id} failed")))
                }
                None if !progress.ran && !other.tests.is_empty() => {
                    let id = other.tests.first().map(|test| test.id.clone()).unwrap_or_default();
                    Some((id, format!("it builds on {name}, of which all tests were skipped")))
                }
                None => None,
            }
        })
    }

    /// What checks a unit, here or from elsewhere.
    fn work(&self, unit: &Unit) -> Work {
        let left = self.end.remaining().unwrap_or(unit.time).min(unit.time);
        if let Some(depot) = self.schedule.remote.depot(&unit.site) {
            let unit = unit.clone();
            return Box::new(move |interrupt, on_packet| depot.check(&unit, left, interrupt, on_packet));
        }
        let mut args: Vec<_> = unit.settings(left).iter().map(Setting::word).collect();
        args.push(OsString::from("--load-list=/dev/stdin"));
        let program = &self.schedule.program;
        let job = Job::here(program, unit.entry.name, &args, unit.ids(), Deadline::after(left));
        Box::new(move |interrupt, on_packet| job.run(interrupt, on_packet))
    }
}

/// Checks, and tells what comes of it as it comes.
type Work = Box<dyn FnOnce(&Interrupt, &mut dyn FnMut(PacketBuf)) -> Ended + Send>;
