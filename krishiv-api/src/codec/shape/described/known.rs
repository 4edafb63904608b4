//! What is known of a type from all that its values have written.

use super::written::{Content, Written};
use crate::codec::shape::{FLATTENED, Form, TAGGED};
use std::collections::{BTreeMap, BTreeSet};

/// A type, as far as it is known.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Known {
    Nothing,
    /// Whatever the value itself says it is.
    Any,
    /// One thing or another, and nothing says which.
    Varies,
    /// One of these, whichever fits first, and how many there are said to be.
    OneOf(Vec<Known>, usize),
    Leaf(Form),
    Option(Box<Known>),
    Seq(Box<Known>),
    Tuple(Vec<Known>),
    Map(Box<Known>, Box<Known>),
    Named(&'static str, Body),
}

/// A struct or enum, or what is in a variant.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Body {
    Unknown,
    Unit,
    Newtype(Box<Known>),
    Tuple(Vec<Known>),
    Struct(Fields),
    /// By the place of the variant in its enum.
    Enum(BTreeMap<u32, (String, Body)>),
    /// Fields side by side with those of other structs, and the values of a map that takes what is left.
    Flattened(Fields, Option<Box<Known>>),
    /// By the value of a field.
    Tagged(String, Vec<(String, Body)>),
}

/// Where variants are put whose place is not known: after all others.
const UNSEEN: u32 = 1 << 31;

pub(super) type Fields = Vec<(String, Known)>;

/// The name of an entry that no field takes.
pub(super) const REST: &str = "\u{1}rest";

/// The names of fields that say which variant a value is, with the variants where they are listed.
pub(super) type Tags = BTreeMap<String, BTreeSet<String>>;

/// What is known of some parts in other ways, by their place among all that was written.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) marks: BTreeMap<Vec<usize>, Known>,
    /// Variants that are listed, and of which there is no sample.
    pub(super) unseen: BTreeMap<Vec<usize>, Vec<String>>,
    /// Untagged enums, by the number of their variants.
    pub(super) untagged: BTreeMap<Vec<usize>, usize>,
}

impl Known {
    /// What one value shows.
    pub(super) fn of(written: Written, tags: &Tags, seen: &Seen) -> Self {
        Reading { tags, seen, at: Vec::new() }.known(written)
    }

    /// What two values show together.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, other) | (other, Self::Nothing) => other,
            (Self::Varies, _) | (_, Self::Varies) => Self::Varies,
            (Self::Any, _) | (_, Self::Any) => Self::Any,
            (Self::OneOf(mut one, count), Self::OneOf(other, other_count)) => {
                other.into_iter().for_each(|known| one_more(&mut one, known));
                Self::OneOf(one, count.max(other_count))
            }
            (Self::Leaf(one), Self::Leaf(other)) if one == other => Self::Leaf(one),
            (Self::Option(one), Self::Option(other)) => Self::Option(Box::new(one.and(*other))),
            (Self::Seq(one), Self::Seq(other)) => Self::Seq(Box::new(one.and(*other))),
            (Self::Tuple(one), Self::Tuple(other)) if one.len() == other.len() => Self::Tuple(each(one, other)),
            (Self::Map(key, value), Self::Map(other_key, other_value)) => {
                Self::Map(Box::new(key.and(*other_key)), Box::new(value.and(*other_value)))
            }
            (Self::Named(one, body), Self::Named(other, other_body)) if one == other => {
                body.and(other_body).map_or(Self::Varies, |body| Self::Named(one, body))
            }
            _ => Self::Varies,
        }
    }

    /// Whether `other` shows nothing that is not known here.
    pub(super) fn has(&self, other: &Self) -> bool {
        self.clone().and(other.clone()) == *self
    }
}

/// Adds what one value of an untagged enum shows, to what other values of its variant have shown if there are any.
fn one_more(all: &mut Vec<Known>, known: Known) {
    let alike = all.iter_mut().find(|other| match (&**other, &known) {
        (Known::Named(one, body), Known::Named(other, other_body)) => {
            one == other && body.outline() == other_body.outline()
        }
        (Known::Leaf(_) | Known::Tuple(_), _) => **other == known,
        (one, other) => std::mem::discriminant(one) == std::mem::discriminant(other),
    });
    match alike {
        Some(other) => *other = std::mem::replace(other, Known::Nothing).and(known),
        None => all.push(known),
    }
}

fn each(one: Vec<Known>, other: Vec<Known>) -> Vec<Known> {
    one.into_iter().zip(other).map(|(one, other)| one.and(other)).collect()
}

