//! The packets of one test, found without reading the others' streams.

use std::io::Read;

use streamresult::{Extent, StreamResult, deliver};
use subunit::Frame;
use subunit::io::Reader;

use crate::error::{Result, at};
use crate::repository::Repository;
use crate::run_id::RunRef;
use crate::stream::StreamReader;

impl Repository {
    /// Gives the packets of a test in a run to `sink`, as they came and in their order: the run starts, its
    /// packets, the run stops. `route_code` is that of the test (`Some(None)` for none); without one all are
    /// given. The answer is how many packets there were.
    ///
    /// Only the parts of the stream that hold the test are read; of a run that is under way, all that came so far.
    /// [`Records`](streamresult::Records) puts
    /// attachments together, a [`Writer`](subunit::io::Writer) makes a stream.
    ///
    /// ```
    /// use repository::{Repository, RunEnd, RunInfo, RunRef};
    /// use streamresult::{Records, StreamResult, record_fn};
    /// use subunit::{Event, File, Status};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let repository = Repository::init(&folder)?;
    /// # let mut run = repository.begin(RunInfo::default())?;
    /// let file = Some(File { name: "log", bytes: b"no route to host" });
    /// run.status(&Event { file, ..Event::status("net.boot", Status::Fail) })?;
    /// run.finish(RunEnd::default())?;
    ///
    /// let mut logs = Vec::new();
    /// let mut records = Records::new(record_fn(|record| {
    ///     for file in record.attachments() {
    ///         logs.push(file.text(1000)?.into_owned());
    ///     }
    ///     Ok(())
    /// }));
    /// repository.log(RunRef::LATEST, "net.boot", None, &mut records)?;
    /// drop(records);
    /// assert_eq!(logs, ["no route to host"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When there is no such run, its stream was pruned, it cannot be read, or the sink fails.
    pub fn log(
        &self,
        name: impl Into<RunRef>,
        test_id: &str,
        route_code: Option<Option<&str>>,
        sink: &mut (impl StreamResult + ?Sized),
    ) -> Result<u64> {
        let run = self.run(name)?;
        let extents = self.with_results_so_far(run.id, |_, results| {
            let mut extents = Vec::new();
            results.find(test_id.as_bytes(), |row| extents.push(row.facts.extent))?;
            Ok(extents)
        })?;
        let mut stream = self.stream_of(&run)?;
        let path = self.folder(run.id).compressed();
        let read = sink.start_run().and_then(|()| {
            let mut packets = 0;
            for extent in joined(extents.0) {
                packets += pass(&mut stream, extent, test_id, route_code, sink)?;
            }
            Ok(packets)
        });
        let stopped = sink.stop_run();
        read.and_then(|packets| stopped.map(|()| packets)).map_err(at("read", &path))
    }
}

/// The same stretches, in order and none twice.
fn joined(mut extents: Vec<Extent>) -> Vec<Extent> {
    extents.sort_by_key(|extent| extent.start);
    let mut joined: Vec<Extent> = Vec::new();
    for extent in extents {
        match joined.last_mut() {
            Some(last) if extent.start <= last.end => last.end = last.end.max(extent.end),
            _ => joined.push(extent),
        }
    }
    joined
}

fn pass(
    stream: &mut StreamReader,
    extent: Extent,
    test_id: &str,
    route_code: Option<Option<&str>>,
    sink: &mut (impl StreamResult + ?Sized),
) -> std::io::Result<u64> {
    stream.seek_to(extent.start)?;
    let mut reader = Reader::new(stream.take(extent.len()));
    let mut packets = 0;
    loop {
        let offset = extent.start + reader.offset();
        let Some(frame) = reader.next_frame()? else { return Ok(packets) };
        let is_it = match &frame {
            Frame::Packet(packet) => {
                packet.test_id() == Some(test_id)
                    && route_code.is_none_or(|route_code| route_code == packet.route_code())
            }
            Frame::Corrupt(..) => test_id == streamresult::DAMAGE_ID,
            Frame::Text(_) => false,
        };
        if is_it {
            deliver(&frame, offset, sink)?;
            packets += 1;
        }
    }
}
