//! Tables of tests with comma-separated values, as python's `csv` module writes them (RFC 4180).
//!
//! A field is quoted where it holds a comma, a quotation mark or the end of a line. Control characters are
//! shown, as `\x1b`; newlines and tabs stay.

use std::fmt;
use std::io;
use std::str::FromStr;

use streamresult::{Outcome, Record};

use crate::{ci, time, visible};

/// A column of the table. Open: there may be more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Column {
    /// The test's id.
    Test,
    /// How it ended: Python's words, and `uxsuccess` and `unfinished`.
    Status,
    /// The time of its first event that has one, in UTC.
    StartTime,
    /// The time of its last event that has one; an unfinished test did not stop.
    StopTime,
    /// Its route code.
    Route,
    /// Its tags, separated by blanks.
    Tags,
    /// The time from its first event to its last, in seconds.
    Duration,
    /// Why it was skipped: the beginning of its file `reason`.
    Reason,
}

impl Column {
    /// All columns.
    pub const ALL: [Column; 8] = [
        Column::Test,
        Column::Status,
        Column::StartTime,
        Column::StopTime,
        Column::Route,
        Column::Tags,
        Column::Duration,
        Column::Reason,
    ];

    /// The columns that python-subunit has.
    pub const USUAL: [Column; 4] = [Column::Test, Column::Status, Column::StartTime, Column::StopTime];

    /// Its name in the table's header.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Column::Test => "test",
            Column::Status => "status",
            Column::StartTime => "start_time",
            Column::StopTime => "stop_time",
            Column::Route => "route",
            Column::Tags => "tags",
            Column::Duration => "duration",
            Column::Reason => "reason",
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl FromStr for Column {
    type Err = UnknownColumn;

    /// Reads the name of a column.
    ///
    /// # Errors
    ///
    /// If no column has this name.
    fn from_str(name: &str) -> Result<Column, UnknownColumn> {
        Column::ALL.into_iter().find(|column| column.as_str() == name).ok_or(UnknownColumn)
    }
}

/// A word that is not a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownColumn;

impl fmt::Display for UnknownColumn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("not a column (")?;
        for column in Column::ALL {
            write!(formatter, "{}{column}", if column == Column::Test { "" } else { ", " })?;
        }
        formatter.write_str(" are)")
    }
}

impl std::error::Error for UnknownColumn {}

/// The make-up of a table.
#[derive(Clone, Debug)]
pub struct Table {
    /// The columns, from left to right.
    pub columns: Vec<Column>,
    /// Fields that a spreadsheet would take for a formula begin with an apostrophe.
    pub excel_safe: bool,
}

/// Reasons are cut after this many bytes.
pub const LONGEST_REASON: u64 = 8 << 10;

impl Table {
    /// Appends the header.
    pub fn head(&self, out: &mut Vec<u8>) {
        self.row(out, |column, out| {
            out.extend_from_slice(column.as_str().as_bytes());
            Ok(())
        })
        .unwrap_or_default();
    }

    /// Appends the row of a test.
    ///
    /// # Errors
    ///
    /// When the test's reason cannot be read back from the file it waits in.
    pub fn record(&self, record: &Record<'_>, out: &mut Vec<u8>) -> io::Result<()> {
        self.row(out, |column, out| self.field(column, record, out))
    }

    fn row(
        &self,
        out: &mut Vec<u8>,
        mut field: impl FnMut(Column, &mut Vec<u8>) -> io::Result<()>,
    ) -> io::Result<()> {
        let start = out.len();
        for (number, column) in self.columns.iter().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            field(*column, out)?;
        }
        if out.len() == start && self.columns.len() == 1 {
            // An empty line is not a row.
            out.extend_from_slice(b"\"\"");
        }
        out.extend_from_slice(b"\r\n");
        Ok(())
    }

    fn field(&self, column: Column, record: &Record<'_>, out: &mut Vec<u8>) -> io::Result<()> {
        match column {
            Column::Test => self.text(record.test_id(), out),
            Column::Status => out.extend_from_slice(word(record.outcome()).as_bytes()),
            Column::StartTime => {
                if let Some(first) = record.first() {
                    time::push_python(first, out);
                }
            }
            Column::StopTime => {
                if let (Some(last), true) = (record.last(), record.outcome() != Outcome::Unfinished) {
                    time::push_python(last, out);
                }
            }
            Column::Route => self.text(record.route_code().unwrap_or_default(), out),
            Column::Tags => self.text(&record.tags().iter().collect::<Vec<_>>().join(" "), out),
            Column::Duration => {
                if let Some(duration) = record.duration() {
                    time::push_seconds(duration, out);
                }
            }
            Column::Reason => {
                if let Some(reason) = record.attachment("reason") {
                    let bytes = reason.head(LONGEST_REASON as usize)?;
                    self.text(&visible::lossy_text(&bytes), out);
                }
            }
        }
        Ok(())
    }

    fn text(&self, text: &str, out: &mut Vec<u8>) {
        let shown = visible::text(text);
        // What is quoted begins no line of a log; within it nothing may, either.
        let shown = ci::defuse(&shown, false);
        let is_formula = self.excel_safe && text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
        let quoted = memchr::memchr3(b',', b'"', b'\n', shown.as_bytes()).is_some()
            || shown.trim_start().starts_with(ci::FIRST);
        if quoted {
            out.push(b'"');
        }
        if is_formula {
            out.push(b'\'');
        }
        if quoted {
            for piece in shown.split_inclusive('"') {
                out.extend_from_slice(piece.as_bytes());
                if piece.ends_with('"') {
                    out.push(b'"');
                }
            }
            out.push(b'"');
        } else {
            out.extend_from_slice(shown.as_bytes());
        }
    }
}

