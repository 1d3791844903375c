//! What EOS reports in extended attributes of any path.

use std::io;
use std::path::Path;

use process::helper::Stop;
use rustix::fs::getxattr;
use subunit::part;

use super::{Fact, Reporter};

/// Who answers, for whom, how much may be used. Which identity the daemon used is the first thing to look at: most
/// broken mounts are expired tickets.
const TOLD: [&str; 6] = ["eos.name", "eos.hostport", "eos.mgmurl", "eos.identity", "eos.quota", "eos.stats"];

/// Tells the attributes there are, as evidence. That one is missing is not a failure.
pub(super) fn tell(path: &Path, reporter: &mut Reporter) -> Result<(), Stop> {
    for name in TOLD {
        let text = reporter.step(&format!("getxattr {name}"), || Ok(read(path, name).ok()))?;
        for line in text.iter().flat_map(|text| text.lines()) {
            reporter.tell(Fact::evidence("eos-attributes.txt", format!("{name}: {line}")))?;
        }
    }
    Ok(())
}

/// The server's own checksum of a file, in hexadecimal digits, where it tells one.
pub(super) fn checksum(path: &Path, reporter: &mut Reporter) -> Result<Option<String>, Stop> {
    let text = reporter.step("getxattr eos.checksum", || Ok(read(path, "eos.checksum").ok()))?;
    let digits = text.map(|text| text.trim().rsplit(':').next().unwrap_or_default().to_lowercase());
    Ok(digits.filter(|digits| digits.len() >= 8 && digits.chars().all(|digit| digit.is_ascii_hexdigit())))
}

fn read(path: &Path, name: &str) -> io::Result<String> {
    let mut bytes = vec![0; 16 << 10];
    let len = getxattr(path, name, &mut bytes)?;
    let text = part(&bytes, ..len).split(|byte| *byte == 0).next().unwrap_or_default();
    Ok(String::from_utf8_lossy(text).into_owned())
}
