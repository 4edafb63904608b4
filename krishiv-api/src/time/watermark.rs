//! Watermarks: how far event time has come, by what has been seen of each input.

use serde::{Deserialize, Serialize};
use std::fmt;

/// How the watermark of an input follows the times of its events.
///
/// A watermark says that no more events from before it are to come; one that does come is late.
///
/// ```
/// use krishiv_api::WatermarkStrategy;
/// const DAY_BEHIND: WatermarkStrategy = WatermarkStrategy::bounded_out_of_orderness(24 * 60 * 60 * 1000);
/// # let _ = DAY_BEHIND;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatermarkStrategy {
    behind_ms: u64,
    idle_after_ms: Option<u64>,
    goes_on_after_ms: Option<u64>,
    ahead_of_clock_ms: Option<u64>,
    ahead_of_events_ms: Option<u64>,
    too_far_ahead: TooFarAhead,
}

impl WatermarkStrategy {
    /// Events come in the order of their times: the watermark is the greatest time so far.
    ///
    /// ```
    /// let strategy = krishiv_api::WatermarkStrategy::monotonous();
    /// # let _ = strategy;
    /// ```
    pub const fn monotonous() -> Self {
        Self::bounded_out_of_orderness(0)
    }

    /// Events come at most `ms` milliseconds out of order: the watermark stays so far behind the greatest time so far.
    ///
    /// ```
    /// let strategy = krishiv_api::WatermarkStrategy::bounded_out_of_orderness(5_000);
    /// # let _ = strategy;
    /// ```
    pub const fn bounded_out_of_orderness(ms: u64) -> Self {
        Self {
            behind_ms: ms,
            idle_after_ms: None,
            goes_on_after_ms: None,
            ahead_of_clock_ms: None,
            ahead_of_events_ms: None,
            too_far_ahead: TooFarAhead::Refuse,
        }
    }

    /// After `ms` milliseconds by the clock without an event, the input no longer holds the watermark of the others back,
    /// until its next event. Without this it does so for ever.
    ///
    /// ```
    /// let strategy = krishiv_api::WatermarkStrategy::monotonous().idle_after(60_000);
    /// # let _ = strategy;
    /// ```
    #[must_use]
    pub const fn idle_after(self, ms: u64) -> Self {
        Self { idle_after_ms: Some(ms), ..self }
    }

    /// After `ms` milliseconds by the clock without an event, the watermark of the input goes on with the clock from where it was,
    /// until its next event; where other inputs have events, it follows them. Without this the last window of a quiet input stays
    /// open until the next event. What comes later than the clock said is late.
    ///
    /// ```
    /// use krishiv_api::{WatermarkStrategy, Watermarks};
    ///
    /// let mut watermarks = Watermarks::new([WatermarkStrategy::monotonous().goes_on_after(60_000)]);
    /// watermarks.observe(0, 7_000);
    /// assert_eq!(watermarks.tick(500_000), None);
    /// assert_eq!(watermarks.tick(559_999), None);
    /// assert_eq!(watermarks.tick(560_000), Some(67_000));
    /// assert_eq!(watermarks.tick(560_100), Some(67_100));
    /// ```
    #[must_use]
    pub const fn goes_on_after(self, ms: u64) -> Self {
        Self { goes_on_after_ms: Some(ms), ..self }
    }

    /// An event whose time is more than `ms` milliseconds ahead of the clock does not move the watermark, and is
    /// [refused](TooFarAhead) unless set otherwise. Without a bound one event of the year 9999 makes all that come later late for ever,
    /// and ends all state that goes by event time.
    ///
    /// ```
    /// let live = krishiv_api::WatermarkStrategy::bounded_out_of_orderness(5_000).at_most_ahead_of_clock(60_000);
    /// # let _ = live;
    /// ```
    #[must_use]
    pub const fn at_most_ahead_of_clock(self, ms: u64) -> Self {
        Self { ahead_of_clock_ms: Some(ms), ..self }
    }

    /// The same for an event whose time is more than `ms` milliseconds ahead of the greatest one of the input so far: for
    /// events of the past, which the clock says nothing of. The first event has none before it. `ms` must be greater than any silence
    /// of the input: what comes after a longer one is refused too.
    ///
    /// ```
    /// const DAY: u64 = 24 * 60 * 60 * 1000;
    /// let history = krishiv_api::WatermarkStrategy::monotonous().at_most_ahead_of_events(30 * DAY);
    /// # let _ = history;
    /// ```
    #[must_use]
    pub const fn at_most_ahead_of_events(self, ms: u64) -> Self {
        Self { ahead_of_events_ms: Some(ms), ..self }
    }

