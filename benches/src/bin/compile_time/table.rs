//! The table of a case: ours, peer, ratio, target, met or not.

use comfy_table::Table;

/// An empty one, in which `peer` stands beside ours.
pub(crate) fn beside(peer: &str) -> Table {
    let mut table = Table::new();
    table.set_header(["case", "ours", peer, "ratio", "target", "met"]);
    table
}

/// Ours, which may be `target` times that of the peer. A figure is shown by `show`.
pub(crate) fn row(case: String, [ours, peer]: [f64; 2], show: fn(f64) -> String, target: f64) -> [String; 6] {
    let ratio = ours / peer;
    let met = if ratio <= target { "yes" } else { "no" };
    [case, show(ours), show(peer), format!("{ratio:.2}"), format!("{target:.2}"), met.to_owned()]
}
