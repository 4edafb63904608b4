//! Session windows: what a user of the library writes.

#[cfg(test)]
mod tests;

use crate::view::PageView;
use krishiv_api::{BoxError, EventContext, KeyedState, ListState, Operator, Timer};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The side output of views that came too late for any session.
pub(crate) const LATE: &str = "late";

/// The state of a user.
#[derive(KeyedState)]
#[state(key = u32)]
pub(crate) struct User {
    /// At least a gap apart: mostly one, more while views come out of order.
    open: ListState<Session>,
}

/// Views of a user, each less than the gap from the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    /// Times of its first and of its last view.
    start: i64,
    end: i64,
    views: u64,
    pages: BTreeSet<u32>,
}

/// Puts the views of each user into sessions, and emits each when it is over.
pub(crate) struct SessionWindows {
    /// A session is over after so many milliseconds without a view.
    pub(crate) gap_ms: i64,
}

/// A line of an output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum Line {
    Session { user: u32, start: i64, end: i64, views: u64, pages: usize },
    Late(PageView),
}

impl Operator for SessionWindows {
    type State = User;
    type In = PageView;
    type Out = Line;

    fn key(&self, view: &PageView) -> u32 {
        view.user
    }

    fn on_event(&mut self, user: &User, view: PageView, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        let mut session = Session::of(view);
        // The view may lie between two sessions, and make them one.
        user.open.retain(|open| {
            let apart = view.time >= open.end + self.gap_ms || view.time <= open.start - self.gap_ms;
            if !apart {
                session.take_in(open);
            }
            apart
        });
        if session.views == 1 {
            // A late view may still begin a session: one that is not over before it has begun.
            if ctx.watermark().is_some_and(|watermark| watermark >= session.end + self.gap_ms) {
                ctx.emit_to(LATE, Line::Late(view));
                return Ok(());
            }
            // That of a session that goes on stays: when it fires, it finds the new end.
            ctx.register_event_timer(session.end + self.gap_ms);
        }
        user.open.add(session);
        Ok(())
    }

    fn on_timer(&mut self, user: &User, timer: Timer, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        user.open.retain(|session| {
            let over = session.end + self.gap_ms;
            if over <= timer.time_ms {
                ctx.emit(session.line(*ctx.current_key()));
                return false;
            }
            ctx.register_event_timer(over);
            true
        });
        Ok(())
    }
}

impl Session {
    fn of(view: PageView) -> Self {
        Self { start: view.time, end: view.time, views: 1, pages: BTreeSet::from([view.page]) }
    }

    fn take_in(&mut self, other: &Self) {
        self.start = self.start.min(other.start);
        self.end = self.end.max(other.end);
        self.views += other.views;
        self.pages.extend(&other.pages);
    }

    fn line(&self, user: u32) -> Line {
        let Self { start, end, views, ref pages } = *self;
        Line::Session { user, start, end, views, pages: pages.len() }
    }
}
