//! Scratch.
use std::io;
use streamresult::*;
use subunit::io::Writer;
use subunit::*;
struct Nothing;
impl StreamResult for Nothing {
    fn status(&mut self, event: &Event<'_>) -> io::Result<()> { std::hint::black_box(event); Ok(()) }
    fn packet(&mut self, packet: &Packet<'_>) -> io::Result<()> { std::hint::black_box(packet); Ok(()) }
}
fn stream(tests: u32) -> io::Result<Vec<u8>> {
    let mut writer = Writer::new(Vec::new());
    for number in 0..tests {
        let id = format!("package.module{}.TestCase.test_number_{number}", number % 97);
        let at = |nanoseconds| Some(Timestamp { seconds: 1_700_000_000 + number, nanoseconds });
        let route_code = Some(["0", "1", "2", "3"][number as usize % 4]);
        let test = Event { route_code, ..Event::status(&id, Status::Success) };
        writer.write(&Event { status: Some(Status::InProgress), timestamp: at(1), ..test })?;
        let file = Some(File { name: "stdout", bytes: b"a line of output from the test\n" });
        let mime_type = Some("text/plain;charset=utf8");
        writer.write(&Event { status: None, file, mime_type, timestamp: at(2), eof: true, ..test })?;
        writer.write(&Event { tags: Tags::from(&["worker", "fast"]), timestamp: at(3), ..test })?;
    }
    writer.into_inner()
}
fn main() -> io::Result<()> {
    let mut args = std::env::args().skip(1);
    let what = args.next().unwrap();
    let tests: u32 = args.next().unwrap().parse().unwrap();
    let rounds: u32 = args.next().unwrap_or("1".into()).parse().unwrap();
    let stream = stream(tests)?;
    let mut best = f64::MAX;
    for _ in 0..rounds {
        let start = cpu();
        run(&what, &stream)?;
        best = best.min(cpu() - start);
    }
    eprintln!("{what}: {:.4} us a test", best * 1e6 / f64::from(tests));
    Ok(())
}
fn cpu() -> f64 {
    // schedstat: ns on cpu
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}
fn run(what: &str, stream: &[u8]) -> io::Result<()> {
    let sink = || record_fn(|record| { std::hint::black_box((record.duration(), record.test_id())); Ok(()) });
    match what {
        "none" => Ok(()),
        "packets" => drive(stream, &mut Nothing),
        "events" => drive(stream, &mut from_fn(|e: &Event<'_>| { std::hint::black_box(e); Ok(()) })),
        "summary" => drive(stream, &mut Summary::new()),
        "records" => drive(stream, &mut Records::new(sink()).details(Details::None)),
        "reason" => drive(stream, &mut Records::new(sink()).details(Details::Reason)),
        "files" => drive(stream, &mut Records::new(sink())),
        "ls" => drive(stream, &mut Records::new((sink(), Summary::new())).details(Details::None)),
        "filter" => { let mut n = 0u32; let out = from_fn(|_| { n += 1; Ok(()) });
            drive(stream, &mut out.held(|_, w| match w.record().outcome() { Outcome::Unfinished => Decision::Wait, o if o.is_failure() => Decision::Keep, _ => Decision::Drop })) }
        "keep" => drive(stream, &mut Nothing.held(|_, w| match w.record().outcome() { Outcome::Unfinished => Decision::Wait, _ => Decision::Keep })),
        "edit" => edit_packets(stream, io::sink(), Text::Keep, |_, _| Ok(Edit::Keep)),
        _ => panic!(),
    }
}
