//! Where the commands are: the program is built once, in the profile of the test that asks, and has links of all names.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use toolkit::links::{self, LinkKind};

/// What tests need beside the commands.
const FIXTURE: &str = "make-stream";

/// The folder of the commands. `SUBUNIT_BINS` names another one, of which nothing is built.
pub(crate) fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| match env::var_os("SUBUNIT_BINS") {
        // As seen from the workspace, where people call cargo.
        Some(folder) => Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .join(folder)
            .canonicalize()
            .expect("SUBUNIT_BINS"),
        None => linked(&built()),
    })
}

/// The names, in a folder of their own: programs of other layouts may lie beside the program.
fn linked(folder: &Path) -> PathBuf {
    let bin = folder.join("bin");
    let names = links::names::<toolkit::Registry>();
    links::make(&folder.join("subunit"), &bin, &names, LinkKind::Symbolic).expect("links to the program");
    links::make(&folder.join(FIXTURE), &bin, &[FIXTURE], LinkKind::Symbolic).expect("a link to the fixture");
    bin
}

// `cargo test` has built this test, but not the binaries of other packages.
fn built() -> PathBuf {
    let test = env::current_exe().expect("the path of this test");
    let folder = test.ancestors().nth(2).expect("the test is in PROFILE/deps");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--workspace", "--bins"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    cargo.arg("--profile").arg(profile(folder)).arg("--target-dir").arg(target(folder));
    if let Some(triple) = triple(folder) {
        cargo.args(["--target", triple]);
    }
    let status = cargo.status().expect("cargo can be started");
    assert!(status.success(), "the binaries cannot be built");
    folder.to_owned()
}

fn profile(folder: &Path) -> &str {
    match name(folder) {
        "debug" => "dev",
        other => other,
    }
}

/// The target folder, which is marked as a cache.
fn target(folder: &Path) -> &Path {
    folder.ancestors().find(|above| above.join("CACHEDIR.TAG").exists()).expect("a target folder")
}

/// The platform that was built for, when it was named: then its folder is between.
fn triple(folder: &Path) -> Option<&str> {
    folder.parent().filter(|parent| *parent != target(folder)).map(name)
}

fn name(folder: &Path) -> &str {
    folder.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}
