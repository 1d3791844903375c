//! Several locks for one target: whoever has found something that hangs does not keep the others from looking.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::{Busy, Guard, Refused};
use crate::timeouts::INTERVAL;
use crate::{Deadline, Wait};

/// How many runs may look at a target at the same time.
const SLOTS: usize = 4;
/// With how many probes that hang no other one is started: the first request may have been lost, the second one shows
/// that it is no chance.
const MOST_HUNG: usize = 2;

/// What a run may do with a target.
#[derive(Debug)]
pub struct Turn {
    /// The lock.
    pub guard: Guard,
    /// The probe of another run that hangs, if there is one: since then one request was not answered.
    pub hung: Option<Busy>,
}

/// What all locks of a target say.
#[derive(Default)]
struct Look {
    free: Option<Guard>,
    hung: Vec<Busy>,
    busy: Option<Busy>,
}

impl Turn {
    /// Takes one of the locks that begin with `name` in `folder`. While other runs are at it, waits for them: until what
    /// they wait for would hang, or for as long as they hold all locks. A probe hangs when its operation takes longer
    /// than `limit`, or than its own run allows.
    ///
    /// # Errors
    ///
    /// [`Refused::Hung`], at once, when the probes of earlier runs hang; [`Refused::Busy`] when others were at it until
    /// the end of the wait; [`Refused::Failed`] when the files cannot be used.
    pub fn take(folder: &Path, name: &str, limit: Duration, wait: Wait<'_>) -> Result<Self, Refused> {
        let patience = Wait {
            deadline: wait.deadline.earlier(Deadline::after(limit.saturating_add(limit / 5))),
            ..wait
        };
        loop {
            let Look { free, mut hung, busy } = Look::at(folder, name, limit)?;
            hung.sort_by_key(|busy| busy.since);
            let is_hopeless = hung.len() >= MOST_HUNG;
            let hung = hung.into_iter().next();
            match (free, hung, busy) {
                (_, Some(hung), _) if is_hopeless => return Err(Refused::Hung(hung)),
                (Some(guard), hung, busy) if busy.is_none() || patience.is_over() => {
                    return Ok(Turn { guard, hung });
                }
                (None, _, Some(busy)) if wait.is_over() => return Err(Refused::Busy(busy)),
                _ => {
                    let _over = wait.sleep(INTERVAL);
                }
            }
        }
    }
}

impl Turn {
    /// One of the locks that nobody holds now, with all that was noted with those: by runs that are over. None where
    /// others hold all of them.
    ///
    /// # Errors
    ///
    /// When the files cannot be used.
    pub fn free(folder: &Path, name: &str) -> io::Result<Option<Guard>> {
        Ok(Look::at(folder, name, Duration::MAX)?.free)
    }
}

impl Look {
    fn at(folder: &Path, name: &str, limit: Duration) -> io::Result<Self> {
        let mut look = Look::default();
        for number in 1..=SLOTS {
            let name = if number == 1 { name.to_owned() } else { format!("{name}.{number}") };
            let first = number == 1;
            // Most targets have one run at a time: no other files are made for those.
            if !first && look.free.is_some() && !folder.join(&name).exists() {
                continue;
            }
            match Guard::take(folder, &name, Wait::until(Deadline::now())) {
                Ok(guard) => look.add(guard)?,
                Err(Refused::Busy(busy) | Refused::Hung(busy)) if busy.is_hung(limit) => look.hung.push(busy),
                Err(Refused::Busy(busy) | Refused::Hung(busy)) => look.busy = Some(busy),
                Err(Refused::Failed(error)) => return Err(error),
            }
        }
        Ok(look)
    }

