//! Hands each event to one of several sinks.

use std::collections::{BTreeMap, HashMap};
use std::io;

use subunit::{Event, Packet};

use crate::{Extent, StreamResult};

/// Hands each event to the one sink that a rule names: by route code, by test id, else to the fallback.
///
/// - A route rule holds one or more elements, `a` or `a/b`, and takes the events of which the route code
///   begins with exactly those elements (`1` takes `1` and `1/x`, not `10`). Of several that match, the
///   longest one wins.
/// - A [consuming](Rule::consuming) route rule takes its elements from the route code: `a/b` becomes `b`,
///   `a` becomes none.
/// - A route rule wins over a rule for a test id. An id rule is exact; [`Rule::no_test_id`] is for the events
///   of the run as a whole.
/// - A second rule for the same route or id takes the place of the first.
///
/// Sinks and rules come and go at any time. A sink that [asks](Notify::StartStop) for it is told once of the
/// run's start and once of its stop: at once when the run has started already, and when it is removed.
///
/// ```
/// use streamresult::{Notify, Router, Rule, StreamResult, from_fn};
/// use subunit::{Event, Status};
///
/// let mut seen = Vec::new();
/// let mut router = Router::new();
/// let workers = router.add_sink(
///     Box::new(from_fn(|event| Ok(seen.push(event.route_code.map(str::to_owned))))),
///     Notify::StartStop,
/// )?;
/// router.add_rule(Rule::route("workers").consuming(), workers);
/// router.start_run()?;
/// router.status(&Event { route_code: Some("workers/7"), ..Event::status("boot", Status::Success) })?;
/// router.stop_run()?;
/// drop(router);
/// assert_eq!(seen, [Some("7".to_owned())]);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Router<S> {
    sinks: BTreeMap<SinkId, Sink<S>>,
    /// How many sinks were ever added.
    added: u64,
    routes: HashMap<String, Target>,
    test_ids: HashMap<String, SinkId>,
    no_test_id: Option<SinkId>,
    fallback: Option<SinkId>,
    /// The most elements that a route rule has.
    depth: usize,
    running: bool,
    /// Where the current event is.
    extent: Extent,
}

/// A sink of a [`Router`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SinkId(u64);

/// Whether a sink is told of the run's start and stop. Closed: it is or it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notify {
    /// It is told: [`StreamResult::start_run`] and [`StreamResult::stop_run`].
    StartStop,
    /// It gets events only.
    EventsOnly,
}

#[derive(Debug)]
struct Sink<S> {
    result: S,
    notify: Notify,
    started: bool,
}

#[derive(Clone, Copy, Debug)]
struct Target {
    sink: SinkId,
    consuming: bool,
}

/// Which events go to a sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule(Matches);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Matches {
    Route { prefix: String, consuming: bool },
    TestId(Option<String>),
}

impl Rule {
    /// The events of which the route code begins with these elements.
    pub fn route(prefix: impl Into<String>) -> Self {
        Rule(Matches::Route { prefix: prefix.into(), consuming: false })
    }

    /// The events of this test.
    pub fn test_id(test_id: impl Into<String>) -> Self {
        Rule(Matches::TestId(Some(test_id.into())))
    }

    /// The events without a test id.
    #[must_use]
    pub fn no_test_id() -> Self {
        Rule(Matches::TestId(None))
    }

    /// Takes the elements of a route rule from the route code; changes nothing of other rules.
    #[must_use]
    pub fn consuming(self) -> Self {
        match self.0 {
            Matches::Route { prefix, .. } => Rule(Matches::Route { prefix, consuming: true }),
            other => Rule(other),
        }
    }
}

impl<S> Default for Router<S> {
    fn default() -> Self {
        Router {
            sinks: BTreeMap::new(),
            added: 0,
            routes: HashMap::new(),
            test_ids: HashMap::new(),
            no_test_id: None,
            fallback: None,
            depth: 0,
            running: false,
            extent: Extent::default(),
        }
    }
}

