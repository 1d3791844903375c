//! What `subunit help` tells beside the commands.

/// A short text about something that all commands share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Topic {
    /// The word that asks for it.
    pub(crate) name: &'static str,
    /// What it is about, in a line.
    pub(crate) about: &'static str,
    /// The text, in pieces.
    pub(crate) text: &'static [&'static str],
}

/// All topics, by name.
pub(crate) const TOPICS: &[Topic] = &[
    Topic { name: "concepts", about: "Streams, tests, outcomes, runs", text: &[CONCEPTS] },
    Topic { name: "exit-codes", about: "What a command exits with", text: &[EXIT_TABLE, EXIT_CODES] },
    Topic { name: "formats", about: "What can be read and written", text: &[FORMATS] },
    Topic { name: "json", about: "The keys of what --json writes", text: &[JSON] },
    Topic { name: "routes", about: "Where in a stream a test comes from", text: &[ROUTES] },
    Topic { name: "selectors", about: "How to say which tests are meant", text: &[SELECTORS] },
];

const CONCEPTS: &str = "\
A stream is a sequence of packets, each with a length and a checksum; each says what happened to one test. Streams can
be piped, joined, filtered and stored while they are written. Text between the packets is kept apart, and damage costs
only the packets that it hits, and is reported.

A test has an id, and packets tell of it: that it exists, that it is in progress, and how it ended (success, fail, skip,
xfail: failed as expected, uxsuccess: passed unexpectedly). Packets also bring tags, times, the route on which they
came (see `subunit help routes`) and files: logs, tracebacks, metrics. A test that began and never ended is unfinished,
and so has failed.

A run is all that one stream tells. It has failed when a test failed, passed unexpectedly or is unfinished, or when the
stream is damaged; the exit code says so (see `subunit help exit-codes`).

A repository keeps runs: `subunit init` makes one, `subunit load` stores a stream as the latest run. A run is named by
its number, by -1 (the latest, -2 the one before), by `latest` or by `latest-failing`. A test that failed stays failing
until it passes in a later run.
";

const SELECTORS: &str = "\
A query says in one line which tests are meant. subunit-filter --query, subunit-ls --query, subunit list --query,
subunit run --only and the search of the page that subunit2html writes take the same words; all of them must hold of a
test. To subunit run a test is as it was when it ran last, and places and tags are not known.

  boot, \"two words\"  this is in its id, in capital letters or not
  is:fail,skip       it ended like this: pass, fail, unfinished, flaky (passed when it was tried again, which `pass`
                     leaves out), skip, xfail, uxsuccess, exists; `failing` is all that counts against a run
  on:ash             it ran there, or at a place within it: a route, and behind it the worker that its tags name
  tag:slow           it has this tag
  id:net.*           its whole id is like this; * stands for anything
  >10s, <=1h30m      it took longer, or not as long
  new:               it did not go wrong in the run before, where earlier runs are known

With - before it a word must not hold: -tag:slow. Of several outcomes, or several places, one must hold. Quotes go
around what has blanks, tag:\"two words\", and around what is text though it looks like one of these: \"is:fail\".
";

const EXIT_TABLE: &str = cli::help!([Passed, Failed, Incomplete, Nothing, Outstanding]);

const EXIT_CODES: &str = "

Commands that pass a stream on exit with 0, whatever its tests did. When several codes apply, the first of these
counts: 2, 130, 143, 129, 141, 1, 3, 4, 5. Each command's --help lists its own codes.

A check with --format nagios, or called by a name check_…, exits as monitoring expects: 0 ok, 1 warning, 2 critical,
3 unknown.
";

const FORMATS: &str = "\
Version 2 of subunit is what all commands read and write, unless their names say otherwise.

  subunit v1     subunit-1to2, subunit-2to1; `subunit load` tells the versions apart by the first line
  JUnit XML      junitxml2subunit, subunit2junitxml
  TAP            tap2subunit (versions 12 to 14, KTAP, prove -v), subunit2tap
  go test -json  gojson2subunit
  cargo test     libtest2subunit, also of libtest's JSON and of cargo-nextest
  JSON lines     json2subunit, subunit2json: nothing is lost either way
  CSV            subunit2csv
  HTML           subunit2html: a page to look at
  Markdown       subunit2markdown
  GitHub Actions subunit2github
  OpenMetrics    subunit2openmetrics, for Prometheus
  OpenTelemetry  subunit2otlp
  files          subunit2disk: a folder for each test, a file for each attachment
  for people     subunit2text, subunit2pyunit, subunit-ls, subunit-stats, subunit-diff

Checks write what --format says by themselves: subunit, human, nagios, json, openmetrics or junit.
";

const JSON: &str = "\
With --json a command writes an object a line. What is not known is null (in subunit-diff, a missing key); times are
RFC 3339, durations are seconds.

  a run          run (its number; null for a file), state, tests, passed, flaky, failed, skipped, start, duration,
                 command, arguments, exit, commit, branch, changed, pinned, pruned: from `subunit show`, `subunit last`
                 and `subunit history`
  a test         run, id, route, status, flaky, start, duration: from `subunit list`, `subunit slowest`,
                 `subunit failing` and `subunit history TEST`; what failed and is no test has null as id, and why and
                 lost (whether it cannot be known any more)
  subunit-ls     id, route, status, tags, start, stop, duration
  subunit flaky  id, runs, failed, changes, both
  subunit-diff   change, id, route, before, after, seconds_before, seconds_after; also `subunit compare`
  subunit-lint   stream, offset, id, route, kind, message
  subunit log    a packet a line, as subunit2json writes them (see its --help)
  subunit-stats  one object: total, passed, failed, skipped and the others, by_tag or by_route with --by
  subunit info   one object: repository, runs, passed, failed and the others, bytes, disk, first, latest

Checks write theirs with --format json.
";

const ROUTES: &str = "\
A route code says where a packet comes from, as names with slashes between them, the outermost first: `ash/0` is worker
0 on the host ash. A test is known by its route and its id: one that ran on two workers is two tests.

  subunit-mux      puts the name of each source before the routes of its packets: `subunit-mux ash=a.subunit` and
                   --exec 'ash=COMMAND'; sources without a name get a number, from 0 on
  check-all        gives each target the route HOST/TARGET
  subunit load     does the same with several files: `subunit load x86=1.subunit arm=2.subunit`
  subunit-filter   keeps the tests of a route with --route
  subunit-stats    counts each route separately with --by route
  subunit2text     groups by route with --group route
";
