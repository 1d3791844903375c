//! Python's `dbm.dumb`, which every Python can read, and takes before any other.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

/// Values begin at multiples of this.
const BLOCK: usize = 512;

/// Writes the files `NAME.dat`, `NAME.dir` and `NAME.bak`.
pub(super) fn write(folder: &Path, name: &str, pairs: &BTreeMap<String, String>) -> io::Result<()> {
    let (mut dir, mut dat) = (String::new(), Vec::new());
    for (key, value) in pairs {
        dat.resize(dat.len().next_multiple_of(BLOCK), 0);
        push_string(key, &mut dir);
        dir.push_str(&format!(", ({}, {})\n", dat.len(), value.len()));
        dat.extend_from_slice(value.as_bytes());
    }
    fs::write(folder.join(format!("{name}.dat")), dat)?;
    fs::write(folder.join(format!("{name}.dir")), &dir)?;
    fs::write(folder.join(format!("{name}.bak")), dir)
}

/// Appends the literal of a Python string whose characters are the bytes of the key.
fn push_string(key: &str, out: &mut String) {
    out.push('\'');
    for byte in key.bytes() {
        match byte {
            b'\'' | b'\\' => out.extend(['\\', char::from(byte)]),
            b' '..=b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out.push('\'');
}
