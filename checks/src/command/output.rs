//! The output of a monitoring plugin: a line, performance data, more lines.

use probe::{MetricUnit, Range, rounded};
use subunit::split_text;

/// The output of a plugin.
///
/// ```
/// use checks::command::PluginOutput;
///
/// let output = PluginOutput::parse("DISK OK - free | /=2MB;5;10;0;20\nmore\n");
/// assert_eq!(output.line, "DISK OK - free");
/// assert_eq!(output.rest, "more");
/// assert_eq!(output.data[0].metric(), "root_bytes");
/// assert_eq!(output.data[0].value, 2e6);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PluginOutput {
    /// The first line.
    pub line: String,
    /// The other lines.
    pub rest: String,
    /// The performance data as it stands there.
    pub raw: String,
    /// The numbers in it.
    pub data: Vec<Datum>,
}

/// A number of performance data: `'label'=value[UOM];[warn];[crit];[min];[max]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Datum {
    /// Its label.
    pub label: String,
    /// The number, in its unit: seconds, bytes, percent or things.
    pub value: f64,
    /// Its unit, as far as it is known.
    pub unit: Option<MetricUnit>,
    /// The range outside of which the plugin warns.
    pub warning: Option<Range>,
    /// The range outside of which it is critical.
    pub critical: Option<Range>,
}

impl PluginOutput {
    /// Reads the output of a plugin.
    #[must_use]
    pub fn parse(output: &str) -> Self {
        let mut lines = output.trim_end().lines();
        let first = lines.next().unwrap_or_default();
        let (line, first_data) = first.split_once('|').unwrap_or((first, ""));
        let (mut rest, mut raw) = (Vec::new(), vec![first_data.trim()]);
        let mut is_data = false;
        for line in lines {
            // After the second bar all that comes is data.
            match line.split_once('|').filter(|_| !is_data) {
                Some((text, data)) => {
                    is_data = true;
                    rest.push(text.trim_end());
                    raw.push(data.trim());
                }
                None if is_data => raw.push(line.trim()),
                None => rest.push(line.trim_end()),
            }
        }
        let raw = raw.join(" ").trim().to_owned();
        let data = parse_data(&raw);
        PluginOutput { line: line.trim().to_owned(), rest: rest.join("\n"), raw, data }
    }
}

/// The numbers; anything else is left out.
fn parse_data(raw: &str) -> Vec<Datum> {
    let mut data = Vec::new();
    let mut rest = raw.trim_start();
    while let Some((label, after)) = label(rest) {
        let end = after.find(char::is_whitespace).unwrap_or(after.len());
        let (fields, next) = split_text(after, end);
        data.extend(Datum::parse(label, fields));
        rest = next.trim_start();
    }
    data
}

/// The label at the beginning, and what follows its equals sign.
fn label(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('\'') else {
        return text.split_once('=').map(|(label, rest)| (label.trim().to_owned(), rest));
    };
    let mut label = String::new();
    let mut rest = quoted;
    loop {
        let (part, after) = rest.split_once('\'')?;
        label.push_str(part);
        match after.strip_prefix('\'') {
            Some(after) => {
                label.push('\'');
                rest = after;
            }
            None => return after.strip_prefix('=').map(|rest| (label, rest)),
        }
    }
}

impl Datum {
    fn parse(label: String, fields: &str) -> Option<Self> {
        let mut fields = fields.split(';');
        let number = fields.next()?;
        let end = number.find(|letter: char| !letter.is_ascii_digit() && !"+-.,eE".contains(letter));
        let (value, symbol) = number.split_at_checked(end.unwrap_or(number.len()))?;
        let value: f64 = value.replace(',', ".").parse().ok()?;
        let unit = unit(symbol);
        let symbol = unit.map_or("", |(_, symbol)| symbol);
        let unit = unit.map(|(unit, _)| unit);
        let of = unit.unwrap_or(MetricUnit::Count);
        let mut range = || Range::parse(&with_symbol(fields.next()?.trim(), symbol), of).ok();
        let (warning, critical) = (range(), range());
        let value = of.parse(&format!("{value}{symbol}")).ok()?;
        Some(Datum { label, value, unit, warning, critical })
    }

    /// Its name as a metric: the label in small letters, with its unit at the end.
    #[must_use]
    pub fn metric(&self) -> String {
        let plain =
            |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { ' ' };
        let words: String = self.label.chars().map(plain).collect();
        let mut name = words.split_whitespace().collect::<Vec<_>>().join("_");
        if name.is_empty() {
            name = if self.label == "/" { "root" } else { "value" }.to_owned();
        }
        let suffix = match self.unit {
            Some(MetricUnit::Seconds) => "_seconds",
            Some(MetricUnit::Bytes) => "_bytes",
            Some(MetricUnit::Percent) => "_percent",
            _ => "",
        };
        if name.ends_with(suffix) { name } else { name + suffix }
    }