    /// Keeps the first lock that is free; what was noted with the others is noted with it.
    fn add(&mut self, mut guard: Guard) -> io::Result<()> {
        match &mut self.free {
            None => self.free = Some(guard),
            Some(first) if !guard.created().is_empty() => {
                let created = guard.created().to_vec();
                first.will_create(&created)?;
                guard.forget(&created)?;
            }
            Some(_) => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::{SystemTime, UNIX_EPOCH};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(5);

    fn take(folder: &Path) -> Result<Turn, Refused> {
        Turn::take(folder, "it", LIMIT, Wait::until(Deadline::now()))
    }

    /// As one that waits for a moment.
    fn wait_for(folder: &Path, limit: Duration) -> Result<Turn, Refused> {
        Turn::take(folder, "it", limit, Wait::until(Deadline::after(LIMIT)))
    }

    fn ago(seconds: u64) -> f64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        (now - Duration::from_secs(seconds)).as_secs_f64()
    }

    /// A turn whose probe is at an operation that began so long ago.
    fn at_it(folder: &Path, seconds: u64, limit: Duration) -> Guard {
        let mut guard = take(folder).unwrap().guard;
        guard.note_holder(std::process::id(), ago(seconds), limit).unwrap();
        guard
    }

    #[test]
    fn several_runs_look_at_the_same_time() {
        let folder = tempfile::tempdir().unwrap();
        let turns: Vec<_> = (0..SLOTS).map(|_| at_it(folder.path(), 2, LIMIT)).collect();
        assert!(matches!(take(folder.path()), Err(Refused::Busy(_))));
        drop(turns);
        assert!(take(folder.path()).unwrap().hung.is_none());
    }

    #[test]
    fn one_that_hangs_allows_another_and_two_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let _first = at_it(folder.path(), 60, LIMIT);
        let second = take(folder.path()).unwrap();
        assert!(second.hung.unwrap().age().unwrap() >= LIMIT);
        drop(second.guard);
        let _second = at_it(folder.path(), 30, LIMIT);
        let Err(Refused::Hung(busy)) = take(folder.path()) else { panic!("a third one was allowed") };
        assert!(busy.age().unwrap() >= Duration::from_secs(50), "{busy}");
    }

    #[test]
    fn others_are_waited_for_until_they_would_hang() {
        let folder = tempfile::tempdir().unwrap();
        let limit = Duration::from_millis(100);
        let mut first = take(folder.path()).unwrap().guard;
        first.note_holder(7, ago(0), limit).unwrap();
        assert_eq!(wait_for(folder.path(), limit).unwrap().hung.unwrap().pid, Some(7));
        // One that goes on from operation to operation is slow.
        first.note_holder(7, ago(0) + 60.0, limit).unwrap();
        assert!(wait_for(folder.path(), limit).unwrap().hung.is_none());
    }

    #[test]
    fn a_probe_hangs_by_the_limit_of_either_run() {
        let folder = tempfile::tempdir().unwrap();
        let own = at_it(folder.path(), 3, Duration::from_secs(1));
        assert!(take(folder.path()).unwrap().hung.is_some());
        drop(own);
        let long = at_it(folder.path(), 10, Duration::from_secs(60));
        assert!(take(folder.path()).unwrap().hung.is_some());
        drop(long);
        // Between two operations nothing hangs, however long it takes.
        let mut idle = at_it(folder.path(), 60, LIMIT);
        idle.note_idle().unwrap();
        assert!(take(folder.path()).unwrap().hung.is_none());
    }

    #[test]
    fn what_any_run_has_left_behind_is_known_to_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let (first, mut second) = (take(folder.path()).unwrap(), take(folder.path()).unwrap().guard);
        second.will_create(&["/mnt/a".into()]).unwrap();
        drop((first, second));
        assert_eq!(take(folder.path()).unwrap().guard.created(), ["/mnt/a"]);
        // Now it is noted once.
        let (first, second) = (take(folder.path()).unwrap(), take(folder.path()).unwrap());
        assert_eq!((first.guard.created().len(), second.guard.created().len()), (1, 0));
    }

    #[test]
    fn what_a_run_that_goes_on_has_noted_is_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let free = || Turn::free(folder.path(), "it").unwrap();
        let mut first = free().unwrap();
        first.will_create(&["a".into()]).unwrap();
        let mut second = free().unwrap();
        assert!(second.created().is_empty());
        second.will_create(&["b".into()]).unwrap();
        let others = [free(), free()];
        assert!(others.iter().all(Option::is_some) && free().is_none());
        drop((first, second, others));
        assert_eq!(free().unwrap().created(), ["a", "b"]);
    }
}
