//! Keys of the file that mean nothing.

use cli::suggest;
use toml::de::{DeTable, DeValue};

use super::suite::KEYS;

/// What may stand at the top.
const TOP: [&str; 2] = ["preset", "suite"];

/// Looks at all keys of a file. What is no TOML is told where it is read.
pub(super) fn check(text: &str) -> Result<(), String> {
    let Ok(file) = DeTable::parse(text) else { return Ok(()) };
    let line = |offset: usize| text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1;
    for (key, value) in file.get_ref() {
        let name = key.get_ref().as_ref();
        if !TOP.contains(&name) {
            let at = line(key.span().start);
            return Err(format!("line {at}: there is no `{name}`{}", suggest(name, TOP)));
        }
        let DeValue::Table(suites) = value.get_ref() else { continue };
        for (suite, keys) in suites.iter().filter(|_| name == "suite") {
            let DeValue::Table(keys) = keys.get_ref() else { continue };
            if let Some(key) = keys.keys().find(|key| !KEYS.contains(&key.get_ref().as_ref())) {
                let (at, suite, name) = (line(key.span().start), suite.get_ref(), key.get_ref());
                return Err(format!("line {at}: suite.{suite} has no `{name}`{}", suggest(name, KEYS)));
            }
        }
    }
    Ok(())
}
