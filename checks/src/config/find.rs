//! Where configuration files are looked for.

use std::env;
use std::path::{Path, PathBuf};

use probe::{Mounts, absolute};

/// The file's name.
const NAME: &str = "subunit-checks.toml";

/// The configuration file that holds where none is named: `subunit-checks.toml` here, else in
/// `$XDG_CONFIG_HOME/subunit` (`~/.config/subunit`), else in `/etc/subunit`.
///
/// Folders on file systems that may hang (network and FUSE mounts) are not looked at: to find out that such a
/// mount hangs may be what the check is there for.
#[must_use]
pub fn find() -> Option<PathBuf> {
    let mounts = Mounts::read().ok()?;
    let home = || Some(PathBuf::from(env::var_os("HOME")?).join(".config"));
    let user =
        env::var_os("XDG_CONFIG_HOME").filter(|path| !path.is_empty()).map(PathBuf::from).or_else(home);
    let folders =
        [absolute(Path::new(".")).ok(), user.map(|path| path.join("subunit")), Some("/etc/subunit".into())];
    let mut files = folders.into_iter().flatten().map(|folder| folder.join(NAME));
    files.find(|path| may_be_touched(&mounts, path) && path.is_file())
}

fn may_be_touched(mounts: &Mounts, path: &Path) -> bool {
    const REMOTE: [&str; 10] =
        ["fuse", "nfs", "cifs", "smb", "afs", "ceph", "9p", "autofs", "lustre", "gpfs"];
    let is_remote = |fstype: &str| REMOTE.iter().any(|name| fstype.starts_with(name));
    // What is on no mount is on the root of a chroot, as this program is.
    mounts.covering(path).is_none_or(|mount| !is_remote(&mount.fstype))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_hang_is_not_touched() {
        let mounts = Mounts::parse(
            b"1 0 8:1 / / rw - ext4 /dev/vda rw\n2 1 0:44 / /home/u rw - fuse.sshfs x rw\n\
              3 1 0:45 / /net rw - autofs x rw\n4 1 0:46 / /data rw - nfs4 x rw\n",
        );
        let check = |path, expected| assert_eq!(may_be_touched(&mounts, Path::new(path)), expected, "{path}");
        check("/etc/subunit/subunit-checks.toml", true);
        check("/home/u/.config/subunit/subunit-checks.toml", false);
        check("/net/x/subunit-checks.toml", false);
        check("/data/subunit-checks.toml", false);
        let chroot = Mounts::parse(b"4 1 0:46 / /data rw - nfs4 x rw\n");
        assert!(may_be_touched(&chroot, Path::new("/etc/subunit/subunit-checks.toml")));
        assert!(!may_be_touched(&chroot, Path::new("/data/subunit-checks.toml")));
    }
}
