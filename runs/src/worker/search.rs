//! Which executables there are.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// The executables that are named, or are in folders that are, by their ids: their paths as they are named.
pub(super) fn executables(paths: &[PathBuf]) -> anyhow::Result<BTreeMap<String, PathBuf>> {
    let mut found = BTreeMap::new();
    for path in paths {
        let kind = fs::metadata(path).with_context(|| path.display().to_string())?;
        if kind.is_dir() {
            search(path, &mut found)?;
        } else {
            add(path, &mut found);
        }
    }
    Ok(found)
}

/// Looks into a folder and those below it, but not where links lead to, nor into what is hidden.
fn search(folder: &Path, found: &mut BTreeMap<String, PathBuf>) -> anyhow::Result<()> {
    let wrong = || folder.display().to_string();
    for entry in fs::read_dir(folder).with_context(wrong)? {
        let entry = entry.with_context(wrong)?;
        let (path, kind) = (entry.path(), entry.file_type().with_context(wrong)?);
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if kind.is_dir() {
            search(&path, found)?;
        } else if fs::metadata(&path)
            .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
        {
            add(&path, found);
        }
    }
    Ok(())
}

fn add(path: &Path, found: &mut BTreeMap<String, PathBuf>) {
    // Ids are texts.
    let id = path.to_string_lossy();
    let id = id.strip_prefix("./").unwrap_or(&id).to_owned();
    let path = if path.is_absolute() { path.to_owned() } else { Path::new(".").join(path) };
    found.insert(id, path);
}
