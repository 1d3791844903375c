//! Which configuration file a project has.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{ConfigError, Suite, stestr, testr};

/// The files that are looked for in a folder and those above it, in this order.
pub const FILES: [&str; 4] = [".testr.conf", ".stestr.conf", "pyproject.toml", "tox.ini"];

/// The suite of the project that a folder is in; `None` where there is no configuration file.
///
/// # Errors
///
/// When a file cannot be read, or something is wrong in it; the text names the file.
pub fn find(folder: &Path) -> Result<Option<Suite>, ConfigError> {
    for folder in folder.ancestors() {
        if let Some(suite) = here(folder)? {
            return Ok(Some(suite));
        }
    }
    Ok(None)
}

/// The suite that a configuration file in this very folder describes.
///
/// # Errors
///
/// As [`find`].
pub fn here(folder: &Path) -> Result<Option<Suite>, ConfigError> {
    for name in FILES {
        if let Some(suite) = if_there(&folder.join(name))? {
            return Ok(Some(suite));
        }
    }
    Ok(None)
}

/// The suite that a file describes; what file it is, its name tells.
///
/// # Errors
///
/// When it cannot be read, or there is no suite in it; the text names the file.
pub fn read(path: &Path) -> Result<Suite, ConfigError> {
    match if_there(path)? {
        Some(suite) => Ok(suite),
        None if path.exists() => {
            Err(ConfigError(format!("{}: it says nothing about stestr", path.display())))
        }
        None => Err(ConfigError(format!("{}: no such file", path.display()))),
    }
}

fn if_there(path: &Path) -> Result<Option<Suite>, ConfigError> {
    let wrong = |why: &dyn std::fmt::Display| ConfigError(format!("{}: {why}", path.display()));
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::IsADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(wrong(&error)),
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let suite = match &*name {
        "tox.ini" => stestr::read_ini(&text, "stestr"),
        name if name.ends_with(".toml") => stestr::read_toml(&text),
        name if name.contains("stestr") => stestr::read_ini(&text, "DEFAULT"),
        _ => testr::read(&text).map(Some),
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let placed = |suite| Suite { source: path.to_owned(), folder: PathBuf::from(folder), ..suite };
    Ok(suite.map_err(|error| wrong(&error))?.map(placed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(files: &[(&str, &str)], expected: Result<Option<&str>, &str>) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let below = folder.path().join("below");
        fs::create_dir_all(&below).unwrap();
        let found = find(&below)
            .map(|suite| suite.map(|suite| suite.source.file_name().unwrap().to_str().unwrap().to_owned()));
        let found = found.map_err(|error| error.0.rsplit('/').next().unwrap().to_owned());
        assert_eq!(found, expected.map(|name| name.map(str::to_owned)).map_err(str::to_owned));
    }

    #[test]
    fn the_nearest_file_is_found() {
        check(&[(".stestr.conf", "[DEFAULT]\ntest_path=t\n")], Ok(Some(".stestr.conf")));
        check(&[("tox.ini", "[tox]\n")], Ok(None));
        check(&[("tox.ini", "[stestr]\ntest_path=t\n"), ("pyproject.toml", "")], Ok(Some("tox.ini")));
        check(&[("below/tox.ini", "[stestr]\ntest_path=t\n"), (".testr.conf", "")], Ok(Some("tox.ini")));
        check(&[(".testr.conf", "")], Err(".testr.conf: there is no test_command in the section [DEFAULT]"));
    }
}
