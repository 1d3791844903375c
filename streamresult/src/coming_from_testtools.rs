#![doc = include_str!("testtools.md")]
