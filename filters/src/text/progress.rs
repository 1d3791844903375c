//! The progress of a run, and the lines that show it now.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use formats::human::Age;
use formats::text::{Tone, title};
use formats::visible;
use streamresult::DAMAGE_ID;
use subunit::{Event, Status, split_text};

use super::span::{Line, shorten};

/// More running tests are counted, not listed.
const MOST_TESTS: usize = 16;
/// More routes are counted, not listed.
const MOST_ROUTES: usize = 8;
/// From this age on a test is slow.
const SLOW: Duration = Duration::from_secs(10);

/// The size of a terminal, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) columns: usize,
    pub(crate) rows: usize,
}

/// The state of a run.
#[derive(Debug)]
pub(crate) struct RunProgress {
    began: Instant,
    /// From this time without a sign of life on, a test hangs.
    hung_after: Duration,
    /// Whether the terminal knows UTF-8.
    unicode: bool,
    /// By route code and test id with a NUL between, which neither can have; without a route, by `\x01` and the id.
    running: HashMap<String, Running>,
    routes: Vec<Route>,
    route_numbers: HashMap<Option<String>, usize>,
    announced: u64,
    damaged: u64,
    /// How many tests have begun.
    begun: u64,
    key: String,
}

/// A test that has begun and not ended.
#[derive(Clone, Copy, Debug)]
struct Running {
    route: usize,
    number: u64,
    /// Where in the key its id begins.
    id_at: usize,
    since: Instant,
    last_sign: Instant,
}

#[derive(Debug, Default)]
struct Route {
    name: Option<String>,
    passed: u64,
    failed: u64,
    skipped: u64,
    running: u64,
}

impl Route {
    fn done(&self) -> u64 {
        self.passed + self.failed + self.skipped
    }
}

impl RunProgress {
    pub(crate) fn new(now: Instant, hung_after: Duration, unicode: bool) -> Self {
        RunProgress {
            began: now,
            hung_after,
            unicode,
            running: HashMap::new(),
            routes: Vec::new(),
            route_numbers: HashMap::new(),
            announced: 0,
            damaged: 0,
            begun: 0,
            key: String::new(),
        }
    }

    /// Takes an event that came now; a failure is a line to be kept.
    pub(crate) fn note(&mut self, event: &Event<'_>, now: Instant) -> Option<Line> {
        let Some(test_id) = event.test_id else {
            let failed = event.status.is_some_and(Status::is_failure);
            return failed.then(|| self.failure(None, &title("(the run as a whole)", event.route_code)));
        };
        if test_id == DAMAGE_ID && matches!(event.status, None | Some(Status::Fail)) {
            return self.note_damage(event);
        }
        self.key.clear();
        self.key.push_str(event.route_code.unwrap_or_default());
        self.key.push(if event.route_code.is_some() { '\0' } else { '\u{1}' });
        self.key.push_str(test_id);
        match event.status {
            None => self.note_sign(now),
            Some(Status::Exists) => self.announced += 1,
            Some(Status::InProgress) => self.begin(event.route_code, test_id, now),
            Some(status) => {
                let began = self.end(event.route_code, status);
                if status.is_failure() {
                    let age = began.map(|began| now.saturating_duration_since(began));
                    return Some(self.failure(age, &title(test_id, event.route_code)));
                }
            }
        }
        None
    }

    fn note_sign(&mut self, now: Instant) {
        if let Some(test) = self.running.get_mut(&self.key) {
            test.last_sign = now;
        }
    }

    fn note_damage(&mut self, event: &Event<'_>) -> Option<Line> {
        event.status?;
        self.damaged += 1;
        let what = event.file.map(|file| String::from_utf8_lossy(file.bytes));
        Some(self.failure(None, &title(what.as_deref().unwrap_or("damaged packet"), event.route_code)))
    }

    fn begin(&mut self, route: Option<&str>, test_id: &str, now: Instant) {
        if let Some(test) = self.running.get_mut(&self.key) {
            test.last_sign = now;
            return;
        }
        let route = self.route(route);
        self.count(route, |route| route.running += 1);
        self.begun += 1;
        let id_at = self.key.len() - test_id.len();
        let test = Running { route, number: self.begun, id_at, since: now, last_sign: now };
        self.running.insert(self.key.clone(), test);
    }

    /// Counts a test that ended, and says when it began.
    fn end(&mut self, route: Option<&str>, status: Status) -> Option<Instant> {
        let test = self.running.remove(&self.key);
        let number = test.map_or_else(|| self.route(route), |test| test.route);
        self.count(number, |route| {
            route.running -= u64::from(test.is_some());
            match status {
                status if status.is_failure() => route.failed += 1,
                Status::Skip => route.skipped += 1,
                _ => route.passed += 1,
            }
        });
        test.map(|test| test.since)
    }

