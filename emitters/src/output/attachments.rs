//! `--attach-file`, and the names and types that belong to each.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, value_parser};
use cli::PathError;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

const FILE: &str = "attach_file";
const NAME: &str = "file_name";
const TYPE: &str = "mimetype";

/// The attachments of a command line, in order.
///
/// A name or type is that of the file before it; before the first file, it is that of the first.
#[derive(Clone, Debug, Default)]
pub(super) struct Attachments {
    files: Vec<Attachment>,
    /// Names and types without a file.
    alone: Attachment,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Attachment {
    path: PathBuf,
    name: Option<String>,
    mime_type: Option<String>,
}

/// An attachment that can be read.
pub(super) struct Opened {
    pub(super) source: Source,
    pub(super) name: String,
    pub(super) mime_type: Option<String>,
}

/// Where the bytes come from.
pub(super) enum Source {
    Stdin(Box<dyn Read + Send>),
    File(File, PathBuf),
}

impl Attachments {
    /// Opens all of them.
    ///
    /// # Errors
    ///
    /// When one cannot be opened, or there is a type without a file.
    pub(super) fn open(&self, stdin: Box<dyn Read + Send>) -> anyhow::Result<Vec<Opened>> {
        if self.alone.mime_type.is_some() {
            bail!("cannot specify --mimetype without --attach-file");
        }
        let mut stdin = Some(stdin);
        let mut open = |attachment: &Attachment| {
            let Attachment { path, name, mime_type } = attachment;
            let source = if path.as_os_str() == "-" {
                let Some(stdin) = stdin.take() else { bail!("stdin cannot be attached twice") };
                Source::Stdin(stdin)
            } else {
                Source::File(open(path).map_err(|error| PathError::wrap("open", path, error))?, path.clone())
            };
            let own_name =
                || if path.as_os_str() == "-" { "stdin".into() } else { path.to_string_lossy().into_owned() };
            Ok(Opened { source, name: name.clone().unwrap_or_else(own_name), mime_type: mime_type.clone() })
        };
        self.files.iter().map(&mut open).collect()
    }

    /// A name without a file.
    pub(super) fn name_alone(&self) -> Option<&str> {
        self.alone.name.as_deref()
    }

    fn add(&mut self, word: Word) {
        match word {
            // As the reference has it.
            Word::File(path) if path.as_os_str().is_empty() => {}
            Word::File(path) if self.files.is_empty() => {
                self.files.push(Attachment { path, ..std::mem::take(&mut self.alone) });
            }
            Word::File(path) => self.files.push(Attachment { path, ..Attachment::default() }),
            Word::Name(name) => self.last().name = Some(name).filter(|name| !name.is_empty()),
            Word::Type(mime) => self.last().mime_type = Some(mime).filter(|mime| !mime.is_empty()),
        }
    }

    fn last(&mut self) -> &mut Attachment {
        self.files.last_mut().unwrap_or(&mut self.alone)
    }
}

fn open(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() { Err(Errno::ISDIR.into()) } else { Ok(file) }
}

impl Source {
    /// Reads what there is, once.
    ///
    /// # Errors
    ///
    /// When reading fails.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = match self {
                Source::Stdin(stdin) => stdin.read(buffer),
                Source::File(file, path) => {
                    file.read(buffer).map_err(|error| PathError::wrap("read", path, error))
                }
            };
            match read {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }

    /// Whether reading would not block: there is more, or the end.
    pub(super) fn is_ready(&self) -> bool {
        let polled = &mut [PollFd::from_borrowed_fd(self.fd(), PollFlags::IN)];
        poll(polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|count| count > 0)
    }

    fn fd(&self) -> BorrowedFd<'_> {
        match self {
            Source::Stdin(_) => rustix::stdio::stdin(),
            Source::File(file, _) => file.as_fd(),
        }
    }
}

enum Word {
    File(PathBuf),
    Name(String),
    Type(String),
}

impl FromArgMatches for Attachments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut attachments = Attachments::default();
        attachments.update_from_arg_matches(matches)?;
        Ok(attachments)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        let mut words = words(matches, FILE, |file: OsString| Word::File(file.into()));
        words.extend(self::words(matches, NAME, Word::Name));
        words.extend(self::words(matches, TYPE, Word::Type));
        words.sort_by_key(|(at, _)| *at);
        words.into_iter().for_each(|(_, word)| self.add(word));
        Ok(())
    }
}

/// The values of an option, with their places on the command line.
fn words<T: Clone + Send + Sync + 'static>(
    matches: &ArgMatches,
    option: &str,
    word: impl Fn(T) -> Word,
) -> Vec<(usize, Word)> {
    let places = matches.indices_of(option).into_iter().flatten();
    let values = matches.get_many::<T>(option).into_iter().flatten();
    places.zip(values.cloned().map(word)).collect()
}

impl Args for Attachments {
    fn augment_args(command: Command) -> Command {
        let option = |id, long, value| {
            Arg::new(id)
                .long(long)
                .value_name(value)
                .action(ArgAction::Append)
                .help_heading("Files")
                .allow_hyphen_values(true)
        };
        command
            .arg(
                option(FILE, "attach-file", "FILE")
                    .value_parser(value_parser!(OsString))
                    .help("Attach this file, - for stdin; may be repeated"),
            )
            .arg(option(NAME, "file-name", "NAME").help(
                "The name of the attachment: of the file before it, or of the first (default: FILE, or stdin)",
            ))
            .arg(option(TYPE, "mime-type", "TYPE").alias("mimetype").help("The MIME type of the attachment; likewise"))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(args: &str, expected: &[(&str, &str, &str)]) {
        let command = Attachments::augment_args(Command::new("test").no_binary_name(true));
        let matches = command.try_get_matches_from(args.split(' ')).unwrap();
        let Attachments { files, .. } = Attachments::from_arg_matches(&matches).unwrap();
        let found: Vec<_> = files
            .iter()
            .map(|file| {
                let text = |option: &Option<String>| option.clone().unwrap_or_default();
                (file.path.to_string_lossy().into_owned(), text(&file.name), text(&file.mime_type))
            })
            .collect();
        let found: Vec<_> = found.iter().map(|(path, name, mime)| (&**path, &**name, &**mime)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn names_and_types_are_those_of_the_file_before() {
        check("--attach-file a", &[("a", "", "")]);
        check("--attach-file a --file-name x --mimetype t/p", &[("a", "x", "t/p")]);
        check("--mimetype t/p --file-name x --attach-file a", &[("a", "x", "t/p")]);
        check(
            "--attach-file a --attach-file - --file-name y --attach-file=c --mimetype t/p",
            &[("a", "", ""), ("-", "y", ""), ("c", "", "t/p")],
        );
        check("--file-name x --attach-file a --attach-file b", &[("a", "x", ""), ("b", "", "")]);
        check("--attach-file a --file-name x --file-name y", &[("a", "y", "")]);
        check("--attach-file= --attach-file b", &[("b", "", "")]);
    }
}
