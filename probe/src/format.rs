//! What a check can write.

/// What to write. Open: more formats will come.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResultFormat {
    /// The subunit v2 protocol
    Subunit,
    /// A line for each test
    Human,
    /// What monitoring plugins write, and their exit codes: 0 ok, 1 warning, 2 critical, 3 unknown
    Nagios,
    /// A JSON object for each test, one a line
    Json,
    /// Metrics, as node_exporter's textfile collector reads them
    Openmetrics,
    /// JUnit XML
    Junit,
}
