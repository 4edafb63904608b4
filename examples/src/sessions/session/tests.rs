#![allow(clippy::unwrap_used, reason = "a test")]

use super::*;
use krishiv_api::{Harness, RocksDbStateBackend, Timer, TimerKind};

const GAP: i64 = 100;

fn harness() -> Harness<SessionWindows> {
    Harness::new(|| SessionWindows { gap_ms: GAP }).unwrap()
}

/// User `user` looks at page `page` at `time`.
fn view(harness: &mut Harness<SessionWindows>, user: u32, time: i64, page: u32) {
    harness.event_at(PageView { user, time, page }, time).unwrap();
}

fn session(user: u32, start: i64, end: i64, views: u64, pages: usize) -> Line {
    Line::Session { user, start, end, views, pages }
}

fn late(user: u32, time: i64, page: u32) -> Line {
    Line::Late(PageView { user, time, page })
}

fn timer(user: u32, time_ms: i64) -> (u32, Timer) {
    (user, Timer { kind: TimerKind::Event, time_ms })
}

fn open(harness: &mut Harness<SessionWindows>, user: u32) -> Vec<(i64, i64)> {
    let open = harness.state(&user, |state| state.open.get()).unwrap();
    open.iter().map(|session| (session.start, session.end)).collect()
}

#[test]
fn a_session_is_over_after_the_gap_and_leaves_nothing() {
    let mut harness = harness();
    view(&mut harness, 1, 1_000, 7);
    view(&mut harness, 1, 1_050, 8);
    view(&mut harness, 1, 1_060, 7);
    view(&mut harness, 2, 1_010, 7);
    harness.watermark(1_109).unwrap();
    assert_eq!(harness.emitted(), []);
    harness.watermark(1_110).unwrap();
    assert_eq!(harness.emitted(), [session(2, 1_010, 1_010, 1, 1)]);
    harness.watermark(1_159).unwrap();
    assert_eq!(harness.emitted().len(), 1);
    harness.watermark(1_160).unwrap();
    assert_eq!(harness.emitted(), [session(2, 1_010, 1_010, 1, 1), session(1, 1_000, 1_060, 3, 2)]);
    assert_eq!(harness.timers().unwrap(), []);
    assert_eq!((open(&mut harness, 1), open(&mut harness, 2)), (vec![], vec![]));
}

#[test]
fn a_view_less_than_the_gap_away_belongs_to_the_session_and_one_just_the_gap_away_does_not() {
    for (time, want) in [
        (1_099, vec![session(1, 1_000, 1_099, 2, 1)]),
        (1_100, vec![session(1, 1_000, 1_000, 1, 1), session(1, 1_100, 1_100, 1, 1)]),
        (901, vec![session(1, 901, 1_000, 2, 1)]),
        (900, vec![session(1, 900, 900, 1, 1), session(1, 1_000, 1_000, 1, 1)]),
    ] {
        let mut harness = harness();
        view(&mut harness, 1, 1_000, 7);
        view(&mut harness, 1, time, 7);
        harness.watermark(i64::MAX).unwrap();
        assert_eq!(harness.emitted(), want, "a view at {time}");
    }
}

#[test]
fn the_gap_is_the_same_whether_the_timer_or_the_view_comes_first() {
    let mut harness = harness();
    view(&mut harness, 1, 1_000, 7);
    harness.watermark(1_100).unwrap();
    view(&mut harness, 1, 1_100, 7); // on time, and that session is over
    harness.watermark(i64::MAX).unwrap();
    assert_eq!(harness.emitted(), [session(1, 1_000, 1_000, 1, 1), session(1, 1_100, 1_100, 1, 1)]);
    assert_eq!(harness.side(LATE), []);
}

#[test]
fn a_view_between_two_sessions_makes_them_one() {
    let mut harness = harness();
    view(&mut harness, 1, 1_000, 7);
    view(&mut harness, 1, 1_020, 8);
    view(&mut harness, 1, 1_150, 9);
    view(&mut harness, 1, 1_400, 7);
    assert_eq!(open(&mut harness, 1), [(1_000, 1_020), (1_150, 1_150), (1_400, 1_400)]);
    view(&mut harness, 1, 1_110, 7);
    assert_eq!(open(&mut harness, 1), [(1_400, 1_400), (1_000, 1_150)]);
    harness.watermark(1_249).unwrap(); // the timer of the first has fired
    assert_eq!(harness.emitted(), []);
    harness.watermark(i64::MAX).unwrap();
    assert_eq!(harness.emitted(), [session(1, 1_000, 1_150, 4, 3), session(1, 1_400, 1_400, 1, 1)]);
}

#[test]
fn any_order_within_the_bound_gives_the_same_sessions() {
    let times = [1_000, 1_090, 1_180, 1_290, 1_380];
    for first in 0..times.len() {
        for step in 1..times.len() {
            let mut harness = harness();
            for turn in 0..times.len() {
                view(&mut harness, 1, times[(first + turn * step) % times.len()], 7);
            }
            harness.watermark(i64::MAX).unwrap();
            let want = [session(1, 1_000, 1_180, 3, 1), session(1, 1_290, 1_380, 2, 1)];
            assert_eq!(harness.emitted(), want, "beginning at {first}, every {step}");
        }
    }
}

