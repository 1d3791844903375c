//! How late the proxy's event loop is, from its metrics.

use net::{Client, Request, Url};
use probe::{Finding, Limits};

use super::metrics::{LAG_MAX, LAG_MEAN, LAG_P99};
use crate::network::{Evidence as _, one_operation};

/// The metrics by their names there and here. The proxy's are those of the last interval in which it was asked.
const NAMES: [(&str, &str); 3] = [
    ("nodejs_eventloop_lag_p99_seconds", LAG_P99),
    ("nodejs_eventloop_lag_mean_seconds", LAG_MEAN),
    ("nodejs_eventloop_lag_max_seconds", LAG_MAX),
];

/// Reads the metrics.
pub(super) fn look(client: &Client, url: &Url, limits: Limits<'_>) -> Finding {
    let exchange = client.send(&Request::get(url.clone()), &one_operation(limits));
    let response = match exchange.answer() {
        Ok(response) if response.status == 200 => response,
        Ok(response) => {
            return exchange.witness(Finding::broken(format!("{url} answers {}", response.describe())));
        }
        Err(finding) => return *finding,
    };
    let text = response.text();
    let found = NAMES.iter().filter_map(|(there, here)| Some((*here, sample(&text, there)?)));
    let finding =
        found.fold(Finding::fine(String::new()), |finding, (name, value)| finding.with_metric(name, value));
    let p99 = finding.metrics.iter().find(|metric| metric.name == LAG_P99).map(|metric| metric.value);
    match p99 {
        Some(p99) => Finding { summary: Some(format!("{:.1} ms for 99 of 100", p99 * 1e3)), ..finding },
        None => exchange.witness(Finding::unknown(format!("{url} does not tell {}", NAMES[0].0))),
    }
}

/// The value of a metric without labels.
fn sample(text: &str, name: &str) -> Option<f64> {
    let values = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    values.filter_map(|value| value.split(' ').next()?.parse().ok()).find(|value: &f64| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_found_among_others() {
        let text = "# HELP lag x\n# TYPE lag gauge\nlag_max 1\nlag 0.5 1700000000\nnone NaN\n";
        assert_eq!(sample(text, "lag"), Some(0.5));
        assert_eq!(sample(text, "none"), None);
        assert_eq!(sample(text, "other"), None);
    }
}
