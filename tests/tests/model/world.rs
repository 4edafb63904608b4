//! What a store must hold: plain collections, undone by cloning.

use std::collections::BTreeMap;

/// Names and lives of the states of each kind, as `Everything` declares them; the last of each kind is not declared.
pub const VALUES: [(&str, Life); 5] = [
    ("value", FOREVER),
    ("brief_value", BRIEF),
    ("fresh_value", FRESH),
    ("session", SESSION),
    ("other_value", FOREVER),
];
pub const LISTS: [(&str, Life); 4] =
    [("list", FOREVER), ("brief_list", BRIEF), ("fresh_list", FRESH), ("other_list", FOREVER)];
pub const MAPS: [(&str, Life); 4] =
    [("map", FOREVER), ("brief_map", BRIEF), ("fresh_map", FRESH), ("other_map", FOREVER)];
pub const MERGED: [(&str, Life); 4] =
    [("joined", FOREVER), ("brief_joined", BRIEF), ("latest", FOREVER), ("other_joined", FOREVER)];

/// Place in `MERGED` of the one that has no reducer.
pub const LATEST: usize = 2;

const FOREVER: Life = Life { ttl: i64::MAX, clock: Clock::Event, renewed_by_reading: false };
const BRIEF: Life = Life { ttl: 10, ..FOREVER };
const FRESH: Life = Life { renewed_by_reading: true, ..BRIEF };
const SESSION: Life = Life { clock: Clock::Processing, ..FRESH };

#[derive(Clone, Copy)]
pub enum Clock {
    Event,
    Processing,
}

/// How long a state lives, in milliseconds.
#[derive(Clone, Copy)]
pub struct Life {
    ttl: i64,
    clock: Clock,
    renewed_by_reading: bool,
}

/// Both clocks.
#[derive(Clone, Copy)]
pub struct Now {
    pub event: Option<i64>,
    pub processing: i64,
}

impl Now {
    fn by(self, clock: Clock) -> Option<i64> {
        match clock {
            Clock::Event => self.event,
            Clock::Processing => Some(self.processing),
        }
    }
}

/// A value and when it was written: `None` before the first watermark.
#[derive(Clone, Debug)]
pub struct Timed<T> {
    value: T,
    written: Option<i64>,
}

pub type Value = Option<Timed<String>>;
pub type List = Vec<Timed<i32>>;
pub type Map = BTreeMap<String, Timed<u32>>;

/// All that is kept of one key.
#[derive(Clone, Debug, Default)]
pub struct Row {
    pub values: [Value; VALUES.len()],
    pub lists: [List; LISTS.len()],
    pub maps: [Map; MAPS.len()],
    pub merged: [Value; MERGED.len()],
}

/// All that is kept.
#[derive(Clone, Debug, Default)]
pub struct World {
    pub rows: BTreeMap<&'static str, Row>,
    pub rules: BTreeMap<String, i32>,
    pub watermark: Option<i64>,
    pub position: Option<Vec<u8>>,
}

/// One state of one row at one time.
pub struct View<'a, C> {
    pub cell: &'a mut C,
    pub life: Life,
    pub now: Now,
}

impl<C> View<'_, C> {
    fn write<T>(&self, value: T) -> Timed<T> {
        Timed { value, written: self.now.by(self.life.clock) }
    }

    fn is_live<T>(life: Life, now: Now, timed: &Timed<T>) -> bool {
        let (Some(written), Some(now)) = (timed.written, now.by(life.clock)) else {
            return true;
        };
        written.saturating_add(life.ttl) > now
    }

    fn read<T>(life: Life, now: Now, timed: &mut Timed<T>) -> bool {
        if life.renewed_by_reading && Self::is_live(life, now, timed) {
            timed.written = now.by(life.clock);
        }
        Self::is_live(life, now, timed)
    }
}

