//! Counts the allocations a packet in steady state: `allocations` prints a job and the number a line.
//!
//! Each job runs over a stream once, to let buffers grow, and the second half of the same run is counted.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::error::Error;
use std::io::{Read, sink};
use std::sync::atomic::{AtomicU64, Ordering};

#[expect(dead_code, reason = "the benchmarks use more of it")]
#[path = "../../../../subunit/benches/packets/corpus.rs"]
mod corpus;

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: everything is left to the system's allocator; a number is counted up besides.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static GLOBAL: Counting = Counting;

fn main() -> Result<(), Box<dyn Error>> {
    let small = corpus::small(20_000);
    let attachments = corpus::attachments(64 << 20);
    let streams =
        [("small", &small), ("enumeration", &corpus::enumeration(20_000)), ("attachments", &attachments)];
    for (name, stream) in streams {
        let halves = HalfwayCounter::new(stream);
        peers::ours::decode(&halves, |frame| {
            std::hint::black_box(frame);
        })?;
        println!("decode {name} {}", halves.allocations());
        let halves = HalfwayCounter::new(stream);
        peers::ours::route(&halves, sink())?;
        println!("route {name} {}", halves.allocations());
    }
    let at = |count| -> Result<u64, Box<dyn Error>> {
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        peers::ours::write_events(count, sink())?;
        Ok(ALLOCATIONS.load(Ordering::Relaxed) - before)
    };
    println!("encode small {}", at(20_000)? - at(10_000)?);
    Ok(())
}

/// A stream that remembers how many allocations there were when its second half began.
struct HalfwayCounter<'a> {
    stream: &'a [u8],
    read: Cell<usize>,
    at_half: Cell<Option<u64>>,
}

impl<'a> HalfwayCounter<'a> {
    fn new(stream: &'a [u8]) -> Self {
        HalfwayCounter { stream, read: Cell::new(0), at_half: Cell::new(None) }
    }

    fn allocations(&self) -> u64 {
        let now = ALLOCATIONS.load(Ordering::Relaxed);
        self.at_half.get().map_or(u64::MAX, |before| now - before)
    }
}

impl Read for &HalfwayCounter<'_> {
    fn read(&mut self, room: &mut [u8]) -> std::io::Result<usize> {
        let mut rest = &self.stream[self.read.get()..];
        let count = rest.read(room)?;
        self.read.set(self.read.get() + count);
        if self.at_half.get().is_none() && self.read.get() > self.stream.len() / 2 {
            self.at_half.set(Some(ALLOCATIONS.load(Ordering::Relaxed)));
        }
        Ok(count)
    }
}