/// The fields of both, in an order that both have: what only one has follows what is in front of it there.
fn fields(one: Fields, other: Fields) -> Fields {
    let mut all = one;
    let mut next = 0;
    for (name, known) in other {
        if let Some(at) = all.iter().position(|(field, _)| *field == name) {
            if let Some((_, field)) = all.get_mut(at) {
                *field = std::mem::replace(field, Known::Nothing).and(known);
            }
            next = at + 1;
        } else {
            all.insert(next.min(all.len()), (name, known));
            next += 1;
        }
    }
    all
}

impl Body {
    /// The names of its own fields or variants.
    pub(super) fn outline(&self) -> Vec<&str> {
        match self {
            Self::Unknown | Self::Unit | Self::Newtype(_) | Self::Tuple(_) => Vec::new(),
            Self::Struct(fields) | Self::Flattened(fields, _) => fields.iter().map(|(name, _)| name.as_str()).collect(),
            Self::Enum(variants) => variants.values().map(|(name, _)| name.as_str()).collect(),
            Self::Tagged(tag, variants) => {
                std::iter::once(tag.as_str()).chain(variants.iter().map(|(name, _)| name.as_str())).collect()
            }
        }
    }

    /// Adds variants that are known by name only.
    fn add_unseen(&mut self, names: &[String]) {
        for (place, name) in (0_u32..).zip(names) {
            match self {
                Self::Enum(variants) => {
                    variants.insert(UNSEEN + place, (name.clone(), Self::Unknown));
                }
                Self::Tagged(_, variants) => variants.push((name.clone(), Self::Unknown)),
                _ => {}
            }
        }
    }

    /// Both together; none if they are no two values of one type.
    fn and(self, other: Self) -> Option<Self> {
        Some(match (self, other) {
            (Self::Unknown, other) | (other, Self::Unknown) => other,
            (Self::Unit, Self::Unit) => Self::Unit,
            (Self::Newtype(one), Self::Newtype(other)) => Self::Newtype(Box::new(one.and(*other))),
            (Self::Tuple(one), Self::Tuple(other)) if one.len() == other.len() => Self::Tuple(each(one, other)),
            (Self::Struct(one), Self::Struct(other)) => Self::Struct(fields(one, other)),
            (Self::Flattened(one, rest), Self::Flattened(other, other_rest)) => {
                let rest = match (rest, other_rest) {
                    (Some(one), Some(other)) => Some(Box::new(one.and(*other))),
                    (one, other) => one.or(other),
                };
                Self::Flattened(fields(one, other), rest)
            }
            (Self::Enum(mut one), Self::Enum(other)) => {
                for (index, (name, body)) in other {
                    let body = match one.remove(&index) {
                        Some((known, of)) if known == name => of.and(body)?,
                        Some(_) => return None,
                        None => body,
                    };
                    one.insert(index, (name, body));
                }
                Self::Enum(one)
            }
            (Self::Tagged(tag, mut one), Self::Tagged(other_tag, other)) if tag == other_tag => {
                for (name, body) in other {
                    match one.iter().position(|(known, _)| *known == name) {
                        Some(at) => {
                            let (_, of) = one.remove(at);
                            one.insert(at, (name, of.and(body)?));
                        }
                        None => one.push((name, body)),
                    }
                }
                Self::Tagged(tag, one)
            }
            _ => return None,
        })
    }
}

/// From what was written to what it shows.
struct Reading<'a> {
    tags: &'a Tags,
    seen: &'a Seen,
    at: Vec<usize>,
}

