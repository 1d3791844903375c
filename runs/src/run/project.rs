//! What there is to run here.

use std::env;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::bail;
use runner::preset::{Preset, Presets};
use runner::suite::{self, FILES, Suite};

use plan::Plan;
use plan::file::by_preset;

/// The suites that are run, and the words that chose none of them.
pub(super) struct Project {
    /// Where a repository is made.
    pub(super) folder: PathBuf,
    pub(super) plan: Plan,
    pub(super) filters: Vec<String>,
    /// Whether that is all there is of the project.
    pub(super) is_all: bool,
}

impl Project {
    /// The suites of a configuration file.
    pub(super) fn of_file(path: &Path, words: &[String]) -> anyhow::Result<Self> {
        let is_stestr = path.file_name().is_some_and(|name| name == "pyproject.toml");
        if path.extension().is_some_and(|extension| extension == "toml") && !is_stestr {
            let folder = path.parent().unwrap_or(Path::new("")).to_owned();
            return Ok(Project::chosen(folder, Plan::read(path)?, words));
        }
        Project::of_suite(suite::read(path)?, words)
    }

    /// The suites of the nearest configuration file.
    pub(super) fn here(words: &[String]) -> anyhow::Result<Self> {
        let here = env::current_dir()?;
        for folder in here.ancestors() {
            let file = folder.join(plan::FILE);
            if file.is_file() {
                return Project::of_file(&file, words);
            }
            if let Some(suite) = suite::here(folder)? {
                return Project::of_suite(suite, words);
            }
        }
        bail!("{}", nothing(&here)?)
    }

    /// The suites of what the project is seen to be; says what that is.
    pub(super) fn guessed(words: &[String], errors: &mut dyn Write) -> anyhow::Result<Self> {
        let here = env::current_dir()?;
        let Some((folder, seen)) = look(&here)? else { bail!("{}", nothing(&here)?) };
        let mut suites = Vec::new();
        for Seen { preset, sign } in seen {
            writeln!(
                errors,
                "{} is here: {} ({})",
                shown(&sign, &folder),
                preset.run.command.trim(),
                preset.name
            )?;
            let suite = by_preset(preset.clone(), String::new(), None)?;
            suites.push(Suite { name: preset.name, source: sign, folder: folder.clone(), ..suite });
        }
        Ok(Project::chosen(folder, Plan::of_suites(suites), words))
    }

    fn of_suite(suite: Suite, words: &[String]) -> anyhow::Result<Self> {
        Ok(Project {
            folder: suite.folder.clone(),
            plan: Plan::of_suites(vec![checked(suite)?]),
            filters: words.to_vec(),
            is_all: true,
        })
    }

    /// Words that are names of suites and tasks choose those; others are for ids.
    fn chosen(folder: PathBuf, plan: Plan, words: &[String]) -> Self {
        let (mut units, mut filters) = (Vec::new(), Vec::new());
        for word in words {
            let named = plan.named(word);
            if named.is_empty() {
                filters.push(word.clone());
            }
            units.extend(named);
        }
        let is_all = units.is_empty();
        let plan = if is_all { plan } else { plan.only(&units) };
        Project { folder, plan, filters, is_all }
    }
}

/// A project's kind, and the file that tells.
struct Seen {
    preset: Preset,
    sign: PathBuf,
}

/// What the nearest folder is that is a project of any kind; not above the one that is under version control.
fn look(here: &Path) -> anyhow::Result<Option<(PathBuf, Vec<Seen>)>> {
    let presets = plan::presets(here)?;
    let top = here.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(here);
    for folder in here.ancestors().take_while(|folder| folder.starts_with(top)) {
        let seen = kinds(&presets, folder);
        if !seen.is_empty() {
            return Ok(Some((folder.to_owned(), seen)));
        }
    }
    Ok(None)
}

/// All kinds that a folder is of, without those that others are there instead of.
fn kinds(presets: &Presets, folder: &Path) -> Vec<Seen> {
    let sign = |preset: &Preset| Some(Seen { sign: preset.sign(folder)?, preset: preset.clone() });
    let seen: Vec<Seen> = presets.iter().filter(|preset| !preset.needs_program).filter_map(sign).collect();
    let instead: Vec<String> = seen.iter().flat_map(|seen| seen.preset.instead_of.iter().cloned()).collect();
    seen.into_iter().filter(|seen| !instead.contains(&seen.preset.name)).collect()
}

/// That there is no configuration, what there is, and what can be done.
fn nothing(here: &Path) -> anyhow::Result<String> {
    let files = [&[plan::FILE], FILES.as_slice()].concat().join(", ");
    let none = format!("no configuration of tests here or above: {files}");
    let command = "To run a command: `subunit run -- COMMAND`";
    let Some((folder, seen)) = look(here)? else {
        return Ok(format!("{none}, and nothing that `subunit presets` lists. {command}"));
    };
    let seen: Vec<String> = seen
        .iter()
        .map(|seen| format!("{} is here, of {}", shown(&seen.sign, &folder), seen.preset.name))
        .collect();
    Ok(format!("{none}. But {}: `subunit run --auto`. {command}", seen.join(", ")))
}

fn shown(path: &Path, folder: &Path) -> String {
    path.strip_prefix(folder).unwrap_or(path).display().to_string()
}

/// Refuses keys that are nearly those that are known.
fn checked(suite: Suite) -> anyhow::Result<Suite> {
    for key in &suite.unknown_keys {
        let guess = cli::suggest(key, suite.known_keys.iter().copied());
        if !guess.is_empty() {
            bail!("{}: {key} is not known{guess}", suite.source.display());
        }
    }
    Ok(suite)
}
