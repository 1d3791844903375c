//! What is compared, and the targets.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use crate::measure::{Program, Result, instructions, median};
use crate::table::{Line, Table, Target};

/// What converts which document, and how many times faster than its peer it may not fall below. 100 is wanted and
/// missed: of TAP and JUnit XML the peer makes a packet in some 10 microseconds, and finds out less.
const EMITTERS: [(&str, &str, Option<f64>); 4] = [
    ("tap2subunit", "tap", Some(15.0)),
    ("gojson2subunit", "gojson", Some(50.0)),
    ("junitxml2subunit", "junitxml", Some(15.0)),
    ("libtest2subunit", "libtest", None),
];

/// What reads the run of the usual shape, and how many times faster than its peer it may not fall below.
const READERS: [(&str, &[&str], Option<f64>); 6] = [
    ("subunit-ls", &[], Some(93.0)),
    ("subunit-stats", &[], Some(98.0)),
    ("subunit-filter", &[], Some(118.0)),
    ("subunit-filter", &["-s"], Some(161.0)),
    ("subunit-tags", &["gate"], None),
    ("subunit2junitxml", &[], Some(41.0)),
];

const MIB: f64 = 1024.0 * 1024.0;

/// Where things are, and how much is to be done.
pub struct Bench {
    full: bool,
    /// Our commands.
    bin: PathBuf,
    corpora: PathBuf,
    python: PathBuf,
    /// The programs of this package.
    here: PathBuf,
    /// Only lines with this in their name.
    word: String,
    /// How many intact packets each corpus has.
    expected: HashMap<String, u64>,
    table: Table,
}

/// A program that does a job, with and without input.
struct Job {
    full: Program,
    empty: Program,
    /// How many parts the job has: jobs of different size are compared by the part.
    parts: f64,
}

impl Bench {
    pub fn new(full: bool, bin: &str, corpora: &str, python: &str, word: &str) -> Result<Self> {
        let here = std::env::current_exe()?.parent().ok_or("the program has no folder")?.to_owned();
        let expected = fs::read_to_string(PathBuf::from(corpora).join("expected"))?;
        let expected = expected.lines().filter_map(|line| line.split_once(' '));
        let expected = expected.map(|(name, count)| Ok((name.to_owned(), count.parse()?)));
        Ok(Bench {
            full,
            bin: bin.into(),
            corpora: corpora.into(),
            python: python.into(),
            here,
            word: word.to_owned(),
            expected: expected.collect::<Result<_>>()?,
            table: Table::new(if full { 1.0 } else { 2.0 }),
        })
    }

    /// Measures everything and says how many targets were missed.
    pub fn run(mut self) -> Result<usize> {
        self.decode()?;
        self.text_and_damage()?;
        self.encode_and_route()?;
        self.instructions()?;
        self.allocations()?;
        self.commands()?;
        self.memory()?;
        Ok(self.table.missed())
    }

    fn decode(&mut self) -> Result<()> {
        let decode = |bench: &Self, program, corpus| bench.job(program, "decode", corpus);
        for (corpus, target) in [("small", 4.8), ("enumeration", 3.8), ("run", 4.8), ("attachments", 2.0)] {
            let (ours, theirs) = (decode(self, "ours", corpus), decode(self, "theirs", corpus));
            self.ratio(&format!("decode {corpus}, against the Rust crate"), &ours, &theirs, target)?;
        }
        let (ours, python) = (decode(self, "ours", "small"), self.python_job("small.tenth"));
        self.ratio("decode small, against python-subunit", &ours, &python, 120.0)?;
        let (ours, read) = (decode(self, "ours", "attachments"), self.job("plain", "read", "attachments"));
        self.ratio("decode attachments, against read() into a Vec", &ours, &read, 0.95)?;
        let pages = self.job("plain", "read-pages", "attachments");
        self.ratio_without_target("decode attachments, against read() into whole pages", &ours, &pages)?;
        let (events, theirs) = (self.job("ours", "events", "small"), decode(self, "theirs", "small"));
        self.ratio_without_target("decode small to events, against the Rust crate", &events, &theirs)
    }

