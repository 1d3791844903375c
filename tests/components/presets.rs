//! Presets with the runners that they are for: projects with odd names, listed, run together and one by one.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::ensure;

use crate::pipeline::commands;
use crate::{Need, Scenario};

const NODE: &[Need] = &[Need::Program("node"), Need::Brought(no_modules)];
const PYTHON: &[Need] = &[Need::Brought(no_python)];

pub(crate) const SCENARIOS: &[Scenario] = &[
    scenario("components.presets.subunit", PYTHON, || works("subunit")),
    scenario("components.presets.pytest", PYTHON, || works("pytest")),
    scenario("components.presets.unittest", &[Need::Program("python3")], || works("unittest")),
    scenario("components.presets.go", &[Need::Program("go")], || works("go")),
    scenario("components.presets.cargo", &[Need::Program("cargo")], || works("cargo")),
    scenario("components.presets.nextest", &[Need::Program("cargo-nextest")], || works("nextest")),
    scenario("components.presets.ctest", &[Need::Program("ctest")], || works("ctest")),
    scenario("components.presets.gtest", &[Need::Brought(no_gtest)], || works("gtest")),
    scenario("components.presets.meson", &[Need::Program("meson"), Need::Program("ninja")], || {
        works("meson")
    }),
    scenario("components.presets.node", &[Need::Program("node")], || works("node")),
    scenario("components.presets.jest", NODE, || works("jest")),
    scenario("components.presets.vitest", NODE, || works("vitest")),
    scenario("components.presets.mocha", NODE, || works("mocha")),
    scenario("components.presets.prove", &[Need::Program("prove")], || works("prove")),
    scenario("components.presets.bats", &[Need::Program("bats")], || works("bats")),
    scenario("components.presets.rspec", &[Need::Program("rspec")], || works("rspec")),
    scenario("components.presets.phpunit", &[Need::Program("phpunit")], || works("phpunit")),
    scenario("components.presets.busted", &[Need::Program("busted")], || works("busted")),
    scenario("components.presets.lit", PYTHON, || works("lit")),
];

const fn scenario(id: &'static str, needs: &'static [Need], run: fn() -> anyhow::Result<()>) -> Scenario {
    Scenario { id, needs, run }
}

/// Where `.ci/run tools` puts runners that no distribution has.
fn tools() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/runners")
}

/// The Python that has the runners from there; else the one that is here.
pub(crate) fn python() -> PathBuf {
    Some(tools().join("bin/python")).filter(|python| python.exists()).unwrap_or_else(|| "python3".into())
}

fn no_python() -> Option<String> {
    let is_there = tools().join("bin/lit").exists();
    (!is_there).then(|| "there is no target/tools/runners with testtools and lit".to_owned())
}

fn no_modules() -> Option<String> {
    let is_there = tools().join("node_modules").exists();
    (!is_there).then(|| "there is no target/tools/runners with jest, vitest and mocha".to_owned())
}

fn no_gtest() -> Option<String> {
    let is_there = Path::new("/usr/include/gtest/gtest.h").exists();
    (!is_there).then(|| "there is no GoogleTest (Debian: libgtest-dev)".to_owned())
}

fn works(preset: &str) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let tools = tools();
    let mut path = OsString::from(tools.join("bin"));
    path.push(":");
    path.push(env::var_os("PATH").unwrap_or_default());
    let mut command = Command::new(commands().join("subunit"));
    command.args(["selftest", preset]).current_dir(folder.path()).env("PATH", path);
    command.env("SUBUNIT_NODE_MODULES", tools.join("node_modules"));
    command.env("PYTHON", python());
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
