//! How every `--help` ends: examples, then the exit status.

/// The end of a command's help: `after_help = cli::help!(report, "  subunit-ls run.subunit")`.
///
/// The first word says what the command exits with: `report` by the verdict of the run,
/// `filter` with 0 when the stream was passed on; or it is a text with lines of its own, like
/// `"  0    all probes answered\n"`.
#[macro_export]
macro_rules! help {
    (report, $examples:expr) => {
        $crate::help!(
            "  0    the run succeeded\n  \
               1    the run failed: a test failed, passed though it was expected to fail, or never\n       \
                    finished, or the stream is damaged\n  \
               4    no test ran (--allow-empty makes it 0)\n",
            $examples
        )
    };
    (filter, $examples:expr) => {
        $crate::help!("  0    the stream was passed on, whatever its tests did\n", $examples)
    };
    ($status:expr, $examples:expr) => {
        concat!(
            "Examples:\n",
            $examples,
            "\n\nExit status:\n",
            $status,
            "  2    it could not be done: wrong arguments, or a file that cannot be read or written\n",
            "  130  interrupted; 143 terminated, 129 hung up: what came in before was used\n",
            "  141  the reader of the output went away"
        )
    };
}
