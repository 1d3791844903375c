//! `worker{1..4}` and `{a,b}.example`, as shells write several words.

/// How many words one may stand for.
const MOST: usize = 10_000;

/// All words that it stands for, in order.
pub(super) fn words(text: &str) -> Result<Vec<String>, String> {
    let Some((before, rest)) = text.split_once('{') else {
        return if text.contains('}') {
            Err(format!("`{text}` has a }} without a {{"))
        } else {
            Ok(vec![text.to_owned()])
        };
    };
    let (inner, after) = rest.split_once('}').ok_or_else(|| format!("`{text}` has a {{ without a }}"))?;
    let (inner, after) = (alternatives(inner)?, words(after)?);
    if inner.len().saturating_mul(after.len()) > MOST {
        return Err(format!("`{text}` stands for more than {MOST} hosts"));
    }
    let joined =
        |word: &String| after.iter().map(|after| format!("{before}{word}{after}")).collect::<Vec<_>>();
    Ok(inner.iter().flat_map(joined).collect())
}

fn alternatives(inner: &str) -> Result<Vec<String>, String> {
    let Some((first, last)) = inner.split_once("..") else {
        return Ok(inner.split(',').map(|word| word.trim().to_owned()).collect());
    };
    let number = |word: &str| {
        word.parse::<usize>().map_err(|_| format!("{{{inner}}} is not a range such as {{1..4}}"))
    };
    let (from, to) = (number(first)?, number(last)?);
    if from > to || to - from >= MOST {
        return Err(format!("{{{inner}}} is not a range of 1 to {MOST} numbers"));
    }
    // {01..12} has all numbers in two digits.
    let width = if first.starts_with('0') { first.len() } else { 0 };
    Ok((from..=to).map(|number| format!("{number:0width$}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_stand_for_several_words() {
        let check = |text: &str, expected: Result<&[&str], &str>| {
            let found = words(text);
            let found = found.as_ref().map(|words| words.iter().map(String::as_str).collect::<Vec<_>>());
            assert_eq!(found.map_err(String::as_str), expected.map(<[&str]>::to_vec));
        };
        check("worker", Ok(&["worker"]));
        check("worker{1..3}:22", Ok(&["worker1:22", "worker2:22", "worker3:22"]));
        check("w{09..11}", Ok(&["w09", "w10", "w11"]));
        check("{a,b}{1..2}", Ok(&["a1", "a2", "b1", "b2"]));
        check("w{1..", Err("`w{1..` has a { without a }"));
        check("w1}", Err("`w1}` has a } without a {"));
        check("w{4..1}", Err("{4..1} is not a range of 1 to 10000 numbers"));
        check("w{a..b}", Err("{a..b} is not a range such as {1..4}"));
        check("w{0..9999}{1..2}", Err("`w{0..9999}{1..2}` stands for more than 10000 hosts"));
    }
}
