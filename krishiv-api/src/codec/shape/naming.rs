//! From the [graph](super::graph) of a traced type to its [shape](super::Shape).

use super::graph::{Branch, Content, Graph, Named, Seen, Spot};
use super::{Field, Form, Layout, Shape, Variant};
use std::collections::{BTreeMap, BTreeSet};

impl Graph {
    /// The finished shape, if all of it is known and all its names are certain.
    pub(super) fn shape(&self, root: Spot) -> Option<Shape> {
        if self.trimmed > 0 {
            return None;
        }
        let classes = self.classes()?;
        let mut names = Names { graph: self, classes, given: BTreeMap::new(), types: BTreeMap::new() };
        let root = names.form(root)?;
        Some(Shape { root, types: names.types })
    }

    /// A number for each struct and enum, the same where name and layout are.
    ///
    /// All of one name start out as the same, and are told apart as long as their parts are.
    fn classes(&self) -> Option<Vec<usize>> {
        let mut classes = vec![0; self.entries.len()];
        let mut count = 0;
        loop {
            let mut known = BTreeMap::new();
            let mut next = Vec::with_capacity(classes.len());
            for entry in &self.entries {
                let layout = self.layout(&entry.content, &mut |named| {
                    classes.get(named.0).map(|class| Form::Type(class.to_string()))
                })?;
                let class = known.len();
                next.push(*known.entry((entry.name, layout)).or_insert(class));
            }
            if known.len() == count {
                return Some(classes);
            }
            (classes, count) = (next, known.len());
        }
    }

    fn form(&self, spot: Spot, name: &mut dyn FnMut(Named) -> Option<Form>) -> Option<Form> {
        Some(match self.seen(spot)? {
            Seen::Leaf(leaf) => leaf.clone(),
            Seen::Option(of) => Form::Option(Box::new(self.form(*of, name)?)),
            Seen::Seq(of) => Form::Seq(Box::new(self.form(*of, name)?)),
            Seen::Map(key, value) => {
                let key = self.form(*key, name)?;
                Form::Map(Box::new(key), Box::new(self.form(*value, name)?))
            }
            Seen::Tuple(of) => Form::tuple(self.forms(of, name)?),
            Seen::Named(named) => name(*named)?,
        })
    }

    fn forms(&self, spots: &[Spot], name: &mut dyn FnMut(Named) -> Option<Form>) -> Option<Vec<Form>> {
        spots.iter().map(|spot| self.form(*spot, name)).collect()
    }

    fn layout(&self, content: &Content, name: &mut dyn FnMut(Named) -> Option<Form>) -> Option<Layout> {
        Some(match content {
            Content::Unit => Layout::Unit,
            Content::Newtype(of) => Layout::Newtype(self.form(*of, name)?),
            Content::Tuple(of) => Layout::Tuple(self.forms(of, name)?),
            Content::Struct(fields) => {
                let mut field = |(label, of): &(&'static str, Spot)| {
                    Some(Field { name: (*label).to_owned(), is: self.form(*of, name)? })
                };
                Layout::Struct(fields.iter().map(&mut field).collect::<Option<_>>()?)
            }
            Content::Enum(branches) => {
                let mut variant = |branch: &Branch| {
                    let is = self.layout(branch.content.as_ref()?, name)?;
                    Some(Variant { name: branch.name.to_owned(), is })
                };
                Layout::Enum(branches.iter().map(&mut variant).collect::<Option<_>>()?)
            }
        })
    }
}

impl Form {
    pub(super) fn tuple(mut parts: Vec<Self>) -> Self {
        let length = parts.len();
        let alike = parts.windows(2).all(|pair| matches!(pair, [left, right] if left == right));
        match parts.pop() {
            Some(of) if alike && length > 4 => Self::Array(Box::new(of), length),
            Some(last) => {
                parts.push(last);
                Self::Tuple(parts)
            }
            None => Self::Tuple(parts),
        }
    }
}

/// Gives each class its name, in the order in which they are met from the root.
struct Names<'g> {
    graph: &'g Graph,
    classes: Vec<usize>,
    given: BTreeMap<usize, String>,
    types: BTreeMap<String, Layout>,
}

impl Names<'_> {
    fn form(&mut self, spot: Spot) -> Option<Form> {
        self.graph.form(spot, &mut |named| self.name(named))
    }

    fn name(&mut self, named: Named) -> Option<Form> {
        let class = *self.classes.get(named.0)?;
        if let Some(name) = self.given.get(&class) {
            return Some(Form::Type(name.clone()));
        }
        let graph = self.graph;
        let entry = graph.entries.get(named.0)?;
        let numbered = (2..).map(|number| format!("{}#{number}", entry.name));
        let taken: BTreeSet<&String> = self.given.values().collect();
        let name = std::iter::once(entry.name.to_owned()).chain(numbered).find(|name| !taken.contains(name))?;
        self.given.insert(class, name.clone());
        let layout = graph.layout(&entry.content, &mut |named| self.name(named))?;
        self.types.insert(name.clone(), layout);
        Some(Form::Type(name))
    }
}