impl View<'_, Value> {
    pub fn get(&mut self) -> Option<String> {
        let (life, now) = (self.life, self.now);
        self.cell.take_if(|timed| !Self::read(life, now, timed));
        self.cell.as_ref().map(|timed| timed.value.clone())
    }

    pub fn put(&mut self, value: Option<String>) {
        *self.cell = value.map(|value| self.write(value));
    }
}

impl View<'_, List> {
    pub fn get(&mut self) -> Vec<i32> {
        let (life, now) = (self.life, self.now);
        self.cell.retain_mut(|timed| Self::read(life, now, timed));
        self.cell.iter().map(|timed| timed.value).collect()
    }

    pub fn add(&mut self, values: &[i32]) {
        let added: Vec<_> = values.iter().map(|value| self.write(*value)).collect();
        self.cell.extend(added);
    }

    pub fn truncate_front(&mut self, keep_last: usize) {
        let surplus = self.get().len().saturating_sub(keep_last);
        self.cell.drain(..surplus);
    }

    pub fn retain(&mut self, keep: impl Fn(&i32) -> bool) {
        self.get();
        self.cell.retain(|timed| keep(&timed.value));
    }
}

impl View<'_, Map> {
    pub fn all(&mut self) -> BTreeMap<String, u32> {
        let (life, now) = (self.life, self.now);
        self.cell.retain(|_, timed| Self::read(life, now, timed));
        self.cell.iter().map(|(key, timed)| (key.clone(), timed.value)).collect()
    }

    pub fn get(&mut self, key: &str) -> Option<u32> {
        let (life, now) = (self.life, self.now);
        let timed = self.cell.get_mut(key)?;
        Self::read(life, now, timed).then_some(timed.value)
    }

    pub fn put(&mut self, key: &str, value: Option<u32>) {
        match value.map(|value| self.write(value)) {
            Some(timed) => drop(self.cell.insert(key.to_owned(), timed)),
            None => drop(self.cell.remove(key)),
        }
    }

    pub fn retain(&mut self, keep: impl Fn(&u32) -> bool) {
        self.all();
        self.cell.retain(|_, timed| keep(&timed.value));
    }
}

impl Row {
    pub fn value(&mut self, which: usize, now: Now) -> View<'_, Value> {
        View { cell: &mut self.values[which], life: VALUES[which].1, now }
    }

    pub fn list(&mut self, which: usize, now: Now) -> View<'_, List> {
        View { cell: &mut self.lists[which], life: LISTS[which].1, now }
    }

    pub fn map(&mut self, which: usize, now: Now) -> View<'_, Map> {
        View { cell: &mut self.maps[which], life: MAPS[which].1, now }
    }

    pub fn merged(&mut self, which: usize, now: Now) -> View<'_, Value> {
        View { cell: &mut self.merged[which], life: MERGED[which].1, now }
    }

    /// Whether anything is left of it.
    pub fn is_live(&self, now: Now) -> bool {
        let mut row = self.clone();
        (0..VALUES.len()).any(|which| row.value(which, now).get().is_some())
            || (0..LISTS.len()).any(|which| !row.list(which, now).get().is_empty())
            || (0..MAPS.len()).any(|which| !row.map(which, now).all().is_empty())
            || (0..MERGED.len()).any(|which| row.merged(which, now).get().is_some())
    }

    /// Lets what was written before the first watermark count as written at it.
    fn first_watermark(&mut self, ms: i64) {
        let values = self.values.iter_mut().chain(&mut self.merged).flatten().map(|timed| &mut timed.written);
        let lists = self.lists.iter_mut().flatten().map(|timed| &mut timed.written);
        let maps = self.maps.iter_mut().flat_map(|map| map.values_mut()).map(|timed| &mut timed.written);
        values.chain(lists).chain(maps).for_each(|written| *written = written.or(Some(ms)));
    }
}

impl World {
    pub fn set_watermark(&mut self, ms: i64) {
        if self.watermark.is_none() {
            self.rows.values_mut().for_each(|row| row.first_watermark(ms));
        }
        self.watermark = self.watermark.max(Some(ms));
    }
}
