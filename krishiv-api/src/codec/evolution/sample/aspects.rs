//! What samples should show besides, each by a choice that leads there.

use super::choice::Choice;
use crate::codec::evolution::plan::{Id, Node, Plan};
use std::collections::{BTreeSet, VecDeque};

/// Something that a sample should show.
pub(in crate::codec::evolution) struct Aspect {
    /// The names of fields and variants on the way.
    pub(in crate::codec::evolution) path: String,
    pub(in crate::codec::evolution) choice: Choice,
    pub(in crate::codec::evolution) shows: Shows,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::codec::evolution) enum Shows {
    Variant,
    /// One of several things that nothing says which it is.
    Alternative,
    Absent,
    Empty,
}

/// What all samples of a plan together should show besides.
pub(in crate::codec::evolution) fn aspects(plan: &Plan) -> Vec<Aspect> {
    let mut aspects = Vec::new();
    let mut met = BTreeSet::from([plan.root_id()]);
    let mut ahead = VecDeque::from([(plan.root_id(), String::new(), Choice::default())]);
    while let Some((id, path, choice)) = ahead.pop_front() {
        let mut go = |to: Id, name: &str, choice: &Choice| {
            if met.insert(to) {
                ahead.push_back((to, join(&path, name), choice.clone()));
            }
        };
        let mut empty = |shows| {
            let choice = Choice { empty: BTreeSet::from([id]), ..choice.clone() };
            aspects.push(Aspect { path: path.clone(), choice, shows });
        };
        match plan.node(id) {
            Node::Option(of) => {
                empty(Shows::Absent);
                go(*of, "", &choice);
            }
            Node::Seq(of) => {
                empty(Shows::Empty);
                go(*of, "", &choice);
            }
            Node::Array(of, _) => go(*of, "", &choice),
            Node::Map(key, value) => {
                empty(Shows::Empty);
                go(*key, "", &choice);
                go(*value, "", &choice);
            }
            Node::Tuple(of) => of.iter().for_each(|of| go(*of, "", &choice)),
            Node::Struct(fields) => fields.iter().for_each(|field| go(field.is, &field.name, &choice)),
            Node::Flattened { fields, rest } => {
                fields.iter().for_each(|field| go(field.is, &field.name, &choice));
                rest.iter().for_each(|rest| go(*rest, "", &choice));
            }
            Node::Enum(variants) | Node::Tagged { variants, .. } => {
                for (index, variant) in variants.iter().enumerate() {
                    let mut choice = choice.clone();
                    choice.variants.insert(id, index);
                    choice.fixed.insert(id);
                    variant.content.iter().for_each(|content| go(*content, &variant.name, &choice));
                    aspects.push(Aspect { path: join(&path, &variant.name), choice, shows: Shows::Variant });
                }
            }
            Node::OneOf(of) => {
                for (index, of) in of.iter().enumerate() {
                    let mut choice = choice.clone();
                    choice.variants.insert(id, index);
                    choice.fixed.insert(id);
                    go(*of, "", &choice);
                    aspects.push(Aspect { path: path.clone(), choice, shows: Shows::Alternative });
                }
            }
            _ => {}
        }
    }
    aspects
}

/// A path, and one step more.
pub(in crate::codec::evolution) fn join(path: &str, name: &str) -> String {
    match (path, name) {
        (path, "") => path.to_owned(),
        ("", name) => name.to_owned(),
        _ => format!("{path}.{name}"),
    }
}
