//! The feed by its real code, over durations instead of processes: how long all takes, over the least it could take.

use std::time::Duration;

use proptest::prelude::*;

use super::{Feed, Planned};
use crate::Order as _;

const TESTS: usize = 1000;
const WORKERS: usize = 8;
const STARTUP: f64 = 1.0;

/// Durations as those of suites are: most are short, a few are long. A generator of its own, so that a figure is the
/// same each time.
fn durations(mut seed: u64) -> Vec<f64> {
    let mut uniform = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((seed >> 33) as f64 + 0.5) / f64::from(1_u32 << 31)
    };
    let mut normal = move || (-2.0 * uniform().ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos();
    (0..TESTS).map(|_| (normal() * 1.2 - 1.0).exp()).collect()
}

/// The time until all is done. `speeds` are those of the workers; `known` is what is known of a test.
fn makespan(durations: &[f64], speeds: &[f64], known: impl Fn(f64) -> Option<f64>) -> f64 {
    let plan =
        |took: &f64| Planned { duration: known(*took).map(Duration::from_secs_f64), ..Planned::default() };
    let mut feed = Feed::new(durations.iter().map(plan).collect(), speeds.len());
    feed.starts_in(Duration::from_secs_f64(STARTUP));
    // When the worker comes free, and its batch.
    let mut running: Vec<(f64, usize, Vec<usize>)> = Vec::new();
    let mut now = 0.0;
    loop {
        while let Some(worker) = feed.next() {
            let batch = feed.batch(worker);
            feed.begin(worker);
            let work: f64 = batch.iter().map(|test| durations[*test]).sum();
            running.push((now + (STARTUP + work) / speeds[worker], worker, batch));
        }
        running.sort_by(|one, other| other.0.total_cmp(&one.0));
        let Some((end, worker, batch)) = running.pop() else { break now };
        now = end;
        for test in batch {
            feed.began(test);
            feed.ended(test, Some(Duration::from_secs_f64(durations[test])));
        }
        assert_eq!(feed.worker_ended(worker, false), []);
        feed.end(worker);
    }
}

/// The makespan over the least that there could be, with one start a worker.
fn ratio(speeds: &[f64], known: impl Fn(f64) -> Option<f64>) -> f64 {
    let ratios = (1..=5).map(|seed| {
        let durations = durations(seed);
        let total: f64 = durations.iter().sum();
        let longest = durations.iter().copied().fold(0.0, f64::max);
        let bound = (total / speeds.iter().sum::<f64>()).max(longest) + STARTUP;
        makespan(&durations, speeds, &known) / bound
    });
    ratios.sum::<f64>() / 5.0
}

fn check(case: &str, speeds: &[f64], known: impl Fn(f64) -> Option<f64>, most: f64) {
    let ratio = ratio(speeds, known);
    assert!(ratio <= most, "{case}: {ratio:.3}, and {most} is wanted");
}

/// The bound knows of one start of a second for each worker, and batches need some five. A static split, as others
/// make it, has 1.35 on a first run, and 1.87 with one worker at half speed.
#[test]
fn the_makespan_is_near_the_least_there_could_be() {
    let equal = [1.0; WORKERS];
    let mut one_slow = equal;
    one_slow[0] = 0.5;
    check("all are known", &equal, Some, 1.14);
    check(
        "known by half or twice",
        &equal,
        |took| Some(if took < 0.3 { took * 2.0 } else { took / 2.0 }),
        1.12,
    );
    check("a first run", &equal, |_| None, 1.16);
    check("one at half speed", &one_slow, Some, 1.14);
}

proptest! {
    /// Each test is run once, whatever is known of it, and whoever comes free first.
    #[test]
    fn no_test_is_lost_or_run_twice(
        tests in prop::collection::vec((prop::option::of(0_u64..5000), prop::option::of(0_u8..4)), 0..60),
        workers in 1_usize..5,
        startup in 0_u64..2000,
        deaths in prop::collection::vec(any::<bool>(), 0..40),
    ) {
        let plan = |(took, group): &(Option<u64>, Option<u8>)| Planned {
            duration: took.map(Duration::from_millis),
            group: group.map(|group| group.to_string()),
        ..Planned::default()
        };
        let mut feed = Feed::new(tests.iter().map(plan).collect(), workers);
        feed.starts_in(Duration::from_millis(startup));
        let mut deaths = deaths.into_iter();
        let mut told = vec![0; tests.len()];
        while let Some(worker) = feed.next() {
            feed.begin(worker);
            let batch = feed.batch(worker);
            prop_assert!(!batch.is_empty());
            let dies = deaths.next().unwrap_or(false);
            let done = if dies { batch.len() / 2 } else { batch.len() };
            for test in batch.iter().take(done) {
                feed.began(*test);
                feed.ended(*test, None);
                told[*test] += 1;
            }
            for unfinished in feed.worker_ended(worker, dies) {
                let (super::Unfinished::Ran(test) | super::Unfinished::NotRun(test)) = unfinished;
                told[test] += 1;
            }
            feed.end(worker);
        }
        prop_assert_eq!(feed.left(), 0);
        prop_assert!(told.iter().all(|times| *times == 1), "{:?}", told);
    }
}
