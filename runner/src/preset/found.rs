//! Which presets there are: those compiled in, and a project's own.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Preset;
use crate::suite::ConfigError;

/// Where a project has presets of its own.
const FOLDER: &str = "subunit-presets";

/// Name and file, in the order in which `--auto` looks for their projects.
macro_rules! builtin {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("../../presets/", $name, ".toml")))),*]
    };
}

/// Those that are compiled in.
pub(super) const BUILTIN: &[(&str, &str)] = builtin! {
    "subunit" "pytest" "unittest" "go" "cargo" "nextest" "ctest" "gtest" "meson" "node" "jest" "vitest" "mocha" "prove"
    "bats" "rspec" "phpunit" "busted" "lit" "executables"
};

/// All presets that a project can use, by their names.
#[derive(Clone, Debug)]
pub struct Presets(Vec<Preset>);

impl Presets {
    /// Those compiled in, and over them those in `subunit-presets` of this folder or the nearest one above that has
    /// such.
    ///
    /// # Errors
    ///
    /// When one cannot be read; the text names the file.
    pub fn of(folder: &Path) -> Result<Self, ConfigError> {
        let mut presets = Presets(Vec::new());
        for (name, text) in BUILTIN {
            presets.add(name, text).map_err(|error| ConfigError(format!("preset {name}: {error}")))?;
        }
        let own = folder.ancestors().map(|folder| folder.join(FOLDER)).find(|folder| folder.is_dir());
        for path in own
            .map(|folder| files(&folder))
            .transpose()
            .map_err(|error| ConfigError(error.to_string()))?
            .unwrap_or_default()
        {
            let wrong = |error: &dyn std::fmt::Display| ConfigError(format!("{}: {error}", path.display()));
            let text = fs::read_to_string(&path).map_err(|error| wrong(&error))?;
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            presets.add(&name, &text).map_err(|error| wrong(&error))?;
        }
        Ok(presets)
    }

    /// Adds one, in the place of another of its name.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn add(&mut self, name: &str, text: &str) -> Result<(), String> {
        let preset = Preset::read(name, text)?;
        self.0.retain(|other| other.name != name);
        self.0.push(preset);
        Ok(())
    }

    /// The one of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Preset> {
        self.0.iter().find(|preset| preset.name == name)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Preset> {
        self.0.iter()
    }
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

impl Preset {
    /// The file by which a folder is a project of this kind.
    #[must_use]
    pub fn sign(&self, folder: &Path) -> Option<PathBuf> {
        let files = self.files.iter().flat_map(|pattern| matching(folder, pattern));
        let holds = |path: &PathBuf| {
            let Some(pattern) = &self.holds else { return true };
            fs::read(path).is_ok_and(|text| pattern.is_found(&String::from_utf8_lossy(&text)))
        };
        files.into_iter().find(holds)
    }

    /// The programs that it needs and that are not there.
    #[must_use]
    pub fn missing(&self) -> Vec<&str> {
        let is_there = |names: &&String| names.split('|').any(|name| is_program(name.trim()));
        self.programs.iter().filter(|names| !is_there(names)).map(String::as_str).collect()
    }
}

fn is_program(name: &str) -> bool {
    let folders = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&folders).any(|folder| folder.join(name).is_file())
}

/// The files of a folder that a path stands for, of which the last part may hold stars.
fn matching(folder: &Path, pattern: &str) -> Vec<PathBuf> {
    let (below, name) = pattern.rsplit_once('/').unwrap_or(("", pattern));
    let folder = folder.join(below);
    if !name.contains('*') {
        return Some(folder.join(name)).filter(|path| path.exists()).into_iter().collect();
    }
    let entries = fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok);
    let mut found: Vec<PathBuf> = entries
        .filter(|entry| is_like(&entry.file_name().to_string_lossy(), name))
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found
}

/// Whether a name is like a pattern, in which a star is any part.
fn is_like(name: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => name == pattern,
        Some((before, after)) => name.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices()
                .map(|(at, _)| at)
                .chain([rest.len()])
                .any(|at| rest.get(at..).is_some_and(|rest| is_like(rest, after)))
        }),
    }
}

/// Presets as they are written in a file of suites.
impl Extend<Preset> for Presets {
    fn extend<I: IntoIterator<Item = Preset>>(&mut self, presets: I) {
        let new: BTreeMap<String, Preset> =
            presets.into_iter().map(|preset| (preset.name.clone(), preset)).collect();
        self.0.retain(|preset| !new.contains_key(&preset.name));
        self.0.extend(new.into_values());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_part() {
        let check =
            |name, pattern, expected| assert_eq!(is_like(name, pattern), expected, "{name} {pattern}");
        check("a.bats", "*.bats", true);
        check("test_a.py", "test_*.py", true);
        check("a.bat", "*.bats", false);
        check("go.mod", "go.mod", true);
        check("vitest.config.ts", "vitest.config.*", true);
    }
}
