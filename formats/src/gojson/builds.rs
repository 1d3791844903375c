//! What the compiler says, until a package is known that needs it.

use std::collections::VecDeque;

use streamresult::Spooled;

use super::event::Output;
use super::held::HeldOutputs;

/// This many are remembered: packages report soon that their build failed.
const MOST: usize = 64;

/// The build of a package, which other packages may need.
#[derive(Debug, Default)]
pub(super) struct Build {
    pub(super) import_path: String,
    pub(super) output: Spooled,
    pub(super) has_failed: bool,
    /// Whether a package has reported that it failed because of this.
    pub(super) is_told: bool,
    /// Whether it was told between the lines of JSON, which do not say who needs it.
    pub(super) is_text: bool,
}

/// The last builds that said something.
#[derive(Debug, Default)]
pub(super) struct Builds(VecDeque<Build>);

impl Builds {
    /// The build of this import path, and one that had to be forgotten for it.
    pub(super) fn get_or_add(&mut self, import_path: &str) -> (Option<&mut Build>, Option<Build>) {
        let known = self.0.iter().rposition(|build| build.import_path == import_path);
        let forgotten = if known.is_none() && self.0.len() >= MOST { self.0.pop_front() } else { None };
        if known.is_none() {
            self.0.push_back(Build { import_path: import_path.to_owned(), ..Build::default() });
        }
        (self.0.get_mut(known.unwrap_or(self.0.len().saturating_sub(1))), forgotten)
    }

    /// The build because of which a package fails.
    pub(super) fn tell(&mut self, import_path: &str) -> Option<&mut Build> {
        let build = self.0.iter_mut().rfind(|build| build.import_path == import_path)?;
        build.is_told = true;
        Some(build)
    }

    /// What a package needs that could not be built: its own build, or any that it may need where that said nothing.
    pub(super) fn needed_by(&mut self, package: &str) -> Vec<&mut Build> {
        let is_own = |build: &Build| build.is_text && build.import_path == package;
        let has_own = self.0.iter().any(is_own);
        let is_needed = |build: &&mut Build| build.is_text && (!has_own || is_own(build));
        let mut needed: Vec<&mut Build> = self.0.iter_mut().filter(is_needed).collect();
        needed.iter_mut().for_each(|build| build.is_told = true);
        needed
    }

    /// The oldest build, which is forgotten.
    pub(super) fn pop(&mut self) -> Option<Build> {
        self.0.pop_front()
    }
}

impl Build {
    /// Adds what the compiler said.
    pub(super) fn push(&mut self, output: &Output<'_>, outputs: &mut HeldOutputs) {
        outputs.push(&mut self.output, output.text.as_bytes());
        if output.has_newline {
            outputs.push(&mut self.output, b"\n");
        }
    }
}
