//! What is mounted where, without touching any of it.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

use globset::GlobMatcher;
use subunit::part;

use crate::Finding;

/// A line of `/proc/PID/mountinfo`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Where it is mounted.
    pub point: PathBuf,
    /// The file system's type: `fuse.eosxd`, `ext4`.
    pub fstype: String,
    /// What is mounted: a device, a server, a name.
    pub source: String,
    /// The mount's options: `rw,relatime`.
    pub options: String,
    /// Those of the file system itself, wherever it is mounted: one that met an error turns itself `ro`.
    pub super_options: String,
    /// The number by which `/sys/fs/fuse/connections` knows it: the minor of the device.
    pub minor: u32,
    /// The line as it stands.
    pub line: String,
    id: u64,
    /// The mount that it is mounted on.
    parent: u64,
}

impl Mount {
    fn parse(line: &[u8]) -> Option<Mount> {
        let mut fields = line.split(|byte| *byte == b' ');
        let id = lossy(fields.next()?).parse().ok()?;
        let parent = lossy(fields.next()?).parse().ok()?;
        let device = fields.next()?;
        let point = unescape(fields.nth(1)?);
        let options = lossy(fields.next()?);
        let mut rest = fields.skip_while(|field| *field != b"-").skip(1);
        let fstype = lossy(rest.next()?);
        let source = lossy(&unescape(rest.next()?));
        let super_options = rest.next().map(lossy).unwrap_or_default();
        let minor = lossy(device).split_once(':')?.1.parse().ok()?;
        let point = PathBuf::from(OsString::from_vec(point));
        Some(Mount { point, fstype, source, options, super_options, minor, line: lossy(line), id, parent })
    }

    /// Whether nothing can be written on it.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        has_ro(&self.options) || self.is_read_only_everywhere()
    }

    /// Whether nothing can be written to the file system, through whatever mount.
    #[must_use]
    pub fn is_read_only_everywhere(&self) -> bool {
        has_ro(&self.super_options)
    }
}

fn has_ro(options: &str) -> bool {
    options.split(',').any(|option| option == "ro")
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Spaces, tabs, newlines and backslashes stand as three octal digits.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        let octal = tail.get(..3).filter(|_| *byte == b'\\').and_then(octal);
        bytes.push(octal.unwrap_or(*byte));
        if octal.is_some() {
            rest = part(tail, 3..);
        }
    }
    bytes
}

fn octal(digits: &[u8]) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()
}

/// All mounts of a mount namespace, in the order they were made.
#[derive(Clone, Debug)]
pub struct Mounts(Vec<Mount>);

impl Mounts {
    /// The finding where no mount is known that the path is on, though one of any kind would do.
    #[must_use]
    pub fn accepted_unseen() -> Finding {
        Finding::fine("cannot tell what is mounted there, and any file system is accepted".to_owned())
    }

    /// The finding where no mount is known that the path is on; `hint` says which option helps.
    #[must_use]
    pub fn unseen(path: &Path, hint: &str) -> Finding {
        Finding::unknown(format!(
            "cannot tell what is mounted at {}: /proc/self/mountinfo lists no mount that it is on, as in a chroot; {hint}",
            path.display()
        ))
    }

    /// The mounts that this process sees, now. This never hangs, whatever hangs on the mounts.
    ///
    /// # Errors
    ///
    /// When `/proc` cannot be read.
    pub fn read() -> io::Result<Self> {
        Ok(Mounts::parse(&fs::read("/proc/self/mountinfo")?))
    }

    /// Reads the lines of a mountinfo file; any other line is left out.
    #[must_use]
    pub fn parse(text: &[u8]) -> Self {
        Mounts(text.split(|byte| *byte == b'\n').filter_map(Mount::parse).collect())
    }

    /// The mount that a path is on, by its words alone: from the root, what is mounted on the way. What was mounted
    /// later at the same point, or at one above, hides what was there. In a chroot, what its root is on is not listed.
    #[must_use]
    pub fn covering(&self, path: &Path) -> Option<&Mount> {
        let leading: Vec<_> = self.0.iter().filter(|mount| path.starts_with(&mount.point)).collect();
        let length = |mount: &&Mount| mount.point.as_os_str().as_bytes().len();
        let is_first = |mount: &&&Mount| {
            length(mount) == 1
                && !leading.iter().any(|other| other.id == mount.parent && other.id != mount.id)
        };
        // In another root than the one of the namespace there may be none: then the longest is the best guess.
        let Some(mut top) = leading.iter().find(is_first).copied() else {
            return leading.into_iter().max_by_key(length);
        };
        for _ in 0..leading.len() {
            // What is mounted on the root itself is not on the way of those who have that root already.
            let is_on = |mount: &&&Mount| mount.parent == top.id && mount.id != top.id && length(mount) > 1;
            let mounted = leading.iter().rev().filter(is_on);
            match mounted.copied().min_by_key(length) {
                Some(next) => top = next,
                None => break,
            }
        }
        Some(top)
    }

