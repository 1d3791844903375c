//! How a child that was followed ended, and why.

use std::time::Duration;

use crate::{Exit, ProcState, Usage};

/// How a child that was followed ended, and why.
#[derive(Clone, Debug)]
pub struct Ending {
    /// How the process ended, or that it was given up.
    pub exit: Exit,
    /// Why.
    pub cause: Cause,
    /// Its state when it was asked to end; `None` if it ended by itself.
    pub asked: Option<Asked>,
    /// The time from its start to its end, or until it was given up.
    pub elapsed: Duration,
    /// What it used, where that is known.
    pub usage: Option<Usage>,
    /// Whether some of what it wrote was not passed on, because its reader did not take it in
    /// [`Timeouts::reader`](crate::Timeouts::reader).
    pub is_cut: bool,
    /// What it left running in its group, each by its number and name, where that was
    /// [looked for](crate::Follow::finds_leaks). It has been ended.
    pub left: Vec<String>,
}

/// A child that is asked to end: its state before any signal.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The time since its start.
    pub after: Duration,
    /// What the kernel says of it.
    pub state: ProcState,
}

/// Why a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// By itself, well or badly.
    Itself,
    /// It was ended because its time was up.
    TimedOut,
    /// It was ended because [`Sink::deadline`](crate::Sink::deadline) passed: by what it wrote, or did not write.
    Stopped,
    /// It was ended because a signal asked this process to end, or because nobody is left who wants it.
    Interrupted,
}

impl Ending {
    /// How a child ended at once and for this reason.
    #[must_use]
    pub fn new(exit: Exit, cause: Cause) -> Self {
        Ending {
            exit,
            cause,
            asked: None,
            elapsed: Duration::ZERO,
            usage: None,
            is_cut: false,
            left: Vec::new(),
        }
    }

    /// Whether it ended by itself, with exit code 0.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.cause == Cause::Itself && self.exit.success()
    }
}
