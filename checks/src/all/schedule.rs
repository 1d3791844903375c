//! What is checked when, and how it is reported: the targets of a file as units of the executor, see [`runner`].

use std::ffi::OsString;
use std::io;
use std::time::Duration;

use cli::Verdict;
use formats::human::show_duration;
use probe::Redactor;
use process::{Deadline, Interrupt};
use runner::{Capacity, Work, Workload};
use streamresult::StreamResult;
use subunit::PacketBuf;
use transport::Local;

use super::child::{Ended, Job};
use super::recorder::{Progress, Recorder};
use super::remote::Remote;
use super::unit::{Setting, Unit};

/// How many at a time at one node: ssh servers refuse the eleventh connection.
const TOGETHER: usize = 8;

/// How targets are checked.
#[derive(Debug)]
pub(super) struct Schedule<'a> {
    pub(super) units: &'a [Unit],
    /// The program that has all checks.
    pub(super) program: String,
    /// How many at a time.
    pub(super) jobs: usize,
    /// How long all may take, where that is given.
    pub(super) time: Option<Duration>,
    /// What stands for the host in route codes.
    pub(super) host: Option<String>,
    pub(super) redactor: Redactor,
    pub(super) interrupt: &'a Interrupt,
    /// The nodes other than this machine.
    pub(super) remote: &'a Remote,
}

impl Schedule<'_> {
    /// Only lists the tests, with what they would do where that is asked for.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub(super) fn list(&self, result: &mut dyn StreamResult, plans: bool) -> io::Result<Verdict> {
        result.start_run()?;
        let mut recorder = self.recorder(result);
        for unit in self.units {
            recorder.announce(unit, plans)?;
        }
        recorder.result().stop_run()?;
        recorder.result().flush()?;
        Ok(Verdict::Passed)
    }

    /// Checks all targets, and reports the results; what checks have to say beside these are the notes.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub(super) fn run(&self, result: &mut dyn StreamResult, notes: &mut Vec<String>) -> io::Result<Verdict> {
        // What we were started with may have been made to be inherited: a check must not keep it open.
        close_fds::set_fds_cloexec(3, &[]);
        result.start_run()?;
        let mut recorder = self.recorder(result);
        let progress: io::Result<Vec<_>> =
            self.units.iter().map(|unit| recorder.announce(unit, false)).collect();
        recorder.result().flush()?;
        let order = self.order();
        let time = self.time.unwrap_or_else(|| order.time());
        let (progress, end) = (progress?, Deadline::after(time));
        let mut run = Run { schedule: self, order, recorder, progress, time, end, notes };
        runner::execute(&mut run, self.interrupt)?;
        let mut recorder = run.recorder;
        recorder.result().stop_run()?;
        recorder.result().flush()?;
        Ok(recorder.verdict())
    }

    fn recorder<'r>(&self, result: &'r mut dyn StreamResult) -> Recorder<'r> {
        Recorder::new(result, self.redactor.clone(), self.host.clone())
    }

    /// When each may be checked.
    fn order(&self) -> runner::Schedule {
        let unit = |unit: &Unit| runner::Unit {
            name: unit.name.clone(),
            after: unit.after.clone(),
            node: unit.site.is_remote().then(|| unit.site.to_string()),
            exclusive: unit.place.clone(),
            time: unit.time,
        };
        let capacity = Capacity { units: self.jobs, per_node: TOGETHER };
        runner::Schedule::new(self.units.iter().map(unit).collect(), capacity)
    }
}

struct Run<'a, 'r> {
    schedule: &'a Schedule<'a>,
    order: runner::Schedule,
    recorder: Recorder<'r>,
    /// How far each unit is.
    progress: Vec<Progress>,
    time: Duration,
    end: Deadline,
    notes: &'a mut Vec<String>,
}

impl Workload for Run<'_, '_> {
    type Event = PacketBuf;
    type Ending = Ended;
    type Order = runner::Schedule;

    fn order(&mut self) -> &mut runner::Schedule {
        &mut self.order
    }

    fn begin(&mut self, index: usize) -> io::Result<Option<Work<PacketBuf, Ended>>> {
        let reason = self.prevented(index);
        let late =
            format!("the time for all targets ({}) was up before this one began", show_duration(self.time));
        let (Some(unit), Some(progress)) = (self.schedule.units.get(index), self.progress.get_mut(index))
        else {
            return Ok(None);
        };
        if let Some((id, reason)) = reason {
            // What builds on this one names the first cause.
            progress.failed = Some(id);
            self.recorder.skip(unit, progress, &reason)?;
        } else if let Some(broken) = &unit.broken {
            self.recorder.fail_all(unit, progress, broken)?;
        } else if !unit.tests.is_empty() && self.end.has_passed() {
            self.recorder.fail_all(unit, progress, &late)?;
        } else if !unit.tests.is_empty() {
            return Ok(Some(self.work(unit)));
        }
        Ok(None)
    }

    fn event(&mut self, index: usize, packet: PacketBuf) -> io::Result<()> {
        match (self.schedule.units.get(index), self.progress.get_mut(index)) {
            (Some(unit), Some(progress)) => self.recorder.packet(unit, progress, packet),
            _ => Ok(()),
        }
    }

    fn end(&mut self, index: usize, ended: Ended) -> io::Result<()> {
        match (self.schedule.units.get(index), self.progress.get_mut(index)) {
            (Some(unit), Some(progress)) => {
                self.notes.extend(ended.notes().map(|note| format!("target {}: {note}", unit.name)));
                self.recorder.close(unit, progress, &ended)
            }
            _ => Ok(()),
        }
    }
}

impl Run<'_, '_> {
    /// The test, and the reason, for which a unit is skipped.
    fn prevented(&self, index: usize) -> Option<(String, String)> {
        let unit = self.schedule.units.get(index)?;
        unit.after.iter().find_map(|before| {
            let (other, progress) = (self.schedule.units.get(*before)?, self.progress.get(*before)?);
            let name = &other.name;
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
    fn work(&self, unit: &Unit) -> Work<PacketBuf, Ended> {
        let left = self.end.remaining().unwrap_or(unit.time).min(unit.time);
        if let Some(check) = self.schedule.remote.check_at(&unit.site) {
            let unit = unit.clone();
            return Box::new(move |interrupt, on_packet| check.run(&unit, left, interrupt, on_packet));
        }
        let mut args: Vec<_> = unit.settings(left).iter().map(Setting::word).collect();
        args.push(OsString::from("--load-list=/dev/stdin"));
        let program = &self.schedule.program;
        let job = Job::here(program, unit.entry.name, &args, unit.ids(), Deadline::after(left));
        Box::new(move |interrupt, on_packet| job.run(&Local, interrupt, on_packet))
    }
}
