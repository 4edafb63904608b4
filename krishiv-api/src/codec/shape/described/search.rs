//! Looks for samples that a type accepts, until what they write shows all of it.
//!
//! A sample begins as text that no type takes. The error says what was expected, the next sample has that, and so on: a map gets
//! the fields that are missing, a tag each of the variants that are listed. What an accepted sample writes shows the names and
//! kinds; where it shows an empty option or list, the next sample has something there.

use super::known::{Known, REST, Seen, Tags};
use super::notes::Note;
use super::sample::{Sample, Step};
use super::written::{Content, Written};
use crate::codec::shape::probe::TEXTS;
use std::collections::{BTreeMap, BTreeSet};

/// Samples that are tried: far beyond what a type written by hand needs, and done in a fraction of a second.
const MAX_ASKED: usize = 20_000;
const MAX_DEPTH: usize = 40;
/// Fields of one struct that are looked for by their place.
const MAX_PLACES: u64 = 128;

/// Variants of an untagged enum.
const MAX_SLOTS: usize = 64;

/// Text that no type takes but those that take any.
const MARK: &str = "\u{1}what are you?";
const TAKEN: &str = "\u{1}text";

/// What came of a sample.
pub(super) struct Answer {
    pub(super) accepted: bool,
    pub(super) written: Option<Written>,
    pub(super) notes: Vec<Note>,
}

impl Answer {
    /// What is said about this part of the sample.
    fn complaint(&self, sample: &Sample) -> Option<&Note> {
        let described = sample.described();
        self.notes
            .iter()
            .find(|note| matches!(note, Note::Invalid { got, .. } | Note::Variant { got, .. } if *got == described))
    }

    /// Whether it is accepted, or fails for want of something that comes later.
    fn moved_on(&self) -> bool {
        let missing = |note: &Note| matches!(note, Note::Missing(_) | Note::Length { .. });
        // An untagged enum says at last that none of its variants fits.
        let untagged = self.is_untagged() && self.notes.iter().any(missing);
        self.accepted || untagged || self.notes.last().is_some_and(missing)
    }

    /// An untagged enum has tried all its variants.
    fn is_untagged(&self) -> bool {
        self.notes.iter().any(
            |note| matches!(note, Note::Custom(text) if text.starts_with("data did not match any variant of untagged")),
        )
    }
}

type Path = Vec<Step>;

/// A place where one of several variants is.
#[derive(Clone)]
struct Choice {
    seeds: Vec<Seed>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It is named.
    Named,
    /// It is named, and the other fields of its map depend on it.
    Tag,
    /// It is the first that fits.
    Untagged,
    /// The same, of a map whose first entries, so many, are not its own.
    Beside(usize),
}

/// What a sample of a variant begins as.
#[derive(Clone)]
struct Seed {
    sample: Sample,
    /// Of an untagged enum, the place of the variant among the errors.
    slot: Option<usize>,
}

impl From<Sample> for Seed {
    fn from(sample: Sample) -> Self {
        Self { sample, slot: None }
    }
}

/// The sample so far, and what is known of its parts.
#[derive(Clone, Default)]
struct State {
    sample: Sample,
    choices: BTreeMap<Path, Choice>,
    /// What serde says that it expects.
    expected: BTreeMap<Path, String>,
    /// Parts that are anything, or one thing or another.
    marks: BTreeMap<Path, Known>,
    /// Variants that are listed, and of which no sample was found.
    unseen: BTreeMap<Path, Vec<String>>,
    /// Untagged enums, by the number of their variants.
    untagged: BTreeMap<Path, usize>,
    /// The variants that these are to become.
    slots: BTreeMap<Path, usize>,
}

/// Something that an accepted sample does not show.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    /// The inside of an option.
    Inside(Path),
    /// The elements of a list, the entries of a map.
    Item(Path),
    Entry(Path),
    /// A field that the sample leaves out.
    Field(Path, String),
    /// Whether text is all that this takes.
    Kind(Path),
    /// Fields that are neither needed nor written when they are empty.
    Hidden(Path),
    /// Whether a map takes what no field takes.
    Rest(Path),
}

pub(super) struct Search<'a> {
    ask: &'a mut dyn FnMut(&Sample) -> Answer,
    asked: usize,
    state: State,
    tags: Tags,
    fixed: BTreeSet<Path>,
    known: Known,
}

fn below(path: &[Step], step: Step) -> Path {
    let mut path = path.to_vec();
    path.push(step);
    path
}

impl<'a> Search<'a> {
    /// What is known when all is tried; none if no sample is accepted.
    pub(super) fn run(ask: &'a mut dyn FnMut(&Sample) -> Answer) -> Option<Known> {
        let state = State::default();
        let tags = Tags::new();
        let mut search = Self { ask, asked: 0, state, tags, fixed: BTreeSet::new(), known: Known::Nothing };
        if !search.fill(&Vec::new()) || !search.resume(&Vec::new()) {
            return None;
        }
        search.widen(&Vec::new());
        (search.asked < MAX_ASKED).then_some(search.known)
    }

