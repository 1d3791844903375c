//! The file that describes the commands.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;

/// The whole file.
#[derive(Debug, Deserialize)]
pub(super) struct Config {
    pub(super) commands: Vec<Suite>,
}

/// A command that runs tests. Keys that are not known are passed over, as the reference does.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Suite {
    /// Stands before each of its ids.
    #[serde(default)]
    pub(super) prefix: String,
    pub(super) argv: Vec<String>,
    pub(super) list_option: Option<String>,
    pub(super) id_option: Option<String>,
    pub(super) cwd: Option<PathBuf>,
    #[serde(default)]
    pub(super) env: BTreeMap<String, String>,
}

impl Config {
    pub(super) fn read(path: &Path) -> anyhow::Result<Config> {
        let name = path.display();
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
        let config = match serde_saphyr::from_str::<Config>(&text) {
            Ok(config) => config,
            Err(error) => {
                let error = error.to_string();
                let line = error.lines().next().unwrap_or_default();
                bail!("{name}: {}", line.strip_prefix("error: ").unwrap_or(line));
            }
        };
        ensure!(!config.commands.is_empty(), "{name}: there is no command in it");
        for (number, suite) in config.commands.iter().enumerate() {
            ensure!(!suite.argv.is_empty(), "{name}: command {} has no argv", number + 1);
        }
        Ok(config)
    }
}

impl Suite {
    /// Those of some ids that are its own, without its prefix.
    pub(super) fn own(&self, ids: &[String]) -> Vec<String> {
        ids.iter().filter_map(|id| id.strip_prefix(&self.prefix)).map(str::to_owned).collect()
    }
}