    /// What becomes of an event that is too far ahead; refused unless set.
    ///
    /// ```
    /// use krishiv_api::{TooFarAhead, WatermarkStrategy};
    /// let strategy = WatermarkStrategy::monotonous().at_most_ahead_of_clock(60_000).too_far_ahead(TooFarAhead::Late);
    /// # let _ = strategy;
    /// ```
    #[must_use]
    pub const fn too_far_ahead(self, then: TooFarAhead) -> Self {
        Self { too_far_ahead: then, ..self }
    }

    /// Whether it makes late events of some.
    ///
    /// ```
    /// use krishiv_api::{TooFarAhead, WatermarkStrategy};
    /// let bounded = WatermarkStrategy::monotonous().at_most_ahead_of_clock(60_000);
    /// assert!(!bounded.makes_late());
    /// assert!(bounded.too_far_ahead(TooFarAhead::Late).makes_late());
    /// ```
    pub const fn makes_late(self) -> bool {
        matches!(self.too_far_ahead, TooFarAhead::Late)
    }
}

/// What becomes of an event whose time is too far ahead.
///
/// ```
/// assert_eq!(krishiv_api::TooFarAhead::default(), krishiv_api::TooFarAhead::Refuse);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TooFarAhead {
    /// It is no event: a pipeline stops, or leaves it out, as it does with rows that cannot be read.
    #[default]
    Refuse,
    /// It goes where late events go.
    Late,
}

/// That an event is too far ahead, as [`Watermarks::admit`] finds.
///
/// ```
/// use krishiv_api::{WatermarkStrategy, Watermarks};
///
/// let mut watermarks = Watermarks::new([WatermarkStrategy::monotonous().at_most_ahead_of_clock(1_000)]);
/// let far = watermarks.admit(0, 8_001, 7_000).unwrap();
/// assert_eq!(far.to_string(), "its time, 8001, is more than 1000 ms ahead of the clock, which shows 7000");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FarAhead {
    /// What the strategy says of such an event.
    pub then: TooFarAhead,
    time: i64,
    bound_ms: u64,
    of: AheadOf,
}

/// What an event is ahead of, and where that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AheadOf {
    Clock(i64),
    Events(i64),
}

impl fmt::Display for FarAhead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { time, bound_ms, .. } = self;
        write!(f, "its time, {time}, is more than {bound_ms} ms ahead of ")?;
        match self.of {
            AheadOf::Clock(now) => write!(f, "the clock, which shows {now}"),
            AheadOf::Events(latest) => write!(f, "the greatest before it, {latest}"),
        }
    }
}

/// The watermark of several inputs: the least of those that are not idle. It never goes back.
///
/// ```
/// use krishiv_api::{WatermarkStrategy, Watermarks};
///
/// let mut watermarks = Watermarks::new([WatermarkStrategy::monotonous(), WatermarkStrategy::bounded_out_of_orderness(10)]);
/// assert_eq!(watermarks.observe(0, 100), None); // nothing is known of the second input
/// assert_eq!(watermarks.observe(1, 70), Some(60));
/// assert_eq!(watermarks.observe(1, 200), Some(100));
/// assert_eq!(watermarks.observe(1, 300), None); // the first one holds it back
/// assert_eq!(watermarks.current(), Some(100));
/// ```
#[derive(Clone, Debug)]
pub struct Watermarks {
    inputs: Vec<Input>,
    current: Option<i64>,
}

/// How far the inputs of [`Watermarks`] had come at a commit.
///
/// ```
/// use krishiv_api::{WatermarkStrategy, Watermarks};
/// let position = Watermarks::new([WatermarkStrategy::monotonous()]).position();
/// assert_eq!(position.current, None);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct WatermarksPosition {
    /// The watermark, in milliseconds.
    pub current: Option<i64>,
    inputs: Vec<InputPosition>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct InputPosition {
    latest: Option<i64>,
    /// Neither idle nor ended.
    holds: bool,
}

#[derive(Clone, Debug)]
struct Input {
    strategy: WatermarkStrategy,
    /// The greatest time of its events.
    latest: Option<i64>,
    /// The same with those that are still to be observed.
    admitted: Option<i64>,
    /// From where its watermark goes on, and what the clock showed then.
    goes_on_from: Option<(i64, i64)>,
    /// How far the clock has taken it.
    gone_on_to: Option<i64>,
    /// Since when there has been no event, by the clock; `None` when one came since the clock was last looked at.
    quiet_since: Option<i64>,
    idle: bool,
    /// Whether it has been quiet for so long that its watermark goes on with the clock.
    goes_on: bool,
    ended: bool,
}