    fn ask(&mut self, sample: &Sample) -> Answer {
        self.asked += 1;
        if self.asked > MAX_ASKED {
            return Answer { accepted: false, written: None, notes: Vec::new() };
        }
        (self.ask)(sample)
    }

    /// Asks with another sample at `path`.
    fn ask_with(&mut self, path: &[Step], sample: Sample) -> Answer {
        let whole = self.state.sample.with(path, sample);
        let answer = self.ask(&whole);
        self.view(path, answer)
    }

    /// Asks with the sample so far, on behalf of the part at `path`.
    fn ask_for(&mut self, path: &[Step]) -> Answer {
        let whole = self.state.sample.clone();
        let answer = self.ask(&whole);
        self.view(path, answer)
    }

    /// Of the errors of an untagged enum around `path`, that of the variant that is wanted.
    fn view(&self, path: &[Step], answer: Answer) -> Answer {
        let Some(slot) = self.slot(path) else {
            return answer;
        };
        // Each variant in front of the one that takes it has one error.
        let refused = if answer.accepted { answer.notes.len() != slot } else { answer.is_untagged() };
        if !refused {
            return answer;
        }
        Answer { accepted: false, notes: answer.notes.get(slot).cloned().into_iter().collect(), ..answer }
    }

    /// The place among its variants of what is to become of the innermost untagged enum around `path`.
    fn slot(&self, path: &[Step]) -> Option<usize> {
        let around = self.state.slots.iter().filter(|(around, _)| path.starts_with(around));
        around.map(|(_, slot)| *slot).next_back()
    }

    fn is_accepted(&mut self) -> bool {
        let whole = self.state.sample.clone();
        self.ask(&whole).accepted
    }

    fn put(&mut self, path: &[Step], sample: Sample) {
        if let Some(place) = self.state.sample.at_mut(path) {
            *place = sample;
        }
    }

    fn push(&mut self, map: &[Step], key: Sample) -> Option<Path> {
        let Some(Sample::Map(entries)) = self.state.sample.at_mut(map) else {
            return None;
        };
        entries.push((key, Sample::text(MARK)));
        let at = entries.len() - 1;
        let path = below(map, Step::Value(at));
        self.forget(&path);
        Some(path)
    }

    /// Cuts a map or list back to `length`.
    fn cut(&mut self, path: &[Step], length: usize) {
        match self.state.sample.at_mut(path) {
            Some(Sample::Map(entries)) => entries.truncate(length),
            Some(Sample::Seq(items)) => items.truncate(length),
            _ => {}
        }
    }

    /// Forgets what was known of a part that is made anew.
    fn forget(&mut self, path: &[Step]) {
        let State { choices, expected, marks, unseen, untagged, slots, .. } = &mut self.state;
        untagged.retain(|known, _| !known.starts_with(path));
        slots.retain(|known, _| !known.starts_with(path));
        unseen.retain(|known, _| !known.starts_with(path));
        choices.retain(|known, _| !known.starts_with(path));
        expected.retain(|known, _| !known.starts_with(path));
        marks.retain(|known, _| !known.starts_with(path));
    }

    fn length(&self, path: &[Step]) -> usize {
        match self.state.sample.at(path) {
            Some(Sample::Map(entries)) => entries.len(),
            Some(Sample::Seq(items)) => items.len(),
            _ => 0,
        }
    }

    /// Puts a sample at `path` that the type accepts there.
    fn fill(&mut self, path: &Path) -> bool {
        if path.len() > MAX_DEPTH || self.asked > MAX_ASKED {
            return false;
        }
        self.forget(path);
        let mark = Sample::text(MARK);
        let odd = [Sample::Bool(true), Sample::Bytes(5), Sample::Map(vec![(mark.clone(), Sample::Unit)])];
        for sample in odd {
            let whole = self.state.sample.with(path, sample);
            let answer = self.ask(&whole);
            if let Some(name) = self.untagged(path, &answer) {
                self.state.expected.insert(path.clone(), name);
                return self.fill_untagged(path, &answer);
            }
        }
        let answer = self.ask_with(path, mark.clone());
        match answer.complaint(&mark) {
            // In an untagged enum, other variants may well complain.
            Some(_) if answer.accepted && !self.state.slots.is_empty() => {
                self.put(path, mark);
                true
            }
            Some(Note::Variant { known, .. }) => {
                let seeds = known.iter().map(|name| Sample::name(name).into()).collect();
                self.state.expected.insert(path.clone(), format!("{known:?}"));
                self.fill_variant(path, seeds)
            }
            Some(Note::Invalid { expected, .. }) => {
                let expected = expected.clone();
                self.state.expected.insert(path.clone(), expected.clone());
                self.fill_kind(path, &expected)
            }
            _ if answer.moved_on() => {
                self.put(path, Sample::text(TAKEN));
                let flag = Sample::Bool(true);
                match self.ask_with(path, flag.clone()).complaint(&flag) {
                    // Text that names no variant is the variant for all others; those are found by their place.
                    Some(Note::Invalid { expected, .. }) if expected == "variant identifier" => {
                        self.fill_variant(path, (0..MAX_PLACES).map(|place| Sample::Integer(place).into()).collect())
                    }
                    Some(Note::Invalid { expected, .. }) if expected == "string or map" => {
                        let place = |at| Sample::Map(vec![(Sample::Integer(at), Sample::Unit)]).into();
                        self.fill_variant(path, (0..MAX_PLACES).map(place).collect())
                    }
                    _ if self.ask_with(path, Sample::text(TAKEN)).moved_on() => true,
                    _ => {
                        self.put(path, Sample::text(MARK));
                        true
                    }
                }
            }
            _ => self.fill_kind(path, ""),
        }
    }

