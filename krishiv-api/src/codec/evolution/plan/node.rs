//! What a plan consists of.

/// The place of a node in its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::codec::evolution) struct Id(pub(super) usize);

/// What one value is.
#[derive(Debug)]
pub(in crate::codec::evolution) enum Node {
    Unit,
    Bool,
    I8,
    I16,
    I32,
    I64,
    I128,
    U8,
    U16,
    U32,
    U64,
    U128,
    F32,
    F64,
    Char,
    Str,
    Bytes,
    Option(Id),
    Seq(Id),
    Array(Id, usize),
    Map(Id, Id),
    Tuple(Vec<Id>),
    Struct(Vec<Named>),
    Enum(Vec<Variant>),
    Flattened {
        fields: Vec<Named>,
        rest: Option<Id>,
    },
    Tagged {
        tag: String,
        variants: Vec<Variant>,
    },
    /// One of these, and the bytes have to tell which.
    OneOf(Vec<Id>),
    /// The shape does not tell: the bytes have to.
    Untold,
    /// The same as another one, until all are known.
    Same(Id),
    /// The shape contradicts itself.
    Broken(String),
}

#[derive(Debug)]
pub(in crate::codec::evolution) struct Named {
    pub(in crate::codec::evolution) name: String,
    pub(in crate::codec::evolution) is: Id,
}

#[derive(Debug)]
pub(in crate::codec::evolution) struct Variant {
    pub(in crate::codec::evolution) name: String,
    /// None if the name is all.
    pub(in crate::codec::evolution) content: Option<Id>,
}

/// What is at a place that is in no plan.
pub(in crate::codec::evolution) const NOWHERE: &Node = &Node::Untold;
