//! A place, and the copy of this program there.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use process::{Deadline, Interrupt, Wait};

use super::{NodeFailure, NodeFile, NodeProgram, Site, Transport};

/// A place that commands run at: its address, the way there, and the copy of this program there.
#[derive(Debug)]
pub struct Node {
    site: Site,
    transport: Box<dyn Transport>,
    program: NodeProgram,
    reach_timeout: Duration,
    /// Where the program is there, once somebody has looked.
    path: Mutex<Option<Result<String, NodeFailure>>>,
}

impl Node {
    /// The place at this address. Getting there, and bringing the program there, may take this long.
    #[must_use]
    pub fn new(
        site: Site,
        transport: Box<dyn Transport>,
        program: NodeProgram,
        reach_timeout: Duration,
    ) -> Self {
        Node { site, transport, program, reach_timeout, path: Mutex::new(None) }
    }

    /// Its address.
    #[must_use]
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// The way there.
    #[must_use]
    pub fn transport(&self) -> &dyn Transport {
        &*self.transport
    }

    /// Where this program is there. The first one who asks has it brought there, and the others wait for that; it is
    /// tried once.
    ///
    /// # Errors
    ///
    /// When it cannot be brought there in time, or does not run there.
    pub fn program(&self, end: Deadline, interrupt: &Interrupt) -> Result<String, NodeFailure> {
        let mut path = self.path.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(path) = &*path {
            return path.clone();
        }
        let wait = Wait { deadline: end.earlier(Deadline::after(self.reach_timeout)), interrupt };
        path.insert(self.bring(wait)).clone()
    }

    fn bring(&self, wait: Wait<'_>) -> Result<String, NodeFailure> {
        let Node { site, program, transport, .. } = self;
        let look = transport.look(program, wait)?;
        if look.system != "Linux" {
            return Err(NodeFailure::new(format!("the system of {site} is {}, not Linux", look.system)));
        }
        if let Some(misfit) = program.misfit(&look.machine) {
            return Err(NodeFailure::new(format!("{site} cannot run the program: {misfit}")));
        }
        if !look.has_program {
            let file = NodeFile { path: &look.path, content: program.content(), mode: look.mode };
            transport.put(&file, wait)?;
        }
        Ok(look.path)
    }

    /// Removes the program, where it was brought there; why that was not possible, where it was not.
    pub fn remove_program(&self, wait: Wait<'_>) -> Option<String> {
        let path = self.path.lock().unwrap_or_else(PoisonError::into_inner).take()?.ok()?;
        match self.transport.remove(&path, wait) {
            Err(NodeFailure::Failed { reason, .. }) => {
                Some(format!("{path} is left on {}: {reason}", self.site))
            }
            Ok(()) | Err(NodeFailure::Interrupted) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use process::{Exit, Follow, Following};

    use super::*;
    use crate::{Local, Look, NodeCommand, NodeExit};

    /// A place that is like this machine, on which something is as it is told to be.
    #[derive(Debug)]
    struct Odd {
        look: Look,
        asked: Mutex<Vec<String>>,
    }

    impl Transport for Odd {
        fn look(&self, _: &NodeProgram, _: Wait<'_>) -> Result<Look, NodeFailure> {
            self.asked.lock().unwrap().push("look".to_owned());
            Ok(self.look.clone())
        }

        fn spawn<'a>(&self, command: &NodeCommand, follow: Follow<'a>) -> Result<Following<'a>, NodeFailure> {
            Local.spawn(command, follow)
        }

        fn exit(&self, exit: &Exit) -> NodeExit {
            Local.exit(exit)
        }

        fn put(&self, file: &NodeFile<'_>, _: Wait<'_>) -> Result<(), NodeFailure> {
            self.asked.lock().unwrap().push(format!("put {}", file.path));
            Err(NodeFailure::new("no room"))
        }

        fn get(&self, path: &str, limit: usize, wait: Wait<'_>) -> Result<Option<Vec<u8>>, NodeFailure> {
            Local.get(path, limit, wait)
        }

        fn remove(&self, path: &str, _: Wait<'_>) -> Result<(), NodeFailure> {
            Err(NodeFailure::new(format!("cannot remove {path}")))
        }
    }

    fn node(system: &str, machine: &str, has_program: bool) -> Node {
        let look = Look {
            system: system.to_owned(),
            machine: machine.to_owned(),
            path: "/p/x".to_owned(),
            mode: 0o755,
            has_program,
        };
        let transport = Box::new(Odd { look, asked: Mutex::default() });
        let program = NodeProgram::for_tests();
        Node::new("ssh:h".parse().unwrap(), transport, program, Duration::from_secs(9))
    }

    #[test]
    fn a_place_must_be_able_to_run_the_program() {
        let check = |system: &str, machine: &str, has_program: bool, expected: Result<&str, &str>| {
            let node = node(system, machine, has_program);
            let path = || node.program(Deadline::NEVER, &Interrupt::never());
            let found = path();
            match (&found, expected) {
                (Ok(path), Ok(expected)) => assert_eq!(path, expected),
                (Err(error), Err(words)) => assert!(error.to_string().contains(words), "{error}"),
                (found, expected) => panic!("{found:?} instead of {expected:?}"),
            }
            assert_eq!(path(), found, "it is tried once");
        };
        check("Linux", "x86_64", true, Ok("/p/x"));
        check("Linux", "x86_64", false, Err("no room"));
        check("FreeBSD", "x86_64", true, Err("the system of ssh:h is FreeBSD, not Linux"));
        check(
            "Linux",
            "riscv64",
            true,
            Err("ssh:h cannot run the program: the program to copy is for x86_64"),
        );
    }

    #[test]
    fn what_is_left_there_is_said() {
        let wait = Wait::FOREVER;
        let untouched = node("Linux", "x86_64", true);
        assert_eq!(untouched.remove_program(wait), None, "nothing was brought there");
        let node = node("Linux", "x86_64", true);
        node.program(Deadline::NEVER, &Interrupt::never()).unwrap();
        assert_eq!(node.remove_program(wait).unwrap(), "/p/x is left on ssh:h: cannot remove /p/x");
    }
}
