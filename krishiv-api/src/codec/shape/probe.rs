//! The source that has nothing: it notes what it is asked for, and answers with a sample.

use super::Form;
use super::graph::{Content, Graph, Named, Seen, Spot};
use super::tracer::Tracer;
use crate::codec::pull::{Ask, Asker, Source, Token};
use crate::codec::unreadable::{Result, unreadable};

/// Text that types which parse themselves accept: numbers, dates, times, addresses, ids.
pub(in crate::codec) const TEXTS: [&str; 16] = [
    "",
    "0",
    "A",
    "2013-01-01",
    "00:00:00",
    "2013-01-01T00:00:00",
    "2013-01-01T00:00:00Z",
    "2013-01-01T00:00:00+00:00[UTC]",
    "PT1S",
    "UTC",
    "127.0.0.1",
    "127.0.0.1:80",
    "00000000-0000-0000-0000-000000000000",
    "http://localhost/",
    "1.0.0",
    "a@example.org",
];

const ZEROS: [u8; 64] = [0; 64];
const LENGTHS: [usize; 9] = [0, 16, 4, 8, 12, 20, 24, 32, 64];

/// Asked for one spot.
pub(super) struct Probe<'t> {
    tracer: &'t mut Tracer,
    /// What is asked for next.
    spot: Spot,
    open: Vec<Open>,
    pending: Pending,
}

/// What comes before the spot.
#[derive(Clone, Copy)]
enum Pending {
    Spot,
    /// The place of a variant in its enum.
    Index(u32),
}

struct Open {
    spots: Vec<Spot>,
    taken: usize,
    what: What,
}

/// What is done where it ends.
enum What {
    Around,
    /// Something that is not entered again while it is entered.
    Entered,
    /// Fields that are left are aliases.
    Fields(Named, Option<usize>),
    /// A variant, and whether it was entered already.
    Enum(Named, usize, bool),
}

impl<'t> Probe<'t> {
    pub(super) fn new(tracer: &'t mut Tracer, spot: Spot) -> Self {
        Self { tracer, spot, open: Vec::new(), pending: Pending::Spot }
    }

    fn open(&mut self, spots: Vec<Spot>, what: What, token: Token<'static>) -> Token<'static> {
        self.open.push(Open { spots, taken: 0, what });
        token
    }

    /// Opens what has one part.
    fn around(&mut self, of: Spot, what: What, token: Token<'static>) -> Token<'static> {
        self.spot = of;
        self.open(vec![of], what, token)
    }

    fn sample<T: Copy + Default>(&mut self, form: Form, samples: &[T]) -> Result<T> {
        let sample = self.tracer.sample(self.spot, form, samples.len())?;
        Ok(samples.get(sample).copied().unwrap_or_default())
    }

    fn number(&mut self, form: Form) -> Result<Token<'static>> {
        self.sample(form, &[1, 0]).map(Token::Exact)
    }

    fn leaf(&mut self, form: Form) -> Result<Token<'static>> {
        Ok(match form {
            Form::Bool => Token::Bool(self.sample(form, &[false, true])?),
            Form::F32 => Token::F32(self.sample(form, &[1.0, 0.0])?),
            Form::F64 => Token::F64(self.sample(form, &[1.0, 0.0])?),
            Form::Char => Token::Char(self.sample(form, &['A', '0'])?),
            Form::Str => Token::Str(self.sample(form, &TEXTS)?),
            Form::Bytes => {
                let length = self.sample(form, &LENGTHS)?;
                Token::Bytes(ZEROS.get(..length).unwrap_or_default())
            }
            Form::Unit => {
                self.tracer.leaf(self.spot, form)?;
                Token::Unit
            }
            number => self.number(number)?,
        })
    }

    fn any(&mut self, asker: &Asker<'_>) -> Result<Token<'static>> {
        self.tracer.self_describing = true;
        self.tracer.buffered |= is_buffer(asker);
        Ok(match self.tracer.sample(self.spot, Form::Any, 4)? {
            0 => Token::Unit,
            1 => Token::Unsigned(1),
            2 => Token::Str(""),
            _ => Token::Bool(false),
        })
    }

    fn named(
        &mut self,
        name: &'static str,
        asker: &Asker<'_>,
        content: impl FnOnce(&mut Graph) -> Content,
    ) -> Result<Named> {
        let named = self.tracer.graph.named(name, asker.name, content);
        let same = |seen: &Seen| matches!(seen, Seen::Named(seen) if *seen == named).then_some(named);
        self.tracer.visit(self.spot, same, |_| Seen::Named(named))
    }

    fn option(&mut self) -> Result<Token<'static>> {
        let expected = |seen: &Seen| if let Seen::Option(of) = seen { Some(*of) } else { None };
        let of = self.tracer.visit(self.spot, expected, |graph| Seen::Option(graph.spot()))?;
        Ok(if self.tracer.enter(&[of]) { self.around(of, What::Entered, Token::Some) } else { Token::None })
    }