    fn fill_kind(&mut self, path: &Path, expected: &str) -> bool {
        let starts = |words: &[&str]| words.iter().any(|word| expected.starts_with(word));
        let likely = if starts(&["unit"]) {
            vec![Sample::Unit]
        } else if starts(&["a boolean"]) {
            vec![Sample::Bool(false), Sample::Bool(true)]
        } else if starts(&["a char"]) {
            vec![Sample::text("A"), Sample::text("0")]
        } else if starts(&["a seq", "a tuple", "tuple", "an array", "an empty array"]) {
            vec![Sample::Seq(Vec::new())]
        } else if starts(&["a map", "struct", "internally tagged", "adjacently tagged"]) {
            vec![Sample::Map(Vec::new())]
        } else {
            vec![Sample::Integer(1), Sample::Integer(0)]
        };
        likely.into_iter().any(|sample| self.try_sample(path, sample)) || self.fill_any(path)
    }

    fn fill_any(&mut self, path: &Path) -> bool {
        let texts = TEXTS.iter().map(|text| Sample::text(text));
        let bytes = [0, 16, 4, 8, 12, 20, 24, 32, 64].map(Sample::Bytes);
        let others = [
            Sample::Integer(1),
            Sample::Integer(0),
            Sample::Negative(-1),
            Sample::Float(1.0),
            Sample::Bool(false),
            Sample::Map(Vec::new()),
            Sample::Seq(Vec::new()),
            Sample::Unit,
        ];
        texts.chain(others).chain(bytes).any(|sample| self.try_sample(path, sample))
    }

    fn try_sample(&mut self, path: &Path, sample: Sample) -> bool {
        let answer = self.ask_with(path, sample.clone());
        let compound = matches!(sample, Sample::Map(_) | Sample::Seq(_));
        let refused = match answer.complaint(&sample) {
            _ if self.state.untagged.contains_key(path) || answer.accepted && !self.state.slots.is_empty() => false,
            Some(note) if compound => answer.notes.last() == Some(note),
            Some(_) => true,
            None => false,
        };
        if refused || !answer.moved_on() {
            return false;
        }
        self.put(path, sample);
        if self.grow(path) {
            return true;
        }
        self.put(path, Sample::text(MARK));
        false
    }

    /// Gives a map the fields that are missing in it, a list its elements.
    fn grow(&mut self, path: &Path) -> bool {
        loop {
            let answer = self.ask_for(path);
            let length = self.length(path);
            if answer.accepted {
                return true;
            }
            let last = answer.notes.last().cloned();
            let part = match (self.state.sample.at(path), &last) {
                (Some(Sample::Map(_)), Some(Note::Missing(name))) => {
                    if self.state.sample.at(path).is_some_and(|map| map.entry(name).is_some()) {
                        return true;
                    }
                    self.push(path, Sample::name(name))
                }
                (Some(Sample::Seq(_)), Some(Note::Length { got })) if *got == length => {
                    if let Some(Sample::Seq(items)) = self.state.sample.at_mut(path) {
                        items.push(Sample::text(MARK));
                    }
                    Some(below(path, Step::Item(length)))
                }
                (Some(Sample::Map(_)), Some(Note::Custom(_)))
                    if answer.is_untagged() && !self.state.choices.contains_key(path) =>
                {
                    // An untagged enum takes its fields from this map.
                    let notes = answer.notes.iter().enumerate().take(MAX_SLOTS);
                    let wanting = notes.filter(|(_, note)| matches!(note, Note::Missing(_)));
                    let seed = |(slot, _)| Seed { sample: Sample::Unit, slot: Some(slot) };
                    let (seeds, kind): (Vec<_>, _) = (wanting.map(seed).collect(), Kind::Beside(length));
                    self.state.choices.insert(path.to_vec(), Choice { seeds: seeds.clone(), kind });
                    return seeds.iter().any(|seed| self.choose_plain(path, seed, kind));
                }
                _ => return answer.moved_on(),
            };
            let Some(part) = part else {
                return false;
            };
            // It may be missing in something around this, and this may be a map that takes it, or refuses it as a key.
            let foreign = |answer: &Answer| {
                let now = answer.notes.last();
                let key = matches!((&last, now), (Some(Note::Missing(name)), Some(Note::Invalid { got, .. }))
                    if *got == Sample::name(name).described());
                !answer.accepted && (now == last.as_ref() || key)
            };
            let after = self.ask_for(path);
            let mark = Sample::text(MARK);
            if after.complaint(&mark).is_none() && foreign(&after) {
                self.cut(path, length);
                return true;
            }
            if !self.fill(&part) {
                self.cut(path, length);
                return false;
            }
            let after = self.ask_for(path);
            if foreign(&after) {
                self.cut(path, length);
                return true;
            }
        }
    }

