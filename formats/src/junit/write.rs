//! From records to the report.

use std::hash::{BuildHasher as _, Hasher as _};
use std::io::{self, Write};
use std::path::Path;

use foldhash::quality::RandomState;
use streamresult::{Extent, Outcome, PROPERTIES_FILE, Record, RecordSink, Spool};
use subunit::{Event, Status, Timestamp};

use super::attachments::Folder;
use super::case::{self, Element, LONGEST_PROPERTIES};
use super::case_writer::CaseWriter;
use super::merge::{Key, Run};
use super::names::{CaseName, Names, cut};
use super::options::JunitOptions;
use super::properties::class_in;
use super::suite::Suites;
use crate::hash_set::CompactHashSet;

/// Bytes of one suite that wait in memory, and of all.
const WAITING: usize = 64 << 10;
const ALL_WAITING: usize = 4 << 20;
/// The name of the case that stands for a status of the run as a whole.
const RUN: &str = "the run as a whole";

/// Takes the records of a run and writes them as JUnit XML.
///
/// Counts stand before what they count, so that nothing can be written before the run has ended: the cases
/// wait in a temporary file, and memory stays flat except for 16 bytes per test.
///
/// ```
/// use formats::junit::{JunitWriter, JunitOptions};
/// use streamresult::{Records, StreamResult};
/// use subunit::{Event, Status};
///
/// let mut records = Records::new(JunitWriter::new(JunitOptions::default()));
/// records.status(&Event::status("tests.boot", Status::Success))?;
/// records.stop_run()?;
/// let mut report = Vec::new();
/// records.into_sink().write(&mut report)?;
/// assert!(String::from_utf8_lossy(&report).contains(r#"<testcase classname="tests" name="boot"/>"#));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct JunitWriter {
    options: JunitOptions,
    spool: Spool,
    suites: Suites,
    names: Names,
    folder: Option<Folder>,
    /// The tests that ran, where runs of one test are merged.
    ran: CompactHashSet,
    /// How many cases there are, where runs of one test are merged.
    cases: u64,
    state: [RandomState; 2],
}

impl JunitWriter {
    /// A report without cases.
    #[must_use]
    pub fn new(options: JunitOptions) -> Self {
        JunitWriter {
            folder: options.attachments.clone().map(Folder::new),
            options,
            spool: Spool::with_limits(WAITING, ALL_WAITING),
            suites: Suites::default(),
            names: Names::default(),
            ran: CompactHashSet::default(),
            cases: 0,
            state: [RandomState::default(), RandomState::default()],
        }
    }

    /// Keeps what has to wait for the end in this folder, where it is long.
    #[must_use]
    pub fn in_folder(self, folder: &Path) -> Self {
        JunitWriter { spool: self.spool.in_folder(folder), ..self }
    }

    /// How many bytes of an attachment are of use here, to be given to [`Records::cap`](streamresult::Records::cap).
    #[must_use]
    pub fn cap(&self) -> u64 {
        if self.folder.is_some() { u64::MAX } else { 8 << 20 }
    }

    /// How many bytes of text were left out because nothing more could be kept until the end, and why; `None` where all
    /// could.
    #[must_use]
    pub fn no_room(&self) -> Option<(u64, &str)> {
        Some((self.spool.left_out(), self.spool.failure()?)).filter(|(left_out, _)| *left_out > 0)
    }

    /// Writes the report of all records so far.
    ///
    /// # Errors
    ///
    /// When writing to `output` fails, or reading what waited in a temporary file.
    pub fn write(mut self, output: &mut dyn Write) -> io::Result<()> {
        if self.suites.is_empty() {
            // A report without any suite is an error to some.
            self.suites.get(None);
        }
        self.suites.write(&self.options, &self.spool, output)
    }

