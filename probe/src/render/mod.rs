//! One result, many renderings: what a run writes, and for which reader.

mod human;
mod json;
mod nagios;
mod openmetrics;
mod places;
mod shown;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use cli::{Codes, Report, Shared, Terminal, Verdict};
use formats::junit::{JunitOptions, JunitWriter};
use human::Human;
use json::Json;
use nagios::Nagios;
use openmetrics::OpenMetrics;
use shown::Results;
use streamresult::{Records, StreamResult};
use subunit::io::Writer;
use subunit::part;

use super::{ProbeArgs, ResultFormat};

/// How the results are written.
#[derive(Clone, Debug)]
pub struct Rendering {
    /// The check's name.
    pub check: &'static str,
    /// The format.
    pub format: ResultFormat,
    /// Whether tests are only listed.
    pub list: bool,
    /// Whether lines for people are coloured.
    pub color: bool,
    /// Whether only what is not well is said.
    pub quiet: bool,
    /// How many bytes of numbers monitoring gets.
    pub perfdata_limit: u64,
    /// The file to write to; `None` is stdout.
    pub output: Option<PathBuf>,
}

impl Rendering {
    /// What these arguments say, on this command line, at this terminal.
    #[must_use]
    pub fn new(check: &'static str, shared: &ProbeArgs, args: &[OsString], terminal: &Terminal) -> Self {
        let output = shared.output.clone().filter(|path| path.as_os_str() != "-");
        let usual = if is_plugin_name(args) {
            ResultFormat::Nagios
        } else if terminal.output && output.is_none() {
            ResultFormat::Human
        } else {
            ResultFormat::Subunit
        };
        Rendering {
            check,
            format: shared.format.unwrap_or(usual),
            list: shared.list || shared.dry_run,
            color: output.is_none() && shared.color.output(terminal),
            quiet: shared.quiet,
            perfdata_limit: if shared.no_perfdata { 0 } else { shared.perfdata_limit.unwrap_or(u64::MAX) },
            output,
        }
    }
}

#[cfg(test)]
impl Rendering {
    /// All of it, for people, without colours.
    fn plain(check: &'static str) -> Self {
        let format = ResultFormat::Human;
        Rendering {
            check,
            format,
            list: false,
            color: false,
            quiet: false,
            perfdata_limit: u64::MAX,
            output: None,
        }
    }
}

/// Runs something and writes what it says as the rendering has it.
///
/// # Errors
///
/// When that fails, or nothing can be written.
pub fn render(
    rendering: &Rendering,
    output: &mut dyn Write,
    run: impl FnOnce(&mut dyn StreamResult) -> io::Result<Verdict>,
) -> anyhow::Result<Verdict> {
    // A list has no results that could be rendered.
    let format = match rendering.format {
        ResultFormat::Nagios | ResultFormat::Openmetrics | ResultFormat::Junit if rendering.list => {
            ResultFormat::Human
        }
        format => format,
    };
    match format {
        ResultFormat::Subunit | ResultFormat::Human | ResultFormat::Json => {
            let mut file = rendering.output.as_deref().map(create).transpose()?;
            let output = file.as_mut().map_or(output, |file| file);
            live(rendering, format, output, run)
        }
        ResultFormat::Nagios | ResultFormat::Openmetrics | ResultFormat::Junit => {
            document(rendering, format, output, run)
        }
    }
}

/// What is written as it comes.
fn live(
    rendering: &Rendering,
    format: ResultFormat,
    output: &mut dyn Write,
    run: impl FnOnce(&mut dyn StreamResult) -> io::Result<Verdict>,
) -> anyhow::Result<Verdict> {
    Ok(match format {
        ResultFormat::Human => run(&mut Human::new(output, rendering)),
        ResultFormat::Json => run(&mut Records::new(Results::new(Json::new(output))).cap(CAP)),
        _ => run(&mut Writer::new(output)),
    }?)
}

/// What is written when all is known, and replaces its file then.
fn document(
    rendering: &Rendering,
    format: ResultFormat,
    output: &mut dyn Write,
    run: impl FnOnce(&mut dyn StreamResult) -> io::Result<Verdict>,
) -> anyhow::Result<Verdict> {
    let mut report = match &rendering.output {
        Some(path) => Report::create(path)?,
        None => Report::stream(Shared::new(output)),
    };
    let verdict = match format {
        ResultFormat::Nagios => {
            let mut records = Records::new(Results::new(Nagios::new(rendering))).cap(CAP);
            let verdict = run(&mut records)?;
            let nagios = records.into_sink().into_sink();
            nagios.write(&mut report)?;
            if verdict.is_of_run() { nagios.verdict() } else { verdict }
        }
        ResultFormat::Openmetrics => {
            let mut records = Records::new(Results::new(OpenMetrics::default())).cap(CAP);
            let verdict = run(&mut records)?;
            records.into_sink().into_sink().write(&mut report)?;
            verdict
        }
        _ => {
            let writer = JunitWriter::new(JunitOptions {
                suite_name: rendering.check.to_owned(),
                ..JunitOptions::default()
            });
            let cap = writer.cap();
            let mut records = Records::new(writer).cap(cap);
            let verdict = run(&mut records)?;
            records.into_sink().write(&mut report)?;
            verdict
        }
    };
    report.finish()?;
    Ok(verdict)
}

/// Bytes of an attachment that are of use where few attachments are shown.
const CAP: u64 = 256 << 10;

fn create(path: &Path) -> anyhow::Result<File> {
    File::create(path).with_context(|| format!("cannot write {}", path.display()))
}

/// Whether the program was called by the name of a monitoring plugin: `check_eos`.
fn is_plugin_name(args: &[OsString]) -> bool {
    let name = args.first().map(Path::new).and_then(Path::file_name).and_then(OsStr::to_str);
    name.is_some_and(|name| name.starts_with("check_"))
}

/// The exit codes that this command line asks for, before anybody knows whether it is sound.
pub fn codes(args: &[OsString]) -> Codes {
    let words: Vec<_> = args.iter().skip(1).map(|word| word.to_str().unwrap_or_default()).collect();
    let before_end = words.iter().take_while(|word| **word != "--").count();
    let words = part(&words, ..before_end);
    let joined = words.iter().filter_map(|word| word.strip_prefix("--format="));
    let apart = words.windows(2).filter(|pair| pair.first() == Some(&"--format"));
    let format = joined.chain(apart.filter_map(|pair| pair.get(1).copied())).next();
    let is_plugin = format.map_or_else(|| is_plugin_name(args), |format| format == "nagios");
    if is_plugin { Codes::Plugin } else { Codes::House }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn monitoring_is_known_by_format_or_name() {
        let check = |args: &[&str], expected| {
            let args: Vec<_> = args.iter().map(OsString::from).collect();
            assert_eq!(codes(&args), expected, "{args:?}");
        };
        check(&["check-eos", "/eos"], Codes::House);
        check(&["check-eos", "--format", "nagios", "/eos"], Codes::Plugin);
        check(&["check-eos", "--format=nagios"], Codes::Plugin);
        check(&["/usr/lib/plugins/check_eos", "/eos"], Codes::Plugin);
        check(&["check_eos", "--format=json"], Codes::House);
        check(&["check-eos", "--", "--format=nagios"], Codes::House);
        check(&[], Codes::House);
    }
}