/// Python's word for an outcome, if it has one.
fn word(outcome: Outcome) -> &'static str {
    if outcome == Outcome::Fail { "failure" } else { outcome.as_str() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use streamresult::{Records, StreamResult, record_fn};
    use subunit::strategy::string;
    use subunit::{Event, File, Status, Tags, Timestamp};

    use super::*;

    fn table(excel_safe: bool, columns: &[Column], events: &[Event<'_>]) -> String {
        let table = Table { columns: columns.to_vec(), excel_safe };
        let mut out = Vec::new();
        table.head(&mut out);
        let mut records = Records::new(record_fn(|record| table.record(record, &mut out)));
        events.iter().for_each(|event| records.status(event).unwrap());
        records.stop_run().unwrap();
        drop(records);
        String::from_utf8(out).unwrap()
    }

    fn check(events: &[Event<'_>], expected: &str) {
        assert_eq!(
            table(false, &Column::USUAL, events),
            format!("test,status,start_time,stop_time\r\n{expected}")
        );
    }

    #[test]
    fn rows_are_as_python_writes_them() {
        let at = Timestamp::new;
        let begun = Event { timestamp: at(0, 1000), ..Event::status("a", Status::InProgress) };
        let times = "1970-01-01 00:00:00.000001+00:00,1970-01-01 00:00:02+00:00";
        check(
            &[begun, Event { timestamp: at(2, 0), ..Event::status("a", Status::Success) }],
            &format!("a,success,{times}\r\n"),
        );
        check(&[begun], "a,unfinished,1970-01-01 00:00:00.000001+00:00,\r\n");
        check(&[Event::status("a,\"b\"\n", Status::Fail)], "\"a,\"\"b\"\"\n\",failure,,\r\n");
        check(&[Event::status("", Status::UxSuccess)], ",uxsuccess,,\r\n");
        check(&[Event::status("\x1b[2J", Status::XFail)], "\\x1b[2J,xfail,,\r\n");
    }

    #[test]
    fn more_columns_can_be_had() {
        let event = Event {
            route_code: Some("0/1"),
            tags: Tags::from(&["x", "y"]),
            file: Some(File { name: "reason", bytes: b"no \xff" }),
            ..Event::status("a", Status::Skip)
        };
        assert_eq!(
            table(false, &Column::ALL[4..], &[event]),
            "route,tags,duration,reason\r\n0/1,x y,,no \\xff\r\n"
        );
        assert_eq!(table(false, &[Column::Test], &[Event::status("", Status::Skip)]), "test\r\n\"\"\r\n");
    }

    fn check_safe(id: &str, expected: &str) {
        let expected = format!("test\r\n{expected}\r\n");
        assert_eq!(table(true, &[Column::Test], &[Event::status(id, Status::Skip)]), expected);
    }

    #[test]
    fn a_formula_is_made_text() {
        check_safe("=cmd|'/C calc'!A0", "'=cmd|'/C calc'!A0");
        check_safe("+1", "'+1");
        check_safe("-1", "'-1");
        check_safe("@a", "'@a");
        check_safe("\t=1", "'\t=1");
        check_safe("\r=1", "'\\r=1");
        check_safe("=1,2", "\"'=1,2\"");
        check_safe("a=1", "a=1");
    }

    proptest! {
        #[test]
        fn a_reader_of_csv_reads_back_what_was_shown(ids in prop::collection::vec(string(), 1..10)) {
            let events: Vec<Event<'_>> = ids.iter().map(|id| Event::status(id, Status::Success)).collect();
            let text = table(false, &Column::USUAL, &events);
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            let found: Vec<String> = reader.records().map(|row| row.unwrap()[0].to_owned()).collect();
            let expected: Vec<String> = ids.iter().map(|id| visible::text(id).into_owned()).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