    /// The mounts that are seen: those that no later one at the same point hides.
    pub fn visible(&self) -> impl Iterator<Item = &Mount> {
        // There may be thousands.
        let last: HashMap<&Path, usize> =
            self.0.iter().enumerate().map(|(number, mount)| (mount.point.as_path(), number)).collect();
        let is_last =
            move |(number, mount): &(usize, &Mount)| last.get(mount.point.as_path()) == Some(number);
        self.0.iter().enumerate().filter(is_last).map(|(_, mount)| mount)
    }

    /// The points of visible mounts whose type is of this pattern and which `accepts` takes.
    pub fn points<'a>(
        &'a self,
        fstype: &'a GlobMatcher,
        accepts: impl Fn(&Mount) -> bool + 'a,
    ) -> impl Iterator<Item = &'a Path> + 'a {
        self.visible()
            .filter(move |mount| fstype.is_match(&mount.fstype) && accepts(mount))
            .map(|mount| mount.point.as_path())
    }
}

/// The path from the root, by its words alone: `.` and `..` are resolved without looking at links.
///
/// # Errors
///
/// When it is relative and the current directory is not known.
pub fn absolute(path: &Path) -> io::Result<PathBuf> {
    // The link's text: asking the directory itself may hang.
    let mut result = if path.is_absolute() { PathBuf::new() } else { fs::read_link("/proc/self/cwd")? };
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                result.pop();
            }
            other => result.push(other),
        }
    }
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTINFO: &[u8] = b"\
22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
50 22 0:44 / /eos/user rw,nosuid,nodev - fuse eosxd rw,user_id=0
51 22 0:45 / /eos/with\\040space ro - fuse.eosxd eos\\134x rw
52 50 0:46 / /eos/user ro master:2 propagate_from:3 - fuse.eosxd eoshome rw
53 22 0:47 / /eos/user2 rw - nfs4 server:/x rw
a broken line
";

    fn check(path: &str, expected: (&str, &str)) {
        let mounts = Mounts::parse(MOUNTINFO);
        let mount = mounts.covering(Path::new(path)).unwrap();
        assert_eq!((mount.fstype.as_str(), mount.source.as_str()), expected, "{path}");
    }

    #[test]
    fn a_path_is_on_the_last_of_the_longest_mount_points() {
        check("/eos/user/u/user", ("fuse.eosxd", "eoshome"));
        check("/eos/user2", ("nfs4", "server:/x"));
        check("/eos/user22", ("ext4", "/dev/vda1"));
        check("/eos/with space/x", ("fuse.eosxd", "eos\\x"));
        check("/", ("ext4", "/dev/vda1"));
    }

    #[test]
    fn what_is_mounted_above_hides_what_was_below() {
        let check = |lines: &str, expected: &str| {
            let mounts = Mounts::parse(lines.as_bytes());
            assert_eq!(mounts.covering(Path::new("/eos/user/u")).unwrap().source, expected, "{lines}");
        };
        let root = "1 0 8:1 / / rw - ext4 root rw\n";
        let user = "2 1 0:2 / /eos/user rw - fuse user rw\n";
        check(&format!("{root}{user}3 1 0:3 / /eos rw - tmpfs above rw\n"), "above");
        check(
            &format!("{root}3 1 0:3 / /eos rw - tmpfs above rw\n2 3 0:2 / /eos/user rw - fuse user rw\n"),
            "user",
        );
        // A root has no other one above it; and in a chroot there may be none at all.
        check(&format!("{root}{user}4 1 8:2 / / rw - ext4 other rw\n"), "user");
        check(user, "user");
        // Nonsense ends as well.
        check("1 2 8:1 / / rw - ext4 a rw\n2 1 8:1 / / rw - ext4 b rw\n", "b");
    }

    #[test]
    fn hidden_mounts_are_not_seen() {
        let mounts = Mounts::parse(MOUNTINFO);
        let fuse = globset::Glob::new("fuse*").unwrap().compile_matcher();
        let points: Vec<_> = mounts.points(&fuse, |_| true).collect();
        assert_eq!(points, [Path::new("/eos/with space"), Path::new("/eos/user")]);
        assert!(mounts.covering(Path::new("/eos/user")).unwrap().is_read_only());
    }

    #[test]
    fn paths_are_made_absolute_by_their_words() {
        let check = |path: &str, expected: &str| {
            assert_eq!(absolute(Path::new(path)).unwrap(), Path::new(expected));
        };
        check("/eos//user/./x/../y/", "/eos/user/y");
        check("/..", "/");
        let here = std::env::current_dir().unwrap();
        assert_eq!(absolute(Path::new("a/..")).unwrap(), here);
    }

    #[test]
    fn in_a_chroot_there_may_be_no_root() {
        let mounts = Mounts::parse(b"9 1 0:5 / /proc rw - proc proc rw\n");
        assert!(mounts.covering(Path::new("/work")).is_none());
        assert!(mounts.covering(Path::new("/proc/self")).is_some());
        assert!(Mounts::read().is_ok());
    }
}
