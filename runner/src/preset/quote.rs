//! How a runner is to be told a name that holds signs of its own.

/// Which signs have a meaning where the name stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quoting {
    /// None.
    Plain,
    /// A regular expression, of any kind.
    Regex,
    /// A pattern of Lua.
    Lua,
    /// A pattern of GoogleTest, which knows no way to quote its signs: any one sign stands for each.
    Gtest,
    /// A string in a filter expression of nextest.
    Nextest,
    /// A name of a package, as it is in paths of Rust.
    Crate,
}

impl Quoting {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "" => Quoting::Plain,
            "regex" => Quoting::Regex,
            "lua" => Quoting::Lua,
            "gtest" => Quoting::Gtest,
            "nextest" => Quoting::Nextest,
            "crate" => Quoting::Crate,
            _ => return None,
        })
    }

    pub(super) fn quote(self, text: &str, out: &mut String) {
        match self {
            Quoting::Plain => out.push_str(text),
            Quoting::Regex => behind(text, '\\', r"\.+*?()|[]{}^$/#", out),
            Quoting::Lua => behind(text, '%', "^$()%.[]*+-?", out),
            Quoting::Gtest => {
                out.extend(text.chars().map(|sign| if "*?:-".contains(sign) { '?' } else { sign }));
            }
            Quoting::Nextest => behind(text, '\\', r"\),", out),
            Quoting::Crate => out.push_str(&text.replace('-', "_")),
        }
    }
}

/// With this sign before each of those that have a meaning.
fn behind(text: &str, sign: char, signs: &str, out: &mut String) {
    for own in text.chars() {
        if signs.contains(own) {
            out.push(sign);
        }
        out.push(own);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, text: &str, expected: &str) {
        let mut out = String::new();
        Quoting::named(name).unwrap().quote(text, &mut out);
        assert_eq!(out, expected, "{name} of {text}");
    }

    #[test]
    fn odd_names_are_quoted() {
        let table = [
            ("one (x) $", r"one \(x\) \$", "one %(x%) %$", "one (x) $", r"one (x\) $"),
            ("d::e[f]", r"d::e\[f\]", "d::e%[f%]", "d??e[f]", "d::e[f]"),
            ("a b", "a b", "a b", "a b", "a b"),
            ("c*d", r"c\*d", "c%*d", "c?d", "c*d"),
            ("c/d (#)", r"c\/d \(\#\)", "c/d %(#%)", "c/d (#)", r"c/d (#\)"),
            ("a-b?", r"a-b\?", "a%-b%?", "a?b?", "a-b?"),
            (r"a\b,c", r"a\\b,c", r"a\b,c", r"a\b,c", r"a\\b\,c"),
            ("100% ü", "100% ü", "100%% ü", "100% ü", "100% ü"),
            ("", "", "", "", ""),
        ];
        for (name, regex, lua, gtest, nextest) in table {
            check("regex", name, regex);
            check("lua", name, lua);
            check("gtest", name, gtest);
            check("nextest", name, nextest);
            check("", name, name);
        }
    }
}
