//! The program that is copied: which one, whether it can run elsewhere, and on which machines.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use anyhow::{Context as _, bail, ensure};
use object::elf::PT_INTERP;
use object::read::elf::{ElfFile32, ElfFile64, FileHeader, ProgramHeader as _};
use object::{Architecture, Endianness, FileKind, Object as _};
use sha2::{Digest as _, Sha256};

/// This program.
pub const PROGRAM: &str = "/proc/self/exe";
/// The variable that names the program to copy, where nothing else does.
pub const BINARY: &str = "SUBUNIT_REMOTE_BINARY";
/// How to get a program that can run anywhere.
const BUILD: &str = "cargo rustc --release -p subunit-toolkit --bin subunit -- -C target-feature=+crt-static";

/// What machines are called: by the file, by `uname -m` (and its like), and by engines.
const MACHINES: &[(Architecture, &[&str])] = &[
    (Architecture::X86_64, &["x86_64", "amd64"]),
    (Architecture::Aarch64, &["aarch64", "arm64"]),
    (Architecture::I386, &["i386", "i486", "i586", "i686", "386", "x86_64", "amd64"]),
    (Architecture::Arm, &["armv6l", "armv7l", "armv8l", "arm"]),
    (Architecture::Riscv64, &["riscv64"]),
    (Architecture::PowerPc64, &["ppc64le", "ppc64"]),
    (Architecture::S390x, &["s390x"]),
];

/// A program that can be copied: one that needs no other file.
#[derive(Clone, Debug)]
pub struct NodeProgram {
    content: Arc<Vec<u8>>,
    digest: Arc<OnceLock<String>>,
    architecture: Architecture,
}

impl NodeProgram {
    /// The one that is named, else that of [`BINARY`], else this one.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or cannot run elsewhere.
    pub fn find(named: Option<&Path>) -> anyhow::Result<Self> {
        let variable = || env::var_os(BINARY).filter(|path| !path.is_empty()).map(PathBuf::from);
        let named = named.map(Path::to_owned).or_else(variable);
        let shown =
            named.as_ref().map_or_else(|| "this program".to_owned(), |path| path.display().to_string());
        let path = named.unwrap_or_else(|| PROGRAM.into());
        let content = fs::read(&path).with_context(|| format!("cannot read {shown}, to copy it"))?;
        NodeProgram::of(content)
            .with_context(|| format!("{shown} cannot be copied to where it is to look from"))
    }

    fn of(content: Vec<u8>) -> anyhow::Result<Self> {
        let (architecture, is_static) = match FileKind::parse(&*content) {
            Ok(FileKind::Elf64) => {
                let file = ElfFile64::<Endianness>::parse(&*content)?;
                (file.architecture(), is_static(file.elf_header(), file.endian(), &content)?)
            }
            Ok(FileKind::Elf32) => {
                let file = ElfFile32::<Endianness>::parse(&*content)?;
                (file.architecture(), is_static(file.elf_header(), file.endian(), &content)?)
            }
            _ => bail!("it is not a program for Linux"),
        };
        ensure!(
            is_static,
            "it is linked dynamically, and so runs only where its libraries are; `{BUILD}` makes one that runs \
             anywhere, to be this program or to be named by --remote-binary"
        );
        Ok(NodeProgram { content: Arc::new(content), digest: Arc::default(), architecture })
    }

    /// Its bytes.
    #[must_use]
    pub fn content(&self) -> &[u8] {
        &self.content
    }

    /// SHA-256, in hexadecimal digits; found when it is first asked for, which is within the time of a target.
    #[must_use]
    pub fn digest(&self) -> &str {
        self.digest.get_or_init(|| digest(&self.content))
    }

    /// The name of the copy.
    #[must_use]
    pub fn name(&self) -> String {
        format!("check-all-{}", self.digest().get(..16).unwrap_or_default())
    }

    /// Why it cannot run on such a machine, by the name that the machine or the engine gives itself.
    pub(crate) fn misfit(&self, machine: &str) -> Option<String> {
        let known = MACHINES.iter().find(|(architecture, _)| *architecture == self.architecture);
        let names = known.map(|(_, names)| *names).unwrap_or_default();
        let shown =
            || names.first().map_or_else(|| format!("{:?}", self.architecture), |name| (*name).to_owned());
        let fits = names.contains(&machine.trim().to_lowercase().as_str());
        (!fits).then(|| {
            format!(
                "the program to copy is for {}, and the machine there is {}; --remote-binary names another one",
                shown(),
                machine.trim()
            )
        })
    }
}

/// SHA-256, in hexadecimal digits.
pub(crate) fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether it can be started without any other file.
fn is_static<Elf: FileHeader>(header: &Elf, endian: Elf::Endian, content: &[u8]) -> anyhow::Result<bool> {
    let segments = header.program_headers(endian, content)?;
    ensure!(!segments.is_empty(), "it has nothing to load");
    Ok(!segments.iter().any(|segment| segment.p_type(endian) == PT_INTERP))
}

#[cfg(test)]
impl NodeProgram {
    /// One for x86_64, without content.
    pub(crate) fn for_tests() -> Self {
        NodeProgram { content: Arc::default(), digest: Arc::default(), architecture: Architecture::X86_64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program of a page for this architecture, of a 64-bit machine, with a segment of this type.
    fn elf(machine: u16, segment: u32) -> Vec<u8> {
        let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
        bytes.extend([2, 0]);
        bytes.extend(machine.to_le_bytes());
        bytes.extend(1u32.to_le_bytes());
        bytes.extend(0x40_0000u64.to_le_bytes());
        bytes.extend(64u64.to_le_bytes());
        bytes.extend(0u64.to_le_bytes());
        bytes.extend(0u32.to_le_bytes());
        for number in [64u16, 56, 1, 0, 0, 0] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(segment.to_le_bytes());
        bytes.extend([0; 52]);
        bytes
    }

    #[test]
    fn only_what_needs_nothing_else_is_copied() {
        let check = |content: Vec<u8>, expected: Result<(), &str>| match (NodeProgram::of(content), expected)
        {
            (Ok(_), Ok(())) => {}
            (Err(error), Err(words)) => assert!(format!("{error:#}").contains(words), "{error:#}"),
            (found, expected) => panic!("{found:?} instead of {expected:?}"),
        };
        check(elf(62, 1), Ok(()));
        check(elf(62, 3), Err("it is linked dynamically"));
        check(elf(62, 3), Err("+crt-static"));
        check(b"#!/bin/sh\n".to_vec(), Err("it is not a program for Linux"));
        check(Vec::new(), Err("it is not a program for Linux"));
        let cut: Vec<u8> = elf(62, 1).into_iter().take(70).collect();
        assert!(NodeProgram::of(cut).is_err());
    }

    #[test]
    fn it_says_on_which_machines_it_runs() {
        let check = |machine: u16, name: &str, expected: Option<&str>| {
            let misfit = NodeProgram::of(elf(machine, 1)).unwrap().misfit(name);
            match expected {
                Some(words) => assert!(misfit.is_some_and(|text| text.contains(words)), "{name}"),
                None => assert_eq!(misfit, None),
            }
        };
        check(62, "x86_64\n", None);
        check(62, "amd64", None);
        check(62, "aarch64", Some("is for x86_64, and the machine there is aarch64"));
        check(183, "arm64", None);
        check(62, "", Some("--remote-binary"));
    }

    #[test]
    fn a_copy_is_named_after_what_it_is() {
        let [one, other] = [1, 2].map(|kind| NodeProgram::of(elf(62, kind)).unwrap().name());
        assert!(one != other && one.len() == "check-all-".len() + 16);
    }
}
