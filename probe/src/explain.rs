//! `--explain`: what a check looks at and measures, as it declares it.

use std::fmt::Write as _;

use clap::ValueEnum as _;
use serde_json::{Value, json};

use super::asked::options_for;
use super::{AspectFacts, MetricKind, ProbeKind};

/// What a check declares.
#[derive(Debug)]
pub struct Explained {
    /// Its command: `check-eos`.
    pub command: clap::Command,
    /// What it looks at, in order.
    pub aspects: Vec<AspectFacts>,
    /// What it measures.
    pub metrics: &'static [MetricKind],
}

impl Explained {
    /// Lines for people: the aspects by their kinds, each with its metrics, their units and the ranges that hold unless
    /// others are given.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("{}\n", self.command.get_name());
        for kind in ProbeKind::value_variants() {
            let of_kind: Vec<_> = self.aspects.iter().filter(|facts| facts.kind == *kind).collect();
            if !of_kind.is_empty() {
                let value = kind.to_possible_value();
                let about = value.as_ref().and_then(|value| value.get_help()).map(ToString::to_string);
                let _infallible = writeln!(text, "\n--probe {}: {}", word(*kind), about.unwrap_or_default());
            }
            for facts in of_kind {
                self.add_aspect(facts, &mut text);
            }
        }
        let shared: Vec<_> = self.metrics.iter().filter(|kind| kind.aspects.is_empty()).collect();
        if !shared.is_empty() {
            text += "\nmeasured by several of them\n";
            shared.into_iter().for_each(|kind| add_metric(kind, &mut text));
        }
        text
    }

    fn add_aspect(&self, facts: &AspectFacts, text: &mut String) {
        let options = options_for(&self.command, facts.name());
        let by = match (facts.on_request, options.is_empty()) {
            (_, false) => format!(" (also by {})", options.join(", ")),
            (true, true) => " (only by name)".to_owned(),
            (false, true) => String::new(),
        };
        let _infallible = writeln!(text, "  {:<18}  {}{by}", facts.name(), facts.about);
        for kind in self.metrics.iter().filter(|kind| kind.aspects.contains(&facts.name())) {
            add_metric(kind, text);
        }
    }

    /// The same for programs, an object on a line.
    #[must_use]
    pub fn json(&self) -> String {
        let aspects = self.aspects.iter().map(|facts| {
            json!({
                "name": facts.name(),
                "other_names": facts.names.get(1..).unwrap_or_default(),
                "probe": word(facts.kind),
                "about": facts.about,
                "after": facts.after,
                "options": options_for(&self.command, facts.name()),
                "only_by_name": facts.on_request,
            })
        });
        let metrics = self.metrics.iter().map(|kind| {
            json!({
                "names": kind.names().collect::<Vec<_>>(),
                "unit": kind.unit.symbol(),
                "aspects": kind.aspects,
                "counter": kind.counter,
                "warning": kind.warning,
                "critical": kind.critical,
            })
        });
        let aspects: Vec<Value> = aspects.collect();
        let metrics: Vec<Value> = metrics.collect();
        json!({"check": self.command.get_name(), "aspects": aspects, "metrics": metrics}).to_string() + "\n"
    }
}

fn add_metric(kind: &MetricKind, text: &mut String) {
    let name = match kind.percentiles {
        true => format!("{}_{{min,p50,p90,p95,p99,max}}", kind.name),
        false => kind.name.to_owned(),
    };
    let unit = Some(kind.unit.symbol()).filter(|unit| !unit.is_empty()).map(|unit| format!("in {unit}"));
    let growth = kind.counter.then(|| "a counter: with --state-file, its growth".to_owned());
    let ranges = [("warning", kind.warning), ("critical", kind.critical)];
    let ranges = ranges.into_iter().filter_map(|(word, range)| Some(format!("{word} {}", range?)));
    let facts: Vec<_> = unit.into_iter().chain(growth).chain(ranges).collect();
    let line = format!("      {name:<42}  {}", facts.join("; "));
    text.push_str(line.trim_end());
    text.push('\n');
}

fn word(kind: ProbeKind) -> String {
    kind.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}
