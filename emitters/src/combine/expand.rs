//! What stands for tests on a command line: the placeholders of testr.

use std::io::{self, Write as _};
use std::path::Path;

use tempfile::NamedTempFile;

use super::config::Suite;

/// What is to be done with the tests of a command.
pub(super) struct Selection {
    pub(super) is_list: bool,
    /// These alone, if some were asked for.
    pub(super) ids: Option<Vec<String>>,
}

impl Selection {
    /// Whether tests were asked for, but none of this command.
    pub(super) fn is_nothing(&self) -> bool {
        self.ids.as_ref().is_some_and(Vec::is_empty)
    }

    /// A file with the ids, if some were asked for.
    pub(super) fn file(&self) -> io::Result<Option<NamedTempFile>> {
        let Some(ids) = &self.ids else { return Ok(None) };
        let mut file = tempfile::Builder::new().prefix("subunit-combine-").suffix(".list").tempfile()?;
        ids.iter().try_for_each(|id| writeln!(file, "{id}"))?;
        file.flush()?;
        Ok(Some(file))
    }

    /// The command line. A word with a placeholder in it is split at blanks, so that an empty one leaves nothing.
    pub(super) fn expand(&self, suite: &Suite, file: Option<&Path>) -> Vec<String> {
        let list = if self.is_list { suite.list_option.as_deref() } else { None };
        let file = file.map(|path| path.display().to_string()).unwrap_or_default();
        let ids = self.ids.as_ref().map(|ids| ids.join(" ")).unwrap_or_default();
        let within = [("$IDFILE", &*file), ("$IDLIST", &*ids), ("$IDOPTION", ""), ("$LISTOPT", "")];
        let option = match (&self.ids, &suite.id_option) {
            (Some(_), Some(template)) => replace(template, &within),
            _ => String::new(),
        };
        let all = [
            ("$IDOPTION", &*option),
            ("$LISTOPT", list.unwrap_or_default()),
            ("$IDFILE", &*file),
            ("$IDLIST", &*ids),
        ];
        let mut argv = Vec::new();
        for word in &suite.argv {
            if all.iter().any(|(name, _)| word.contains(name)) {
                argv.extend(replace(word, &all).split_whitespace().map(str::to_owned));
            } else {
                argv.push(word.clone());
            }
        }
        argv
    }
}

/// Replaces each placeholder once: what comes in its place is not looked at again.
fn replace(template: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, from)) = rest.find('$').and_then(|at| rest.split_at_checked(at)) {
        out.push_str(before);
        let known = values.iter().find_map(|(name, value)| Some((from.strip_prefix(name)?, *value)));
        let (next, value) = known.unwrap_or_else(|| (from.strip_prefix('$').unwrap_or_default(), "$"));
        out.push_str(value);
        rest = next;
    }
    out + rest
}