impl<'a> Router<Box<dyn StreamResult + 'a>> {
    /// A router to sinks of any kind, without rules and fallback.
    #[must_use]
    pub fn new() -> Self {
        Router::default()
    }
}

impl<S: StreamResult> Router<S> {
    /// Adds a sink; rules say what it gets.
    ///
    /// # Errors
    ///
    /// When the sink fails to start, which it is asked to do if a run is under way. It is added all the same.
    pub fn add_sink(&mut self, result: S, notify: Notify) -> io::Result<SinkId> {
        let mut sink = Sink { result, notify, started: false };
        let started = if self.running { sink.start() } else { Ok(()) };
        let id = SinkId(self.added);
        self.added += 1;
        self.sinks.insert(id, sink);
        started.map(|()| id)
    }

    /// Hands the events of a rule to a sink.
    pub fn add_rule(&mut self, rule: Rule, sink: SinkId) {
        match rule.0 {
            Matches::TestId(None) => self.no_test_id = Some(sink),
            Matches::TestId(Some(test_id)) => {
                self.test_ids.insert(test_id, sink);
            }
            Matches::Route { prefix, consuming } => {
                self.depth = self.depth.max(elements(&prefix));
                self.routes.insert(prefix, Target { sink, consuming });
            }
        }
    }

    /// Hands the events that no rule takes to a sink. Without it they are errors.
    pub fn set_fallback(&mut self, sink: SinkId) {
        self.fallback = Some(sink);
    }

    /// Removes a rule; whether it consumes makes no difference. Its events go where others say.
    pub fn remove_rule(&mut self, rule: &Rule) {
        match &rule.0 {
            Matches::TestId(None) => self.no_test_id = None,
            Matches::TestId(Some(test_id)) => {
                self.test_ids.remove(test_id);
            }
            Matches::Route { prefix, .. } => {
                self.routes.remove(prefix);
                self.measure();
            }
        }
    }

    /// Removes a sink with its rules and gives it back, stopped if it was started; `None` when it was removed
    /// before.
    ///
    /// # Errors
    ///
    /// When the sink fails to stop. It is removed all the same.
    pub fn remove_sink(&mut self, id: SinkId) -> io::Result<Option<S>> {
        let Some(mut sink) = self.sinks.remove(&id) else { return Ok(None) };
        self.routes.retain(|_, target| target.sink != id);
        self.test_ids.retain(|_, sink| *sink != id);
        self.no_test_id = self.no_test_id.filter(|sink| *sink != id);
        self.fallback = self.fallback.filter(|sink| *sink != id);
        self.measure();
        sink.stop()?;
        Ok(Some(sink.result))
    }

    /// Notes how many elements the longest route rule has.
    fn measure(&mut self) {
        self.depth = self.routes.keys().map(|prefix| elements(prefix)).max().unwrap_or(0);
    }

    /// The sink of an event, and the route code it is to have.
    fn target<'e>(
        &mut self,
        route_code: Option<&'e str>,
        test_id: Option<&str>,
    ) -> io::Result<(&mut S, Option<&'e str>)> {
        let routed = route_code.and_then(|code| self.routed(code));
        let (id, route_code) = match routed {
            Some((target, rest)) => (Some(target.sink), if target.consuming { rest } else { route_code }),
            None => (self.of_test(test_id).or(self.fallback), route_code),
        };
        let sink = id.and_then(|id| self.sinks.get_mut(&id));
        sink.map(|sink| (&mut sink.result, route_code)).ok_or_else(|| no_sink(route_code, test_id))
    }

    /// The longest route rule for a code, and what follows its elements.
    fn routed<'e>(&self, code: &'e str) -> Option<(Target, Option<&'e str>)> {
        let slashes = code.match_indices('/').map(|(at, _)| at);
        // As many elements as the longest rule has, however many the code has.
        let mut end = slashes.chain([code.len()]).take(self.depth).last()?;
        loop {
            let (prefix, rest) = code.split_at_checked(end)?;
            if let Some(target) = self.routes.get(prefix) {
                return Some((*target, rest.strip_prefix('/')));
            }
            end = prefix.rfind('/')?;
        }
    }

    fn of_test(&self, test_id: Option<&str>) -> Option<SinkId> {
        match test_id {
            None => self.no_test_id,
            Some(test_id) => self.test_ids.get(test_id).copied(),
        }
    }

    fn each(&mut self, call: impl FnMut(&mut Sink<S>) -> io::Result<()>) -> io::Result<()> {
        crate::fan_out::all(self.sinks.values_mut(), call)
    }
}