impl Input {
    fn watermark(&self) -> Option<i64> {
        let behind = i64::try_from(self.strategy.behind_ms).unwrap_or(i64::MAX);
        self.latest.map(|latest| latest.saturating_sub(behind))
    }
}

impl Watermarks {
    /// The watermark of inputs that follow these strategies; none has had an event.
    ///
    /// ```
    /// use krishiv_api::{WatermarkStrategy, Watermarks};
    /// assert_eq!(Watermarks::new([WatermarkStrategy::monotonous()]).current(), None);
    /// ```
    pub fn new(inputs: impl IntoIterator<Item = WatermarkStrategy>) -> Self {
        let input = |strategy| Input {
            strategy,
            latest: None,
            admitted: None,
            goes_on_from: None,
            gone_on_to: None,
            quiet_since: None,
            idle: false,
            goes_on: false,
            ended: false,
        };
        Self { inputs: inputs.into_iter().map(input).collect(), current: None }
    }

    /// Says whether an event of the input at `input` is too far ahead, while the clock shows `now_ms`; such a one is not to be
    /// [observed](Self::observe).
    ///
    /// ```
    /// use krishiv_api::{TooFarAhead, WatermarkStrategy, Watermarks};
    /// let mut watermarks = Watermarks::new([WatermarkStrategy::monotonous().at_most_ahead_of_events(1_000)]);
    /// assert_eq!(watermarks.admit(0, 7_000, 0), None);
    /// assert_eq!(watermarks.admit(0, 8_001, 0).map(|far| far.then), Some(TooFarAhead::Refuse));
    /// assert_eq!(watermarks.admit(0, 8_000, 0), None);
    /// ```
    #[inline]
    pub fn admit(&mut self, input: usize, event_time: i64, now_ms: i64) -> Option<FarAhead> {
        let input = self.inputs.get_mut(input)?;
        let WatermarkStrategy { ahead_of_clock_ms, ahead_of_events_ms, too_far_ahead: then, .. } = input.strategy;
        let clock = ahead_of_clock_ms.map(|bound_ms| (bound_ms, AheadOf::Clock(now_ms), now_ms));
        let events = ahead_of_events_ms.zip(input.admitted);
        let events = events.map(|(bound_ms, latest)| (bound_ms, AheadOf::Events(latest), latest));
        let mut bounds = clock.into_iter().chain(events);
        let far = bounds.find(|(bound_ms, _, from)| event_time > from.saturating_add_unsigned(*bound_ms));
        if let Some((bound_ms, of, _)) = far {
            return Some(FarAhead { then, time: event_time, bound_ms, of });
        }
        input.admitted = input.admitted.max(Some(event_time));
        None
    }

    /// Takes note of an event of the input at `input`, and of its time in milliseconds; returns the watermark if that moved it.
    ///
    /// ```
    /// use krishiv_api::{WatermarkStrategy, Watermarks};
    /// let mut watermarks = Watermarks::new([WatermarkStrategy::monotonous()]);
    /// assert_eq!(watermarks.observe(0, 7), Some(7));
    /// assert_eq!(watermarks.observe(0, 3), None);
    /// ```
    #[inline]
    pub fn observe(&mut self, input: usize, event_time: i64) -> Option<i64> {
        let input = self.inputs.get_mut(input)?;
        let was_idle = std::mem::take(&mut input.idle) | std::mem::take(&mut input.ended);
        (input.quiet_since, input.goes_on, input.gone_on_to) = (None, false, None);
        if !was_idle && input.latest.is_some_and(|latest| event_time <= latest) {
            return None;
        }
        input.latest = input.latest.max(Some(event_time));
        self.advance()
    }

