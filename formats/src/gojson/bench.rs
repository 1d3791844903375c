//! Benchmarks of go before 1.20, which reports them only by a line of output.

/// A line of figures: the benchmark's name without the number of processors behind it.
///
/// ```text
/// BenchmarkAdd-8     <tab>      10<tab>        34.10 ns/op
/// ```
pub(super) fn figures(line: &str) -> Option<&str> {
    let mut fields = line.trim_ascii_end().split('\t').map(str::trim_ascii);
    let (name, rounds, figure) = (fields.next()?, fields.next()?, fields.next()?);
    let is_name = name.starts_with("Benchmark") && !name.contains(char::is_whitespace);
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (value, unit) = figure.split_once(' ')?;
    if !is_name || !is_number(rounds) || value.parse::<f64>().is_err() || unit.is_empty() {
        return None;
    }
    Some(name.rsplit_once('-').filter(|(_, count)| is_number(count)).map_or(name, |(name, _)| name))
}

/// Whether a piece of a line may be the start of such a one: go writes the figures when it has them.
pub(super) fn may_begin(piece: &str) -> bool {
    piece.len() < 1000 && piece.starts_with("Benchmark") && piece.ends_with('\t') && !piece.contains('\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Option<&str>) {
        assert_eq!(figures(line), expected, "{line}");
    }

    #[test]
    fn a_line_of_figures_is_a_benchmark() {
        check("BenchmarkAdd-8     \t      10\t        34.10 ns/op\t       0 B/op\n", Some("BenchmarkAdd"));
        check("BenchmarkAdd \t2000000000\t         0.00 ns/op\n", Some("BenchmarkAdd"));
        check("BenchmarkSub/x-y-16\t1\t7 widgets/op\n", Some("BenchmarkSub/x-y"));
    }

    #[test]
    fn other_lines_are_none() {
        for line in
            ["BenchmarkAdd\n", "BenchmarkAdd-8 \t\n", "BenchmarkAdd \t many\t1 ns/op\n", "a\t1\t1 ns/op\n"]
        {
            check(line, None);
        }
        assert!(may_begin("BenchmarkAdd-2     \t"));
        assert!(!may_begin("BenchmarkAdd\n") && !may_begin("goos: linux\t"));
    }
}