#[test]
fn a_late_view_counts_as_long_as_its_session_is_open_or_would_be() {
    let mut harness = harness();
    view(&mut harness, 1, 1_000, 7);
    harness.watermark(1_060).unwrap();
    view(&mut harness, 1, 1_010, 8); // goes on with it
    view(&mut harness, 1, 950, 9); // begins it earlier
    view(&mut harness, 1, 850, 7); // a gap before it
    view(&mut harness, 2, 960, 7); // of somebody without a session: it would be over by now
    view(&mut harness, 2, 961, 7); // and this one would not
    view(&mut harness, 3, 1_060, 7); // not late: at the watermark
    assert_eq!(harness.side(LATE), [late(1, 850, 7), late(2, 960, 7)]);
    assert_eq!(harness.timers().unwrap(), [timer(2, 1_061), timer(1, 1_100), timer(3, 1_160)]);

    harness.watermark(1_110).unwrap();
    assert_eq!(harness.emitted(), [session(2, 961, 961, 1, 1), session(1, 950, 1_010, 3, 3)]);
    view(&mut harness, 1, 1_010, 7);
    assert_eq!(harness.side(LATE).last(), Some(&late(1, 1_010, 7)));
    assert_eq!(open(&mut harness, 1), []);
}

#[test]
fn a_session_that_goes_on_has_one_timer() {
    let mut harness = harness();
    for time in (1_000..1_990).step_by(10) {
        view(&mut harness, 1, time, 7);
        assert_eq!(harness.timers().unwrap(), [timer(1, 1_100)]);
    }
    harness.watermark(1_100).unwrap();
    assert_eq!(harness.timers().unwrap(), [timer(1, 2_080)]);
    harness.watermark(2_080).unwrap();
    assert_eq!(harness.emitted(), [session(1, 1_000, 1_980, 99, 1)]);
}

#[test]
fn another_gap_holds_for_the_sessions_that_are_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    let with_gap = |gap_ms| {
        let path = path.clone();
        let builder = Harness::builder(move || SessionWindows { gap_ms });
        builder.backend(move || RocksDbStateBackend::open(&path)).open().unwrap()
    };
    let mut before = with_gap(GAP);
    view(&mut before, 1, 1_000, 7);
    view(&mut before, 2, 1_000, 7);
    before.commit().unwrap();
    drop(before);

    let mut after = with_gap(2 * GAP);
    view(&mut after, 1, 1_150, 7);
    after.watermark(1_199).unwrap();
    assert_eq!(after.emitted(), []);
    after.watermark(1_200).unwrap();
    assert_eq!(after.emitted(), [session(2, 1_000, 1_000, 1, 1)]);
    after.watermark(i64::MAX).unwrap();
    assert_eq!(after.emitted().last(), Some(&session(1, 1_000, 1_150, 2, 1)));
}

#[test]
fn a_crash_loses_what_was_not_committed_and_no_more() {
    let mut harness = harness();
    view(&mut harness, 1, 1_000, 7);
    view(&mut harness, 2, 1_000, 7);
    harness.commit().unwrap();
    for _ in 0..2 {
        view(&mut harness, 1, 1_050, 8);
        harness.watermark(1_120).unwrap();
        view(&mut harness, 3, 1_000, 7);
        assert_eq!(harness.emitted(), [session(2, 1_000, 1_000, 1, 1)]);
        assert_eq!(harness.side(LATE), [late(3, 1_000, 7)]);
        harness.crash_and_reopen().unwrap();
        assert_eq!((harness.emitted(), harness.side(LATE)), (&[][..], &[][..]));
        assert_eq!(harness.timers().unwrap().len(), 2);
        assert_eq!(open(&mut harness, 1), [(1_000, 1_000)]);
    }
    harness.watermark(1_100).unwrap();
    assert_eq!(harness.emitted().len(), 2);
}

#[test]
fn other_numbers_of_instances_and_crashes_give_the_same_sessions() {
    let mut harness = harness();
    for (round, instances) in (0..).zip([1, 4, 3, 128, 2]) {
        harness.rescale(instances).unwrap();
        for user in 0..50 {
            view(&mut harness, user, 1_000 + 60 * round, user % 3);
        }
        harness.watermark(1_000 + 60 * round).unwrap();
        harness.commit().unwrap();
        view(&mut harness, 99, 1_000 + 60 * round, 7);
        harness.crash_and_reopen().unwrap();
    }
    harness.watermark(i64::MAX).unwrap();
    let mut users: Vec<_> = harness.emitted().to_vec();
    users.sort_by_key(|line| match line {
        Line::Session { user, .. } => *user,
        Line::Late(view) => view.user,
    });
    let want: Vec<_> = (0..50).map(|user| session(user, 1_000, 1_240, 5, 1)).collect();
    assert_eq!(users, want);
}