    /// Grows all that is around `path`; tells whether the whole is accepted then.
    fn resume(&mut self, path: &[Step]) -> bool {
        for length in (0..=path.len()).rev() {
            let around = path.get(..length).unwrap_or_default().to_vec();
            if !self.grow(&around) {
                return false;
            }
        }
        self.is_accepted()
    }

    fn fill_variant(&mut self, path: &Path, seeds: Vec<Seed>) -> bool {
        let flag = Sample::Bool(true);
        let answer = self.ask_with(path, flag.clone());
        let field = matches!(
            answer.complaint(&flag),
            Some(Note::Invalid { expected, .. }) if expected == "variant identifier"
        );
        let map = path.split_last().map(|(_, map)| map.to_vec());
        let adjacent = map.as_ref().and_then(|map| self.state.expected.get(map));
        let tag = field || adjacent.is_some_and(|text| text.starts_with("adjacently tagged"));
        if tag && let Some(name) = map.as_ref().and_then(|map| self.key(map, path)) {
            let names = seeds.iter().filter_map(|seed| seed.sample.as_text()).map(str::to_owned);
            self.tags.entry(name).or_default().extend(names);
        }
        let text = self.state.expected.get(path).cloned().unwrap_or_default();
        let busy: Vec<_> = (0..path.len()).filter_map(|length| path.get(..length)).collect();
        let busy = busy.into_iter().filter(|around| self.state.expected.get(*around) == Some(&text));
        let busy: Vec<_> = busy.filter_map(|around| self.state.sample.at(around)?.variant().cloned()).collect();
        let kind = if tag { Kind::Tag } else { Kind::Named };
        self.state.choices.insert(path.clone(), Choice { seeds: seeds.clone(), kind });
        let free = |seed: &&Seed| !busy.contains(&seed.sample);
        let plain = seeds.iter().filter(free).any(|seed| self.choose_plain(path, seed, kind));
        plain || seeds.iter().filter(free).any(|seed| self.choose_content(path, seed, kind))
    }

    /// Puts a variant at `path`.
    fn choose(&mut self, path: &Path, seed: &Seed, kind: Kind) -> bool {
        self.choose_plain(path, seed, kind) || self.choose_content(path, seed, kind)
    }

    fn choose_plain(&mut self, path: &Path, seed: &Seed, kind: Kind) -> bool {
        match kind {
            Kind::Untagged => return self.plant(path, seed),
            Kind::Beside(length) => {
                self.state.slots.extend(seed.slot.map(|slot| (path.clone(), slot)));
                self.cut(path, length);
                return self.grow(path);
            }
            Kind::Named | Kind::Tag => {}
        }
        let map = path.split_last().map(|(_, map)| map.to_vec()).unwrap_or_default();
        self.try_sample(path, seed.sample.clone()) && (kind != Kind::Tag || self.grow(&map))
    }

    fn choose_content(&mut self, path: &Path, seed: &Seed, kind: Kind) -> bool {
        let Some(key) = seed.sample.variant().filter(|_| kind == Kind::Named).cloned() else {
            return false;
        };
        self.put(path, Sample::Map(vec![(key, Sample::text(MARK))]));
        self.fill(&below(path, Step::Value(0)))
    }

    /// The words of an untagged enum at `path` that none of its variants fits; none if it is one around this.
    fn untagged(&self, path: &[Step], answer: &Answer) -> Option<String> {
        let words = |note: &Note| match note {
            Note::Custom(text) if text.starts_with("data did not match any variant of untagged") => Some(text.clone()),
            _ => None,
        };
        // The innermost is the first to give up.
        let mut all = answer.notes.iter().filter_map(words);
        let inner = all.next()?;
        let unnamed = |choice: &Choice| matches!(choice.kind, Kind::Untagged | Kind::Beside(_));
        let choices = self.state.choices.iter();
        let around = choices.filter(|(around, choice)| path.starts_with(around) && unnamed(choice)).count();
        (all.count() + 1 > around).then_some(inner)
    }

