//! A FUSE file system that passes everything on to a folder, and fails as it is told: a fixture for checks.
//!
//! `faulty-fs BACKING MOUNTPOINT CONTROL SECONDS [SOURCE [ro]]` mounts, says `ready PID` and serves. SOURCE is
//! what mountinfo names (CVMFS has `cvmfs2` there); with `ro` the mount is read-only. CONTROL is a file that
//! is read anew for each request; each of its lines is `OPERATION FAULT`, where OPERATION is a request of FUSE
//! (`statfs`, `write`, `fsync` …) or `*`, and FAULT is `hang` (the request is never answered), `slow MS`,
//! `flip` (the first byte read is another), `pretend` (`unlink` says that it is done, and does nothing) or an error
//! number. `xattr NAME TEXT` is an extended attribute of all files that it has beside those of the folder's files.
//!
//! It serves in a child process: that one can be stopped and killed to see what happens. The process that was
//! started is the watchdog: when SECONDS are over, or its input ends, it kills the child, which answers all that
//! hangs, and unmounts.
//!
//! Extended attributes are those of the folder's files, so that what CVMFS answers can be set with `setfattr`.

use std::collections::HashMap;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context as _, bail};
use fuser::{
    BsdFileFlags, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo,
    LockOwner, MountOption, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory,
    ReplyEmpty, ReplyEntry, ReplyOpen, ReplyStatfs, ReplyWrite, ReplyXattr, Request, Session, SessionACL,
    TimeOrNow, WriteFlags,
};
use process::{Child, Deadline};

const SERVE: &str = "--serve";
/// Nothing is remembered by the kernel: each look is a request.
const TTL: Duration = Duration::ZERO;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let serves = arguments.first().is_some_and(|first| first == SERVE);
    let words = arguments.get(usize::from(serves)..).unwrap_or_default();
    let [backing, point, control, seconds, source @ ..] = words else {
        bail!("usage: faulty-fs BACKING MOUNTPOINT CONTROL SECONDS [SOURCE [ro]]");
    };
    if serves {
        return serve(Path::new(backing), Path::new(point), Path::new(control), source);
    }
    let seconds = seconds.to_str().and_then(|text| text.parse().ok()).context("SECONDS is a number")?;
    watch(Command::new(env::current_exe()?).arg(SERVE).args(&arguments), Path::new(point), seconds)
}

/// Ends the server in time, whatever state it is in.
fn watch(server: &mut Command, point: &Path, seconds: u64) -> anyhow::Result<()> {
    let mut server = Child::spawn(server)?;
    let (ended, end) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let _closed = io::copy(&mut io::stdin(), &mut io::sink());
        ended.send(())
    });
    let _over = end.recv_timeout(Duration::from_secs(seconds));
    // A stopped process dies of it, too; its end cuts the connection, which answers whatever still waits.
    let outcome = server.kill(Duration::from_secs(5))?;
    nix::mount::umount2(point, nix::mount::MntFlags::MNT_DETACH).context("cannot unmount")?;
    if server.wait_until(Deadline::NEVER)?.is_none() {
        bail!("the server is {outcome}");
    }
    Ok(())
}

fn serve(backing: &Path, point: &Path, control: &Path, source: &[OsString]) -> anyhow::Result<()> {
    // A watchdog that is killed takes its server along.
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    let inodes = Inodes { paths: HashMap::from([(INodeNo::ROOT, backing.to_owned())]), next: 2 };
    let files = FaultyFs { control: control.to_owned(), inodes: Mutex::new(inodes) };
    let mut config = Config::default();
    let name = source.first().map_or("faulty".into(), |name| name.to_string_lossy());
    let name = MountOption::FSName(name.into_owned());
    config.mount_options = vec![name, MountOption::DefaultPermissions];
    if source.len() > 1 {
        config.mount_options.push(MountOption::RO);
    }
    config.acl = SessionACL::All;
    config.n_threads = Some(4);
    let session = Session::new(files, point, &config).context("cannot mount")?;
    io::stdout().write_all(format!("ready {}\n", std::process::id()).as_bytes())?;
    Ok(session.run()?)
}

/// What to do instead of, or before, what was asked.
enum Fault {
    Hang,
    Slow(Duration),
    Flip,
    Pretend,
    Error(i32),
}

impl Fault {
    fn parse(text: &str) -> Option<Fault> {
        match text.split_once(' ').unwrap_or((text, "")) {
            ("hang", "") => Some(Fault::Hang),
            ("flip", "") => Some(Fault::Flip),
            ("pretend", "") => Some(Fault::Pretend),
            ("slow", milliseconds) => Some(Fault::Slow(Duration::from_millis(milliseconds.parse().ok()?))),
            (number, "") => Some(Fault::Error(number.parse().ok()?)),
            _ => None,
        }
    }
}

struct FaultyFs {
    control: PathBuf,
    inodes: Mutex<Inodes>,
}

