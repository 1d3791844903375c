//! What an option is about: declared beside it, for code that reads, writes or passes on command lines.
//!
//! A configuration file, a schema of such files, a program that is started with the same options elsewhere: all of
//! them have to know more about an option than how it is parsed. The option declares it:
//!
//! ```
//! use cli::OptionFacts;
//!
//! #[derive(clap::Parser)]
//! struct Check {
//!     /// Read the token from this file
//!     #[arg(long, add = OptionFacts::SECRET)]
//!     token_file: Option<std::path::PathBuf>,
//!     /// Only tell what would be done
//!     #[arg(long, add = OptionFacts::RUN)]
//!     dry_run: bool,
//! }
//!
//! let command = <Check as clap::CommandFactory>::command();
//! let facts = |long: &str| command.get_arguments().find(|arg| arg.get_long() == Some(long)).map(OptionFacts::of);
//! assert_eq!(facts("token-file"), Some(OptionFacts::SECRET));
//! assert!(facts("dry-run").is_some_and(|facts| facts.is_of_run()));
//! ```

use clap::{Arg, ArgAction};

/// What an option is about, and what its value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionFacts {
    scope: OptionScope,
    /// What its value is.
    pub value: OptionValue,
    /// Whether it counts only where results are kept from one run to the next.
    pub needs_state: bool,
    /// Which aspects it is about: they are looked at when it is given.
    pub aspects: &'static [&'static str],
}

/// What an option is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OptionScope {
    /// The target that is looked at, or how it is looked at.
    Target,
    /// The same; a command that looks at many targets may be given it for all of them.
    AllTargets,
    /// A whole run.
    Run,
}

/// What the value of an option is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OptionValue {
    /// It is complete in itself.
    Text,
    /// What is looked at: two processes that look at the same would find each other's locks.
    Place,
    /// A file on this machine, whose content is meant.
    File,
    /// The same, and its content is a secret.
    Secret,
    /// A variable of the environment that holds a secret; the option with this long name takes it from a file.
    SecretVariable {
        /// Its long name.
        file: &'static str,
    },
    /// The file in which results are kept from one run to the next.
    State,
    /// A test, by an id or a pattern, with what is known of it.
    Test,
}

impl OptionFacts {
    /// About a target, with a value that is complete in itself: the default for options that declare nothing.
    pub const TARGET: Self = OptionFacts {
        scope: OptionScope::Target,
        value: OptionValue::Text,
        needs_state: false,
        aspects: &[],
    };
    /// About a whole run: not for configuration files, and not passed on.
    pub const RUN: Self = OptionFacts { scope: OptionScope::Run, ..Self::TARGET };
    /// About targets, and given for all of them at once.
    pub const ALL_TARGETS: Self = OptionFacts { scope: OptionScope::AllTargets, ..Self::TARGET };
    /// What is looked at.
    pub const PLACE: Self = OptionFacts { value: OptionValue::Place, ..Self::TARGET };
    /// A file whose content is meant.
    pub const FILE: Self = OptionFacts { value: OptionValue::File, ..Self::TARGET };
    /// A file with a secret.
    pub const SECRET: Self = OptionFacts { value: OptionValue::Secret, ..Self::TARGET };
    /// The file in which results are kept from one run to the next.
    pub const STATE: Self = OptionFacts { value: OptionValue::State, ..Self::RUN };

    /// A variable with a secret, which the option with this long name takes from a file.
    #[must_use]
    pub const fn secret_variable(file: &'static str) -> Self {
        OptionFacts { value: OptionValue::SecretVariable { file }, ..Self::TARGET }
    }

    /// About these aspects of a target, by their names: whoever gives it wants them looked at.
    #[must_use]
    pub const fn of_aspects(aspects: &'static [&'static str]) -> Self {
        Self::TARGET.about(aspects)
    }

    /// The same, about these aspects.
    #[must_use]
    pub const fn about(self, aspects: &'static [&'static str]) -> Self {
        OptionFacts { aspects, ..self }
    }

    /// The same, which counts only where results are kept from one run to the next.
    #[must_use]
    pub const fn with_state(self) -> Self {
        OptionFacts { needs_state: true, ..self }
    }

    /// The same, with a value that names tests.
    #[must_use]
    pub const fn of_tests(self) -> Self {
        OptionFacts { value: OptionValue::Test, ..self }
    }

    /// What an option declares; help and version are about a run.
    #[must_use]
    pub fn of(option: &Arg) -> Self {
        let is_told = matches!(
            option.get_action(),
            ArgAction::Help | ArgAction::HelpShort | ArgAction::HelpLong | ArgAction::Version
        );
        if is_told { Self::RUN } else { option.get::<Self>().copied().unwrap_or(Self::TARGET) }
    }

    /// Whether it is about a whole run, and not about a target.
    #[must_use]
    pub const fn is_of_run(&self) -> bool {
        matches!(self.scope, OptionScope::Run)
    }

    /// Whether it may be given for all targets at once.
    #[must_use]
    pub const fn is_for_all_targets(&self) -> bool {
        matches!(self.scope, OptionScope::AllTargets)
    }
}

impl clap::builder::ArgExt for OptionFacts {}
