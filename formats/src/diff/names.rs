//! The names of a run's tests, which wait in a temporary file.

use std::io::{self, BufReader, Read};
use std::time::Duration;

use streamresult::{Spool, Spooled};

/// Stands for a route code or a duration that is not there.
const NONE: u64 = u64::MAX;

/// A test of a run, as it is reported.
#[derive(Clone, Copy, Debug)]
pub struct Test<'a> {
    /// Its id.
    pub id: &'a str,
    /// Where it ran.
    pub route: Option<&'a str>,
    /// How long it took.
    pub duration: Option<Duration>,
}

impl Test<'_> {
    pub(crate) fn seconds(&self) -> Option<f64> {
        self.duration.map(|duration| duration.as_secs_f64())
    }
}

/// Tests in the order in which they were written.
#[derive(Default)]
pub(crate) struct Tests {
    spool: Spool,
    bytes: Spooled,
}

impl Tests {
    /// Writes a test: three numbers, then its strings.
    pub(crate) fn push(&mut self, test: &Test<'_>) -> io::Result<()> {
        let nanoseconds = |duration: Duration| u64::try_from(duration.as_nanos()).unwrap_or(NONE - 1);
        let numbers = [
            test.duration.map_or(NONE, nanoseconds),
            test.route.map_or(NONE, |route| route.len() as u64),
            test.id.len() as u64,
        ];
        let tail = self.bytes.tail();
        numbers.iter().for_each(|number| tail.extend_from_slice(&number.to_ne_bytes()));
        tail.extend_from_slice(test.route.unwrap_or_default().as_bytes());
        tail.extend_from_slice(test.id.as_bytes());
        self.spool.settle(&mut self.bytes)
    }

    /// Reads all tests.
    pub(crate) fn for_each(&self, mut function: impl FnMut(&Test<'_>) -> io::Result<()>) -> io::Result<()> {
        let mut left = self.bytes.len();
        let mut reader = BufReader::new(self.bytes.reader(&self.spool));
        let (mut route, mut id) = (String::new(), String::new());
        while left > 0 {
            let [duration, route_len, id_len] =
                [number(&mut reader)?, number(&mut reader)?, number(&mut reader)?];
            let has_route = route_len != NONE;
            left = left.saturating_sub(24 + id_len + if has_route { route_len } else { 0 });
            string(&mut reader, if has_route { route_len } else { 0 }, &mut route)?;
            string(&mut reader, id_len, &mut id)?;
            function(&Test {
                id: &id,
                route: has_route.then_some(route.as_str()),
                duration: (duration != NONE).then(|| Duration::from_nanos(duration)),
            })?;
        }
        Ok(())
    }
}

fn number(reader: &mut impl Read) -> io::Result<u64> {
    let mut bytes = [0; 8];
    reader.read_exact(&mut bytes)?;
    Ok(u64::from_ne_bytes(bytes))
}

fn string(reader: &mut impl Read, len: u64, text: &mut String) -> io::Result<()> {
    text.clear();
    reader.take(len).read_to_string(text)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_come_back_as_they_were() {
        let long = "x".repeat(2 << 20);
        let tests = [(None, "", None), (Some("0/1"), "a b", Some(Duration::ZERO)), (Some(""), &*long, None)];
        let mut names = Tests::default();
        for (route, id, duration) in tests {
            names.push(&Test { id, route, duration }).unwrap();
        }
        let mut expected = tests.iter();
        let compare = |test: &Test<'_>| {
            assert_eq!(Some(&(test.route, test.id, test.duration)), expected.next());
            Ok(())
        };
        names.for_each(compare).unwrap();
        assert_eq!(expected.next(), None);
    }
}