    fn count(&mut self, number: usize, count: impl FnOnce(&mut Route)) {
        if let Some(route) = self.routes.get_mut(number) {
            count(route);
        }
    }

    fn route(&mut self, name: Option<&str>) -> usize {
        // The route of the test before is the likely one, and there are few.
        let few = self.routes.iter().take(4);
        if let Some(number) = few.enumerate().find(|(_, route)| route.name.as_deref() == name) {
            return number.0;
        }
        let name = name.map(str::to_owned);
        let next = self.routes.len();
        let number = *self.route_numbers.entry(name.clone()).or_insert(next);
        if number == next {
            self.routes.push(Route { name, ..Route::default() });
        }
        number
    }

    fn failure(&self, age: Option<Duration>, title: &str) -> Line {
        let mut line = Line::new(Tone::Bad, "FAIL");
        let age = age.map(|age| Age(age).to_string()).unwrap_or_default();
        line.push(Tone::Plain, format!("{age:>8}  {}", self.shown(title)));
        line
    }

    /// A text as the terminal can show it.
    fn shown(&self, text: &str) -> String {
        let line = visible::line(text);
        if self.unicode {
            return line.into_owned();
        }
        let escaped = |character: char| {
            let plain = character.is_ascii().then_some(character);
            let other = (!character.is_ascii()).then(|| character.escape_unicode());
            plain.into_iter().chain(other.into_iter().flatten())
        };
        line.chars().flat_map(escaped).collect()
    }

