//! Puts one of several variants into the sample, and later each of the others in its place.

use super::super::sample::{Sample, Step};
use super::state::{Choice, Kind, Path, Seed, below};
use super::{MARK, Search};
use crate::codec::unreadable::Note;

impl Search<'_> {
    pub(super) fn fill_variant(&mut self, path: &Path, seeds: Vec<Seed>) -> bool {
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

    pub(super) fn choose_plain(&mut self, path: &Path, seed: &Seed, kind: Kind) -> bool {
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

    pub(super) fn alternatives(&mut self, path: &Path, choice: &Choice) {
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
}

impl Sample {
    pub(super) fn as_text(&self) -> Option<&str> {
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
