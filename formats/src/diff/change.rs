//! A change, as it is written.

use std::fmt;
use std::io::{self, Write};

use crate::text::Tone;
use crate::visible;
use serde_json::{Map, Value};
use streamresult::Outcome;

use super::names::Test;

/// What became of a test. Closed: these are all the ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It fails, and did not before.
    Broken,
    /// It failed before, and does not fail.
    Fixed,
    /// It did not run before.
    New,
    /// It ran before only.
    Gone,
    /// It ended in another way, and both are or are no failure.
    Changed,
    /// It took much longer.
    Slower,
}

impl Kind {
    const ALL: [Kind; 6] = [Kind::Broken, Kind::Fixed, Kind::New, Kind::Gone, Kind::Changed, Kind::Slower];

    fn as_str(self) -> &'static str {
        match self {
            Kind::Broken => "broken",
            Kind::Fixed => "fixed",
            Kind::New => "new",
            Kind::Gone => "gone",
            Kind::Changed => "changed",
            Kind::Slower => "slower",
        }
    }

    fn tone(self) -> Tone {
        match self {
            Kind::Broken => Tone::Bad,
            Kind::Fixed => Tone::Good,
            Kind::Changed | Kind::Slower => Tone::Notice,
            Kind::New | Kind::Gone => Tone::Plain,
        }
    }
}

/// How changes are written. Closed: for people and for programs.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// A line for each, coloured or not.
    Lines {
        /// Whether the kinds are coloured.
        color: bool,
    },
    /// An object of JSON for each.
    Json,
}

/// A test that is not as before; outcomes and seconds are those before and after, where it ran.
pub struct Change<'a> {
    /// What became of it.
    pub kind: Kind,
    /// The test.
    pub test: &'a Test<'a>,
    /// How it ended.
    pub outcomes: [Option<Outcome>; 2],
    /// How long it took.
    pub seconds: [Option<f64>; 2],
}

impl Change<'_> {
    /// Writes it as a line.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn write(&self, form: Form, output: &mut dyn Write) -> io::Result<()> {
        match form {
            Form::Lines { color } => self.write_line(color, output),
            Form::Json => self.write_json(output),
        }
    }

    fn write_line(&self, color: bool, output: &mut dyn Write) -> io::Result<()> {
        self.kind.tone().write(self.kind.as_str(), color, output)?;
        write!(output, ": {}", visible::line(self.test.id))?;
        if let Some(route) = self.test.route {
            write!(output, " [{}]", visible::line(route))?;
        }
        let seconds = |seconds: f64| format!("{seconds:.3} s");
        let sides = if self.kind == Kind::Slower {
            self.seconds.map(|side| side.map(seconds))
        } else {
            self.outcomes.map(|side| side.map(|outcome| outcome.to_string()))
        };
        let sides: Vec<String> = sides.into_iter().flatten().collect();
        writeln!(output, " ({})", sides.join(" -> "))
    }

    /// What is not known has no member.
    fn write_json(&self, output: &mut dyn Write) -> io::Result<()> {
        let mut object = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            object.extend(value.map(|value| (name.to_owned(), value)));
        };
        put("change", Some(self.kind.as_str().into()));
        put("id", Some(self.test.id.into()));
        put("route", self.test.route.map(Value::from));
        let [before, after] = self.outcomes.map(|side| side.map(|outcome| Value::from(outcome.as_str())));
        put("before", before);
        put("after", after);
        let [before, after] = self.seconds.map(|side| side.map(Value::from));
        put("seconds_before", before);
        put("seconds_after", after);
        serde_json::to_writer(&mut *output, &object)?;
        output.write_all(b"\n")
    }
}

/// How many changes of each kind there are.
#[derive(Default)]
pub struct Counts([u64; Kind::ALL.len()]);

impl Counts {
    /// Counts a change.
    pub fn add(&mut self, kind: Kind) {
        if let Some(count) = self.0.get_mut(kind as usize) {
            *count += 1;
        }
    }

    /// Whether nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|count| *count == 0)
    }
}

/// The counts in one line: `2 broken, 1 new`.
impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = Kind::ALL.iter().zip(self.0).filter(|(_, count)| *count > 0);
        let words: Vec<String> = counts.map(|(kind, count)| format!("{count} {}", kind.as_str())).collect();
        formatter.write_str(&words.join(", "))
    }
}
