//! What is on disk, as types of its own: those that users see may change, these may not, but for what has a default.
//!
//! `run.json` is a [`RunFile`], a row of the index a [`StoredRun`], `retention.json` a [`Retention`]. That each public
//! field has its place here is checked by the compiler, since conversions name all of them.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use subunit::Timestamp;

use crate::run_id::RunId;
use crate::{retention, run, time};

/// A type on disk with the fields of one in memory, and the way between them.
macro_rules! on_disk {
    ($(#[$meta:meta])* $name:ident of $($public:ident)::+ { $($(#[$attribute:meta])* $field:ident: $type:ty,)+ }) => {
        #[derive(Clone, Debug, Serialize, Deserialize)]
        $(#[$meta])*
        pub(crate) struct $name {
            $($(#[$attribute])* $field: $type,)+
        }

        impl From<$($public)::+> for $name {
            fn from(public: $($public)::+) -> Self {
                let $($public)::+ { $($field),+ } = public;
                $name { $($field: $field.to(),)+ }
            }
        }

        impl From<$name> for $($public)::+ {
            fn from(stored: $name) -> Self {
                let $name { $($field),+ } = stored;
                $($public)::+ { $($field: $field.to(),)+ }
            }
        }

        converts!($name, $($public)::+);
    };
}

/// The words of an enum on disk.
macro_rules! words {
    ($name:ident of $public:path { $($word:ident,)+ }) => {
        #[derive(Clone, Copy, Debug, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub(crate) enum $name {
            $($word,)+
        }

        impl From<$public> for $name {
            fn from(public: $public) -> Self {
                use $public as Public;
                match public {
                    $(Public::$word => $name::$word,)+
                }
            }
        }

        impl From<$name> for $public {
            fn from(stored: $name) -> Self {
                use $public as Public;
                match stored {
                    $($name::$word => Public::$word,)+
                }
            }
        }

        converts!($name, $public);
    };
}

/// From memory to disk and back, also within an `Option`.
trait To<T> {
    fn to(self) -> T;
}

impl<T, U: To<T>> To<Option<T>> for Option<U> {
    fn to(self) -> Option<T> {
        self.map(To::to)
    }
}

macro_rules! converts {
    ($name:ident, $public:path) => {
        impl To<$name> for $public {
            fn to(self) -> $name {
                self.into()
            }
        }

        impl To<$public> for $name {
            fn to(self) -> $public {
                self.into()
            }
        }
    };
}

/// What is the same on disk.
macro_rules! same {
    ($($type:ty),+) => {
        $(impl To<$type> for $type {
            fn to(self) -> $type {
                self
            }
        })+
    };
}

same!(bool, i32, u32, u64, usize, String, Vec<String>, Duration, Timestamp);

impl To<u32> for RunId {
    fn to(self) -> u32 {
        self.0
    }
}

impl To<RunId> for u32 {
    fn to(self) -> RunId {
        RunId(self)
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

words!(State of run::RunState { Running, Complete, Interrupted, Incomplete, Damaged, });

words!(Stored of run::Stored { Raw, Compressed, Pruned, });

on_disk! {
    #[derive(Default)]
    #[serde(default)]
    RunInfo of run::RunInfo {
        #[serde(skip_serializing_if = "Option::is_none")]
        command: Option<String>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        arguments: Vec<String>,
        #[serde(skip_serializing_if = "is_false")]
        is_selection: bool,
        #[serde(with = "time", skip_serializing_if = "Option::is_none")]
        start: Option<Timestamp>,
        #[serde(skip_serializing_if = "Option::is_none")]
        git: Option<Git>,
        #[serde(skip_serializing_if = "Option::is_none")]
        workers: Option<u32>,
    }
}

on_disk! {
    Git of run::Git {
        commit: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        branch: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dirty: Option<bool>,
    }
}

on_disk! {
    #[derive(Default)]
    #[serde(default)]
    RunEnd of run::RunEnd {
        #[serde(with = "time", skip_serializing_if = "Option::is_none")]
        end: Option<Timestamp>,
        #[serde(skip_serializing_if = "Option::is_none")]
        exit: Option<i32>,
        interrupted: bool,
        #[serde(skip_serializing_if = "is_false")]
        incomplete: bool,
        names_all_tests: bool,
    }
}

on_disk! {
    #[derive(Default)]
    #[serde(default)]
    Counts of run::Counts {
        success: u64,
        #[serde(skip_serializing_if = "is_zero")]
        flaky: u64,
        fail: u64,
        uxsuccess: u64,
        xfail: u64,
        skip: u64,
        unfinished: u64,
        announced: u64,
        damaged: u64,
        global_failures: u64,
        late: u64,
    }
}

on_disk! {
    Tally of run::Tally {
        counts: Counts,
        #[serde(with = "time")]
        first: Option<Timestamp>,
        #[serde(with = "time")]
        last: Option<Timestamp>,
        bytes: u64,
        tail: u64,
    }
}

on_disk! {
    RunFile of run::RunFile {
        state: State,
        #[serde(flatten)]
        info: RunInfo,
        #[serde(skip_serializing_if = "Option::is_none")]
        end: Option<RunEnd>,
        #[serde(skip_serializing_if = "Option::is_none")]
        tally: Option<Tally>,
        #[serde(default, skip_serializing_if = "is_false")]
        damaged: bool,
        #[serde(default, skip_serializing_if = "is_false")]
        lost: bool,
    }
}

on_disk! {
    StoredRun of run::StoredRun {
        id: u32,
        state: State,
        stored: Stored,
        pinned: bool,
        info: RunInfo,
        end: Option<RunEnd>,
        counts: Counts,
        #[serde(with = "time")]
        first: Option<Timestamp>,
        #[serde(with = "time")]
        last: Option<Timestamp>,
        bytes: u64,
        tail: u64,
        disk: u64,
        #[serde(default)]
        lost: bool,
    }
}

on_disk! {
    #[derive(Default)]
    #[serde(default, deny_unknown_fields)]
    Retention of retention::Retention {
        runs: Option<usize>,
        age: Option<Duration>,
        size: Option<u64>,
        failing_too: bool,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info() -> run::RunInfo {
        run::RunInfo {
            command: Some("make".into()),
            arguments: vec!["check".into()],
            is_selection: true,
            start: Timestamp::from_epoch(Duration::new(1, 500_000_000)),
            git: Some(run::Git { commit: "c0ffee".into(), branch: Some("main".into()), dirty: Some(false) }),
            workers: Some(2),
        }
    }

    /// What is on disk stays what it is, whatever becomes of the types in memory: older versions wrote it.
    #[test]
    fn run_json_is_what_it_always_was() {
        let counts = run::Counts { fail: 1, ..run::Counts::default() };
        let file = run::RunFile {
            end: Some(run::RunEnd { exit: Some(1), ..run::RunEnd::default() }),
            tally: Some(run::Tally { counts, bytes: 7, ..run::Tally::default() }),
            ..run::RunFile::begun(run::RunState::Interrupted, info())
        };
        let text = serde_json::to_string(&file).unwrap();
        assert_eq!(
            text,
            concat!(
                r#"{"state":"interrupted","command":"make","arguments":["check"],"is_selection":true,"#,
                r#""start":"1970-01-01T00:00:01.500Z","git":{"commit":"c0ffee","branch":"main","dirty":false},"#,
                r#""workers":2,"end":{"exit":1,"interrupted":false,"names_all_tests":false},"tally":{"counts":"#,
                r#"{"success":0,"fail":1,"uxsuccess":0,"xfail":0,"skip":0,"unfinished":0,"announced":0,"#,
                r#""damaged":0,"global_failures":0,"late":0},"first":null,"last":null,"bytes":7,"tail":0}}"#,
            )
        );
        assert_eq!(serde_json::from_str::<run::RunFile>(&text).unwrap(), file);
    }

    #[test]
    fn limits_are_what_they_always_were() {
        let limits = retention::Retention { age: Some(Duration::from_secs(9)), ..Default::default() };
        let text = serde_json::to_string(&Retention::from(limits)).unwrap();
        assert_eq!(text, r#"{"runs":null,"age":{"secs":9,"nanos":0},"size":null,"failing_too":false}"#);
    }
}