    fn text_and_damage(&mut self) -> Result<()> {
        let decode = |bench: &Self, program, corpus| bench.job(program, "decode", corpus);
        let (ours, theirs) = (decode(self, "ours", "ascii_text"), decode(self, "theirs", "ascii_text"));
        self.ratio("text ASCII, against the Rust crate", &ours, &theirs, 5.0)?;
        let ours = decode(self, "ours", "signature_text");
        let python = self.python_job("signature_text.tenth");
        // Of some 40 ms the time is chance: what must not get worse is counted below.
        let name = "text full of B3, against python-subunit";
        if self.full {
            self.ratio(name, &ours, &python, 450.0)?
        } else {
            self.ratio_without_target(name, &ours, &python)?
        }
        let (clean, damaged) = (decode(self, "ours", "small"), decode(self, "ours", "damaged"));
        self.ratio("damaged, against the clean stream", &damaged, &clean, 1.0 / 1.25)?;
        let mut corpora: Vec<_> = self.expected.keys().cloned().collect();
        corpora.sort_unstable();
        for corpus in corpora.iter().filter(|corpus| !corpus.ends_with(".tenth")) {
            self.all_found(corpus)?;
        }
        for corpus in corpora.iter().filter(|corpus| corpus.starts_with("hostile.")) {
            self.speed(corpus)?;
        }
        Ok(())
    }

    fn encode_and_route(&mut self) -> Result<()> {
        let count = if self.full { "1000000" } else { "100000" };
        let encode = |bench: &Self, program| Job {
            full: Program::new(bench.here.join(program), &["encode", count]),
            empty: Program::new(bench.here.join(program), &["encode", "0"]),
            parts: 1.0,
        };
        let (ours, theirs) = (encode(self, "ours"), encode(self, "theirs"));
        self.ratio("encode, against the Rust crate", &ours, &theirs, 6.0)?;
        for (corpus, target) in [("small", 5.0), ("run", 5.0), ("attachments", 75.0)] {
            let (ours, theirs) = (self.job("ours", "route", corpus), self.job("theirs", "route", corpus));
            self.ratio(&format!("route prefix {corpus}, against the Rust crate"), &ours, &theirs, target)?;
        }
        self.into_pipe()
    }

    /// The elapsed time of a route prefix into a pipe against that of a bare copy into one.
    fn into_pipe(&mut self) -> Result<()> {
        let name = "route prefix attachments into a pipe, against a copy";
        if !self.wants(name) {
            return Ok(());
        }
        let (ours, copy) =
            (self.job("ours", "route", "attachments"), self.job("plain", "copy", "attachments"));
        let drain = Program::new(self.here.join("plain"), &["drain", "-"]);
        let rounds = (0..self.rounds()).map(|_| -> Result<f64> {
            let ours = ours.full.run_into(&drain)?.wall;
            Ok(copy.full.run_into(&drain)?.wall / ours)
        });
        let figure = median(rounds.collect::<Result<_>>()?);
        // Elapsed time says too little on the short input to fail for it.
        let target = if self.full { Target::AtLeast(0.9) } else { Target::None };
        self.add(name, figure, "x", target, false);
        Ok(())
    }

    fn instructions(&mut self) -> Result<()> {
        let decode = |corpus: &str| ["decode".to_owned(), self.corpora.join(corpus).display().to_string()];
        let route = |corpus: &str| ["route".to_owned(), self.corpora.join(corpus).display().to_string()];
        let encode = |count: &str| ["encode".to_owned(), count.to_owned()];
        let (long, short, between) =
            if self.full { ("small", "small.tenth", 900_000) } else { ("small", "small.tenth", 90_000) };
        let jobs = [
            ("instructions, decode small", decode(long), decode(short), between, 500.0),
            ("instructions, encode", encode("20000"), encode("10000"), 10_000, 500.0),
            ("instructions, route prefix small", route(long), route(short), between, 900.0),
            (
                "instructions, text full of B3",
                decode("signature_text"),
                decode("signature_text.tenth"),
                between,
                4000.0,
            ),
        ];
        for (name, long, short, between, target) in jobs {
            if !self.wants(name) {
                continue;
            }
            let count = |arguments: &[String; 2]| {
                instructions(&Program::new(self.here.join("ours"), &[&arguments[0], &arguments[1]]))
            };
            let figure = (count(&long)? - count(&short)?) as f64 / f64::from(between);
            self.add(name, figure.round(), "a packet", Target::AtMost(target), true);
        }
        Ok(())
    }

