//! The table: case, ours, peer, ratio, target, met or not.

use crate::measure::{Pairs, Spread};
use comfy_table::{CellAlignment, Table, presets};
use std::fmt;

/// What a case has to reach.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    /// Ours may take so many times the time of the peer.
    Time(f64),
    /// Ours must do so many times as much as the peer in the same time.
    Throughput(f64),
    /// Ours may take so many times the memory of the peer.
    Memory(f64),
    /// The time of ours against that of a peer that does less, to know the price of the rest.
    Price,
}

impl Target {
    /// What the pairs come to, in the terms of this target.
    fn ratio(self, pairs: &Pairs) -> Spread {
        match self {
            Self::Time(_) | Self::Memory(_) | Self::Price => pairs.ratios(),
            Self::Throughput(_) => pairs.ratios().inverted(),
        }
    }

    fn verdict(self, ratio: f64) -> &'static str {
        let met = match self {
            Self::Time(most) | Self::Memory(most) => ratio <= most,
            Self::Throughput(least) => ratio >= least,
            Self::Price => return "-",
        };
        if met { "met" } else { "not met" }
    }

    /// A figure of one side for people.
    fn figure(self, figures: &[f64]) -> String {
        let figure = Spread::of(figures.iter().copied()).median;
        match self {
            Self::Time(_) | Self::Throughput(_) | Self::Price => {
                scaled(figure, &[(1e-9, "ns"), (1e-6, "µs"), (1e-3, "ms"), (1.0, "s")])
            }
            Self::Memory(_) => {
                scaled(figure, &[(1.0, "B"), (1024.0, "KiB"), (1_048_576.0, "MiB"), (1_073_741_824.0, "GiB")])
            }
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(most) => write!(f, "time ≤ {most:.1}x"),
            Self::Throughput(least) => write!(f, "throughput ≥ {least:.1}x"),
            Self::Memory(most) => write!(f, "memory ≤ {most:.1}x"),
            Self::Price => f.write_str("none"),
        }
    }
}

/// A line of the table.
#[derive(Debug)]
pub(crate) struct Row {
    case: String,
    target: Target,
    /// Why there are no figures, if there are none.
    outcome: Result<Pairs, &'static str>,
}

impl Row {
    /// A case that was measured.
    pub(crate) fn new(case: impl Into<String>, target: Target, pairs: Pairs) -> Self {
        Self { case: case.into(), target, outcome: Ok(pairs) }
    }

    /// A case that was not measured.
    pub(crate) fn without_figures(case: impl Into<String>, target: Target, reason: &'static str) -> Self {
        Self { case: case.into(), target, outcome: Err(reason) }
    }

    fn cells(&self) -> [String; 6] {
        let Self { case, target, outcome } = self;
        let (case, wanted, none) = (case.clone(), target.to_string(), || "-".to_owned());
        match outcome {
            Err(reason) => [case, none(), none(), (*reason).to_owned(), wanted, none()],
            Ok(pairs) => {
                let Spread { least, median, most } = target.ratio(pairs);
                let ratio = format!("{}x ({} to {})", short(median), short(least), short(most));
                let verdict = target.verdict(median).to_owned();
                [case, target.figure(&pairs.ours), target.figure(&pairs.peer), ratio, wanted, verdict]
            }
        }
    }
}

/// All rows as one table.
pub(crate) fn render(rows: &[Row], markdown: bool) -> String {
    let mut table = Table::new();
    table.load_style(if markdown { presets::ASCII_MARKDOWN } else { presets::UTF8_FULL_CONDENSED });
    table.set_header(["case", "ours", "peer", "ratio (least to most)", "target", "met"]);
    for row in rows {
        table.add_row(row.cells());
    }
    for column in 1..4 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.to_string()
}

/// A figure in the greatest unit that it fills.
fn scaled(figure: f64, units: &[(f64, &str)]) -> String {
    let unit = units.iter().rev().find(|(unit, _)| figure >= *unit).or(units.first());
    unit.map_or_else(|| short(figure), |(unit, name)| format!("{} {name}", short(figure / unit)))
}

/// Three digits that count.
fn short(figure: f64) -> String {
    let decimals = match figure {
        figure if figure < 9.995 => 2,
        figure if figure < 99.95 => 1,
        _ => 0,
    };
    format!("{figure:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(ours: f64, peer: f64) -> Pairs {
        Pairs { ours: vec![ours], peer: vec![peer] }
    }

    #[test]
    fn a_target_is_met_at_its_boundary_and_not_beyond() {
        for (target, ours, peer, met) in [
            (Target::Time(1.5), 1.5, 1.0, "met"),
            (Target::Time(1.5), 1.6, 1.0, "not met"),
            (Target::Throughput(2.0), 1.0, 2.0, "met"),
            (Target::Throughput(2.0), 1.0, 1.9, "not met"),
            (Target::Memory(2.0), 200.0, 100.0, "met"),
            (Target::Memory(2.0), 201.0, 100.0, "not met"),
        ] {
            let [.., got] = Row::new("", target, pairs(ours, peer)).cells();
            assert_eq!(got, met, "{target}: {ours} against {peer}");
        }
    }

    #[test]
    fn figures_have_three_digits_and_their_unit() {
        let time = |seconds| Target::Time(1.0).figure(&[seconds]);
        assert_eq!(
            [4.9e-9, 38e-9, 1.234e-6, 0.25, 3.0].map(time),
            ["4.90 ns", "38.0 ns", "1.23 µs", "250 ms", "3.00 s"]
        );
        let memory = |bytes| Target::Memory(1.0).figure(&[bytes]);
        assert_eq!([90.0, 2048.0, 1_572_864.0].map(memory), ["90.0 B", "2.00 KiB", "1.50 MiB"]);
    }

    #[test]
    fn markdown_has_a_line_a_row() {
        let rows = [
            Row::new("one", Target::Time(1.0), pairs(1.0, 2.0)),
            Row::without_figures("two", Target::Memory(2.0), "not measured on this system"),
        ];
        let text = render(&rows, true);
        assert_eq!(text.lines().count(), 4);
        assert!(text.lines().all(|line| line.starts_with('|') && line.ends_with('|')), "{text}");
        assert!(text.contains("not measured on this system"));
    }
}