    /// Fills an untagged enum, and notes what its variants are to begin with.
    fn fill_untagged(&mut self, path: &Path, answer: &Answer) -> bool {
        let name = self.state.expected.get(path).cloned().unwrap_or_default();
        let end = answer.notes.iter().position(|note| *note == Note::Custom(name.clone()));
        let count = end.unwrap_or_default();
        self.state.untagged.insert(path.clone(), count);
        let mut seeds: Vec<Seed> = [
            Sample::Unit,
            Sample::Bool(true),
            Sample::Integer(1),
            Sample::Integer(300),
            Sample::Integer(1 << 40),
            Sample::Negative(-1),
            Sample::Float(0.5),
            Sample::text(TAKEN),
        ]
        .into_iter()
        .map(Seed::from)
        .collect();
        seeds.extend(TEXTS.iter().map(|text| Sample::text(text).into()));
        let whole = self.state.sample.with(path, Sample::text(MARK));
        for note in self.ask(&whole).notes {
            if let Note::Variant { known, .. } = note {
                seeds.extend(known.iter().map(|name| Sample::name(name).into()));
                seeds.extend(
                    known.iter().map(|name| Sample::Map(vec![(Sample::name(name), Sample::text(MARK))]).into()),
                );
            }
        }
        for empty in [Sample::Seq(Vec::new()), Sample::Map(Vec::new())] {
            let whole = self.state.sample.with(path, empty.clone());
            let answer = self.ask(&whole);
            if answer.accepted {
                seeds.push(Seed { sample: empty.clone(), slot: Some(answer.notes.len()) });
            }
            let slots = answer.notes.iter().enumerate().take(MAX_SLOTS);
            let wanting = slots.filter(|(_, note)| matches!(note, Note::Missing(_) | Note::Length { .. }));
            seeds.extend(wanting.map(|(slot, _)| Seed { sample: empty.clone(), slot: Some(slot) }));
        }
        self.state.choices.insert(path.clone(), Choice { seeds: seeds.clone(), kind: Kind::Untagged });
        seeds.iter().any(|seed| self.plant(path, seed))
    }

    /// Puts a variant of an untagged enum at `path`.
    fn plant(&mut self, path: &Path, seed: &Seed) -> bool {
        match seed.slot {
            Some(slot) => self.state.slots.insert(path.clone(), slot),
            None => self.state.slots.remove(path),
        };
        let content = below(path, Step::Value(0));
        match &seed.sample {
            Sample::Map(entries) if !entries.is_empty() => {
                self.put(path, seed.sample.clone());
                self.fill(&content)
            }
            sample => self.try_sample(path, sample.clone()),
        }
    }

    /// The name of the entry of `map` that `path` is the value of.
    fn key(&self, map: &[Step], path: &[Step]) -> Option<String> {
        let (Some(Sample::Map(entries)), Some(Step::Value(at))) = (self.state.sample.at(map), path.last()) else {
            return None;
        };
        entries.get(*at)?.0.as_text().map(str::to_owned)
    }

    /// What the sample writes, if it is accepted, and the errors on the way.
    fn look(&mut self) -> Option<(Written, Vec<Note>)> {
        let whole = self.state.sample.clone();
        let answer = self.ask(&whole);
        Some((answer.written.filter(|_| answer.accepted)?, answer.notes))
    }

    /// Takes in what the sample writes.
    fn record(&mut self) {
        let Some((written, _)) = self.look() else {
            return;
        };
        let mut walk = Walk::new(&self.state, &[]);
        walk.part(&written, &self.state.sample, &Vec::new(), &mut Vec::new());
        let known = Known::of(written, &self.tags, &walk.seen);
        self.known = std::mem::replace(&mut self.known, Known::Nothing).and(known);
    }

    /// Finds out what the accepted sample does not show, in the part at `scope`.
    fn widen(&mut self, scope: &Path) {
        let mut tried = BTreeSet::new();
        while let Some((written, notes)) = self.look() {
            let mut walk = Walk::new(&self.state, &notes);
            walk.part(&written, &self.state.sample, &Vec::new(), &mut Vec::new());
            let gaps = walk.gaps;
            let near = |gap: &Gap| gap.path().starts_with(scope) && !tried.contains(gap);
            let Some(gap) = gaps.into_iter().find(near) else {
                break;
            };
            tried.insert(gap.clone());
            let before = self.state.clone();
            let part = gap.path().clone();
            if !self.close(gap, &written) || !self.ask_for(&part).accepted {
                self.state = before;
            }
        }
        self.record();
        let choices: Vec<_> = self.state.choices.iter().map(|(path, choice)| (path.clone(), choice.clone())).collect();
        for (path, choice) in choices {
            if !path.starts_with(scope) || self.fixed.contains(&path) || self.is_repeated(&path) {
                continue;
            }
            self.fixed.insert(path.clone());
            self.alternatives(&path, &choice);
            self.fixed.remove(&path);
        }
    }

    /// A type inside itself, inside itself, shows nothing new.
    fn is_repeated(&self, path: &[Step]) -> bool {
        let outer = self.state.expected.iter().filter(|(around, _)| path.starts_with(around));
        outer.into_iter().any(|(part, text)| is_named(text) && around(&self.state, part, text) > 1)
    }

