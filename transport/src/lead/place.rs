//! Leading a command here or at a node elsewhere.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use process::{ChildInput, Follow, Following, Interrupt, ProcessGroup, Signal, Source, Timeouts, Wait};

use super::{Heard, Led, Order, Reports, Told, lead};
use crate::{Local, Node, NodeCommand, NodeFailure, Role, Transport};

/// Where commands are led: here, or at a node elsewhere.
#[derive(Clone, Debug)]
pub enum Place {
    /// This machine: by threads of this process.
    Here,
    /// A node, by the program that is there.
    There(Arc<Node>),
}

/// A command that is led. Dropping it has the command end.
#[derive(Debug)]
pub struct Leading {
    orders: Mutex<Option<File>>,
    /// What stands here for a command elsewhere.
    way: Option<ProcessGroup>,
    thread: Option<JoinHandle<()>>,
}

impl Place {
    /// The way there, for files.
    #[must_use]
    pub fn transport(&self) -> &dyn Transport {
        match self {
            Place::Here => &Local,
            Place::There(node) => node.transport(),
        }
    }

    /// Starts a command there, and has everything about it told; from another thread.
    ///
    /// # Errors
    ///
    /// When the place cannot be reached, or no process can be had here. That it cannot be started there is told.
    pub fn lead(&self, led: Led, wait: Wait<'_>, heard: Heard) -> Result<Leading, NodeFailure> {
        let not_started = |error: io::Error| NodeFailure::new(format!("cannot start it: {error}"));
        match self {
            Place::Here => Leading::here(led, heard).map_err(not_started),
            Place::There(node) => {
                let program = node.program(wait.deadline, wait.interrupt)?;
                let mut line = serde_json::to_vec(&led).map_err(|error| not_started(error.into()))?;
                line.push(b'\n');
                let command = NodeCommand::new(program).arg(Role::Lead.word()).called("subunit-lead");
                let follow = Follow {
                    input: Some(ChildInput::Held(line.into())),
                    ..Follow::new(Wait::FOREVER, Timeouts::COMMAND)
                };
                let following = node.transport().spawn(&command, follow)?;
                Leading::there(following, heard).map_err(not_started)
            }
        }
    }
}

impl Leading {
    fn here(led: Led, mut heard: Heard) -> io::Result<Self> {
        let (lifeline, orders) = io::pipe()?;
        let thread = thread::Builder::new().name("lead".to_owned()).spawn(move || {
            let done = lead(&led, lifeline.as_fd(), &Interrupt::never(), &mut |told| heard(told));
            if let Err(error) = done {
                heard(Told::Lost(error.to_string()));
            }
        })?;
        let orders = Mutex::new(Some(File::from(OwnedFd::from(orders))));
        Ok(Leading { orders, way: None, thread: Some(thread) })
    }

    fn there(following: Following<'static>, mut heard: Heard) -> io::Result<Self> {
        let orders = Mutex::new(following.input()?.map(File::from));
        let way = ProcessGroup::of(following.id());
        let thread = thread::Builder::new().name("lead".to_owned()).spawn(move || {
            let (mut reports, mut noise, mut has_ended) = (Reports::default(), Vec::new(), false);
            let followed = following.to_the_end(&mut |source: Source, bytes: &[u8]| {
                match source {
                    Source::Stdout => reports.push(bytes, &mut |told| {
                        has_ended |= matches!(told, Told::Ended(_));
                        heard(told);
                    }),
                    Source::Stderr => noise.extend_from_slice(bytes),
                }
                Ok(())
            });
            if !has_ended {
                heard(Told::Lost(why_lost(followed.err(), &noise)));
            }
        })?;
        Ok(Leading { orders, way, thread: Some(thread) })
    }

    /// Sends an order. It is not an error if the command has ended.
    pub fn order(&self, order: &Order) {
        let orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody reads it who has ended.
        let _sent = orders.as_ref().map(|mut orders| orders.write_all(&order.line()));
    }

    /// Breaks the way to a command elsewhere, whose end does not come.
    pub fn give_up(&self) {
        let is_done = self.thread.as_ref().is_none_or(JoinHandle::is_finished);
        let _gone = self.way.filter(|_| !is_done).map(|way| way.signal(Signal::KILL));
    }

    /// Waits until all is told.
    pub fn join(mut self) {
        self.wait();
    }

    fn wait(&mut self) {
        let _panicked = self.thread.take().map(JoinHandle::join);
    }
}

impl Drop for Leading {
    fn drop(&mut self) {
        if self.thread.is_some() {
            *self.orders.get_mut().unwrap_or_else(PoisonError::into_inner) = None;
            // The input that is still held is the thread's.
            let _gone = self.way.map(|way| way.signal(Signal::TERM));
            self.wait();
        }
    }
}

fn why_lost(error: Option<io::Error>, noise: &[u8]) -> String {
    let noise = String::from_utf8_lossy(noise);
    match (process::last_line(&noise), error) {
        (Some(line), _) => line.to_owned(),
        (None, Some(error)) => error.to_string(),
        (None, None) => "the way there broke".to_owned(),
    }
}