/// How many elements a route code has.
fn elements(prefix: &str) -> usize {
    prefix.split('/').count()
}

#[cold]
fn no_sink(route_code: Option<&str>, test_id: Option<&str>) -> io::Error {
    let message =
        format!("no rule for an event of test {test_id:?} with route {route_code:?}, and no fallback");
    io::Error::new(io::ErrorKind::NotFound, message)
}

impl<S: StreamResult> Sink<S> {
    fn start(&mut self) -> io::Result<()> {
        if self.notify == Notify::EventsOnly || self.started {
            return Ok(());
        }
        self.started = true;
        self.result.start_run()
    }

    fn stop(&mut self) -> io::Result<()> {
        if !std::mem::take(&mut self.started) {
            return Ok(());
        }
        self.result.stop_run()
    }
}

impl<S: StreamResult> StreamResult for Router<S> {
    fn start_run(&mut self) -> io::Result<()> {
        self.running = true;
        self.each(Sink::start)
    }

    fn at(&mut self, extent: Extent) {
        self.extent = extent;
    }

    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        let extent = self.extent;
        let (sink, route_code) = self.target(event.route_code, event.test_id)?;
        sink.at(extent);
        sink.status(&Event { route_code, ..*event })
    }

    fn packet(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        let (extent, before) = (self.extent, packet.route_code());
        let (sink, route_code) = self.target(before, packet.test_id())?;
        sink.at(extent);
        if route_code == before {
            sink.packet(packet)
        } else {
            sink.status(&Event { route_code, ..packet.event() })
        }
    }

    fn outlives_errors(&self) -> bool {
        self.sinks.len() > 1 || self.sinks.values().any(|sink| sink.result.outlives_errors())
    }

    fn should_stop(&self) -> bool {
        self.sinks.values().any(|sink| sink.result.should_stop())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.each(|sink| sink.result.flush())
    }

    /// It is passed on also where no start was: whoever is told of both gets what comes.
    fn stop_run(&mut self) -> io::Result<()> {
        self.running = false;
        self.each(|sink| {
            sink.started |= sink.notify == Notify::StartStop;
            sink.stop()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::CallLog;
    use crate::{StreamResultExt, from_fn};

    /// Which of the sinks gets an event, and with which route.
    fn check(
        rules: &[Rule],
        route_code: Option<&str>,
        test_id: Option<&str>,
        expected: (usize, Option<&str>),
    ) {
        let got = std::cell::RefCell::new(None);
        let got = &got;
        let mut router = Router::new();
        let sink = |number| {
            Box::new(from_fn(move |event| {
                *got.borrow_mut() = Some((number, event.route_code.map(str::to_owned)));
                Ok(())
            }))
        };
        let fallback = router.add_sink(sink(usize::MAX), Notify::EventsOnly).unwrap();
        router.set_fallback(fallback);
        for (number, rule) in rules.iter().enumerate() {
            let id = router.add_sink(sink(number), Notify::EventsOnly).unwrap();
            router.add_rule(rule.clone(), id);
        }
        router.status(&Event { route_code, test_id, ..Event::default() }).unwrap();
        let (number, route) = expected;
        assert_eq!(*got.borrow(), Some((number, route.map(str::to_owned))), "{route_code:?} {test_id:?}");
    }

    const FALLBACK: usize = usize::MAX;

    #[test]
    fn routes_compare_element_by_element_and_the_longest_wins() {
        let rules = [Rule::route("1"), Rule::route("a/b").consuming(), Rule::route("a")];
        check(&rules, Some("1"), None, (0, Some("1")));
        check(&rules, Some("1/x"), None, (0, Some("1/x")));
        check(&rules, Some("10"), None, (FALLBACK, Some("10")));
        check(&rules, Some("01"), None, (FALLBACK, Some("01")));
        check(&rules, Some("a/b/c/d"), None, (1, Some("c/d")));
        check(&rules, Some("a/b"), None, (1, None));
        check(&rules, Some("a/bc"), None, (2, Some("a/bc")));
        check(&rules, Some("x/a/b"), None, (FALLBACK, Some("x/a/b")));
        check(&rules, None, None, (FALLBACK, None));
        check(&[], Some("a"), None, (FALLBACK, Some("a")));
        check(&[Rule::route("a").consuming()], Some("a/"), None, (0, Some("")));
        check(&[Rule::route("")], Some("/a"), None, (0, Some("/a")));
    }

    #[test]
    fn a_route_rule_wins_over_an_id_rule() {
        let rules = [Rule::test_id("t"), Rule::route("a"), Rule::no_test_id()];
        check(&rules, Some("a"), Some("t"), (1, Some("a")));
        check(&rules, Some("b"), Some("t"), (0, Some("b")));
        check(&rules, None, Some("t2"), (FALLBACK, None));
        check(&rules, None, None, (2, None));
        check(&rules, Some("a"), None, (1, Some("a")));
    }

    #[test]
    fn a_later_rule_for_the_same_takes_its_place() {
        check(&[Rule::route("a"), Rule::route("a")], Some("a"), None, (1, Some("a")));
        check(&[Rule::no_test_id(), Rule::no_test_id()], None, None, (1, None));
    }

    #[test]
    fn start_and_stop_come_once_to_those_who_ask() {
        let (early, late, quiet) = (CallLog::default(), CallLog::default(), CallLog::default());
        let mut router = Router::default();
        let first = router.add_sink(early.clone(), Notify::StartStop).unwrap();
        let mute = router.add_sink(quiet.clone(), Notify::EventsOnly).unwrap();
        router.add_rule(Rule::route("a"), first);
        router.add_rule(Rule::route("b"), first);
        router.start_run().unwrap();
        let second = router.add_sink(late.clone(), Notify::StartStop).unwrap();
        router.add_rule(Rule::test_id("t"), second);
        assert_eq!(late.lines(), ["start"]);
        assert!(router.remove_sink(second).unwrap().is_some());
        assert_eq!(late.lines(), ["start", "stop"]);
        assert!(router.remove_sink(second).unwrap().is_none());
        router.remove_rule(&Rule::route("a"));
        router.stop_run().unwrap();
        assert!(router.remove_sink(mute).unwrap().is_some());
        drop(router);
        assert_eq!(early.lines(), ["start", "stop"]);
        assert_eq!(late.lines(), ["start", "stop"]);
        assert!(quiet.lines().is_empty());
    }

    #[test]
    fn an_event_without_a_sink_is_an_error() {
        let mut router = Router::default();
        let sink = router.add_sink(CallLog::default().filtered(|_| true), Notify::EventsOnly).unwrap();
        router.set_fallback(sink);
        assert!(router.status(&Event::default()).is_ok());
        router.remove_sink(sink).unwrap();
        let error = router.status(&Event { route_code: Some("a"), ..Event::default() }).unwrap_err();
        assert_eq!(
            error.to_string(),
            "no rule for an event of test None with route Some(\"a\"), and no fallback"
        );
    }
}
