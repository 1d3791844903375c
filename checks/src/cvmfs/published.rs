//! The manifest of a repository, `.cvmfspublished`: what its servers have.

/// What is read of a manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Published {
    /// The number of the revision.
    pub(super) revision: u64,
    /// When it was published, in seconds since 1970.
    pub(super) time: Option<u64>,
    /// How long it may be used before it is looked for again, in seconds.
    pub(super) lifetime: Option<u64>,
}

impl Published {
    /// Reads a manifest: lines of a letter and a value, up to a line `--` and the signature.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let (mut revision, mut time, mut lifetime) = (None, None, None);
        for line in text.split(|byte| *byte == b'\n').take_while(|line| *line != b"--") {
            let Some((letter, value)) = line.split_first() else { continue };
            let number = std::str::from_utf8(value).ok().and_then(|value| value.trim().parse().ok());
            match letter {
                b'S' => revision = number,
                b'T' => time = number,
                b'D' => lifetime = number,
                _ => {}
            }
        }
        Some(Published { revision: revision?, time, lifetime })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<(u64, Option<u64>, Option<u64>)>) {
        let found = Published::parse(text.as_bytes());
        assert_eq!(found.map(|found| (found.revision, found.time, found.lifetime)), expected);
    }

    #[test]
    fn the_lines_before_the_signature_are_read() {
        check(
            "Cabc\nB123\nD240\nS14822\nT1700000000\nNsft.cern.ch\n--\nS1\n",
            Some((14822, Some(1_700_000_000), Some(240))),
        );
        check("S7", Some((7, None, None)));
        check("<html>\n", None);
        check("", None);
    }
}
