//! The command `subunit2csv`: a stream as a table.

use std::io::{self, Write};

use cli::{Command, Streams, Verdict};
use formats::csv::{Column, LONGEST_REASON, Table};
use streamresult::{Details, Outcome, Record, RecordSink, Records, Summary};

use crate::report::{ClosingLine, ReportArgs, ReportWriter};

/// Convert a subunit stream to comma-separated values
///
/// A row is a test, written as it ends; those that never do come last. Times are in UTC; one that the stream does not
/// tell is left empty.
#[derive(clap::Parser, Debug)]
#[command(
    name = "subunit2csv",
    version,
    mut_arg("allow_empty", |arg| arg.hide(true)),
    after_help = cli::help!(
        lenient,
        "  subunit2csv run.subunit >run.csv\n  \
           subunit2csv --columns=test,duration,tags run.subunit\n  \
           subunit2csv --excel-safe --columns -o report.csv run.subunit"
    )
)]
pub struct Csv {
    #[command(flatten)]
    report: ReportArgs,
    /// Also write route, tags, duration and reason; or write exactly these columns, in this order
    #[arg(
        long,
        value_name = "COLUMN,...",
        value_delimiter = ',',
        num_args = 0..,
        require_equals = true,
        default_missing_value = "test,status,start_time,stop_time,route,tags,duration,reason"
    )]
    columns: Vec<Column>,
    /// Put an apostrophe before anything that a spreadsheet would take for a formula
    #[arg(long)]
    excel_safe: bool,
}

impl Command for Csv {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let (page, mut session) = self.report.lenient().open(streams)?;
        let columns = if self.columns.is_empty() { Column::USUAL.to_vec() } else { self.columns };
        let details = if columns.contains(&Column::Reason) { Details::Reason } else { Details::None };
        let table = Table { columns, excel_safe: self.excel_safe };
        let rows = Rows { page, table, row: Vec::new() };
        let records = Records::new((rows, Summary::new())).details(details).cap(LONGEST_REASON);
        let (rows, summary) = session.read(records)?;
        session.end(rows.page, &summary, ClosingLine::GlobalStatuses)
    }
}

struct Rows<'a> {
    page: ReportWriter<'a>,
    table: Table,
    row: Vec<u8>,
}

impl RecordSink for Rows<'_> {
    fn start_run(&mut self) -> io::Result<()> {
        self.table.head(&mut self.row);
        self.page.write_all(&self.row)
    }

    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        if record.outcome() == Outcome::Exists {
            return Ok(());
        }
        self.row.clear();
        self.table.record(record, &mut self.row)?;
        self.page.write_all(&self.row)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.page.flush()
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use subunit::{Event, File, Status, encode};

    use super::*;

    fn check(args: &[&str], verdict: Verdict, events: &[Event<'_>], expected: &str) {
        let mut stream = Vec::new();
        events.iter().for_each(|event| encode(event, &mut stream).unwrap());
        let outcome = cli::run_with::<Csv>(args, &stream);
        assert_eq!((outcome.verdict, outcome.errors(), outcome.output()), (verdict, "", expected));
    }

    #[test]
    fn the_arguments_are_sound() {
        Csv::command().debug_assert();
    }

    #[test]
    fn a_row_is_a_test_that_ran() {
        let events = [Event::status("a", Status::Exists), Event::status("b", Status::Fail)];
        check(&[], Verdict::Failed, &events, "test,status,start_time,stop_time\r\nb,failure,,\r\n");
        check(&["--exit-zero", "--columns=test"], Verdict::Passed, &events, "test\r\nb\r\n");
        check(&[], Verdict::Passed, &[], "test,status,start_time,stop_time\r\n");
    }

    #[test]
    fn all_columns_can_be_had() {
        let file = Some(File { name: "reason", bytes: b"=why" });
        check(
            &["--columns", "--excel-safe"],
            Verdict::Passed,
            &[Event { file, ..Event::status("a", Status::Skip) }],
            "test,status,start_time,stop_time,route,tags,duration,reason\r\na,skip,,,,,,'=why\r\n",
        );
        let outcome = cli::run_with::<Csv>(&["--columns=id"], b"");
        assert!(outcome.errors().contains("not a column (test, status,"), "{}", outcome.errors());
    }
}
