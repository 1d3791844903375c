//! The commands of other crates, as subcommands: `subunit ls` is `subunit-ls`.
//!
//! `stats` and `diff` are about runs that are kept; of a stream they are `subunit-stats` and `subunit-diff`.
//! `subunit-tags` puts its arguments in order before they are parsed, which a subcommand cannot.

use cli::{Command as _, Streams, Verdict};

/// Declares the subcommands and how each is run.
macro_rules! others {
    ($($name:ident($command:ty) $(as $alias:literal)?),+ $(,)?) => {
        /// A command of another crate.
        #[derive(clap::Subcommand, Debug)]
        #[expect(missing_docs, reason = "what is said here would replace the commands' own help")]
        pub enum Other {
            $(
                $(#[command(name = $alias)])?
                $name($command),
            )+
        }

        impl Other {
            /// Runs the command.
            ///
            /// # Errors
            ///
            /// When it cannot be done.
            pub fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
                match self {
                    $(Other::$name(command) => command.run(streams),)+
                }
            }
        }
    };
}

others! {
    Ls(filters::ls::Ls),
    Filter(filters::filter::Filter),
    Mux(filters::mux::Mux),
    Timestamp(filters::timestamp::TimestampStream),
    Dump(filters::dump::Dump),
    Lint(filters::lint::Lint),
    FromV1(filters::from_v1::FromV1) as "1to2",
    ToV1(filters::to_v1::ToV1) as "2to1",
    Output(emitters::output::Output),
    Exec(emitters::exec::Exec),
}
