//! One task of the file, with all combinations of its parameters.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use probe::{MetricUnit, Range};
use runner::suite::Format;

use super::{Results, Task, Written};
use crate::file::At;
use crate::file::task::TaskTable;
use crate::file::value::Scalar;

const FORMATS: [(&str, Results); 7] = [
    ("exit", Results::Exit),
    ("auto", Results::Output(Format::Auto)),
    ("subunit", Results::Output(Format::Subunit)),
    ("tap", Results::Output(Format::Tap)),
    ("gojson", Results::Output(Format::GoJson)),
    ("libtest", Results::Output(Format::Libtest)),
    ("v1", Results::Output(Format::V1)),
];

/// The tasks that one of the file stands for.
pub(crate) fn expand(written: &Written<'_>, name: &str, table: &At<TaskTable>) -> Result<Vec<Task>> {
    let wrong = |what: &str| written.source.wrong(table.offset(), format!("task.{name}: {what}"));
    match (&table.run, &table.check) {
        (Some(_), Some(_)) => return Err(wrong("it says both run and check")),
        (None, None) => return Err(wrong("it says neither run nor check")),
        (Some(_), None) if !table.with.is_empty() => return Err(wrong("`with` is for a check")),
        _ => {}
    }
    if !table.matrix.is_empty() && !table.cases.is_empty() {
        return Err(wrong("it says both matrix and cases"));
    }
    if let Some((param, _)) = table.matrix.iter().find(|(_, values)| values.is_empty()) {
        return Err(wrong(&format!("matrix.{param} has no values, so that it would never run")));
    }
    let folder =
        table.folder.as_ref().map_or_else(|| written.folder.to_owned(), |own| written.folder.join(own));
    if !folder.is_dir() {
        return Err(wrong(&format!("there is no folder {}", folder.display())));
    }
    for (metric, range) in &table.require {
        Range::parse(range, MetricUnit::Count)
            .map_err(|error| written.source.wrong(range.offset(), format!("require.{metric}: {error}")))?;
    }
    let results = results(written, table)?;
    let task = |params: BTreeMap<String, Scalar>| Task {
        name: name.to_owned(),
        id: format!("{}{name}{}", table.prefix, Task::suffix(&params)),
        params,
        folder: folder.clone(),
        results: results.clone(),
        table: (**table).clone(),
    };
    Ok(combinations(table).into_iter().map(task).collect())
}

fn combinations(table: &TaskTable) -> Vec<BTreeMap<String, Scalar>> {
    if !table.cases.is_empty() {
        return table.cases.clone();
    }
    let mut all = vec![BTreeMap::new()];
    for (name, values) in &table.matrix {
        let with = |params: &BTreeMap<String, Scalar>| {
            let own = params.clone();
            let each = move |value: &Scalar| {
                let mut params = own.clone();
                params.insert(name.clone(), value.clone());
                params
            };
            values.iter().map(each).collect::<Vec<_>>()
        };
        all = all.iter().flat_map(with).collect();
    }
    all
}

fn results(written: &Written<'_>, table: &TaskTable) -> Result<Results> {
    let Some(format) = &table.format else {
        let is_check = table.check.is_some();
        return Ok(if is_check { Results::Output(Format::Subunit) } else { Results::Exit });
    };
    if let Some(path) = format.strip_prefix("junit:").filter(|path| !path.is_empty()) {
        return Ok(Results::Junit(PathBuf::from(path)));
    }
    if let Some((_, results)) = FORMATS.iter().find(|(name, _)| *name == format.as_str()) {
        return Ok(results.clone());
    }
    let known = FORMATS.iter().map(|(name, _)| *name).chain(["junit:PATH"]);
    let guess = cli::suggest(format, known);
    let names: Vec<&str> = FORMATS.iter().map(|(name, _)| *name).collect();
    let names = names.join(", ");
    Err(written.source.wrong(
        format.offset(),
        format!("there is no format {:?}{guess} (there are {names} and junit:PATH)", format.as_str()),
    ))
}