    /// Which of its ranges it is outside of, in words.
    #[must_use]
    pub fn alert(&self) -> Option<String> {
        let outside = |range: &Option<Range>| range.clone().filter(|range| range.alerts(self.value));
        let (range, word) = match (outside(&self.critical), outside(&self.warning)) {
            (Some(range), _) => (range, "critical"),
            (None, Some(range)) => (range, "warning"),
            (None, None) => return None,
        };
        let symbol = self.unit.map_or("", MetricUnit::symbol);
        Some(format!(
            "{} = {}{symbol} is outside of the {word} range {range}",
            self.label,
            rounded(self.value)
        ))
    }
}

/// A range whose bounds have this unit.
fn with_symbol(range: &str, symbol: &str) -> String {
    let with = |bound: &str| {
        if bound.ends_with(|last: char| last.is_ascii_digit()) {
            format!("{bound}{symbol}")
        } else {
            bound.to_owned()
        }
    };
    range.split(':').map(with).collect::<Vec<_>>().join(":")
}

/// What a unit of measurement stands for, and in which multiple. Plugins do not say whether their KB are of 1000 or
/// of 1024 bytes: here they are of 1000, like all others.
fn unit(symbol: &str) -> Option<(MetricUnit, &'static str)> {
    Some(match symbol {
        "s" => (MetricUnit::Seconds, "s"),
        "ms" => (MetricUnit::Seconds, "ms"),
        "us" | "µs" => (MetricUnit::Seconds, "us"),
        "ns" => (MetricUnit::Seconds, "ns"),
        "%" => (MetricUnit::Percent, "%"),
        "B" => (MetricUnit::Bytes, "B"),
        "kB" | "KB" => (MetricUnit::Bytes, "kB"),
        "MB" => (MetricUnit::Bytes, "MB"),
        "GB" => (MetricUnit::Bytes, "GB"),
        "TB" => (MetricUnit::Bytes, "TB"),
        "KiB" => (MetricUnit::Bytes, "KiB"),
        "MiB" => (MetricUnit::Bytes, "MiB"),
        "GiB" => (MetricUnit::Bytes, "GiB"),
        "TiB" => (MetricUnit::Bytes, "TiB"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(raw: &str, expected: &[(&str, f64)]) {
        let data = parse_data(raw);
        let found: Vec<_> = data.iter().map(|datum| (datum.metric(), datum.value)).collect();
        let expected: Vec<_> = expected.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        assert_eq!(found, expected, "{raw}");
    }

    #[test]
    fn performance_data_is_read_with_its_units() {
        check("time=0.001282s;0.5;;0.0;10.0", &[("time_seconds", 0.001_282)]);
        check("/=25260195840B;243497277849;257024904396;0;270552530944", &[("root_bytes", 25_260_195_840.0)]);
        check("load1=0.250;15.000;30.000;0; load5=-1;;;", &[("load1", 0.25), ("load5", -1.0)]);
        check("rta=1.5ms;;;; pl=0%;5;10;0;100", &[("rta_seconds", 0.0015), ("pl_percent", 0.0)]);
        check("'free space'=1,5MB 'it''s'=2c", &[("free_space_bytes", 1_500_000.0), ("it_s", 2.0)]);
        check("time_seconds=1s", &[("time_seconds", 1.0)]);
        check("size=1e3B", &[("size_bytes", 1000.0)]);
    }

    #[test]
    fn anything_but_a_number_is_left_out() {
        check("a=U b=1", &[("b", 1.0)]);
        check("a= b=x c=1", &[("c", 1.0)]);
        check("nothing here", &[]);
        check("'open=1", &[]);
        check("=1", &[("value", 1.0)]);
        check("a=1;;;;;;;;", &[("a", 1.0)]);
        check("a=1e999 b=2", &[("b", 2.0)]);
    }

    #[test]
    fn lines_and_data_are_told_apart() {
        let output = PluginOutput::parse("OK - up | a=1\nlong 1\nlong 2 | b=2\nc=3 d=4\n");
        assert_eq!((output.line.as_str(), output.rest.as_str()), ("OK - up", "long 1\nlong 2"));
        assert_eq!(output.raw, "a=1 b=2 c=3 d=4");
        assert_eq!(output.data.len(), 4);
        assert_eq!(PluginOutput::parse(""), PluginOutput::default());
        assert_eq!(PluginOutput::parse("only a line\n").line, "only a line");
    }

    #[test]
    fn ranges_say_which_number_is_to_blame() {
        let alert = |raw| parse_data(raw).first().and_then(Datum::alert);
        assert_eq!(alert("a=5;10;20"), None);
        assert_eq!(alert("a=15ms;10;20").unwrap(), "a = 0.015s is outside of the warning range 10ms");
        assert_eq!(alert("a=25;10;20").unwrap(), "a = 25 is outside of the critical range 20");
        assert_eq!(alert("a=5;;10:").unwrap(), "a = 5 is outside of the critical range 10:");
        assert_eq!(alert("a=15;@10:20").unwrap(), "a = 15 is outside of the warning range @10:20");
        assert_eq!(alert("a=5;x;y"), None);
    }
}
