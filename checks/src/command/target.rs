//! A plugin, and what its end means.

use std::ffi::OsString;
use std::time::Duration;

use probe::{Finding, Level, Limits, Metric, Range, Target};
use process::{Cause, Ending, Exit, last_line};

use super::output::{Datum, PluginOutput};
use super::plugin::{Ended, find, run};

/// A plugin to run.
pub(super) struct CommandTarget {
    pub(super) name: String,
    pub(super) program: OsString,
    pub(super) arguments: Vec<OsString>,
    pub(super) grace: Duration,
}

impl Target for CommandTarget {
    fn name(&self) -> &str {
        &self.name
    }

    fn shown(&self) -> String {
        self.program.to_string_lossy().into_owned()
    }
}

impl CommandTarget {
    /// Runs it, and says what its end means.
    pub(super) fn run(&mut self, limits: Limits<'_>) -> Finding {
        let shown = self.shown();
        let Some(program) = find(&self.program) else {
            return Finding::unknown(format!(
                "there is no {shown} in the PATH or where distributions put plugins; \
                 Debian's are in the package monitoring-plugins-basic"
            ));
        };
        match run(&program, &self.arguments, self.grace, limits) {
            Ok(ended) => finding(&ended, &shown),
            Err(error) => Finding::unknown(format!("cannot run {}: {error}", program.display())),
        }
    }
}

fn finding(ended: &Ended, shown: &str) -> Finding {
    let output = PluginOutput::parse(&ended.output);
    let level = level(ended, &output, shown);
    let summary = if level == Level::Fine { Some(output.line.clone()) } else { None };
    let finding = Finding { summary, ..Finding::new(level) };
    let mut finding = finding.with_metric("elapsed_seconds", elapsed(&ended.ending).as_secs_f64());
    let mut names: Vec<String> = Vec::new();
    for datum in &output.data {
        let name = distinct(datum.metric(), &mut names);
        finding.metrics.push(metric(name, datum, &finding.level));
    }
    finding
        .with_text("output.txt", output.rest)
        .with_text("plugin-perfdata", output.raw)
        .with_text("stderr", ended.errors.clone())
}

/// The number with the plugin's ranges, as far as they agree with what the plugin makes of it: its exit code counts.
fn metric(name: String, datum: &Datum, level: &Level) -> Metric {
    let fits = |range: &Option<Range>, is_known: bool| {
        range.clone().filter(|range| is_known || !range.alerts(datum.value))
    };
    let (is_bad, is_odd) = (matches!(level, Level::Broken(_)), *level != Level::Fine);
    Metric {
        unit: datum.unit,
        warning: fits(&datum.warning, is_odd),
        critical: fits(&datum.critical, is_bad),
        ..Metric::new(&name, datum.value)
    }
}

/// The name, with a number where there is one like it.
fn distinct(name: String, names: &mut Vec<String>) -> String {
    let mut distinct = name.clone();
    let mut number = 2;
    while names.contains(&distinct) {
        distinct = format!("{name}_{number}");
        number += 1;
    }
    names.push(distinct.clone());
    distinct
}

/// How long it took, by itself or until it was made to end.
fn elapsed(ending: &Ending) -> Duration {
    ending.asked.as_ref().map_or(ending.elapsed, |asked| asked.after)
}

fn level(ended: &Ended, output: &PluginOutput, shown: &str) -> Level {
    match ended.ending.cause {
        Cause::Interrupted => {
            return Level::Interrupted(format!("a signal ended the check while {shown} was running"));
        }
        Cause::TimedOut => {
            let time = elapsed(&ended.ending).as_secs_f64();
            return Level::Unknown(with_line(format!("{shown} did not end within {time:.1} s"), output));
        }
        Cause::Stopped => {
            return Level::Unknown(format!("{shown} said more than it may, and was ended"));
        }
        Cause::Itself => {}
    }
    let reason = || {
        with_alerts(
            if output.line.is_empty() { format!("{shown} says nothing") } else { output.line.clone() },
            output,
        )
    };
    match ended.ending.exit {
        // A plugin that says nothing has not looked: interpreters that crash exit with 1, Go's programs and those
        // that do not understand their arguments with 2, and say on stderr why.
        Exit::Exited(code @ 0..=2)
            if output.line.is_empty() && (code < 2 || last_line(&ended.errors).is_some()) =>
        {
            Level::Unknown(with_last_line(format!("{shown} says nothing, and exits with {code}"), ended))
        }
        Exit::Exited(0) => Level::Fine,
        Exit::Exited(1) => Level::Warning(reason()),
        Exit::Exited(2) => Level::Broken(reason()),
        Exit::Exited(3) if output.line.is_empty() => Level::Unknown(with_last_line(reason(), ended)),
        Exit::Exited(3) => Level::Unknown(reason()),
        ref other => {
            let reason = format!("{shown} ended by {other}, as no plugin does");
            Level::Unknown(with_line(with_last_line(reason, ended), output))
        }
    }
}