/// The paths by which inodes were first met.
struct Inodes {
    paths: HashMap<INodeNo, PathBuf>,
    next: u64,
}

/// Answers a request: with the fault that is set for it, else with what is done.
macro_rules! answer {
    ($self:ident, $operation:literal, $reply:ident, $done:expr, $value:pat => $answer:expr) => {
        match $self.fault($operation) {
            // An answer that is dropped would be an error: this one is never given.
            Some(Fault::Hang) => std::mem::forget($reply),
            Some(Fault::Error(number)) => $reply.error(Errno::from_i32(number)),
            other => {
                if let Some(Fault::Slow(time)) = other {
                    thread::sleep(time);
                }
                let done: io::Result<_> = $done;
                match done {
                    Ok($value) => $answer,
                    Err(error) => $reply.error(error.into()),
                }
            }
        }
    };
}

impl FaultyFs {
    fn fault(&self, operation: &str) -> Option<Fault> {
        let text = fs::read_to_string(&self.control).unwrap_or_default();
        let mut lines = text.lines().filter_map(|line| line.split_once(' '));
        let (_, fault) = lines.find(|(name, _)| *name == operation || *name == "*")?;
        Fault::parse(fault)
    }

    fn attribute(&self, inode: INodeNo, name: &OsStr) -> io::Result<Vec<u8>> {
        let text = fs::read_to_string(&self.control).unwrap_or_default();
        let mut all = text.lines().filter_map(|line| line.strip_prefix("xattr ")?.split_once(' '));
        if let Some((_, value)) = all.find(|(other, _)| name == OsStr::new(other)) {
            return Ok(value.as_bytes().to_vec());
        }
        let mut value = vec![0; 64 << 10];
        let count = rustix::fs::getxattr(&self.path(inode)?, name, &mut value)?;
        value.truncate(count);
        Ok(value)
    }

    fn path(&self, inode: INodeNo) -> io::Result<PathBuf> {
        let inodes = self.inodes.lock().unwrap_or_else(PoisonError::into_inner);
        inodes.paths.get(&inode).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn child(&self, parent: INodeNo, name: &OsStr) -> io::Result<PathBuf> {
        Ok(self.path(parent)?.join(name))
    }

    fn attributes(&self, path: &Path) -> io::Result<FileAttr> {
        let metadata = fs::symlink_metadata(path)?;
        let mut inodes = self.inodes.lock().unwrap_or_else(PoisonError::into_inner);
        let known = inodes.paths.iter().find(|(_, known)| *known == path).map(|(inode, _)| *inode);
        let inode = known.unwrap_or(INodeNo(inodes.next));
        if known.is_none() {
            inodes.next += 1;
            inodes.paths.insert(inode, path.to_owned());
        }
        Ok(attributes(inode, &metadata))
    }

    fn moved(&self, from: &Path, to: Option<&Path>) {
        let mut inodes = self.inodes.lock().unwrap_or_else(PoisonError::into_inner);
        inodes.paths.retain(|_, path| Some(path.as_path()) != to);
        match to {
            Some(to) => {
                inodes.paths.values_mut().filter(|path| *path == from).for_each(|path| *path = to.into())
            }
            None => inodes.paths.retain(|_, path| path != from),
        }
    }

    fn read_at(&self, inode: INodeNo, offset: u64, size: u32) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(size).unwrap_or_default()];
        let count = File::open(self.path(inode)?)?.read_at(&mut bytes, offset)?;
        bytes.truncate(count);
        if let (Some(Fault::Flip), Some(byte)) = (self.fault("read"), bytes.first_mut()) {
            *byte ^= 1;
        }
        Ok(bytes)
    }
}

fn kind(found: fs::FileType) -> FileType {
    match (found.is_dir(), found.is_symlink()) {
        (true, _) => FileType::Directory,
        (_, true) => FileType::Symlink,
        _ => FileType::RegularFile,
    }
}

fn attributes(ino: INodeNo, found: &Metadata) -> FileAttr {
    let time = |seconds: i64| UNIX_EPOCH + Duration::from_secs(seconds.try_into().unwrap_or_default());
    FileAttr {
        ino,
        size: found.len(),
        blocks: found.blocks(),
        atime: time(found.atime()),
        mtime: time(found.mtime()),
        ctime: time(found.ctime()),
        crtime: UNIX_EPOCH,
        kind: kind(found.file_type()),
        perm: (found.mode() & 0o7777).try_into().unwrap_or_default(),
        nlink: found.nlink().try_into().unwrap_or(1),
        uid: found.uid(),
        gid: found.gid(),
        rdev: 0,
        blksize: 4096,
        flags: 0,
    }
}