    fn alternatives(&mut self, path: &Path, choice: &Choice) {
        let map = path.split_last().map(|(_, map)| map.to_vec()).unwrap_or_default();
        let mut last = None;
        let mut unseen = Vec::new();
        let tag = choice.kind == Kind::Tag;
        for seed in &choice.seeds {
            let before = self.state.clone();
            if choice.kind == Kind::Untagged {
                let (count, name) = (self.state.untagged.get(path).copied(), self.state.expected.get(path).cloned());
                self.forget(path);
                self.state.untagged.extend(count.map(|count| (path.clone(), count)));
                self.state.expected.extend(name.map(|name| (path.clone(), name)));
                self.state.choices.insert(path.clone(), choice.clone());
            }
            if tag && let Some(Step::Value(at)) = path.last() {
                self.cut(&map, at + 1);
            }
            let written = self.choose(path, seed, choice.kind) && self.resume(&map);
            let written = if written { self.look() } else { None };
            // Past the last place all are the variant for all others.
            let placed = matches!(choice.kind, Kind::Named | Kind::Tag) && !matches!(seed.sample, Sample::Text(_));
            let same = placed && last.is_some() && last == written;
            match &written {
                Some(_) if !same => self.widen(if tag { &map } else { path }),
                None if matches!(choice.kind, Kind::Named | Kind::Tag) => {
                    unseen.extend(seed.sample.as_text().map(str::to_owned))
                }
                _ => {}
            }
            last = written.or(last);
            self.state = before;
            if same {
                break;
            }
        }
        if !unseen.is_empty() {
            self.state.unseen.insert(if tag { map } else { path.clone() }, unseen);
            self.record();
        }
    }

    fn close(&mut self, gap: Gap, written: &Written) -> bool {
        match gap {
            Gap::Inside(path) => {
                self.put(&path, Sample::text(MARK));
                self.fill(&path)
            }
            Gap::Item(path) => self.close_item(&path),
            Gap::Entry(path) => self.close_entry(&path),
            Gap::Field(path, name) => self.push(&path, Sample::name(&name)).is_some_and(|part| self.fill(&part)),
            Gap::Rest(path) => self.push(&path, Sample::text(REST)).is_some_and(|part| self.fill(&part)),
            Gap::Kind(path) => self.kind(&path),
            Gap::Hidden(path) => self.hidden(&path, written),
        }
    }

    /// A key, in front of a value that is not known yet: any complaint about the value will do.
    fn fill_key(&mut self, path: &Path) -> bool {
        let flags =
            [Sample::text(MARK), Sample::Integer(1), Sample::text("A"), Sample::Bool(false), Sample::Negative(-1)];
        let texts = TEXTS.iter().map(|text| Sample::text(text));
        let mark = Sample::text(MARK);
        let answer = self.ask_with(path, mark.clone());
        if let Some(Note::Variant { known, .. }) = answer.complaint(&mark) {
            let seeds: Vec<Seed> = known.iter().map(|name| Sample::name(name).into()).collect();
            self.state.expected.insert(path.clone(), format!("{known:?}"));
            self.state.choices.insert(path.clone(), Choice { seeds: seeds.clone(), kind: Kind::Named });
            if let Some(first) = seeds.into_iter().next() {
                self.put(path, first.sample);
                return true;
            }
        }
        let value = Sample::Unit.described();
        for key in flags.into_iter().chain(texts) {
            let answer = self.ask_with(path, key.clone());
            let about_value = matches!(answer.notes.last(), Some(Note::Invalid { got, .. }) if *got == value);
            if answer.complaint(&key).is_none() && (answer.moved_on() || about_value) {
                self.put(path, key);
                return true;
            }
        }
        // A key in parts.
        self.fill(path)
    }

    /// Whether what takes text takes other kinds too.
    fn kind(&mut self, path: &Path) -> bool {
        let kinds = [Sample::Bool(true), Sample::Integer(7), Sample::Seq(Vec::new()), Sample::Map(Vec::new())];
        let mut taken = 0;
        let mut untagged = false;
        for kind in &kinds {
            let answer = self.ask_with(path, kind.clone());
            // What takes anything has nothing to complain of.
            untagged |= answer.is_untagged()
                || answer.accepted && self.slot(path).is_none() && answer.complaint(kind).is_some();
            taken += usize::from(answer.accepted);
        }
        let known = match taken {
            0 if !untagged => return true,
            4 if !untagged => Known::Any,
            _ => Known::Varies,
        };
        self.state.marks.insert(path.clone(), known);
        true
    }

    /// Looks for fields by their place, where serde's derive finds them without their names.
    fn hidden(&mut self, path: &Path, written: &Written) -> bool {
        let mut before = written.clone();
        let mut idle = 0;
        for place in 0..MAX_PLACES {
            let (key, length) = (Sample::Integer(place), self.length(path));
            let Some(part) = self.push(path, key.clone()) else {
                return true;
            };
            let answer = self.ask_for(path);
            if matches!(answer.notes.last(), Some(Note::Duplicate(_))) {
                self.cut(path, length);
                continue;
            }
            let known = !answer.accepted || answer.written.as_ref() != Some(&before);
            let after = answer.complaint(&key).is_none() && known && self.fill(&part);
            let mut shown = if after { self.ask_for(path) } else { answer };
            if after && shown.accepted && shown.written.as_ref() == Some(&before) && self.fill_more(&part) {
                shown = self.ask_for(path);
            }
            match shown.written.filter(|_| after && shown.accepted) {
                Some(written) if written != before => {
                    // By its name from now on, so that it is found again.
                    if let Some(name) = new_name(&before, &written)
                        && let Some(Sample::Map(entries)) = self.state.sample.at_mut(path)
                        && let Some(entry) = entries.last_mut()
                    {
                        entry.0 = Sample::Text(name.into());
                    }
                    before = written;
                    idle = 0;
                }
                _ => {
                    self.cut(path, length);
                    self.forget(&part);
                    idle += 1;
                    if idle > 2 {
                        break;
                    }
                }
            }
        }
        true
    }
}

