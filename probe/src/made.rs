//! What a check makes that is not on this host, noted for the run that comes after one that was killed.

use std::ffi::OsStr;
use std::io;

use process::helper::{Guard, Turn, folder};

use super::helper::fnv;

/// What a check makes at a service: a route, a server. Each is noted before it is made, with a lock that the kernel
/// takes from a run that dies: so the next run knows what is its own, and what is of a run that goes on.
///
/// No check is kept from its work by it: where nothing can be noted, nothing is known of earlier runs.
#[derive(Debug)]
pub struct Made {
    lock: String,
    guard: Option<Guard>,
}

impl Made {
    /// Of this check at this place, as all runs of it write it.
    #[must_use]
    pub fn new(check: &str, place: &str) -> Self {
        Made { lock: format!("{check}-made-{:016x}", fnv(place.as_bytes())), guard: None }
    }

    /// What this run and those that are over have noted, and not found to be gone.
    pub fn noted(&mut self) -> Vec<String> {
        let Some(guard) = self.guard() else { return Vec::new() };
        guard.created().iter().filter_map(|note| note.to_str()).map(str::to_owned).collect()
    }

    /// Notes what is about to be made.
    pub fn note(&mut self, what: &str) {
        self.change(|guard| guard.will_create(&[what.into()]));
    }

    /// Notes that this is gone, or was never made.
    pub fn forget(&mut self, what: &str) {
        self.change(|guard| {
            if guard.created().iter().any(|note| note == OsStr::new(what)) {
                guard.forget(&[what.into()])?;
            }
            Ok(())
        });
    }

    fn change(&mut self, change: impl FnOnce(&mut Guard) -> io::Result<()>) {
        if let Some(guard) = self.guard() {
            // Where it cannot be written, the next run takes for another's what is left behind.
            let _noted = change(guard);
        }
    }

    fn guard(&mut self) -> Option<&mut Guard> {
        if self.guard.is_none() {
            let folder = folder("subunit-checks").ok()?;
            self.guard = Turn::free(&folder, &self.lock).ok()?;
        }
        self.guard.as_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_run_leaves_behind_the_next_one_knows() {
        let place = format!("http://hub/{:x}", crate::nonce());
        let of = |place: &str| Made::new("fake", place);
        let mut killed = of(&place);
        killed.note("route a");
        killed.note("route b");
        killed.forget("route a");
        // As long as it lives, it is nobody else's.
        assert_eq!(of(&place).noted(), [""; 0]);
        drop(killed);
        assert_eq!(of("http://other").noted(), [""; 0]);
        let mut next = of(&place);
        assert_eq!(next.noted(), ["route b"]);
        next.forget("route b");
        drop(next);
        assert_eq!(of(&place).noted(), [""; 0]);
    }
}
