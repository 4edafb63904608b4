//! What is known about a type while it is traced.
//!
//! A spot is a place where a value goes: the element of a list, the field of a struct. All passes that come by
//! find the same spot, and what they see there has to agree. Structs and enums are told apart by their visitor,
//! so that two of the same serde name do not get mixed up; nothing of the visitor's name goes into the shape.

use super::Form;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spot(usize);

/// A struct or enum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Named(pub(super) usize);

/// What was seen at a spot.
pub(super) enum Seen {
    Leaf(Form),
    Option(Spot),
    Seq(Spot),
    Map(Spot, Spot),
    Tuple(Vec<Spot>),
    Named(Named),
}

pub(super) enum Content {
    Unit,
    Newtype(Spot),
    Tuple(Vec<Spot>),
    Struct(Vec<(&'static str, Spot)>),
    Enum(Vec<Branch>),
}

/// A variant of an enum.
pub(super) struct Branch {
    pub(super) name: &'static str,
    pub(super) content: Option<Content>,
    busy: bool,
    finished: bool,
}

#[derive(Default)]
struct Place {
    seen: Option<Seen>,
    busy: bool,
    sample: usize,
    samples: usize,
}

pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) content: Content,
    /// The variant that was finished first, so that its content cannot contain the enum again without end.
    base: Option<usize>,
}

#[derive(Default)]
pub(super) struct Graph {
    places: Vec<Place>,
    pub(super) entries: Vec<Entry>,
    names: BTreeMap<(&'static str, &'static str), Named>,
    steps: usize,
    /// Aliases are listed among the names of fields and variants, and nothing says which they are.
    pub(super) trimmed: usize,
}

impl Content {
    pub(super) fn fields(names: &'static [&'static str], graph: &mut Graph) -> Self {
        Self::Struct(names.iter().map(|name| (*name, graph.spot())).collect())
    }

    pub(super) fn variants(names: &'static [&'static str]) -> Self {
        let branch = |name: &&'static str| Branch { name, content: None, busy: false, finished: false };
        Self::Enum(names.iter().map(branch).collect())
    }

    fn spots(&self) -> Vec<Spot> {
        match self {
            Self::Unit | Self::Enum(_) => Vec::new(),
            Self::Newtype(of) => vec![*of],
            Self::Tuple(of) => of.clone(),
            Self::Struct(fields) => fields.iter().map(|(_, of)| *of).collect(),
        }
    }

    fn branches(&self) -> &[Branch] {
        if let Self::Enum(branches) = self { branches } else { &[] }
    }
}

impl Graph {
    pub(super) fn spot(&mut self) -> Spot {
        self.places.push(Place::default());
        Spot(self.places.len() - 1)
    }

    pub(super) fn spots(&mut self, count: usize) -> Vec<Spot> {
        std::iter::repeat_with(|| self.spot()).take(count).collect()
    }

    fn place(&mut self, spot: Spot) -> Option<&mut Place> {
        self.places.get_mut(spot.0)
    }

    pub(super) fn seen(&self, spot: Spot) -> Option<&Seen> {
        self.places.get(spot.0)?.seen.as_ref()
    }

    /// Notes what is seen at a spot, unless it is known; `None` if something else was seen there before.
    pub(super) fn see<R>(
        &mut self,
        spot: Spot,
        expected: impl Fn(&Seen) -> Option<R>,
        make: impl FnOnce(&mut Self) -> Seen,
    ) -> Option<R> {
        self.steps += 1;
        if self.seen(spot).is_none() {
            let seen = make(self);
            self.place(spot)?.seen = Some(seen);
        }
        expected(self.seen(spot)?)
    }

    /// The struct or enum of this serde name that is read by this visitor.
    pub(super) fn named(
        &mut self,
        name: &'static str,
        visitor: &'static str,
        content: impl FnOnce(&mut Self) -> Content,
    ) -> Named {
        if let Some(known) = self.names.get(&(name, visitor)) {
            return *known;
        }
        let content = content(self);
        let named = Named(self.entries.len());
        self.entries.push(Entry { name, content, base: None });
        self.names.insert((name, visitor), named);
        named
    }

    pub(super) fn parts(&self, named: Named) -> Vec<Spot> {
        self.entries.get(named.0).map(|entry| entry.content.spots()).unwrap_or_default()
    }

    fn branch(&mut self, named: Named, index: usize) -> Option<&mut Branch> {
        match &mut self.entries.get_mut(named.0)?.content {
            Content::Enum(branches) => branches.get_mut(index),
            _ => None,
        }
    }

    /// The variant to look into next: one with something new or, inside itself, one that is known to end.
    pub(super) fn choose(&mut self, named: Named) -> Option<usize> {
        let entry = self.entries.get(named.0)?;
        let branches = entry.content.branches();
        let fresh = branches.iter().position(|branch| !branch.finished && !branch.busy);
        if branches.iter().any(|branch| branch.busy) {
            return entry.base.or(fresh);
        }
        let base = entry.base;
        let finished = branches.len();
        fresh.or_else(|| (0..finished).find(|index| self.is_branch_open(named, *index))).or(base)
    }

    fn is_branch_open(&mut self, named: Named, index: usize) -> bool {
        let content = self.branch(named, index).and_then(|branch| branch.content.as_ref());
        let spots = content.map(Content::spots).unwrap_or_default();
        spots.into_iter().any(|spot| self.is_open(spot))
    }