    fn allocations(&mut self) -> Result<()> {
        if !self.wants("allocations") {
            return Ok(());
        }
        let program = self.here.join("allocations");
        let output = std::process::Command::new(&program).output()?;
        for line in String::from_utf8(output.stdout)?.lines() {
            let (name, count) = line.rsplit_once(' ').ok_or("allocations says no number")?;
            self.add(&format!("allocations, {name}"), count.parse()?, "", Target::AtMost(0.0), true);
        }
        Ok(())
    }

    fn commands(&mut self) -> Result<()> {
        let report = |path: PathBuf, corpus: &str| {
            let program = Program { exit_codes: &[0, 1, 4], ..Program::new(path, &[]) };
            program.reading(self.corpora.join(corpus))
        };
        let job = |path: PathBuf| Job {
            full: report(path.clone(), "tests"),
            empty: report(path, "empty"),
            parts: 1.0,
        };
        let ours = job(self.bin.join("subunit2junitxml"));
        let python = job(self.python.join("bin/subunit2junitxml"));
        self.ratio("subunit2junitxml, against python-subunit", &ours, &python, 60.0)?;
        self.readers()?;
        self.emitters()
    }

    /// The run of the usual shape: ours has ten times as many tests.
    fn readers(&mut self) -> Result<()> {
        for (command, arguments, target) in READERS {
            let job = |folder: PathBuf, corpus: &str, parts| {
                let reading = |corpus: &str| {
                    let program = Program::new(folder.join(command), arguments);
                    Program { exit_codes: &[0, 1, 4], ..program }.reading(self.corpora.join(corpus))
                };
                Job { full: reading(corpus), empty: reading("empty"), parts }
            };
            let ours = job(self.bin.clone(), "run", 10.0);
            let python = job(self.python.join("bin"), "run.tenth", 1.0);
            let name =
                format!("{} of a run, against python-subunit", [&[command], arguments].concat().join(" "));
            self.compare(&name, &ours, &python, target.map_or(Target::None, Target::AtLeast))?;
        }
        Ok(())
    }

    /// Documents of other formats, converted: ours has ten times as many tests.
    fn emitters(&mut self) -> Result<()> {
        for (command, document, target) in EMITTERS {
            let Some(target) = target else { continue };
            let job = |folder: PathBuf, corpus: &str, parts| {
                // A file, since one of python's reads no other.
                let reading = |corpus: &str| {
                    let corpus = self.corpora.join(corpus);
                    let program = Program::new(folder.join(command), &[&corpus.display().to_string()]);
                    Program { exit_codes: &[0, 1, 4], ..program }.reading(corpus)
                };
                Job { full: reading(corpus), empty: reading(&format!("{document}.empty")), parts }
            };
            let ours = job(self.bin.clone(), document, 10.0);
            let python = job(self.python.join("bin"), &format!("{document}.tenth"), 1.0);
            self.ratio(&format!("{command}, against python-subunit"), &ours, &python, target)?;
        }
        Ok(())
    }

    fn memory(&mut self) -> Result<()> {
        let ours = |job, corpus: &str| {
            Program::new(self.here.join("ours"), &[job, &self.corpora.join(corpus).display().to_string()])
        };
        let mux =
            |corpus: &str| Program::new(self.bin.join("subunit-mux"), &[]).reading(self.corpora.join(corpus));
        let junit = |corpus: &str| {
            let program =
                Program::new(self.bin.join("subunit2junitxml"), &[]).reading(self.corpora.join(corpus));
            Program { exit_codes: &[0, 1], ..program }
        };
        let mut lines = vec![
            ("memory, decode small", ours("decode", "small"), 12.0),
            ("memory, decode attachments", ours("decode", "attachments"), 12.0),
            ("memory, subunit-mux small", mux("small"), 12.0),
            ("memory, subunit-mux attachments", mux("attachments"), 12.0),
            ("memory, subunit2junitxml", junit("tests"), 32.0),
        ];
        let size = if self.full { ".10M" } else { "" };
        let names = EMITTERS.map(|(command, ..)| format!("memory, {command}{}", size.replace('.', ", ")));
        for ((command, document, _), name) in EMITTERS.into_iter().zip(&names) {
            let program = Program { exit_codes: &[1], ..Program::new(self.bin.join(command), &[]) };
            lines.push((name, program.reading(self.corpora.join(format!("{document}{size}"))), 32.0));
        }
        if self.full {
            let sixteen_a_test = 16.0 * 10e6 / MIB;
            lines.push(("memory, subunit2junitxml, 10 M tests", junit("tests.10M"), 32.0 + sixteen_a_test));
            lines.push(("memory, subunit2junitxml, 1 GiB attachment", junit("attachment.1GiB"), 32.0));
        }
        for (name, program, target) in lines {
            if self.wants(name) {
                let figure = program.run()?.memory as f64 / MIB;
                self.add(name, figure, "MiB", Target::AtMost(target), true);
            }
        }
        Ok(())
    }

