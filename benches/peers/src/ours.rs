//! The jobs, done by this project's crate.

use std::error::Error;
use std::hint::black_box;
use std::io::{Read, Write};

use subunit::io::{Reader, Writer};
use subunit::{Event, Frame, RoutePrefix, Status, Tags, Timestamp, encode};

use crate::{StreamCounts, open, out};

/// Runs a job: `decode FILE`, `events FILE`, `route FILE`, `encode COUNT`.
pub fn run(job: &str, argument: &str) -> Result<StreamCounts, Box<dyn Error>> {
    match job {
        "decode" => decode(open(argument)?, |frame| {
            if let Frame::Packet(packet) = frame {
                black_box((packet.status(), packet.timestamp()));
            }
        }),
        "events" => decode(open(argument)?, |frame| {
            if let Frame::Packet(packet) = frame {
                black_box(packet.event());
            }
        }),
        "route" => route(open(argument)?, out()?),
        "encode" => write_events(argument.parse()?, out()?),
        _ => Err(format!("no such job: {job}").into()),
    }
}

/// Takes a stream apart.
pub fn decode(input: impl Read, mut sink: impl FnMut(Frame<'_>)) -> Result<StreamCounts, Box<dyn Error>> {
    let mut counts = StreamCounts::default();
    let mut reader = Reader::new(input);
    while let Some(frame) = reader.next_frame()? {
        match frame {
            Frame::Packet(_) => counts.packets += 1,
            Frame::Text(text) => counts.text += text.len() as u64,
            Frame::Corrupt(..) => counts.corrupt += 1,
        }
        sink(frame);
    }
    Ok(counts)
}

/// Puts a route code before that of every packet.
pub fn route(input: impl Read, out: impl Write) -> Result<StreamCounts, Box<dyn Error>> {
    let mut counts = StreamCounts::default();
    let mut prefix = RoutePrefix::new("host-1")?;
    let (mut reader, mut writer) = (Reader::new(input), Writer::new(out));
    while let Some(frame) = reader.next_frame()? {
        if let Frame::Packet(packet) = frame {
            counts.packets += 1;
            writer.write_routed(&packet, &mut prefix)?;
        }
    }
    writer.flush()?;
    Ok(counts)
}

/// Writes status packets: id of 66 bytes, time, a tag, every other one with a route.
pub fn write_events(count: u64, mut out: impl Write) -> Result<StreamCounts, Box<dyn Error>> {
    let ids = ids();
    let mut bytes = Vec::with_capacity(1 << 17);
    for index in 0..count {
        let event = Event {
            tags: Tags::from(&["worker-1"]),
            route_code: (index % 2 == 0).then_some("rack/3"),
            timestamp: Timestamp::new(1_700_000_000, 123_456_000 + index as u32),
            ..Event::status(&ids[index as usize % ids.len()], Status::Success)
        };
        encode(&event, &mut bytes)?;
        if bytes.len() > 1 << 16 {
            out.write_all(&bytes)?;
            bytes.clear();
        }
    }
    out.write_all(&bytes)?;
    Ok(StreamCounts { packets: count, ..StreamCounts::default() })
}

/// The ids that are written.
pub fn ids() -> Vec<String> {
    (0..1024)
        .map(|index| format!("project.tests.storage.volumes.test_attach.AttachTest.test_case_{index:03}x"))
        .collect()
}
