//! `subunit.toml`: what a project runs.
//!
//! ```toml
//! [suite.unit]
//! preset = "pytest"              # or command = "python -m subunit.run $LISTOPT $IDOPTION", as in .testr.conf
//! folder = "tests"               # where its commands run, from this file
//! args = ["-m", "not slow"]      # what stands for $ARGS in the preset's commands
//! program = "build/unit"         # of presets that run a program: which one
//! workers = 8                    # or "cores"
//! group = '^([^.]*\.)*'          # tests whose match is the same stay together
//! timeout = "5m"                 # of one test; idle-timeout and list-timeout likewise
//! retries = 1                    # how often a test that fails is run again
//! flaky = "pass"                 # or "fail": what becomes of a test that passes then
//! prefix = "unit."               # before all ids, so that two suites are kept apart
//! env = { LANG = "C.UTF-8" }
//!
//! [preset.mine]                  # a preset of this project; a file in subunit-presets is one, too
//! about = "…"
//! ```

mod keys;
pub mod nodes;
mod place;
pub mod service;
mod suite;
pub mod task;
pub mod value;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use runner::preset::{Preset, Presets, place};
use runner::suite::Suite;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::compile::{Part, Plan, Said, Written, expand, look_for_tools, order};
use nodes::NodesTable;
pub use place::{At, Source};
use service::ServiceTable;
pub use suite::{SuiteTable, by_preset};
use task::TaskTable;

/// What the file is called.
pub const FILE: &str = "subunit.toml";

/// What is run: suites, tasks, services and nodes.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(title = "subunit.toml")]
pub struct File {
    /// Commands that can list their tests and run some of them.
    pub suite: BTreeMap<String, At<SuiteTable>>,
    /// Presets of this project; a file in subunit-presets is one, too.
    #[schemars(with = "BTreeMap<String, serde_json::Map<String, serde_json::Value>>")]
    pub preset: BTreeMap<String, Preset>,
    /// Commands whose end, or output, is results.
    pub task: BTreeMap<String, At<TaskTable>>,
    /// Processes that tasks need.
    pub service: BTreeMap<String, At<ServiceTable>>,
    /// Places that commands run at.
    pub nodes: Option<At<NodesTable>>,
}

/// The file that holds for a folder: in it, or the nearest above.
pub fn find(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().map(|folder| folder.join(FILE)).find(|path| path.is_file())
}

/// The presets that there are for a folder.
///
/// # Errors
///
/// When one cannot be read.
pub fn presets(folder: &Path) -> anyhow::Result<Presets> {
    match find(folder) {
        Some(path) => Ok(read_file(&path)?.1),
        None => Ok(Presets::of(folder)?),
    }
}

impl Plan {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or something is wrong in it; the text says where.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let (file, presets, source) = read_file(path)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let written = Written { source: &source, folder };
        let mut plan = Plan::default();
        let mut all = Vec::new();
        for (name, table) in in_order(&file.suite) {
            let place = format!("{}: suite {name}", path.display());
            let suite = (**table).clone().suite(name, folder, &presets).context(place)?;
            let units = vec![(name.clone(), Part::Suite(plan.suites.len()))];
            plan.suites.push(Suite { source: path.to_owned(), ..suite });
            all.push(Said { units, ..table.said(name, table.offset()) });
        }
        for (name, table) in in_order(&file.task) {
            let mut units = Vec::new();
            for task in expand(&written, name, table)? {
                look_for_tools(&written, &task)?;
                units.push((task.id.clone(), Part::Task(plan.tasks.len())));
                plan.tasks.push(task);
            }
            all.push(Said { units, ..table.said(name, table.offset()) });
        }
        if all.is_empty() {
            bail!("{}: it names nothing to run: `[suite.NAME]` or `[task.NAME]`", path.display());
        }
        (plan.steps, plan.parts) = order(&written, all)?;
        Ok(plan)
    }
}

/// Tables in the order in which they stand in the file.
fn in_order<T>(tables: &BTreeMap<String, At<T>>) -> Vec<(&String, &At<T>)> {
    let mut tables: Vec<_> = tables.iter().collect();
    tables.sort_by_key(|(_, table)| table.offset());
    tables
}

