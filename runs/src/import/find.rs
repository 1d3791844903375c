//! Which repository of another tool is meant.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use repository::{Foreign, Tool};

use super::super::repo_args::RepoArgs;

/// The repository in this folder, or the one that it is; without a folder, the nearest from where -C says or from
/// here up.
pub(super) fn find(folder: Option<&Path>, repo: &RepoArgs) -> anyhow::Result<Foreign> {
    let Some(folder) = folder else { return nearest(&repo.folder().unwrap_or_else(|| PathBuf::from("."))) };
    if !folder.is_dir() {
        bail!("{} is not a folder", folder.display());
    }
    match one_in(folder)? {
        Some(foreign) => Ok(foreign),
        None => of_itself(folder).with_context(|| {
            format!(
                "{} is not a repository of testrepository, stestr or inquest, and does not contain one",
                folder.display()
            )
        }),
    }
}

/// Refuses a repository with a FIFO or the like in it: who opens one may wait for ever.
pub(super) fn refuse_pipes(folder: &Path) -> anyhow::Result<()> {
    let failed = || format!("cannot read {}", folder.display());
    for entry in fs::read_dir(folder).with_context(failed)? {
        let path = entry.with_context(failed)?.path();
        // A link that leads nowhere is found when it is read.
        let Ok(found) = fs::metadata(&path) else { continue };
        if found.is_dir() && !path.is_symlink() {
            refuse_pipes(&path)?;
        } else if !found.is_file() && !found.is_dir() {
            bail!("{} is a FIFO, a socket or a device, and no file: nothing was imported", path.display());
        }
    }
    Ok(())
}

fn nearest(start: &Path) -> anyhow::Result<Foreign> {
    if let Some(mut foreign) = one_in(start)? {
        if start == Path::new(".") {
            foreign.path = foreign.tool.folder().into();
        }
        return Ok(foreign);
    }
    let absolute = std::path::absolute(start).with_context(|| format!("cannot find {}", start.display()))?;
    for folder in absolute.ancestors().skip(1) {
        if let Some(foreign) = one_in(folder)? {
            return Ok(foreign);
        }
    }
    bail!("no repository of testrepository, stestr or inquest in {} or above: name it", start.display())
}

fn one_in(folder: &Path) -> anyhow::Result<Option<Foreign>> {
    match &*Foreign::in_folder(folder) {
        [] => Ok(None),
        [only] => Ok(Some(only.clone())),
        [first, second, ..] => {
            bail!("there are {} and {}: name the one to import", first.path.display(), second.path.display())
        }
    }
}

/// What the folder itself is, by its name or else by what is in it.
fn of_itself(folder: &Path) -> Option<Foreign> {
    let name = folder.canonicalize().ok()?;
    let by_name = Tool::ALL.into_iter().find(|tool| name.file_name() == Some(tool.folder().as_ref()));
    let by_content = || {
        let signs = [
            ("metadata.db", Tool::Inquest),
            ("meta.dbm.dat", Tool::Stestr),
            ("next-stream", Tool::Testrepository),
        ];
        signs.into_iter().find(|(name, _)| folder.join(name).exists()).map(|(_, tool)| tool)
    };
    Some(Foreign { path: folder.to_owned(), tool: by_name.or_else(by_content)? })
}