    fn ellipsis(&self) -> &'static str {
        if self.unicode { "…" } else { ".." }
    }

    /// The lines to show now, none of which is as wide as the terminal, nor all of them as high.
    pub(crate) fn lines(&self, now: Instant, size: Size) -> Vec<Line> {
        let columns = size.columns.saturating_sub(1);
        let mut room = size.rows.saturating_sub(1);
        if room == 0 || columns == 0 {
            return Vec::new();
        }
        let mut lines = vec![self.head(now, columns)];
        room -= 1;
        if self.routes.len() > 1 && room >= 6 {
            lines.extend(self.route_lines(columns, (room / 2).min(MOST_ROUTES + 1)));
            room = size.rows.saturating_sub(1 + lines.len());
        }
        lines.extend(self.test_lines(now, columns, room.min(MOST_TESTS + 1)));
        lines
    }

    /// How far the run is, in as many words as there is room for.
    fn head(&self, now: Instant, columns: usize) -> Line {
        let sum = |count: fn(&Route) -> u64| self.routes.iter().map(count).sum::<u64>();
        let (done, running) = (sum(Route::done), self.running.len() as u64);
        let hung = self.running.values().filter(|test| self.is_hung(test, now)).count() as u64;
        let total =
            if self.announced >= done + running { format!(" of {}", self.announced) } else { String::new() };
        let words = [
            (1, Tone::Plain, format!("{done}{total} done")),
            (sum(|route| route.failed), Tone::Bad, "failed".to_owned()),
            (hung, Tone::Bad, "hung".to_owned()),
            (self.damaged, Tone::Bad, "damaged".to_owned()),
            (running, Tone::Plain, "running".to_owned()),
            (sum(|route| route.passed), Tone::Good, "passed".to_owned()),
            (sum(|route| route.skipped), Tone::Notice, "skipped".to_owned()),
        ];
        let age = Age(now.saturating_duration_since(self.began));
        let mut line = Line::new(Tone::Plain, format!("{age:>8}"));
        let mut separator = "  ";
        for (at, (count, tone, word)) in words.into_iter().enumerate() {
            let text = if at == 0 { word } else { format!("{count} {word}") };
            if count > 0 && line.width() + separator.len() + text.len() <= columns {
                line.push(Tone::Plain, separator);
                line.push(tone, text);
                separator = ", ";
            }
        }
        line.cut(columns)
    }

    fn is_hung(&self, test: &Running, now: Instant) -> bool {
        now.saturating_duration_since(test.last_sign) >= self.hung_after
    }

    /// A table of the routes in at most this many lines.
    fn route_lines(&self, columns: usize, room: usize) -> Vec<Line> {
        let width = columns.saturating_sub(31).clamp(8, 24);
        let heading = format!("{:10}{:width$}{:>6}{:>7}{:>8}", "", "route", "done", "failed", "running");
        let mut lines = vec![Line::new(Tone::Aside, heading).cut(columns)];
        let listed = listed(self.routes.len(), room.saturating_sub(1));
        for route in self.routes.iter().take(listed) {
            let name = route.name.as_deref().unwrap_or("(no route)");
            let name = shorten(&self.shown(name), width, self.ellipsis());
            let blanks = width.saturating_sub(Line::new(Tone::Plain, name.as_str()).width());
            let mut line = Line::new(Tone::Plain, format!("{:10}{name}{:blanks$}{:6}", "", "", route.done()));
            let tone = if route.failed > 0 { Tone::Bad } else { Tone::Plain };
            line.push(tone, format!("{:7}", route.failed));
            line.push(Tone::Plain, format!("{:8}", route.running));
            lines.push(line.cut(columns));
        }
        lines.extend(more(self.routes.len() - listed, "routes", columns));
        lines
    }

    /// The running tests in at most this many lines, the oldest first.
    fn test_lines(&self, now: Instant, columns: usize, room: usize) -> Vec<Line> {
        let mut tests: Vec<(&String, &Running)> = self.running.iter().collect();
        let listed = listed(tests.len(), room);
        if let Some(last) = listed.checked_sub(1).filter(|_| listed < tests.len()) {
            tests.select_nth_unstable_by_key(last, |(_, test)| test.number);
        }
        let rest = tests.len() - listed;
        tests.truncate(listed);
        tests.sort_unstable_by_key(|(_, test)| test.number);
        let mut lines: Vec<Line> =
            tests.into_iter().map(|(key, test)| self.test_line(key, test, now, columns)).collect();
        lines.extend(more(rest, "tests", columns).filter(|_| room > 0));
        lines
    }

    fn test_line(&self, key: &str, test: &Running, now: Instant, columns: usize) -> Line {
        let age = now.saturating_duration_since(test.since);
        let tone = match age {
            _ if self.is_hung(test, now) => Tone::Bad,
            age if age >= SLOW => Tone::Notice,
            _ => Tone::Plain,
        };
        let age = format!("{:>8}  ", Age(age));
        let (_, id) = split_text(key, test.id_at);
        let route = self.route_shown(test.route, columns);
        let room = columns.saturating_sub(age.len() + Line::new(Tone::Plain, route.as_str()).width());
        let id = shorten(&self.shown(id), room, self.ellipsis());
        let mut line = Line::new(tone, format!("{age}{id}"));
        line.push(Tone::Aside, route);
        line.cut(columns)
    }

    /// Where a test runs, if there are several places, and room to say it.
    fn route_shown(&self, route: usize, columns: usize) -> String {
        let name = self.routes.get(route).and_then(|route| route.name.as_deref());
        match name.filter(|_| self.routes.len() > 1 && columns >= 50) {
            Some(name) => format!(" [{}]", shorten(&self.shown(name), columns / 5, self.ellipsis())),
            None => String::new(),
        }
    }
}

/// How many of these are listed when there is room for this many lines, the last of which counts the others.
fn listed(count: usize, room: usize) -> usize {
    if count <= room { count } else { room.saturating_sub(1) }
}

