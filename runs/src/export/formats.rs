//! Runs as one stream or report.

use std::io::{self, Write};

use anyhow::Context as _;
use formats::csv::{Column, LONGEST_REASON, Table};
use formats::json::FrameWriter;
use formats::junit::{JunitOptions, JunitWriter};
use formats::v1;
use repository::{Repository, StoredRun, StreamReader};
use streamresult::{Outcome, Record, RecordSink, Records, StreamResult, StreamResultExt as _, drive};
use subunit::io::Reader;

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    V2,
    V1,
    Junit,
    Csv,
    Json,
}

/// Writes the runs, one after the other.
pub(super) fn write(
    repository: &Repository,
    runs: &[StoredRun],
    stream: Stream,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    match stream {
        Stream::V2 => each(repository, runs, |_, mut input| io::copy(&mut input, out).map(drop)),
        Stream::V1 => {
            let mut writer = v1::V1Writer::new(out);
            each(repository, runs, |_, input| drive(input, &mut Records::new(&mut writer)))
        }
        Stream::Json => each(repository, runs, |_, input| json(input, out)),
        Stream::Csv => csv(repository, runs, out),
        Stream::Junit => {
            let mut writer = JunitWriter::new(JunitOptions::default());
            let cap = writer.cap();
            let several = runs.len() > 1;
            each(repository, runs, |run, input| {
                numbered(several, run, input, &mut Records::new(&mut writer).cap(cap))
            })?;
            Ok(writer.write(out)?)
        }
    }
}

/// Opens the stream of each run.
fn each(
    repository: &Repository,
    runs: &[StoredRun],
    mut write: impl FnMut(&StoredRun, StreamReader) -> io::Result<()>,
) -> anyhow::Result<()> {
    for run in runs {
        let written = write(run, repository.stream(run.id)?);
        written.with_context(|| format!("cannot write run {}", run.id))?;
    }
    Ok(())
}

/// Reads a run into `sink`; where there are several, its number comes before the routes.
fn numbered<S: StreamResult>(
    several: bool,
    run: &StoredRun,
    input: StreamReader,
    sink: &mut S,
) -> io::Result<()> {
    if several { drive(input, &mut sink.routed(run.id.to_string())) } else { drive(input, sink) }
}

fn json(input: StreamReader, out: &mut dyn Write) -> io::Result<()> {
    let (mut reader, mut writer, mut line) = (Reader::new(input), FrameWriter::default(), Vec::new());
    while let Some(frame) = reader.next_frame()? {
        line.clear();
        writer.push(&frame, &mut line);
        out.write_all(&line)?;
    }
    Ok(())
}

fn csv(repository: &Repository, runs: &[StoredRun], out: &mut dyn Write) -> anyhow::Result<()> {
    let table = Table { columns: Column::ALL.to_vec(), excel_safe: false };
    let mut rows = Rows { out, table, row: Vec::new() };
    rows.table.head(&mut rows.row);
    rows.out.write_all(&rows.row)?;
    let several = runs.len() > 1;
    each(repository, runs, |run, input| {
        let records = Records::new(&mut rows).details(streamresult::Details::Reason);
        numbered(several, run, input, &mut records.cap(LONGEST_REASON))
    })
}

struct Rows<'a> {
    out: &'a mut dyn Write,
    table: Table,
    row: Vec<u8>,
}

impl RecordSink for Rows<'_> {
    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        if record.outcome() == Outcome::Exists {
            return Ok(());
        }
        self.row.clear();
        self.table.record(record, &mut self.row)?;
        self.out.write_all(&self.row)
    }
}
