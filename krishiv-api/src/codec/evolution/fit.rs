//! What becomes of stored values where the program's type is another one.

use super::change::{Change, Fit};
use super::diff::{Diff, NEW, diff};
use super::plan::Plan;
use super::sample::{Aspect, Choice, Shows};
use super::trial::{About, Read, Refusal};
use super::trials::Trials;
use crate::codec::payload::Codec;
use crate::codec::pull::pull;
use crate::codec::shape::{News, Shape};
use crate::quiet::drop_quietly;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;

/// What becomes of values that were written under `written` where the program's type is `T`, whose shape is `declared`.
pub(crate) fn fit<T: Serialize + DeserializeOwned>(written: &Shape, written_codec: Codec, declared: &Shape) -> Fit {
    match written.compare(declared) {
        Some(News::None | News::More) => Fit::Same,
        None => judge(written, written_codec, declared, &|source| pull(source, PhantomData::<T>).map(drop_quietly)),
    }
}

/// Decides by what is another in the shapes, and by what `read` makes of samples of the written one.
fn judge(written: &Shape, codec: Codec, declared: &Shape, read: &Read) -> Fit {
    let plan = Plan::new(written);
    let mut trials = Trials::new(&plan, read, codec);
    let mut base = trials.settle(Choice::default());
    let Diff { is_retyped, .. } = diff(written, declared, trials.heard());
    if base.as_ref().is_err_and(|refusal| refusal.about == About::Value) && !is_retyped {
        // It is the sample that is no good, in a part that has not changed: it is left out.
        base = match trials.settle_hollow() {
            Err(refusal) if refusal.about == About::Value => base,
            other => other,
        };
    }
    let aspects = match &base {
        Ok(base) => trials.aspects(base),
        Err(_) => Vec::new(),
    };
    let Diff { mut changes, is_unsure, lossy, is_blank, .. } = diff(written, declared, trials.heard());
    // Of what no sample can show, the values have to tell when they are read.
    let refused = |refusal: &Refusal| refusal.about == About::Field || is_unsure && !is_blank;
    let reason = match &base {
        _ if codec == Codec::Postcard && plan.needs_description() => Some(BLANK.to_owned()),
        _ if lossy.is_some() => lossy,
        Err(refusal) if refused(refusal) || refusal.about != About::Value => Some(in_words(refusal)),
        _ => None,
    };
    let mut reason = reason;
    let missing = base.as_ref().err().into_iter().chain(aspects.iter().map(|(_, refusal)| refusal));
    missing.filter_map(|refusal| refusal.missing).for_each(|name| without_default(&mut changes, name));
    for (Aspect { path, shows, .. }, refusal) in aspects {
        match shows {
            // Nothing can be in it.
            _ if refusal.about == About::Shape => {}
            Shows::Alternative => note(&mut changes, &path, &refusal),
            Shows::Variant if refusal.about == About::Variant => note(&mut changes, &path, &refusal),
            Shows::Variant if refused(&refusal) => {
                reason.get_or_insert_with(|| in_words(&refusal));
            }
            Shows::Variant => {}
            Shows::Absent | Shows::Empty => note(&mut changes, &path, &refusal),
        }
    }
    match reason {
        Some(reason) => Fit::Unreadable { changes, reason },
        None => Fit::Readable { changes },
    }
}

const BLANK: &str = "the stored shape does not say what was written, and postcard does not either; write a migration";

/// Says that some values are refused, unless a change says so.
fn note(changes: &mut Vec<Change>, path: &str, refusal: &Refusal) {
    if !changes.iter().any(|change| change.checked && change.path == path) {
        let what = format!("is refused in some values when it is read: {}", refusal.reason);
        changes.push(Change { path: path.to_owned(), what, checked: true });
    }
}

/// Says of the new fields of this name that they have no default.
fn without_default(changes: &mut [Change], name: &str) {
    let is_it = |change: &&mut Change| change.what == NEW && change.path.rsplit('.').next() == Some(name);
    changes.iter_mut().filter(is_it).for_each(|change| change.what = "is new, and has no default".to_owned());
}

/// Why a sample was refused, and what to do.
fn in_words(refusal: &Refusal) -> String {
    let what = match refusal.about {
        About::Field if refusal.missing.is_some() => {
            "give the field #[serde(default)], or an #[serde(alias)] if it had another name, or write a migration"
        }
        About::Field => "let the type pass by fields that it does not know, or write a migration",
        About::Variant => "keep the variant, give another one an #[serde(alias)] of its name, or write a migration",
        About::Value | About::Shape => "write a migration",
    };
    format!("{}; {what}", refusal.reason)
}