fn more(count: usize, what: &str, columns: usize) -> impl Iterator<Item = Line> {
    let line = Line::new(Tone::Aside, format!("{:10}and {count} more {what}", "")).cut(columns);
    (count > 0).then_some(line).into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDE: Size = Size { columns: 80, rows: 24 };
    const NARROW: Size = Size { columns: 40, rows: 24 };

    /// A run: each event with its second.
    fn progress(events: &[(u64, Event<'_>)]) -> (RunProgress, Instant) {
        let began = Instant::now();
        let mut progress = RunProgress::new(began, Duration::from_secs(30), true);
        for (second, event) in events {
            progress.note(event, began + Duration::from_secs(*second));
        }
        (progress, began)
    }

    fn check(events: &[(u64, Event<'_>)], second: u64, size: Size, expected: &[&str]) {
        let (progress, began) = progress(events);
        let lines = progress.lines(began + Duration::from_secs(second), size);
        assert_eq!(lines.iter().map(Line::text).collect::<Vec<_>>(), expected);
        assert!(lines.len() < size.rows && lines.iter().all(|line| line.width() < size.columns));
    }

    fn on<'a>(route: &'a str, id: &'a str, status: Status) -> Event<'a> {
        Event { route_code: Some(route), ..Event::status(id, status) }
    }

    const LONG: &str = "orders.tests.test_totals.TestRounding.test_rounds_half_to_even[x86_64]";

    #[test]
    fn the_oldest_test_stands_first_with_its_age() {
        check(
            &[
                (0, Event::status("slow", Status::InProgress)),
                (50, Event::status("b", Status::InProgress)),
                (61, Event::status("a", Status::InProgress)),
                (61, Event::status("b", Status::Success)),
                (61, Event::status("s", Status::Skip)),
            ],
            62,
            WIDE,
            &["   1m02s  2 done, 1 hung, 2 running, 1 passed, 1 skipped", "   1m02s  slow", "      1s  a"],
        );
    }

    #[test]
    fn nothing_is_wider_than_the_terminal() {
        let events =
            [(0, on("worker-with-a-long-name", LONG, Status::InProgress)), (0, on("w2", "a", Status::Fail))];
        check(
            &events,
            7,
            NARROW,
            &[
                "      7s  1 done, 1 failed, 1 running",
                "          route     done failed running",
                "          wo…-name     0      0       1",
                "          w2           1      1       0",
                "      7s  orders.test…f_to_even[x86_64]",
            ],
        );
        let tiny = Size { columns: 12, rows: 3 };
        check(&events, 7, tiny, &["      7s", "      7s  …"]);
    }

    #[test]
    fn more_than_there_is_room_for_is_counted() {
        let ids: Vec<String> = (0..30).map(|number| format!("t{number}")).collect();
        let mut events = Vec::new();
        events.extend(ids.iter().map(|id| (0, Event::status(id, Status::InProgress))));
        let size = Size { columns: 80, rows: 5 };
        check(
            &events,
            0,
            size,
            &["      0s  0 done, 30 running", "      0s  t0", "      0s  t1", "          and 28 more tests"],
        );
        let (progress, now) = progress(&events);
        assert_eq!(progress.lines(now, Size { rows: 100, ..size }).len(), 1 + MOST_TESTS + 1);
    }

    #[test]
    fn routes_are_shown_where_there_are_several() {
        check(
            &[
                (0, Event::status("c", Status::Exists)),
                (0, on("w1", "a", Status::InProgress)),
                (0, on("w2", "b", Status::InProgress)),
                (5, on("w1", "a", Status::Success)),
                (5, on("w1", "c", Status::InProgress)),
            ],
            6,
            WIDE,
            &[
                "      6s  1 done, 2 running, 1 passed",
                "          route                     done failed running",
                "          w1                           1      0       1",
                "          w2                           0      0       1",
                "      6s  b [w2]",
                "      1s  c [w1]",
            ],
        );
    }

    #[test]
    fn only_a_test_that_is_silent_hangs() {
        let log = |id| Event { test_id: Some(id), ..Event::file("log", b"x") };
        let (progress, began) = progress(&[
            (0, Event::status("lively", Status::InProgress)),
            (0, Event::status("silent", Status::InProgress)),
            (0, Event { test_id: Some("x"), ..Event::default() }),
            (29, log("lively")),
        ]);
        let tones = |second| {
            let lines = progress.lines(began + Duration::from_secs(second), WIDE);
            lines.iter().skip(1).map(Line::tone).collect::<Vec<_>>()
        };
        assert_eq!(tones(9), [Tone::Plain, Tone::Plain]);
        assert_eq!(tones(29), [Tone::Notice, Tone::Notice]);
        assert_eq!(tones(30), [Tone::Notice, Tone::Bad]);
    }

    #[test]
    fn failures_are_lines_to_be_kept() {
        let began = Instant::now();
        let mut progress = RunProgress::new(began, Duration::from_secs(30), false);
        let mut kept = |event: Event<'_>, second| {
            progress.note(&event, began + Duration::from_secs(second)).map(|line| line.text())
        };
        assert_eq!(kept(Event::status("grün", Status::InProgress), 0), None);
        let expected = |text: &str| Some(text.to_owned());
        assert_eq!(kept(Event::status("grün", Status::Fail), 7), expected(r"FAIL      7s  gr\u{fc}n"));
        assert_eq!(kept(on("0", "a\x1b", Status::UxSuccess), 7), expected(r"FAIL          a\x1b [0]"));
        assert_eq!(
            kept(Event { test_id: None, ..on("0", "", Status::Fail) }, 7),
            expected("FAIL          (the run as a whole) [0]")
        );
        let damage = Event {
            status: Some(Status::Fail),
            test_id: Some(DAMAGE_ID),
            ..Event::file(streamresult::DAMAGE_MESSAGE, b"cut")
        };
        assert_eq!(kept(damage, 7), expected("FAIL          cut"));
        assert_eq!(kept(Event::status("b", Status::Success), 7), None);
    }
}
