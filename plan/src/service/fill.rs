//! Files with variables in them.

use std::collections::BTreeMap;

/// A text with the values of its variables: `$NAME` or `${NAME}`; `$$` is a dollar.
///
/// # Errors
///
/// When a variable is not known, or a dollar is before something else; with the line.
///
/// ```
/// let variables = [("NODE_INDEX".to_owned(), "2".to_owned())].into();
/// assert_eq!(plan::service::fill("id=${NODE_INDEX} for 5 $$", &variables)?, "id=2 for 5 $");
/// # Ok::<(), String>(())
/// ```
pub fn fill(text: &str, variables: &BTreeMap<String, String>) -> Result<String, String> {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let line = text.len() - after.len();
        let line = text.bytes().take(line).filter(|byte| *byte == b'\n').count() + 1;
        rest = match after.strip_prefix('$') {
            Some(after) => {
                out.push('$');
                after
            }
            None => {
                let (name, after) = name(after).ok_or_else(|| {
                    format!("line {line}: a $ without a name; write $NAME or ${{NAME}}, and $$ for a dollar")
                })?;
                let value = variables.get(name).ok_or_else(|| {
                    let known = variables.keys().map(String::as_str);
                    format!("line {line}: ${name} is not known{}", cli::suggest(name, known))
                })?;
                out.push_str(value);
                after
            }
        };
    }
    out.push_str(rest);
    Ok(out)
}

/// The name at the beginning, and what follows it.
fn name(text: &str) -> Option<(&str, &str)> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let (name, rest) = match text.strip_prefix('{') {
        Some(inner) => inner.split_once('}')?,
        None => text.split_at_checked(text.find(|letter| !is_part(letter)).unwrap_or(text.len()))?,
    };
    (!name.is_empty() && name.chars().all(is_part)).then_some((name, rest))
}
