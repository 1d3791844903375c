//! The jobs, done by the published crate `subunit`.

use std::error::Error;
use std::hint::black_box;
use std::io::{Read, Write};

use subunit_peer::io::sync::iter_stream;
use subunit_peer::serialize::Serializable;
use subunit_peer::types::event::Event;
use subunit_peer::types::number::SubunitNumber;
use subunit_peer::types::stream::ScannedItem;
use subunit_peer::types::teststatus::TestStatus;
use subunit_peer::types::timestamp::Timestamp;

use crate::{StreamCounts, open, ours, out};

/// Runs a job: `decode FILE`, `route FILE`, `encode COUNT`.
pub fn run(job: &str, argument: &str) -> Result<StreamCounts, Box<dyn Error>> {
    match job {
        "decode" => decode(open(argument)?),
        "route" => route(open(argument)?, out()?),
        "encode" => write_events(argument.parse()?, out()?),
        _ => Err(format!("no such job: {job}").into()),
    }
}

fn decode(input: impl Read) -> Result<StreamCounts, Box<dyn Error>> {
    let mut counts = StreamCounts::default();
    for item in iter_stream(input) {
        match black_box(item?) {
            ScannedItem::Event(_) => counts.packets += 1,
            ScannedItem::Bytes(text) => counts.text += text.len() as u64,
            ScannedItem::Unknown(..) => counts.corrupt += 1,
        }
    }
    Ok(counts)
}

fn route(input: impl Read, mut out: impl Write) -> Result<StreamCounts, Box<dyn Error>> {
    let mut counts = StreamCounts::default();
    let mut bytes = Vec::with_capacity(1 << 17);
    for item in iter_stream(input) {
        if let ScannedItem::Event(mut event) = item? {
            counts.packets += 1;
            event.route_code = Some(match event.route_code {
                Some(route_code) => format!("host-1/{route_code}"),
                None => "host-1".to_owned(),
            });
            event.serialize(&mut bytes)?;
            if bytes.len() > 1 << 16 {
                out.write_all(&bytes)?;
                bytes.clear();
            }
        }
    }
    out.write_all(&bytes)?;
    Ok(counts)
}

fn write_events(count: u64, mut out: impl Write) -> Result<StreamCounts, Box<dyn Error>> {
    let ids = ours::ids();
    let mut bytes = Vec::with_capacity(1 << 17);
    for index in 0..count {
        let mut event = Event::new(TestStatus::Success)
            .test_id(&ids[index as usize % ids.len()])
            .tag("worker-1")
            .runnable();
        if index % 2 == 0 {
            event = event.route_code("rack/3");
        }
        let mut event = event.build();
        let nanoseconds = SubunitNumber::new(123_456_000 + index as u32)?;
        event.timestamp = Some(Timestamp { seconds: 1_700_000_000, nanoseconds });
        event.serialize(&mut bytes)?;
        if bytes.len() > 1 << 16 {
            out.write_all(&bytes)?;
            bytes.clear();
        }
    }
    out.write_all(&bytes)?;
    Ok(StreamCounts { packets: count, ..StreamCounts::default() })
}