    /// A line for how much more CPU time the other program takes than ours.
    fn ratio(&mut self, name: &str, ours: &Job, other: &Job, target: f64) -> Result<()> {
        self.compare(name, ours, other, Target::AtLeast(target))
    }

    fn ratio_without_target(&mut self, name: &str, ours: &Job, other: &Job) -> Result<()> {
        self.compare(name, ours, other, Target::None)
    }

    fn compare(&mut self, name: &str, ours: &Job, other: &Job, target: Target) -> Result<()> {
        if !self.wants(name) {
            return Ok(());
        }
        let cpu = |job: &Job| -> Result<f64> {
            let (full, empty) = (job.full.run()?.cpu, job.empty.run()?.cpu);
            Ok((full - empty).max(1e-6) / job.parts)
        };
        let rounds = (0..self.rounds()).map(|_| {
            let ours = cpu(ours)?;
            Ok(cpu(other)? / ours)
        });
        let figure = median(rounds.collect::<Result<_>>()?);
        self.add(name, figure, "x", target, false);
        Ok(())
    }

    /// A line for whether every intact packet of a corpus is found.
    fn all_found(&mut self, corpus: &str) -> Result<()> {
        let name = format!("packets lost, {corpus}");
        if !self.wants(&name) {
            return Ok(());
        }
        let said = self.job("ours", "decode", corpus).full.run()?.said;
        let found: u64 = said.split(' ').next().unwrap_or_default().parse()?;
        let expected = self.expected(corpus);
        self.add(&name, expected.saturating_sub(found) as f64, "", Target::AtMost(0.0), true);
        Ok(())
    }

    /// A line for the megabytes a second of a corpus.
    fn speed(&mut self, corpus: &str) -> Result<()> {
        let name = format!("speed, {corpus}");
        if !self.wants(&name) {
            return Ok(());
        }
        let bytes = fs::metadata(self.corpora.join(corpus))?.len() as f64;
        let job = self.job("ours", "decode", corpus);
        let rounds = (0..self.rounds()).map(|_| Ok(bytes / 1e6 / job.full.run()?.cpu));
        let figure = median(rounds.collect::<Result<_>>()?);
        self.add(&name, figure, "MB/s", Target::AtLeast(20.0), false);
        Ok(())
    }

    fn job(&self, program: &str, job: &str, corpus: &str) -> Job {
        let on = |corpus| {
            Program::new(self.here.join(program), &[job, &self.corpora.join(corpus).display().to_string()])
        };
        Job { full: on(corpus), empty: on("empty"), parts: self.packets(corpus) }
    }

    fn python_job(&self, corpus: &str) -> Job {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/python_peer.py");
        let on = |corpus| {
            let corpus = self.corpora.join(corpus).display().to_string();
            Program::new(self.python.join("bin/python3"), &[script, "decode", &corpus])
        };
        Job { full: on(corpus), empty: on("empty"), parts: self.packets(corpus) }
    }

    /// How many intact packets a corpus has.
    fn expected(&self, corpus: &str) -> u64 {
        self.expected.get(corpus).copied().unwrap_or_default()
    }

    fn packets(&self, corpus: &str) -> f64 {
        self.expected(corpus).max(1) as f64
    }

    fn rounds(&self) -> usize {
        if self.full { 7 } else { 5 }
    }

    fn wants(&self, name: &str) -> bool {
        name.contains(&self.word)
    }

    fn add(&mut self, name: &str, figure: f64, unit: &'static str, target: Target, exact: bool) {
        self.table.add(Line { name: name.to_owned(), figure, unit, target, exact });
    }
}