    /// Enters a variant; tells whether it was entered already.
    pub(super) fn start(&mut self, named: Named, index: usize) -> bool {
        self.branch(named, index).is_some_and(|branch| std::mem::replace(&mut branch.busy, true))
    }

    pub(super) fn finish(&mut self, named: Named, index: usize, still_busy: bool) {
        if let Some(branch) = self.branch(named, index) {
            branch.finished = true;
            branch.busy = still_busy;
        }
        if let Some(entry) = self.entries.get_mut(named.0) {
            entry.base.get_or_insert(index);
        }
    }

    /// The spots of a variant's content, which is made unless it is known.
    pub(super) fn variant(
        &mut self,
        named: Named,
        index: usize,
        content: impl FnOnce(&mut Self) -> Content,
    ) -> Option<Vec<Spot>> {
        if self.branch(named, index)?.content.is_none() {
            let content = content(self);
            self.branch(named, index)?.content = Some(content);
        }
        self.branch(named, index)?.content.as_ref().map(Content::spots)
    }

    /// Forgets the variants from this one on.
    pub(super) fn trim_variants(&mut self, named: Named, from: usize) {
        self.trimmed += 1;
        if let Some(Entry { content: Content::Enum(branches), .. }) = self.entries.get_mut(named.0) {
            branches.truncate(from);
        }
    }

    /// Forgets fields that were listed but not read, of a struct or of a variant.
    pub(super) fn trim_fields(&mut self, named: Named, index: Option<usize>, left: usize) {
        self.trimmed += 1;
        let content = match index {
            Some(index) => self.branch(named, index).and_then(|branch| branch.content.as_mut()),
            None => self.entries.get_mut(named.0).map(|entry| &mut entry.content),
        };
        if let Some(Content::Struct(fields)) = content {
            fields.truncate(fields.len().saturating_sub(left));
        }
    }

    pub(super) fn is_busy(&self, spot: Spot) -> bool {
        self.places.get(spot.0).is_some_and(|place| place.busy)
    }

    pub(super) fn set_busy(&mut self, spots: &[Spot], busy: bool) {
        for spot in spots {
            if let Some(place) = self.place(*spot) {
                place.busy = busy;
            }
        }
    }

    /// Between two passes nothing is busy.
    pub(super) fn rest(&mut self) {
        self.places.iter_mut().for_each(|place| place.busy = false);
        for entry in &mut self.entries {
            if let Content::Enum(branches) = &mut entry.content {
                branches.iter_mut().for_each(|branch| branch.busy = false);
            }
        }
    }

    /// Whether anything is unknown from here on, apart from what is being looked into already.
    pub(super) fn is_open(&mut self, from: Spot) -> bool {
        let mut met = BTreeSet::new();
        let mut ahead = vec![from];
        while let Some(spot) = ahead.pop() {
            self.steps += 1;
            match self.seen(spot) {
                None => return true,
                Some(Seen::Leaf(_)) => {}
                Some(Seen::Option(of) | Seen::Seq(of)) => ahead.push(*of),
                Some(Seen::Map(key, value)) => ahead.extend([*key, *value]),
                Some(Seen::Tuple(of)) => ahead.extend(of),
                Some(Seen::Named(named)) if !met.insert(*named) => {}
                Some(Seen::Named(named)) => {
                    let Some(entry) = self.entries.get(named.0) else {
                        continue;
                    };
                    ahead.extend(entry.content.spots());
                    for branch in entry.content.branches().iter().filter(|branch| !branch.busy) {
                        if !branch.finished {
                            return true;
                        }
                        ahead.extend(branch.content.iter().flat_map(Content::spots));
                    }
                }
            }
        }
        false
    }

    /// Which of this many samples to answer with here.
    pub(super) fn sample(&mut self, spot: Spot, samples: usize) -> usize {
        self.place(spot).map_or(0, |place| {
            place.samples = samples;
            place.sample
        })
    }

    /// Moves on to the next sample; false after the last.
    pub(super) fn next_sample(&mut self, spot: Spot) -> bool {
        self.place(spot).is_some_and(|place| {
            place.sample += 1;
            place.sample < place.samples
        })
    }

    pub(super) fn steps(&self) -> usize {
        self.steps
    }

    /// Grows with everything that a pass finds out.
    pub(super) fn known(&self) -> usize {
        let seen = self.places.iter().filter(|place| place.seen.is_some()).count();
        let branches = self.entries.iter().flat_map(|entry| entry.content.branches());
        let finished = branches.filter(|branch| branch.finished).count();
        seen + finished + self.entries.len() + self.trimmed
    }

    /// The serde name of what was seen here or, without one, what kind of value it is.
    pub(super) fn name(&self, spot: Spot) -> &str {
        match self.seen(spot) {
            None => "any",
            Some(Seen::Leaf(leaf)) => leaf.word(),
            Some(Seen::Option(_)) => "option",
            Some(Seen::Seq(_)) => "seq",
            Some(Seen::Map(..)) => "map",
            Some(Seen::Tuple(_)) => "tuple",
            Some(Seen::Named(named)) => self.entries.get(named.0).map_or("any", |entry| entry.name),
        }
    }
}