impl Reading<'_> {
    fn part(&mut self, index: usize, written: Written) -> Known {
        self.at.push(index);
        let known = self.known(written);
        self.at.pop();
        known
    }

    fn parts(&mut self, written: Vec<Written>) -> Vec<Known> {
        written.into_iter().enumerate().map(|(index, part)| self.part(index, part)).collect()
    }

    fn known(&mut self, written: Written) -> Known {
        if let Some(known) = self.seen.marks.get(&self.at) {
            return known.clone();
        }
        let unseen = self.seen.unseen.get(&self.at);
        let mut known = self.shown(written);
        if let (Known::Named(_, body), Some(unseen)) = (&mut known, unseen) {
            body.add_unseen(unseen);
        }
        if let Some(count) = self.seen.untagged.get(&self.at) {
            let shown = if known == Known::Nothing { Vec::new() } else { vec![known] };
            return Known::OneOf(shown, *count);
        }
        known
    }

    fn shown(&mut self, written: Written) -> Known {
        match written {
            Written::Nothing => Known::Nothing,
            Written::Leaf(form) => Known::Leaf(form),
            Written::Text(_) => Known::Leaf(Form::Str),
            Written::Option(of) => Known::Option(Box::new(self.part(0, *of))),
            Written::Seq(items) => {
                let items = self.parts(items);
                Known::Seq(Box::new(items.into_iter().fold(Known::Nothing, Known::and)))
            }
            Written::Tuple(items) => Known::Tuple(self.parts(items)),
            Written::Map { entries, counted } => self.map(entries, counted),
            Written::Named(name, Content::Struct(fields)) => {
                let fields = self.fields(fields);
                let adjacent =
                    self.tag(&fields).is_none_or(|at| matches!(fields.get(at), Some((_, Label::Variant(_), _))));
                let body = self.body(fields, &Body::Struct);
                Known::Named(if adjacent { name } else { TAGGED }, body)
            }
            Written::Named(name, content) => Known::Named(name, self.content(content)),
            Written::Variant { name, index, variant, content } => {
                Known::Named(name, Body::Enum(BTreeMap::from([(index, (variant.to_owned(), self.content(content)))])))
            }
        }
    }

    fn content(&mut self, content: Content) -> Body {
        match content {
            Content::Unit => Body::Unit,
            Content::Newtype(of) => Body::Newtype(Box::new(self.part(0, *of))),
            Content::Tuple(of) => Body::Tuple(self.parts(of)),
            Content::Struct(fields) => {
                let fields = self.fields(fields);
                self.body(fields, &Body::Struct)
            }
        }
    }

    fn fields(&mut self, fields: Vec<(String, Written)>) -> Vec<(String, Label, Known)> {
        let each = |(index, (name, written)): (usize, (String, Written))| {
            let label = Label::of(&written);
            (name, label, self.part(index, written))
        };
        fields.into_iter().enumerate().map(each).collect()
    }

    fn map(&mut self, entries: Vec<(Written, Written)>, counted: bool) -> Known {
        let names: Option<Vec<_>> = entries.iter().map(|(key, _)| key.text()).collect();
        let tag = names.as_ref().and_then(|names| names.first()).is_some_and(|name| self.tags.contains_key(*name));
        let (true, Some(names)) = (!counted || tag, names) else {
            let mut all = (Known::Nothing, Known::Nothing);
            for (index, (key, value)) in entries.into_iter().enumerate() {
                let key = self.part(2 * index, key);
                all = (all.0.and(key), all.1.and(self.part(2 * index + 1, value)));
            }
            return Known::Map(Box::new(all.0), Box::new(all.1));
        };
        let names: Vec<_> = names.into_iter().map(str::to_owned).collect();
        let mut fields: Vec<(String, Label, Known)> = Vec::new();
        for ((index, name), (_, value)) in names.into_iter().enumerate().zip(entries) {
            let label = Label::of(&value);
            let known = self.part(2 * index + 1, value);
            // A map that takes what is left shows once more what an enum beside it has read.
            if fields.iter().all(|(field, ..)| *field != name) {
                fields.push((name, label, known));
            }
        }
        let name = if self.tag(&fields).is_some() { TAGGED } else { FLATTENED };
        Known::Named(name, self.body(fields, &|fields| flat(fields, counted)))
    }

    /// The place of the field that is a tag.
    fn tag(&self, fields: &[(String, Label, Known)]) -> Option<usize> {
        fields.iter().position(|(name, label, _)| {
            let known = self.tags.get(name);
            known.is_some_and(|known| label.variant().is_some_and(|label| known.is_empty() || known.contains(label)))
        })
    }

    fn body(&self, mut fields: Vec<(String, Label, Known)>, plain: &dyn Fn(Fields) -> Body) -> Body {
        let Some(at) = self.tag(&fields) else {
            return plain(fields.into_iter().map(|(name, _, known)| (name, known)).collect());
        };
        let (tag, label, _) = fields.remove(at);
        let variant = label.variant().unwrap_or_default().to_owned();
        Body::Tagged(tag, vec![(variant, self.body(fields, plain))])
    }
}

fn flat(mut fields: Fields, counted: bool) -> Body {
    let rest = fields.iter().position(|(name, _)| name == REST).map(|at| Box::new(fields.remove(at).1));
    // A counted map behind a tag has no fields: all its entries are what it holds.
    if counted && rest.is_none() && !fields.is_empty() {
        let values = fields.into_iter().fold(Known::Nothing, |all, (_, value)| all.and(value));
        return Body::Flattened(Vec::new(), Some(Box::new(values)));
    }
    Body::Flattened(fields, rest)
}

/// What a field says if it is a tag.
enum Label {
    Text(String),
    Variant(&'static str),
    None,
}

impl Label {
    fn of(written: &Written) -> Self {
        match written {
            Written::Text(text) => Self::Text(text.clone()),
            Written::Variant { variant, content: Content::Unit, .. } => Self::Variant(variant),
            _ => Self::None,
        }
    }

    fn variant(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Variant(variant) => Some(variant),
            Self::None => None,
        }
    }
}

impl Written {
    pub(super) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
}