    fn seq(&mut self) -> Result<Token<'static>> {
        let expected = |seen: &Seen| if let Seen::Seq(of) = seen { Some(vec![*of]) } else { None };
        let spots = self.tracer.visit(self.spot, expected, |graph| Seen::Seq(graph.spot()))?;
        Ok(self.collection(spots, Token::Seq))
    }

    fn map(&mut self) -> Result<Token<'static>> {
        let expected = |seen: &Seen| if let Seen::Map(key, value) = seen { Some(vec![*key, *value]) } else { None };
        let spots = self.tracer.visit(self.spot, expected, |graph| Seen::Map(graph.spot(), graph.spot()))?;
        Ok(self.collection(spots, Token::Map))
    }

    /// One element or entry, or none if it is being looked into, or known, already.
    fn collection(&mut self, spots: Vec<Spot>, token: Token<'static>) -> Token<'static> {
        let spots = if self.tracer.enter(&spots) { spots } else { Vec::new() };
        self.open(spots, What::Entered, token)
    }

    fn tuple(&mut self, length: usize) -> Result<Token<'static>> {
        let expected = |seen: &Seen| match seen {
            Seen::Tuple(of) if of.len() == length => Some(of.clone()),
            _ => None,
        };
        let spots = self.tracer.visit(self.spot, expected, |graph| Seen::Tuple(graph.spots(length)))?;
        Ok(self.open(spots, What::Around, Token::Seq))
    }

    fn choose(
        &mut self,
        name: &'static str,
        variants: &'static [&'static str],
        asker: &Asker<'_>,
    ) -> Result<Token<'static>> {
        let named = self.named(name, asker, |_| Content::variants(variants))?;
        let Some(index) = self.tracer.graph.choose(named) else {
            self.tracer.stuck = true;
            return unreadable("no variant is known that does not contain its own enum");
        };
        let was_busy = self.tracer.graph.start(named, index);
        self.pending = Pending::Index(u32::try_from(index).unwrap_or(u32::MAX));
        Ok(self.open(Vec::new(), What::Enum(named, index, was_busy), Token::Enum))
    }

    /// The spots of the content of the variant that is open.
    fn content(&mut self, content: impl FnOnce(&mut Graph) -> Content) -> Result<(Named, usize, Vec<Spot>)> {
        let Some(&Open { what: What::Enum(named, index, _), .. }) = self.open.last() else {
            return self.tracer.hopeless();
        };
        match self.tracer.graph.variant(named, index, content) {
            Some(spots) => Ok((named, index, spots)),
            None => self.tracer.hopeless(),
        }
    }

    fn newtype(&mut self, spots: &[Spot], token: Token<'static>) -> Result<Token<'static>> {
        match spots.first() {
            Some(of) => {
                self.spot = *of;
                Ok(token)
            }
            None => self.tracer.hopeless(),
        }
    }

    fn answer(&mut self, ask: Ask, asker: &Asker<'_>) -> Result<Token<'static>> {
        match ask {
            Ask::Any | Ask::Ignored => self.any(asker),
            Ask::Identifier => {
                self.tracer.self_describing = true;
                self.tracer.hopeless()
            }
            Ask::Bool => self.leaf(Form::Bool),
            Ask::I8 => self.leaf(Form::I8),
            Ask::I16 => self.leaf(Form::I16),
            Ask::I32 => self.leaf(Form::I32),
            Ask::I64 => self.leaf(Form::I64),
            Ask::I128 => self.leaf(Form::I128),
            Ask::U8 => self.leaf(Form::U8),
            Ask::U16 => self.leaf(Form::U16),
            Ask::U32 => self.leaf(Form::U32),
            Ask::U64 => self.leaf(Form::U64),
            Ask::U128 => self.leaf(Form::U128),
            Ask::F32 => self.leaf(Form::F32),
            Ask::F64 => self.leaf(Form::F64),
            Ask::Char => self.leaf(Form::Char),
            Ask::Str => self.leaf(Form::Str),
            Ask::Bytes => self.leaf(Form::Bytes),
            Ask::Unit => self.leaf(Form::Unit),
            Ask::UnitStruct(name) => {
                self.named(name, asker, |_| Content::Unit)?;
                Ok(Token::Unit)
            }
            Ask::Option => self.option(),
            Ask::Seq => self.seq(),
            Ask::Map => self.map(),
            Ask::Tuple(length) => self.tuple(length),
            Ask::Newtype(name) => {
                let named = self.named(name, asker, |graph| Content::Newtype(graph.spot()))?;
                let spots = self.tracer.graph.parts(named);
                let token = self.newtype(&spots, Token::Newtype)?;
                Ok(self.open(spots, What::Around, token))
            }
            Ask::TupleStruct(name, length) => {
                let named = self.named(name, asker, |graph| Content::Tuple(graph.spots(length)))?;
                let spots = self.tracer.graph.parts(named);
                Ok(self.open(spots, What::Around, Token::Seq))
            }
            Ask::Struct(name, fields) => {
                let named = self.named(name, asker, |graph| Content::fields(fields, graph))?;
                let spots = self.tracer.graph.parts(named);
                Ok(self.open(spots, What::Fields(named, None), Token::Seq))
            }
            Ask::Enum(name, variants) => self.choose(name, variants, asker),
            Ask::UnitVariant => self.content(|_| Content::Unit).map(|_| Token::Unit),
            Ask::NewtypeVariant => {
                let (.., spots) = self.content(|graph| Content::Newtype(graph.spot()))?;
                self.newtype(&spots, Token::Content)
            }
            Ask::TupleVariant(length) => {
                let (.., spots) = self.content(|graph| Content::Tuple(graph.spots(length)))?;
                Ok(self.open(spots, What::Around, Token::Seq))
            }
            Ask::StructVariant(fields) => {
                let (named, index, spots) = self.content(|graph| Content::fields(fields, graph))?;
                Ok(self.open(spots, What::Fields(named, Some(index)), Token::Seq))
            }
        }
    }

    /// Goes on to the next spot of what is open at this depth.
    fn step(&mut self, depth: usize) -> bool {
        self.open.truncate(depth);
        self.pending = Pending::Spot;
        let Some(open) = self.open.last_mut() else { return false };
        let Some(spot) = open.spots.get(open.taken) else { return false };
        self.spot = *spot;
        open.taken += 1;
        true
    }
}

impl Source<'static> for Probe<'_> {
    fn next(&mut self, ask: Ask, asker: &Asker<'_>) -> Result<Token<'static>> {
        if let Pending::Index(index) = self.pending {
            self.pending = Pending::Spot;
            return Ok(Token::Index(index));
        }
        self.tracer.depth = self.open.len();
        self.answer(ask, asker)
    }

    fn depth(&self) -> usize {
        self.open.len()
    }

    fn part(&mut self, depth: usize) -> Result<bool> {
        Ok(self.step(depth))
    }

    fn value(&mut self, depth: usize) -> Result<()> {
        if self.step(depth) { Ok(()) } else { self.tracer.hopeless() }
    }

    fn left(&self, depth: usize) -> Option<usize> {
        let open = self.open.get(depth.checked_sub(1)?)?;
        Some(open.spots.len() - open.taken)
    }

    fn close(&mut self, depth: usize) -> Result<()> {
        self.open.truncate(depth);
        self.pending = Pending::Spot;
        let Some(Open { spots, taken, what }) = self.open.pop() else { return Ok(()) };
        match what {
            What::Around => {}
            What::Entered => self.tracer.leave(&spots),
            What::Fields(named, variant) => {
                if taken < spots.len() {
                    self.tracer.graph.trim_fields(named, variant, spots.len() - taken);
                }
            }
            What::Enum(named, index, was_busy) => self.tracer.graph.finish(named, index, was_busy),
        }
        Ok(())
    }

    /// More names than variants: the others are aliases.
    fn refused(&mut self) {
        if let Some(&Open { what: What::Enum(named, index, _), .. }) = self.open.last() {
            self.tracer.graph.trim_variants(named, index);
            self.tracer.stuck = true;
        }
    }
}

/// Whether a visitor that takes anything only keeps it for a type behind it: that of an untagged or tagged enum.
fn is_buffer(asker: &Asker<'_>) -> bool {
    let words = asker.expected.to_string();
    words == "any value" || words.starts_with("internally tagged enum") || asker.name.contains("TaggedContentVisitor")
}