impl Search<'_> {
    /// Puts something in the place of what may count as empty, and so not be written.
    fn fill_more(&mut self, path: &Path) -> bool {
        match self.state.sample.at(path) {
            Some(Sample::Bool(false)) => self.try_sample(path, Sample::Bool(true)),
            Some(Sample::Seq(items)) if items.is_empty() => self.close_item(path),
            Some(Sample::Map(entries)) if entries.is_empty() => self.close_entry(path),
            _ => false,
        }
    }

    fn close_item(&mut self, path: &Path) -> bool {
        self.put(path, Sample::Seq(vec![Sample::text(MARK)]));
        self.fill(&below(path, Step::Item(0)))
    }

    fn close_entry(&mut self, path: &Path) -> bool {
        self.put(path, Sample::Map(vec![(Sample::text(MARK), Sample::Unit)]));
        let (key, value) = (below(path, Step::Key(0)), below(path, Step::Value(0)));
        self.fill_key(&key) && self.fill(&value)
    }
}

/// Whether serde's words name a type, and not just a kind of value.
fn is_named(text: &str) -> bool {
    ["struct ", "tuple struct ", "internally tagged", "adjacently tagged", "data did not match", "["]
        .iter()
        .any(|word| text.starts_with(word))
}

/// The name of the one field that only `after` has.
fn new_name(before: &Written, after: &Written) -> Option<String> {
    let names = |written: &Written| {
        let mut all = Vec::new();
        written.names(&mut all);
        all
    };
    let mut left = names(before);
    names(after).into_iter().find(|name| match left.iter().position(|known| known == name) {
        Some(at) => {
            left.remove(at);
            false
        }
        None => true,
    })
}

impl Written {
    fn names(&self, all: &mut Vec<String>) {
        match self {
            Self::Nothing | Self::Leaf(_) | Self::Text(_) => {}
            Self::Option(of) => of.names(all),
            Self::Seq(of) | Self::Tuple(of) => of.iter().for_each(|of| of.names(all)),
            Self::Map { entries, .. } => {
                for (key, value) in entries {
                    all.extend(key.text().map(str::to_owned));
                    value.names(all);
                }
            }
            Self::Named(_, content) | Self::Variant { content, .. } => match content {
                Content::Unit => {}
                Content::Newtype(of) => of.names(all),
                Content::Tuple(of) => of.iter().for_each(|of| of.names(all)),
                Content::Struct(fields) => {
                    for (name, value) in fields {
                        all.push(name.clone());
                        value.names(all);
                    }
                }
            },
        }
    }
}

impl Sample {
    fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The name of the variant that this is a sample of.
    fn variant(&self) -> Option<&Self> {
        match self {
            Self::Text(_) | Self::Integer(_) => Some(self),
            Self::Map(entries) => entries.first().map(|(key, _)| key),
            _ => None,
        }
    }
}

impl Gap {
    fn path(&self) -> &Path {
        match self {
            Self::Inside(path) | Self::Item(path) | Self::Entry(path) | Self::Field(path, _) => path,
            Self::Kind(path) | Self::Hidden(path) | Self::Rest(path) => path,
        }
    }
}

/// Goes through a sample and what it has written side by side.
struct Walk<'a> {
    state: &'a State,
    gaps: Vec<Gap>,
    seen: Seen,
    /// Errors of an accepted sample: what an optional struct is missing, for one.
    lost: &'a [Note],
}

impl<'a> Walk<'a> {
    fn new(state: &'a State, lost: &'a [Note]) -> Self {
        Self { state, gaps: Vec::new(), seen: Seen::default(), lost }
    }

