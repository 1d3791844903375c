//! What a pod uses, as the cluster's metrics server measured it.

use std::collections::BTreeMap;

use probe::Finding;
use serde::Deserialize;

use super::model::Pod;

/// What the metrics server says of a pod.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::container) struct Usage {
    containers: Vec<ContainerUsage>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct ContainerUsage {
    name: String,
    usage: BTreeMap<String, String>,
}

/// What all containers use of a resource, and the share that the one uses which is closest to its limit.
struct Use {
    total: f64,
    /// The limits of all, where all have one.
    limit: Option<f64>,
    percent: Option<f64>,
}

/// The memory in use.
pub(in crate::container) fn memory(pod: &Pod, usage: &Usage) -> Finding {
    let Some(found) = usage.of("memory", pod) else { return not_told() };
    let finding = Finding::fine(format!("{:.0} MB in use", found.total / 1e6));
    with(
        finding.with_metric("memory_bytes", found.total),
        [("memory_limit_bytes", found.limit), ("memory_percent", found.percent)],
    )
}

/// The processors in use.
pub(in crate::container) fn cpu(pod: &Pod, usage: &Usage) -> Finding {
    let Some(found) = usage.of("cpu", pod) else { return not_told() };
    let finding = Finding::fine(format!("{:.2} processors in use", found.total));
    with(finding.with_metric("cpus", found.total), [("cpu_percent", found.percent)])
}

fn not_told() -> Finding {
    Finding::unknown("the metrics server does not report it".to_owned())
}

fn with<const N: usize>(finding: Finding, metrics: [(&str, Option<f64>); N]) -> Finding {
    let known = metrics.into_iter().filter_map(|(name, value)| Some((name, value?)));
    known.fold(finding, |finding, (name, value)| finding.with_metric(name, value))
}

impl Usage {
    fn of(&self, resource: &str, pod: &Pod) -> Option<Use> {
        let limit_of = |name: &str| {
            let container = pod.spec.containers.iter().find(|container| container.name == name)?;
            quantity(container.resources.limits.get(resource)?).filter(|limit| *limit > 0.0)
        };
        let used = self.containers.iter().filter_map(|container| {
            Some((quantity(container.usage.get(resource)?)?, limit_of(&container.name)))
        });
        let used: Vec<_> = used.collect();
        let percents = used.iter().filter_map(|(used, limit)| Some(used / (*limit)? * 100.0));
        (!used.is_empty()).then(|| Use {
            total: used.iter().map(|(used, _)| used).sum(),
            limit: used.iter().map(|(_, limit)| *limit).sum(),
            percent: percents.max_by(f64::total_cmp),
        })
    }
}

/// A quantity as Kubernetes writes it: `128Mi`, `250m`, `1536n`, `1.5`, `1e3`.
fn quantity(text: &str) -> Option<f64> {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        return Some(number).filter(|number| number.is_finite());
    }
    let (symbol, factor) = SUFFIXES.iter().find(|(symbol, _)| text.ends_with(symbol))?;
    let number: f64 = text.strip_suffix(symbol)?.parse().ok()?;
    Some(number * factor).filter(|number| number.is_finite())
}

/// Those of two letters first: `Ki` is not `k`, and `E` is also what stands before an exponent.
const SUFFIXES: &[(&str, f64)] = &[
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("Pi", 1_125_899_906_842_624.0),
    ("Ei", 1_152_921_504_606_846_976.0),
    ("n", 1e-9),
    ("u", 1e-6),
    ("m", 1e-3),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
    ("E", 1e18),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_as_the_api_writes_them() {
        let check = |text, expected| assert_eq!(quantity(text), expected, "{text}");
        check("128Mi", Some(134_217_728.0));
        check("64974848", Some(64_974_848.0));
        check("250m", Some(0.25));
        check("1500000n", Some(1_500_000.0 * 1e-9));
        check("1.5", Some(1.5));
        check("1e3", Some(1000.0));
        check("2G", Some(2e9));
        for wrong in ["", "Mi", "x", "1Q", "inf", "NaN"] {
            check(wrong, None);
        }
    }

    fn check(limits: [&str; 2], percent: Option<f64>, limit: Option<f64>) {
        let container = |name: &str, limit: &str| match limit {
            "" => format!(r#"{{"name": "{name}"}}"#),
            limit => format!(r#"{{"name": "{name}", "resources": {{"limits": {{"memory": "{limit}"}}}}}}"#),
        };
        let [one, other] = limits;
        let pod =
            format!(r#"{{"spec": {{"containers": [{}, {}]}}}}"#, container("a", one), container("b", other));
        let pod: Pod = serde_json::from_str(&pod).unwrap();
        let usage = r#"{"containers": [{"name": "a", "usage": {"memory": "50k"}}, {"name": "b", "usage": {"memory": "90k"}}]}"#;
        let usage: Usage = serde_json::from_str(usage).unwrap();
        let finding = memory(&pod, &usage);
        let metric =
            |name: &str| finding.metrics.iter().find(|metric| metric.name == name).map(|metric| metric.value);
        assert_eq!(metric("memory_bytes"), Some(140_000.0));
        assert_eq!((metric("memory_percent"), metric("memory_limit_bytes")), (percent, limit));
    }

    #[test]
    fn the_container_that_is_closest_to_its_limit_counts() {
        check(["100k", "100k"], Some(90.0), Some(200_000.0));
        check(["50k", "900k"], Some(100.0), Some(950_000.0));
        check(["100k", ""], Some(50.0), None);
        check(["", ""], None, None);
    }
}