impl Filesystem for FaultyFs {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let look = || self.attributes(&self.child(parent, name)?);
        answer!(self, "lookup", reply, look(), found => reply.entry(&TTL, &found, Generation(0)));
    }

    fn getattr(&self, _: &Request, inode: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        let look = || Ok(attributes(inode, &fs::symlink_metadata(self.path(inode)?)?));
        answer!(self, "getattr", reply, look(), found => reply.attr(&TTL, &found));
    }

    fn setattr(
        &self,
        _: &Request,
        inode: INodeNo,
        _: Option<u32>,
        _: Option<u32>,
        _: Option<u32>,
        size: Option<u64>,
        _: Option<TimeOrNow>,
        _: Option<TimeOrNow>,
        _: Option<std::time::SystemTime>,
        _: Option<FileHandle>,
        _: Option<std::time::SystemTime>,
        _: Option<std::time::SystemTime>,
        _: Option<std::time::SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let set = || {
            let path = self.path(inode)?;
            if let Some(size) = size {
                OpenOptions::new().write(true).open(&path)?.set_len(size)?;
            }
            self.attributes(&path)
        };
        answer!(self, "setattr", reply, set(), found => reply.attr(&TTL, &found));
    }

    fn open(&self, _: &Request, inode: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        let open = || self.path(inode);
        answer!(self, "open", reply, open(), _ => reply.opened(FileHandle(0), FopenFlags::empty()));
    }

    fn create(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        _: u32,
        _: i32,
        reply: ReplyCreate,
    ) {
        let create = || {
            let path = self.child(parent, name)?;
            OpenOptions::new().write(true).create_new(true).mode(mode).open(&path)?;
            self.attributes(&path)
        };
        answer!(self, "create", reply, create(), found => {
            reply.created(&TTL, &found, Generation(0), FileHandle(0), FopenFlags::empty());
        });
    }

    fn read(
        &self,
        _: &Request,
        inode: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        answer!(self, "read", reply, self.read_at(inode, offset, size), bytes => reply.data(&bytes));
    }

    fn write(
        &self,
        _: &Request,
        inode: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let write = || OpenOptions::new().write(true).open(self.path(inode)?)?.write_at(data, offset);
        answer!(self, "write", reply, write(), count => reply.written(count.try_into().unwrap_or_default()));
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        answer!(self, "flush", reply, Ok(()), () => reply.ok());
    }

    fn fsync(&self, _: &Request, inode: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        let sync = || File::open(self.path(inode)?)?.sync_all();
        answer!(self, "fsync", reply, sync(), () => reply.ok());
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let unlink = || {
            let path = self.child(parent, name)?;
            if let Some(Fault::Pretend) = self.fault("unlink") {
                return Ok(());
            }
            fs::remove_file(&path).map(|()| self.moved(&path, None))
        };
        answer!(self, "unlink", reply, unlink(), () => reply.ok());
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        new_parent: INodeNo,
        new_name: &OsStr,
        _: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let rename = || {
            let (from, to) = (self.child(parent, name)?, self.child(new_parent, new_name)?);
            fs::rename(&from, &to).map(|()| self.moved(&from, Some(&to)))
        };
        answer!(self, "rename", reply, rename(), () => reply.ok());
    }

    fn opendir(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        answer!(self, "opendir", reply, Ok(()), () => reply.opened(FileHandle(0), FopenFlags::empty()));
    }

    fn readdir(&self, _: &Request, inode: INodeNo, _: FileHandle, offset: u64, mut reply: ReplyDirectory) {
        let list = || {
            let mut names = [".", ".."].map(|name| (OsString::from(name), FileType::Directory)).to_vec();
            for entry in fs::read_dir(self.path(inode)?)? {
                let entry = entry?;
                names.push((entry.file_name(), kind(entry.file_type()?)));
            }
            Ok(names)
        };
        answer!(self, "readdir", reply, list(), names => {
            let skipped = usize::try_from(offset).unwrap_or_default();
            for ((name, kind), next) in names.iter().zip(1..).skip(skipped) {
                if reply.add(inode, next, *kind, name) {
                    break;
                }
            }
            reply.ok();
        });
    }

    fn readlink(&self, _: &Request, inode: INodeNo, reply: ReplyData) {
        let target = || fs::read_link(self.path(inode)?);
        answer!(self, "readlink", reply, target(), target => reply.data(target.as_os_str().as_bytes()));
    }

    fn getxattr(&self, _: &Request, inode: INodeNo, name: &OsStr, size: u32, reply: ReplyXattr) {
        let attribute = self.attribute(inode, name);
        answer!(self, "getxattr", reply, attribute, value => match u32::try_from(value.len()) {
            Ok(length) if size == 0 => reply.size(length),
            Ok(length) if length <= size => reply.data(&value),
            _ => reply.error(Errno::ERANGE),
        });
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        let look = || Ok(rustix::fs::statvfs(&self.path(INodeNo::ROOT)?)?);
        answer!(self, "statfs", reply, look(), found => reply.statfs(
            found.f_blocks,
            found.f_bfree,
            found.f_bavail,
            found.f_files,
            found.f_ffree,
            found.f_bsize.try_into().unwrap_or(4096),
            255,
            found.f_frsize.try_into().unwrap_or(4096),
        ));
    }
}
