//! Samples, one after the other, until one is read or none is left.

use super::plan::Plan;
use super::sample::{Aspect, Choice, Depths, aspects, make};
use super::trial::{About, Heard, Read, Refusal, attempt};
use crate::codec::payload::Codec;

/// Samples that one shows after the other that another would do.
const MAX_TRIALS: usize = 256;

/// What samples show together, at most.
const MAX_ASPECTS: usize = 1024;

/// Samples of a plan, and a type that they are tried on.
pub(super) struct Trials<'t> {
    plan: &'t Plan,
    depths: Depths,
    read: &'t Read,
    codec: Codec,
    heard: Heard,
    /// Whether to leave out what no sample is good enough for.
    hollow: bool,
}

impl<'t> Trials<'t> {
    pub(super) fn new(plan: &'t Plan, read: &'t Read, codec: Codec) -> Self {
        Self { plan, depths: Depths::new(plan), read, codec, heard: Heard::new(), hollow: false }
    }

    pub(super) fn heard(&self) -> &Heard {
        &self.heard
    }

    /// Finds any sample that is read, and leaves out what none is good enough for, from now on.
    pub(super) fn settle_hollow(&mut self) -> Result<Choice, Refusal> {
        self.hollow = true;
        self.settle(Choice::default())
    }

    /// Finds a sample that is read, beginning with this; or else why the first was refused.
    pub(super) fn settle(&mut self, choice: Choice) -> Result<Choice, Refusal> {
        match self.settle_as(choice.clone(), self.codec == Codec::Json) {
            // In JSON some types are texts, and in samples of their shape they are not.
            Err(refusal) if self.codec == Codec::Json => self.settle_as(choice, false).map_err(|_| refusal),
            settled => settled,
        }
    }

    fn settle_as(&mut self, mut choice: Choice, is_text: bool) -> Result<Choice, Refusal> {
        let mut first = None;
        for _ in 0..MAX_TRIALS {
            let Some(sample) = make(self.plan, &self.depths, &choice) else { break };
            let refusal = match attempt(self.plan, self.read, &sample, is_text, &mut self.heard) {
                Ok(()) => return Ok(choice),
                Err(refusal) => refusal,
            };
            let Refusal { suspects, around, names, .. } = refusal;
            let is_other = suspects.into_iter().flatten().any(|suspect| choice.other(self.plan, suspect, names))
                || self.hollow && around.is_some_and(|around| choice.hollow(around));
            if !is_other && refusal.about == About::Field {
                return Err(refusal);
            }
            first.get_or_insert(refusal);
            if !is_other {
                break;
            }
        }
        Err(first.unwrap_or_else(|| Refusal {
            reason: "no sample can be made of the stored shape".to_owned(),
            suspects: [None, None],
            around: None,
            names: &[],
            missing: None,
            about: About::Shape,
        }))
    }

    /// What is refused of all that samples can show besides.
    pub(super) fn aspects(&mut self, base: &Choice) -> Vec<(Aspect, Refusal)> {
        let aspects = aspects(self.plan).into_iter().take(MAX_ASPECTS);
        let refused = aspects.filter_map(|aspect| {
            let refusal = self.settle(aspect.choice.clone().or(base)).err()?;
            Some((aspect, refusal))
        });
        refused.collect()
    }
}
