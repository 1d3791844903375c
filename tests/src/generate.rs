//! Realistic streams from a seed: the same arguments give the same bytes, everywhere and always.

use std::io;

use subunit::io::Writer;
use subunit::{Event, File, Status, Tags, Timestamp};

use crate::notation::numbered_lines;

/// What to make.
#[derive(Clone, Copy, Debug)]
pub struct StreamPlan {
    /// Where the randomness comes from.
    pub seed: u64,
    /// How many tests.
    pub tests: u64,
    /// How many workers run them, each under its route code; 0 is one without.
    pub routes: u64,
    /// Only what a test runner must say: two packets a test, and every test passes.
    pub plain: bool,
    /// Bytes of an attachment that the first test has.
    pub attachment: usize,
}

/// Writes the stream of this plan.
///
/// # Errors
///
/// When writing fails.
pub fn generate<W: io::Write>(plan: StreamPlan, output: W) -> io::Result<()> {
    let mut maker = Generator {
        random: Random(plan.seed),
        clock: 1_700_000_000_000_000_000,
        writer: Writer::new(output),
        plan,
    };
    let workers = plan.routes.max(1);
    // Each worker has one test under way, and the workers take turns.
    let mut first = 0;
    while first < plan.tests {
        let round = first..plan.tests.min(first + workers);
        let tests: Vec<Test> = round.map(|number| maker.begin(number)).collect::<io::Result<_>>()?;
        for test in &tests {
            maker.end(test)?;
        }
        first += workers;
    }
    maker.writer.flush()
}

/// A test under way.
struct Test {
    number: u64,
    id: String,
    route: Option<String>,
    tag: &'static str,
    status: Option<Status>,
}

struct Generator<W: io::Write> {
    plan: StreamPlan,
    random: Random,
    /// Nanoseconds since 1970.
    clock: u64,
    writer: Writer<W>,
}

impl<W: io::Write> Generator<W> {
    fn begin(&mut self, number: u64) -> io::Result<Test> {
        let route = (self.plan.routes > 0).then(|| format!("worker-{}", number % self.plan.routes));
        let tag = if self.plan.plain { "" } else { self.random.pick(&["", "", "slow", "network"]) };
        let status = if self.plan.plain { Some(Status::Success) } else { self.random.status() };
        let test = Test { number, id: self.random.id(number), route, tag, status };
        self.event(&test, Event::status(&test.id, Status::InProgress))?;
        Ok(test)
    }

    fn end(&mut self, test: &Test) -> io::Result<()> {
        if test.number == 0 && self.plan.attachment > 0 {
            self.attach(test, "stdout", &numbered_lines(self.plan.attachment))?;
        } else if !self.plan.plain && self.random.below(10) == 0 {
            let len = self.random.below(2000) as usize;
            self.attach(test, "stdout", &numbered_lines(len))?;
        }
        match test.status {
            Some(Status::Fail | Status::XFail) => self.attach(test, "traceback", TRACEBACK.as_bytes())?,
            Some(Status::Skip) => self.attach(test, "reason", b"needs a network")?,
            _ => {}
        }
        let Some(status) = test.status else { return Ok(()) };
        let tags = [test.tag];
        let tags = if test.tag.is_empty() { Tags::default() } else { Tags::from(&tags) };
        self.event(test, Event { tags, ..Event::status(&test.id, status) })
    }

    fn attach(&mut self, test: &Test, name: &str, bytes: &[u8]) -> io::Result<()> {
        let file = Some(File { name, bytes });
        let mime_type = Some("text/plain;charset=utf8");
        let event =
            Event { test_id: Some(&test.id), runnable: true, file, mime_type, eof: true, ..Event::default() };
        self.event(test, event)
    }

    fn event(&mut self, test: &Test, event: Event<'_>) -> io::Result<()> {
        self.clock += 1_000 + self.random.below(2_000_000);
        let (seconds, nanoseconds) = (self.clock / 1_000_000_000, self.clock % 1_000_000_000);
        let timestamp = Timestamp::new(seconds as u32, nanoseconds as u32);
        self.writer.write(&Event { route_code: test.route.as_deref(), timestamp, ..event })
    }
}

const TRACEBACK: &str = "Traceback (most recent call last):
  File \"/srv/app/tests/test_orders.py\", line 112, in test_total
    self.assertEqual(expected, order.total())
AssertionError: 12.5 != <Decimal 12.50> & \u{1b}[31mred\u{1b}[0m
";

/// SplitMix64: small, and the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn pick(&mut self, words: &[&'static str]) -> &'static str {
        let at = self.below(words.len() as u64) as usize;
        words.get(at).copied().unwrap_or_default()
    }

    /// An id that no other number has.
    fn id(&mut self, number: u64) -> String {
        let package = self.pick(&["orders", "billing", "storage", "auth", "api.v2"]);
        let verb = self.pick(&["creates", "rejects", "keeps", "rounds", "retries"]);
        let parameter = if self.below(8) == 0 { "[x86_64, 1.5]" } else { "" };
        format!("{package}.tests.test_{}.Test{verb}.test_{verb}_{number}{parameter}", number / 200)
    }

    /// The outcome of a test, of 1000; `None` never ends.
    fn status(&mut self) -> Option<Status> {
        match self.below(1000) {
            0..=1 => None,
            2..=21 => Some(Status::Fail),
            22..=51 => Some(Status::Skip),
            52..=61 => Some(Status::XFail),
            62..=63 => Some(Status::UxSuccess),
            _ => Some(Status::Success),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(plan: StreamPlan) -> Vec<u8> {
        let mut bytes = Vec::new();
        generate(plan, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn the_same_plan_gives_the_same_bytes() {
        let plan = StreamPlan { seed: 1, tests: 100, routes: 3, plain: false, attachment: 0 };
        assert_eq!(made(plan), made(plan));
        assert_ne!(made(plan), made(StreamPlan { seed: 2, ..plan }));
    }

    #[test]
    fn a_plain_test_is_two_packets() {
        let bytes = made(StreamPlan { seed: 1, tests: 10, routes: 0, plain: true, attachment: 0 });
        let mut reader = subunit::io::Reader::new(&*bytes);
        let mut packets = 0;
        while reader.next_frame().unwrap().is_some() {
            packets += 1;
        }
        assert_eq!(packets, 20);
    }
}