    /// Adds a case, of which `write` writes the sections; of a later run, all but the names.
    #[inline]
    fn add(
        &mut self,
        about: &About<'_>,
        write: impl FnOnce(&mut Tools<'_>, &mut CaseWriter<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let key = if self.options.merge_retries { Some(self.key(about)) } else { None };
        let Self { options, spool, suites, names, folder, ran, .. } = self;
        let route = about.route.filter(|_| !options.single_suite);
        let suite = suites.get(route).ok_or_else(|| io::Error::other("no suite"))?;
        suite.add(about.element, about.times);
        let is_first = key.is_none_or(|key| ran.insert(key.hash));
        let start = suite.cases.len();
        let mut writer = CaseWriter::new(spool, &mut suite.cases, key.is_some());
        writer.glue("<testcase");
        write(&mut Tools { options, names, folder: folder.as_mut(), is_first }, &mut writer)?;
        let lengths = writer.finish();
        if let Some(key) = key {
            suite.runs.add(Run { key, element: about.element, start, lengths }, is_first, spool);
        }
        Ok(())
    }

    /// What tells this test from all others.
    fn key(&mut self, about: &About<'_>) -> Key {
        self.cases += 1;
        // Only tests are run again.
        let number = if about.test_id.is_some() { 0 } else { self.cases };
        let [hash, check] = self.state.each_ref().map(|state| {
            let mut hasher = state.build_hasher();
            hasher.write_u64(number);
            hasher.write_usize(about.route.map_or(usize::MAX, str::len));
            hasher.write(about.route.unwrap_or_default().as_bytes());
            hasher.write(about.test_id.unwrap_or_default());
            hasher.finish()
        });
        Key { hash, check }
    }
}

/// What a case is about.
struct About<'a> {
    route: Option<&'a str>,
    /// `None` where the case stands for something that is not a test.
    test_id: Option<&'a [u8]>,
    element: Element,
    times: Option<(Timestamp, Timestamp)>,
}

/// What it takes to write a case.
struct Tools<'a> {
    options: &'a JunitOptions,
    names: &'a mut Names,
    folder: Option<&'a mut Folder>,
    /// Whether it is the first run of its test.
    is_first: bool,
}

impl Tools<'_> {
    #[inline]
    fn names(&mut self, record: &Record<'_>, writer: &mut CaseWriter<'_>) {
        if !self.is_first {
            return;
        }
        let properties =
            record.attachment(PROPERTIES_FILE).and_then(|file| file.head(LONGEST_PROPERTIES).ok());
        let known = properties.as_deref().and_then(class_in);
        let CaseName { class, name } = match known {
            Some(class) => CaseName::of_class(record.test_id(), class),
            None => CaseName::of(record.test_id()),
        };
        let class = cut(if class.is_empty() { &self.options.suite_name } else { class });
        let name = cut(name);
        let given = self.names.give(&class, &name, record.route_code());
        case::attributes(&class, &given, Some(record), self.options, writer);
    }
}

impl RecordSink for JunitWriter {
    #[inline]
    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        if record.outcome() == Outcome::Exists {
            return Ok(());
        }
        let about = About {
            route: record.route_code(),
            test_id: (!record.is_damage()).then(|| record.test_id_bytes()),
            element: case::element(record),
            times: record.first().zip(record.last()),
        };
        self.add(&about, |tools, writer| {
            tools.names(record, writer);
            case::body(record, tools.options, tools.folder.as_deref_mut(), writer)
        })
    }

    /// Its case was written: the text goes to the suite.
    fn late(&mut self, event: &Event<'_>, _: Option<Extent>) -> io::Result<()> {
        let Self { options, spool, suites, .. } = self;
        let (Some(id), Some(file)) = (event.test_id, event.file) else { return Ok(()) };
        let route = event.route_code.filter(|_| !options.single_suite);
        match suites.get(route) {
            Some(suite) => suite.add_late(id, file, event.mime_type, spool),
            None => Ok(()),
        }
    }

    /// What a suite has to say of itself is said of it again; output of the run as a whole is not the report's.
    fn global(&mut self, event: &Event<'_>) -> io::Result<()> {
        let file = event.file.filter(|file| file.name == PROPERTIES_FILE);
        let route = event.route_code.filter(|_| !self.options.single_suite);
        if let Some((file, suite)) = file.and_then(|file| Some((file, self.suites.get(route)?))) {
            suite.properties.push(file.bytes, event.eof);
        }
        Ok(())
    }

    fn global_status(&mut self, event: &Event<'_>, status: Status) -> io::Result<()> {
        if !status.is_failure() {
            return Ok(());
        }
        let about = About {
            route: event.route_code,
            test_id: None,
            element: Element::Failure,
            times: event.timestamp.zip(event.timestamp),
        };
        self.add(&about, |tools, writer| {
            let class = cut(&tools.options.suite_name);
            let name = tools.names.give(&class, RUN, event.route_code);
            case::attributes(&class, &name, None, tools.options, writer);
            case::failure("the run as a whole failed", event.file.map_or(&[], |file| file.bytes), writer)
        })
    }
}
