//! What the engine says of a container.

use serde::{Deserialize, Deserializer};

/// An answer of `/containers/ID/json`, as far as it is used here. Engines leave out what they do not know, or say null.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Inspect {
    pub(super) id: String,
    pub(super) name: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) restart_count: u64,
    /// The id of its image.
    pub(super) image: String,
    pub(super) state: State,
    pub(super) config: Config,
    pub(super) host_config: HostConfig,
    /// The commands that were started in it and run.
    #[serde(rename = "ExecIDs", deserialize_with = "or_default")]
    pub(super) exec_ids: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct State {
    pub(super) status: String,
    pub(super) running: bool,
    pub(super) paused: bool,
    pub(super) restarting: bool,
    #[serde(rename = "OOMKilled")]
    pub(super) oom_killed: bool,
    pub(super) dead: bool,
    pub(super) exit_code: i64,
    #[serde(deserialize_with = "or_default")]
    pub(super) error: String,
    pub(super) started_at: String,
    pub(super) finished_at: String,
    pub(super) health: Option<Health>,
}

impl State {
    /// Whether it does what it is there for.
    pub(super) fn is_running(&self) -> bool {
        // A paused container says that it is running, too.
        self.running && !self.paused && !self.restarting && !self.dead
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Health {
    pub(super) status: String,
    pub(super) failing_streak: u32,
    #[serde(deserialize_with = "or_default")]
    pub(super) log: Vec<Probe>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Probe {
    pub(super) end: String,
    pub(super) exit_code: i64,
    #[serde(deserialize_with = "or_default")]
    pub(super) output: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Config {
    pub(super) image: String,
    pub(super) healthcheck: Option<Healthcheck>,
}

/// Times are in nanoseconds; 0 is the engine's own.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Healthcheck {
    #[serde(deserialize_with = "or_default")]
    test: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    interval: u64,
    #[serde(deserialize_with = "or_default")]
    timeout: u64,
    #[serde(deserialize_with = "or_default")]
    start_period: u64,
    #[serde(deserialize_with = "or_default")]
    retries: u32,
}

impl Healthcheck {
    /// Whether there is one: `NONE` takes the image's away.
    pub(super) fn is_set(&self) -> bool {
        self.test.first().is_none_or(|first| first != "NONE")
    }

    /// After how many seconds without news the last one is old.
    pub(super) fn patience(&self) -> f64 {
        let seconds = |nanoseconds: u64, usual: f64| match nanoseconds {
            0 => usual,
            _ => nanoseconds as f64 / 1e9,
        };
        let retries = f64::from(if self.retries == 0 { 3 } else { self.retries });
        (seconds(self.interval, 30.0) + seconds(self.timeout, 30.0)) * (retries + 1.0)
    }

    /// How many seconds it may take to come up.
    pub(super) fn start(&self) -> f64 {
        self.start_period as f64 / 1e9
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct HostConfig {
    /// In bytes; 0 means no limit.
    #[serde(deserialize_with = "or_default")]
    pub(super) memory: u64,
    /// Billionths of a processor; 0 means no limit.
    #[serde(deserialize_with = "or_default")]
    pub(super) nano_cpus: u64,
}

fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