    /// Looks for inputs that have become idle by the clock, which shows `now_ms`; returns the watermark if that moved it.
    ///
    /// ```
    /// use krishiv_api::{WatermarkStrategy, Watermarks};
    /// let strategy = WatermarkStrategy::monotonous();
    /// let mut watermarks = Watermarks::new([strategy, strategy.idle_after(60_000)]);
    /// watermarks.observe(0, 7);
    /// assert_eq!(watermarks.tick(0), None);
    /// assert_eq!(watermarks.tick(60_000), Some(7));
    /// ```
    pub fn tick(&mut self, now_ms: i64) -> Option<i64> {
        let (current, greatest) = (self.current, self.inputs.iter().filter_map(Input::watermark).max());
        for input in &mut self.inputs {
            if input.quiet_since.is_none() {
                let from = input.watermark().max(current);
                input.goes_on_from = from.map(|from| (from, now_ms));
            }
            let since = *input.quiet_since.get_or_insert(now_ms);
            let quiet = u64::try_from(now_ms.saturating_sub(since)).unwrap_or(0);
            let WatermarkStrategy { idle_after_ms, goes_on_after_ms, .. } = input.strategy;
            input.goes_on = goes_on_after_ms.is_some_and(|after| quiet >= after);
            input.idle |= input.goes_on || idle_after_ms.is_some_and(|after| quiet >= after);
        }
        let is_held = self.inputs.iter().any(|input| !input.idle && !input.ended);
        for input in self.inputs.iter_mut().filter(|input| input.goes_on) {
            if is_held || input.goes_on_from.is_none() {
                // It follows the others, and goes on from where they leave it.
                input.goes_on_from = current.or(greatest).map(|from| (from, now_ms));
            }
            let passed = input.goes_on_from.map(|(from, at)| from.saturating_add(now_ms.saturating_sub(at).max(0)));
            input.gone_on_to = passed.filter(|_| !is_held);
        }
        self.advance()
    }

    /// Takes note that the input at `input` has ended, and holds nobody back unless it has more after all; returns the watermark if that moved it.
    ///
    /// ```
    /// use krishiv_api::{WatermarkStrategy, Watermarks};
    /// let strategy = WatermarkStrategy::monotonous();
    /// let mut watermarks = Watermarks::new([strategy, strategy]);
    /// watermarks.observe(0, 7);
    /// assert_eq!(watermarks.end(1), Some(7));
    /// ```
    pub fn end(&mut self, input: usize) -> Option<i64> {
        self.inputs.get_mut(input)?.ended = true;
        self.advance()
    }

    /// Whether [`tick`](Self::tick) can ever move the watermark.
    ///
    /// ```
    /// use krishiv_api::{WatermarkStrategy, Watermarks};
    /// assert!(!Watermarks::new([WatermarkStrategy::monotonous()]).needs_clock());
    /// ```
    pub fn needs_clock(&self) -> bool {
        self.inputs.iter().any(|Input { strategy, .. }| strategy.idle_after_ms.or(strategy.goes_on_after_ms).is_some())
    }

    /// The watermark, in milliseconds; `None` before the first.
    ///
    /// ```
    /// # use krishiv_api::{WatermarkStrategy, Watermarks};
    /// assert_eq!(Watermarks::new([WatermarkStrategy::monotonous()]).current(), None);
    /// ```
    pub fn current(&self) -> Option<i64> {
        self.current
    }

    /// What is to be stored with a commit.
    ///
    /// ```
    /// use krishiv_api::{WatermarkStrategy, Watermarks};
    /// let mut watermarks = Watermarks::new([WatermarkStrategy::bounded_out_of_orderness(10)]);
    /// watermarks.observe(0, 7);
    /// assert_eq!(watermarks.position().current, Some(-3));
    /// ```
    pub fn position(&self) -> WatermarksPosition {
        let inputs = self.inputs.iter();
        let inputs = inputs.map(|input| InputPosition { latest: input.latest, holds: !(input.idle || input.ended) });
        WatermarksPosition { current: self.current, inputs: inputs.collect() }
    }

    /// Goes back to what was stored with a commit. An input that held nobody back then does so again from its next event on.
    ///
    /// ```
    /// use krishiv_api::{WatermarkStrategy, Watermarks};
    /// let mut watermarks = Watermarks::new([WatermarkStrategy::bounded_out_of_orderness(10)]);
    /// watermarks.observe(0, 7);
    /// let mut again = Watermarks::new([WatermarkStrategy::bounded_out_of_orderness(10)]);
    /// again.restore(&watermarks.position());
    /// assert_eq!(again.observe(0, 7), None);
    /// assert_eq!(again.observe(0, 8), Some(-2));
    /// ```
    pub fn restore(&mut self, position: &WatermarksPosition) {
        for (input, InputPosition { latest, holds }) in self.inputs.iter_mut().zip(&position.inputs) {
            (input.latest, input.admitted, input.idle) = (*latest, *latest, !holds);
        }
        self.current = position.current;
    }

