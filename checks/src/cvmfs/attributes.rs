//! What the client says about itself.

use std::collections::BTreeMap;

/// The magic extended attributes of a repository that are asked for, without `user.`.
pub(super) const NAMES: [&str; 19] = [
    "fqrn",
    "revision",
    "root_hash",
    "version",
    "pid",
    "expires",
    "host",
    "host_list",
    "proxy",
    "proxy_list",
    "nioerr",
    "timestamp_last_ioerr",
    "hitrate",
    "usedfd",
    "maxfd",
    "nclg",
    "ncleanup24",
    "uptime",
    "tag",
];

/// The attributes that were answered.
#[derive(Clone, Debug, Default)]
pub(super) struct Attributes(BTreeMap<String, String>);

/// From their names and values.
impl FromIterator<(String, String)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(all: I) -> Self {
        Attributes(all.into_iter().collect())
    }
}

impl Attributes {
    /// From lines `NAME VALUE`.
    #[cfg(test)]
    pub(super) fn parse<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        let split =
            |line: &str| line.split_once(' ').map(|(name, value)| (name.to_owned(), value.to_owned()));
        lines.filter_map(split).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// An attribute, unless the client says that it has no such thing.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let value = self.0.get(name)?.trim_matches(['\0', '\n', ' ']);
        (!matches!(value, "" | "n/a" | "N/A" | "-1")).then_some(value)
    }

    /// An attribute that is a number.
    pub(super) fn number(&self, name: &str) -> Option<f64> {
        self.text(name)?.parse().ok().filter(|number: &f64| number.is_finite())
    }

    /// All of them, one a line.
    pub(super) fn shown(&self) -> String {
        self.0.iter().map(|(name, value)| format!("{name} = {}\n", value.trim_end_matches('\0'))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_client_does_not_have_is_absent() {
        let lines = ["revision 14822", "hitrate 99.2", "ncleanup24 -1", "proxy n/a", "tag ", "expires never"];
        let attributes = Attributes::parse(lines.into_iter());
        let numbers =
            ["revision", "hitrate", "ncleanup24", "expires", "maxfd"].map(|name| attributes.number(name));
        assert_eq!(numbers, [Some(14822.0), Some(99.2), None, None, None]);
        assert_eq!(
            ["proxy", "tag", "expires"].map(|name| attributes.text(name)),
            [None, None, Some("never")]
        );
    }
}
