//! `subunit slowest`: the tests that took longest.

use cli::{JsonArgs, Streams, Verdict};
use formats::text::title;

use super::command::RepositoryCommand;
use super::repo_args::RepoArgs;
use super::run_name::{Inputs, RunName};
use super::show::tell_if_running;
use super::{display, git, json};

/// List the tests of a run that took longest
///
/// Durations are shown as exactly as they came in.
#[derive(clap::Args, Debug)]
#[command(after_help = cli::help!(
    [Passed = "there are tests with a duration", Nothing = "there is none"],
    "  subunit slowest\n  \
       subunit slowest -n 50 -2\n  \
       subunit slowest --all 42 | head"
))]
pub struct Slowest {
    /// Its number, -1 for the latest, `latest` or `latest-failing`; or a FILE with a stream, where `-` is stdin
    #[arg(value_name = "RUN|FILE", allow_negative_numbers = true, default_value = "latest")]
    run: RunName,
    /// Show only the N slowest
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10)]
    count: usize,
    /// Show all of them
    #[arg(long, conflicts_with = "count")]
    all: bool,
    #[command(flatten)]
    json: JsonArgs,
}

impl RepositoryCommand for Slowest {
    const NAME: &'static str = "subunit slowest";

    fn run(self, repo: &RepoArgs, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let Streams { input, output, errors, interrupt, .. } = streams;
        let count = if self.all { usize::MAX } else { self.count };
        let mut inputs = Inputs { stdin: Some(input), interrupt: &interrupt };
        let found = self.run.find(repo, &mut inputs, errors)?;
        let (repository, run) = (found.repository(), &found.run);
        tell_if_running(run, errors)?;
        git::tell_of(run, errors)?;
        let slowest = repository.slowest(run.id, count)?;
        let ending = if slowest.is_empty() { Verdict::Nothing } else { Verdict::Passed };
        if self.json.json {
            let number = (!self.run.is_file()).then_some(run.id);
            slowest.iter().try_for_each(|test| json::Test::slow(number, test).write(output))?;
            return Ok(ending);
        }
        let times: Vec<String> = slowest.iter().map(|test| display::exact(Some(test.duration))).collect();
        // Seconds stand below seconds, however many decimals follow.
        let whole = |time: &String| time.find(['.', 's']).unwrap_or_default();
        let width = times.iter().map(whole).max().unwrap_or_default();
        let wide = times.iter().map(|time| time.len() - whole(time)).max().unwrap_or_default();
        for (test, time) in slowest.iter().zip(&times) {
            let before = width - whole(time);
            let title = title(&test.test_id, test.route_code.as_deref());
            writeln!(output, "{:before$}{time:rest$}  {title}", "", rest = width + wide - before)?;
        }
        Ok(ending)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Repo;

    #[test]
    fn the_slowest_come_first() {
        let repo = Repo::with(&[&["a success 3", "b fail 12 @w", "c skip"]]);
        repo.check(&["slowest"], 0, "12s  b [w]\n 3s  a\n");
        repo.check(&["slowest", "-n", "1"], 0, "12s  b [w]\n");
        repo.check(&["slowest", "--all", "latest"], 0, "12s  b [w]\n 3s  a\n");
    }

    #[test]
    fn there_may_be_none() {
        Repo::with(&[&["a success"]]).check(&["slowest"], 4, "");
    }
}
