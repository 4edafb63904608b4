//! What `sessions` writes, against the same worked out another way: sort, and cut where the gaps are.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test"
)]

#[path = "common/sessions.rs"]
mod common;
#[path = "../src/sessions/generator.rs"]
mod generator;
#[path = "../src/sessions/view.rs"]
mod view;

use common::Place;
use generator::{DISORDER_MS, Generator, Stream};
use krishiv_pipeline::Source;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use view::PageView;

const MINUTE_MS: i64 = 60_000;

fn stream(mut generator: Generator) -> Vec<PageView> {
    let mut views = Vec::new();
    while let Some(view) = generator.next_item().unwrap() {
        views.push(view);
    }
    views
}

/// Views of one user that are in no session yet.
#[derive(Default)]
struct Pending(Vec<PageView>);

impl Pending {
    /// Takes out the sessions that are over at `watermark`.
    fn over(&mut self, gap: i64, watermark: i64, sessions: &mut Vec<(i64, String)>) {
        self.0.sort_by_key(|view| view.time);
        let groups: Vec<Vec<PageView>> =
            self.0.chunk_by(|a, b| b.time - a.time < gap).map(<[PageView]>::to_vec).collect();
        self.0.clear();
        for group in groups {
            let (first, last) = (group[0], group[group.len() - 1]);
            if watermark - last.time < gap {
                self.0.extend(group);
                continue;
            }
            let pages: BTreeSet<_> = group.iter().map(|view| view.page).collect();
            let line = format!(
                "{{\"user\":{},\"start\":{},\"end\":{},\"views\":{},\"pages\":{}}}",
                first.user,
                first.time,
                last.time,
                group.len(),
                pages.len()
            );
            sessions.push((last.time, line));
        }
    }

    /// Times of the views less than the gap from `view`.
    fn near(&self, view: PageView, gap: i64) -> Vec<i64> {
        self.0.iter().map(|other| other.time).filter(|time| (time - view.time).abs() < gap).collect()
    }
}

#[test]
fn the_sessions_are_those_of_sorting_and_cutting() {
    let mut seen_late = [0, 0, 0];
    let mut seen_bridges = 0;
    for (seed, gap_minutes) in [(1, 30), (2, 4), (3, 1)] {
        let given = Stream { users: 2_000, views: 40_000, seed };
        let gap = gap_minutes * MINUTE_MS;
        let (mut sessions, mut late) = (Vec::new(), Vec::new());
        let (mut users, mut latest) = (BTreeMap::<u32, Pending>::new(), i64::MIN);
        for view in stream(Generator::new(given)) {
            latest = latest.max(view.time);
            let watermark = latest - DISORDER_MS as i64;
            let pending = users.entry(view.user).or_default();
            pending.over(gap, watermark, &mut sessions);
            let near = pending.near(view, gap);
            let is_late = view.time < watermark;
            let is_too_late = near.is_empty() && watermark - view.time >= gap;
            if is_too_late {
                late.push(format!("{{\"user\":{},\"time\":{},\"page\":{}}}", view.user, view.time, view.page));
            } else {
                pending.0.push(view);
            }
            seen_late[usize::from(near.is_empty()) + usize::from(is_too_late)] += i32::from(is_late);
            seen_bridges += near.windows(2).filter(|pair| pair[1] - pair[0] >= gap).count();
        }
        for pending in users.values_mut() {
            pending.over(gap, i64::MAX, &mut sessions);
        }

        let place = Place::new();
        place
            .run(&format!("--users 2000 --views 40000 --seed {seed} --gap-minutes {gap_minutes} --backend memory"))
            .ok();
        let [got_sessions, got_late] = place.outputs();
        assert_eq!(got_late.lines().collect::<Vec<_>>(), late);
        let mut got: Vec<(i64, String)> = got_sessions
            .lines()
            .map(|line| {
                let end = serde_json::from_str::<serde_json::Value>(line).unwrap()["end"].as_i64().unwrap();
                (end, line.to_owned())
            })
            .collect();
        assert!(got.is_sorted_by_key(|(end, _)| *end), "they come in the order in which they are over");
        got.sort();
        sessions.sort();
        assert!(got == sessions, "the sessions of seed {seed} differ");
        assert!(got.len() > 1_000);
    }
    // Otherwise this has shown less than it seems.
    let [counted, alone, too_late] = seen_late;
    assert!(counted >= 10 && alone >= 1 && too_late >= 10, "{counted} {alone} {too_late}");
    assert!(seen_bridges >= 100, "{seen_bridges}");
}

#[test]
fn a_view_depends_on_the_arguments_and_its_number_alone() {
    let given = Stream { users: 100, views: 1_000, seed: 7 };
    let all = stream(Generator::new(given));
    assert_eq!(all.len(), 1_000);
    let mut generator = Generator::new(given);
    for _ in 0..400 {
        generator.poll(Duration::ZERO).unwrap();
    }
    let mut other = Generator::new(given);
    other.seek(generator.position()).unwrap();
    assert_eq!(stream(other), all[400..]);
    assert_ne!(stream(Generator::new(Stream { seed: 8, ..given })), all);
}