fn read_file(path: &Path) -> anyhow::Result<(File, Presets, Source)> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    keys::check(&text).map_err(|wrong| anyhow::anyhow!("{}: {wrong}", path.display()))?;
    let mut file: File = toml::from_str(&text)
        .map_err(|error| anyhow::anyhow!("{}: {}", path.display(), place(&text, &error)))?;
    let mut presets = Presets::of(path.parent().unwrap_or(Path::new(".")))?;
    let own = std::mem::take(&mut file.preset);
    presets.extend(own.into_iter().map(|(name, preset)| Preset { name, text: text.clone(), ..preset }));
    Ok((file, presets, Source { path: path.to_owned(), text }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&[&str], &str>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        fs::write(&path, text).unwrap();
        let plan = Plan::read(&path).map_err(|error| {
            let text = format!("{error:#}").replace(&format!("{}: ", path.display()), "");
            text.lines().next().unwrap().to_owned()
        });
        let names = plan.map(|plan| {
            let shown = |suite: &Suite| {
                let preset = suite.recipe.as_ref().map_or("", |recipe| recipe.preset.name.as_str());
                let command = if preset.is_empty() { suite.command.as_str() } else { preset };
                format!("{} {command} {:?}", suite.name, suite.workers)
            };
            plan.suites.iter().map(shown).collect::<Vec<_>>()
        });
        assert_eq!(
            names
                .as_ref()
                .map(|names| names.iter().map(String::as_str).collect::<Vec<_>>())
                .map_err(String::as_str),
            expected.map(<[&str]>::to_vec)
        );
    }

    #[test]
    fn suites_stand_in_the_order_of_the_file() {
        check(
            "[suite.z]\npreset='go'\nworkers=3\n[suite.a]\ncommand='x $LISTOPT'\n",
            Ok(&["z go Some(3)", "a x $LISTOPT None"]),
        );
    }

    #[test]
    fn what_is_not_done_yet_is_refused() {
        check("[service.a]\nstart='x'\n", Err("line 1: service is not supported yet"));
        check("[suite.a]\npreset='go'\non=['lab']\n", Err("line 3: suite.a.on is not supported yet"));
    }

    #[test]
    fn a_task_is_there_with_all_its_parameters() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let text = "[task.b]\nrun='true'\nafter=['a']\nmatrix={y=[1,2],x=[true]}\n[task.a]\nrun='true'\n";
        fs::write(&path, text).unwrap();
        let plan = Plan::read(&path).unwrap();
        let ids: Vec<&str> = plan.tasks.iter().map(|task| task.id.as_str()).collect();
        assert_eq!(ids, ["b{x=true,y=1}", "b{x=true,y=2}", "a"]);
        assert_eq!(
            plan.steps.iter().map(|step| step.after.clone()).collect::<Vec<_>>(),
            [vec![2], vec![2], vec![]]
        );
    }

    #[test]
    fn what_can_never_run_is_told_before_anything_does() {
        let tasks = "[task.a]\nrun='x'\nafter=['b']\n[task.b]\nrun='x'\n";
        check(
            &format!("{tasks}after=['a']\n"),
            Err("line 1: none of these can begin, since each waits for the next: a, b, a"),
        );
        check(
            &format!("{tasks}requires=['sit']\n[task.c]\nrun='x'\nproduces=['site']\n"),
            Err("line 6: task.b: no task produces sit; is it `site`?"),
        );
        check("[task.a]\nrun='x'\nafter=['other']\n", Err("line 3: task.a: there is no task or suite other"));
        check("[task.a]\n", Err("line 1: task.a: it says neither run nor check"));
        check(
            "[task.a]\nrun='x'\nmatrix={k=[]}\n",
            Err("line 1: task.a: matrix.k has no values, so that it would never run"),
        );
        check(
            "[task.a]\nrun='x'\nformat='tapp'\n",
            Err("line 3: there is no format \"tapp\"; is it `tap`? \
                 (there are exit, auto, subunit, tap, gojson, libtest, v1 and junit:PATH)"),
        );
        check(
            "[task.a]\nrun='x'\nrequire={p99_ms='fast'}\n",
            Err("line 3: require.p99_ms: \"fast\" is not a number for a count"),
        );
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        check("[suite.a]\npreset='go'\nwokers=3\n", Err("line 3: suite.a has no `wokers`; is it `workers`?"));
        check("[siute.a]\npreset='go'\n", Err("line 1: there is no `siute`; is it `suite`?"));
        check("[suite.a]\npreset='gp'\n", Err("suite a: there is no preset gp; is it `go`?"));
        check("[suite.a]\n", Err("suite a: it says neither preset nor command"));
        check("[suite.a]\npreset='go'\ncommand='x'\n", Err("suite a: it says both preset and command"));
        check("", Err("it names nothing to run: `[suite.NAME]` or `[task.NAME]`"));
        check(
            "[suite.a]\nargs=1\n",
            Err("line 2: data did not match any variant of untagged enum OneOrMore"),
        );
        check("[suite.a]\nworkers='many'\n", Err("line 2: workers is a number or \"cores\", not \"many\""));
        check(
            "[suite.a]\npreset='go'\ntimeout='soon'\n",
            Err(
                "line 3: \"soon\" is not a duration: use a number with a unit such as 500ms, 10s, 1h30m or 2d",
            ),
        );
    }
}