fn with_last_line(reason: String, ended: &Ended) -> String {
    match last_line(&ended.errors) {
        Some(line) => format!("{reason}: {line}"),
        None => reason,
    }
}

fn with_line(reason: String, output: &PluginOutput) -> String {
    if output.line.is_empty() { reason } else { format!("{reason}; it said: {}", output.line) }
}

/// The plugin's line, then the numbers that are outside of the plugin's ranges.
fn with_alerts(line: String, output: &PluginOutput) -> String {
    std::iter::once(line).chain(output.data.iter().filter_map(Datum::alert)).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(script: &str, expected: &Level) -> Finding {
        let never = process::Interrupt::never();
        let deadline = process::Deadline::after(Duration::from_secs(5));
        let limits = Limits { operation: Duration::from_secs(1), deadline, interrupt: &never };
        let arguments = ["-c", script].map(OsString::from).to_vec();
        let (name, program) = ("it".to_owned(), OsString::from("sh"));
        let mut target = CommandTarget { name, program, arguments, grace: Duration::from_millis(200) };
        let finding = target.run(limits);
        assert_eq!(&finding.level, expected);
        finding
    }

    #[test]
    fn exit_codes_are_levels() {
        let fine = check("echo 'OK - up | a=1'", &Level::Fine);
        assert_eq!(fine.summary.as_deref(), Some("OK - up"));
        check("echo slow; exit 1", &Level::Warning("slow".to_owned()));
        check("echo down; exit 2", &Level::Broken("down".to_owned()));
        check("echo huh; exit 3", &Level::Unknown("huh".to_owned()));
    }

    #[test]
    fn other_ends_are_unknown() {
        let unknown = |text: &str| Level::Unknown(text.to_owned());
        check("exit 0", &unknown("sh says nothing, and exits with 0"));
        check("exit 1", &unknown("sh says nothing, and exits with 1"));
        check("exit 2", &Level::Broken("sh says nothing".to_owned()));
        check("exit 3", &unknown("sh says nothing"));
        check("echo x; exit 4", &unknown("sh ended by exit code 4, as no plugin does; it said: x"));
        check("kill -9 $$", &unknown("sh ended by killed by signal 9 (SIGKILL), as no plugin does"));
        check("echo gone >&2; exit 127", &unknown("sh ended by exit code 127, as no plugin does: gone"));
    }

    #[test]
    fn a_plugin_that_crashed_has_not_looked() {
        let crash =
            "printf 'Traceback (most recent call last):\\n  File x\\nImportError: no module\\n\\n' >&2; exit";
        let expected = |code: u8| {
            Level::Unknown(format!("sh says nothing, and exits with {code}: ImportError: no module"))
        };
        for code in 0..=2 {
            check(&format!("{crash} {code}"), &expected(code));
        }
        check(&format!("{crash} 3"), &Level::Unknown("sh says nothing: ImportError: no module".to_owned()));
        check(
            "echo ' | a=1'; echo lost >&2; exit 1",
            &Level::Unknown("sh says nothing, and exits with 1: lost".to_owned()),
        );
        check("echo slow; echo detail >&2; exit 1", &Level::Warning("slow".to_owned()));
    }

    #[test]
    fn numbers_outside_of_their_ranges_are_named() {
        let expected = "LOAD CRITICAL\nload1 = 12 is outside of the critical range 10";
        check("echo 'LOAD CRITICAL|load1=12;5;10 load5=1;5;10'; exit 2", &Level::Broken(expected.to_owned()));
    }

    #[test]
    fn numbers_have_names_of_their_own() {
        let finding = check("echo 'x|/a=1 A=2 a=3s'", &Level::Fine);
        let names: Vec<_> = finding.metrics.iter().map(|metric| metric.name.as_str()).collect();
        assert_eq!(names, ["elapsed_seconds", "a", "a_2", "a_seconds"]);
    }

    #[test]
    fn what_is_left_running_keeps_nobody_waiting() {
        let begin = std::time::Instant::now();
        check("sleep 30 & echo OK", &Level::Fine);
        assert!(begin.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn a_plugin_that_says_too_much_is_ended() {
        check("yes", &Level::Unknown("sh said more than it may, and was ended".to_owned()));
    }

    #[test]
    fn missing_plugins_are_unknown() {
        assert_eq!(find("no-such-plugin".as_ref()), None);
        assert!(find("sh".as_ref()).is_some_and(|path| path.is_absolute()));
    }
}
