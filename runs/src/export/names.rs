//! The names that `stestr` gives.

use std::borrow::Cow;
use std::path::Path;

/// Whether the folder is meant for `stestr`.
pub(super) fn is_stestr(folder: &Path) -> bool {
    folder.file_name().is_some_and(|name| name.to_string_lossy().ends_with(".stestr"))
}

/// A test id as `stestr` has it in its timings: without the first `[…]`.
pub(crate) fn without_brackets(id: &str) -> Cow<'_, str> {
    let cut = || {
        let (start, end) = (id.find('[').filter(|start| *start > 0)?, id.find(']')?);
        (start < end).then_some((id.get(..start)?, id.get(end + 1..)?))
    };
    cut().map_or(Cow::Borrowed(id), |(before, after)| Cow::Owned(before.to_owned() + after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stestr_leaves_the_first_brackets_out() {
        let check = |id, expected| assert_eq!(without_brackets(id), expected);
        check("a.b[id-1,smoke]", "a.b");
        check("a[x](scenario)[y]", "a(scenario)[y]");
        for id in ["[a]b", "a]b[", "a[b", "plain"] {
            check(id, id);
        }
    }
}