    fn advance(&mut self) -> Option<i64> {
        let holding = self.inputs.iter().filter(|input| !input.idle && !input.ended);
        let least = match holding.map(Input::watermark).min() {
            Some(least) => least?,
            // Nobody holds it, so nobody says how far it has come either, but for the clock where it may.
            None => self.inputs.iter().filter(|input| !input.ended).filter_map(|input| input.gone_on_to).max()?,
        };
        if self.current.is_some_and(|current| least <= current) {
            return None;
        }
        self.current = Some(least);
        self.current
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONOTONOUS: WatermarkStrategy = WatermarkStrategy::monotonous();

    #[test]
    fn the_ends_of_time_do_not_overflow() {
        let mut watermarks = Watermarks::new([WatermarkStrategy::bounded_out_of_orderness(u64::MAX)]);
        assert_eq!(watermarks.observe(0, i64::MIN), Some(i64::MIN));
        assert_eq!(watermarks.observe(0, 0), Some(-i64::MAX));
        assert_eq!(watermarks.observe(0, i64::MAX), Some(0));
        assert_eq!(watermarks.tick(i64::MIN), None);
        assert_eq!(watermarks.tick(i64::MAX), None);
    }

    #[test]
    fn an_idle_input_comes_back_without_taking_the_watermark_back() {
        let mut watermarks = Watermarks::new([MONOTONOUS, MONOTONOUS.idle_after(10)]);
        watermarks.observe(1, 5);
        assert_eq!(watermarks.observe(0, 100), Some(5));
        assert_eq!(watermarks.tick(0), None);
        assert_eq!(watermarks.tick(9), None);
        assert_eq!(watermarks.tick(10), Some(100));
        assert_eq!(watermarks.observe(1, 50), None);
        assert_eq!(watermarks.current(), Some(100));
        // It holds the others back again.
        assert_eq!(watermarks.observe(0, 200), None);
        assert_eq!(watermarks.observe(1, 150), Some(150));
    }

    #[test]
    fn an_event_starts_the_quiet_time_anew() {
        let mut watermarks = Watermarks::new([MONOTONOUS, MONOTONOUS.idle_after(10)]);
        watermarks.observe(0, 100);
        watermarks.tick(0);
        watermarks.observe(1, 5);
        assert_eq!(watermarks.tick(10), None);
        assert_eq!(watermarks.tick(19), None);
        assert_eq!(watermarks.tick(20), Some(100));
        // A clock that is set back is no quiet time.
        watermarks.observe(1, 300);
        assert_eq!(watermarks.tick(1_000), None);
        assert_eq!(watermarks.tick(0), None);
    }

    #[test]
    fn a_watermark_goes_on_from_where_the_last_of_the_others_left_it() {
        // The one that goes on has never had an event.
        let mut watermarks = Watermarks::new([MONOTONOUS.goes_on_after(10), MONOTONOUS.idle_after(5)]);
        watermarks.observe(1, 100);
        assert_eq!(watermarks.tick(0), None);
        assert_eq!(watermarks.tick(10), Some(100));
        assert_eq!(watermarks.tick(17), Some(107));
        // Another one takes over, and ends: what passed meanwhile does not count.
        let mut watermarks = Watermarks::new([MONOTONOUS.goes_on_after(10), MONOTONOUS]);
        watermarks.observe(0, 100);
        watermarks.observe(1, 50);
        assert_eq!(watermarks.tick(0), None);
        assert_eq!(watermarks.tick(10), None);
        assert_eq!(watermarks.observe(1, 9_000), Some(9_000));
        assert_eq!(watermarks.tick(1_000), None);
        watermarks.end(1);
        assert_eq!(watermarks.tick(1_004), Some(9_004));
        // An event ends it, and what is behind the clock is late.
        assert_eq!(watermarks.observe(0, 9_001), None);
        assert_eq!(watermarks.tick(1_005), None);
        assert_eq!(watermarks.observe(0, 9_010), Some(9_010));
        // A clock that is set back takes nothing back.
        watermarks.tick(2_000);
        assert_eq!(watermarks.tick(2_010), Some(9_020));
        assert_eq!(watermarks.tick(1_900), None);
    }

    #[test]
    fn where_all_are_idle_or_ended_the_watermark_stays() {
        let mut watermarks = Watermarks::new([MONOTONOUS.idle_after(1), MONOTONOUS]);
        watermarks.observe(0, 7);
        assert_eq!(watermarks.end(1), Some(7));
        watermarks.tick(0);
        assert_eq!(watermarks.tick(1), None);
        assert_eq!(watermarks.current(), Some(7));
        assert_eq!(watermarks.observe(0, 8), Some(8));
        assert_eq!(watermarks.observe(2, 9), None);
    }
}
