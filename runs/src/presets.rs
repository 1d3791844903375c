//! `subunit presets`: which test runners are known, and which of them are here.

use std::env;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::bail;
use cli::{Streams, Verdict};
use process::{Deadline, Follow, Interrupt, Timeouts, Wait};
use runner::preset::{Preset, Presets};

/// How long a runner may take to say which version it is.
const PATIENCE: Duration = Duration::from_secs(20);

/// List the test runners that are known, or show what is known of one
///
/// A preset is a file that says how a runner lists its tests, how some of them are run, what comes back, and how tests
/// are named. `[suite.NAME]` of subunit.toml names one; `subunit run --auto` looks whose projects are here. Presets of a
/// project's own are files in subunit-presets, or `[preset.NAME]` of subunit.toml; shown ones are good to begin with.
///
/// Behind each preset stands which version of the runner is here, or what is missing.
#[derive(clap::Parser, Debug)]
#[command(name = "subunit presets", version, after_help = cli::help!(
    [Passed = "it was shown"],
    "  subunit presets\n  \
       subunit presets pytest >subunit-presets/mine.toml"
))]
pub struct ListPresets {
    /// Show the file of this preset
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

impl cli::Command for ListPresets {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let Streams { output, interrupt, .. } = streams;
        let presets = plan::presets(&env::current_dir()?)?;
        if let Some(name) = &self.name {
            output.write_all(named(&presets, name)?.text.as_bytes())?;
            return Ok(Verdict::Passed);
        }
        let width = presets.iter().map(|preset| preset.name.len()).max().unwrap_or_default();
        for preset in presets.iter() {
            let here = match presence(preset, Path::new("."), &interrupt) {
                Ok(version) => version,
                Err(missing) => format!("not here: {missing}"),
            };
            writeln!(output, "{:width$}  {}  [{here}]", preset.name, preset.about)?;
            output.flush()?;
        }
        Ok(Verdict::Passed)
    }
}

/// The preset of this name.
pub(super) fn named<'p>(presets: &'p Presets, name: &str) -> anyhow::Result<&'p Preset> {
    let Some(preset) = presets.get(name) else {
        let guess = cli::suggest(name, presets.iter().map(|preset| preset.name.as_str()));
        bail!("there is no preset {name}{guess} (`subunit presets` lists them)");
    };
    Ok(preset)
}

/// Which version of a runner is here, or what is missing.
pub(super) fn presence(preset: &Preset, folder: &Path, interrupt: &Interrupt) -> Result<String, String> {
    let missing = preset.missing();
    if !missing.is_empty() {
        return Err(format!("there is no program {}", missing.join(", ").replace('|', " or ")));
    }
    let Some(version) = &preset.version else { return Ok("here".to_owned()) };
    let wait = Wait { deadline: Deadline::after(PATIENCE), interrupt };
    let mut shell = Command::new("sh");
    shell.args(["-c", version]).current_dir(folder).stdin(std::process::Stdio::null());
    let finished = process::run(&mut shell, Follow::new(wait, Timeouts::COMMAND), 1 << 16)
        .map_err(|error| error.to_string())?;
    let stdout = finished.stdout.text();
    let first = stdout.lines().map(str::trim).find(|line| !line.is_empty());
    if finished.ending.is_success() {
        return Ok(first.unwrap_or("here").to_owned());
    }
    let stderr = finished.stderr.text();
    let last = stderr.lines().rev().map(str::trim).find(|line| !line.is_empty());
    Err(format!("`{version}` failed: {}", last.or(first).unwrap_or("it says nothing")))
}