    fn part(&mut self, written: &Written, sample: &Sample, path: &Path, place: &mut Vec<usize>) {
        // What is known of a part is known of what is inside of options and newtypes.
        match written {
            Written::Option(of) if **of != Written::Nothing => return self.inside(of, sample, path, 0, place),
            Written::Named(_, Content::Newtype(of)) => return self.inside(of, sample, path, 0, place),
            Written::Option(_) => {
                if self.state.choices.contains_key(path) {
                    self.notice(path, &[place.as_slice(), &[0]].concat());
                } else {
                    self.gaps.push(Gap::Inside(path.clone()));
                }
                return;
            }
            _ => {}
        }
        if self.notice(path, place) {
            return;
        }
        if self.state.expected.get(path).is_some_and(|text| is_named(text) && around(self.state, path, text) > 1) {
            return;
        }
        match (written, sample) {
            (Written::Text(_), Sample::Text(_)) if !self.state.choices.contains_key(path) => {
                self.gaps.push(Gap::Kind(path.clone()));
            }
            (Written::Seq(items), Sample::Seq(samples)) if items.is_empty() && samples.is_empty() => {
                self.gaps.push(Gap::Item(path.clone()));
            }
            (Written::Seq(items) | Written::Tuple(items), Sample::Seq(samples)) => {
                self.items(items, samples, path, place)
            }
            (Written::Map { entries, counted: true }, Sample::Map(samples))
                if entries.is_empty() && samples.is_empty() =>
            {
                self.gaps.push(Gap::Entry(path.clone()));
            }
            (Written::Map { entries, counted: true }, Sample::Map(samples)) if self.pairs(entries, samples, path) => {
                for (at, ((key, value), (key_sample, value_sample))) in entries.iter().zip(samples).enumerate() {
                    self.inside(key, key_sample, &below(path, Step::Key(at)), 2 * at, place);
                    self.inside(value, value_sample, &below(path, Step::Value(at)), 2 * at + 1, place);
                }
            }
            (Written::Map { entries, counted }, Sample::Map(_)) => {
                for (at, (key, value)) in entries.iter().enumerate() {
                    if let Some(name) = key.text() {
                        self.field(name, value, sample, path, 2 * at + 1, place);
                    }
                }
                self.gaps.push(Gap::Rest(path.clone()));
                for note in self.lost {
                    if let (Note::Missing(name), false) = (note, *counted) {
                        self.gaps.push(Gap::Field(path.clone(), (*name).to_owned()));
                    }
                }
                self.gaps.push(Gap::Hidden(path.clone()));
            }
            (Written::Named(_, content), _) => self.content(content, sample, path, place),
            (Written::Variant { content, .. }, Sample::Map(entries)) => {
                if let [(_, sample)] = entries.as_slice() {
                    self.content(content, sample, &below(path, Step::Value(0)), place);
                }
            }
            _ => {}
        }
    }

    /// Takes over what is known of the part at `path` for what is written at `place`; tells whether that is all there is to know.
    fn notice(&mut self, path: &[Step], place: &[usize]) -> bool {
        if let Some(count) = self.state.untagged.get(path) {
            self.seen.untagged.insert(place.to_vec(), *count);
        }
        if let Some(unseen) = self.state.unseen.get(path) {
            self.seen.unseen.insert(place.to_vec(), unseen.clone());
        }
        let mark = self.state.marks.get(path);
        self.seen.marks.extend(mark.map(|mark| (place.to_vec(), mark.clone())));
        mark.is_some()
    }

    /// Whether the entries of a map are those of its sample, and none of them is a tag.
    fn pairs(&self, entries: &[(Written, Written)], samples: &[(Sample, Sample)], path: &[Step]) -> bool {
        let tag =
            |at| self.state.choices.get(&below(path, Step::Value(at))).is_some_and(|choice| choice.kind == Kind::Tag);
        entries.len() == samples.len() && !entries.is_empty() && !(0..samples.len()).any(tag)
    }

    fn inside(&mut self, written: &Written, sample: &Sample, path: &Path, at: usize, place: &mut Vec<usize>) {
        place.push(at);
        self.part(written, sample, path, place);
        place.pop();
    }

    fn items(&mut self, items: &[Written], samples: &[Sample], path: &Path, place: &mut Vec<usize>) {
        for (at, (item, sample)) in items.iter().zip(samples).enumerate() {
            self.inside(item, sample, &below(path, Step::Item(at)), at, place);
        }
    }

    fn content(&mut self, content: &Content, sample: &Sample, path: &Path, place: &mut Vec<usize>) {
        match (content, sample) {
            (Content::Newtype(of), _) => self.inside(of, sample, path, 0, place),
            (Content::Tuple(items), Sample::Seq(samples)) => self.items(items, samples, path, place),
            (Content::Struct(fields), Sample::Map(_)) => {
                for (at, (name, value)) in fields.iter().enumerate() {
                    self.field(name, value, sample, path, at, place);
                }
                self.gaps.push(Gap::Hidden(path.clone()));
            }
            _ => {}
        }
    }

    fn field(&mut self, name: &str, value: &Written, sample: &Sample, path: &Path, at: usize, place: &mut Vec<usize>) {
        match (sample.entry(name), sample) {
            (Some(entry), Sample::Map(entries)) => {
                if let Some((_, sample)) = entries.get(entry) {
                    self.inside(value, sample, &below(path, Step::Value(entry)), at, place);
                }
            }
            _ if !matches!(value, Written::Leaf(_)) => self.gaps.push(Gap::Field(path.clone(), name.to_owned())),
            _ => {}
        }
    }
}

/// How many of the parts around this one expect the same.
fn around(state: &State, path: &[Step], text: &str) -> usize {
    let outer = |(known, expected): &(&Path, &String)| {
        path.starts_with(known) && known.len() < path.len() && expected.as_str() == text
    };
    state.expected.iter().filter(outer).count()
}
