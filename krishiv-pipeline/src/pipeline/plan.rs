//! Steps one behind the other, from the first call of the builder to their opening.

use crate::pipeline::PipelineError;
use crate::pipeline::aside::OnReject;
use crate::pipeline::outlet::{BoxedSink, Outlet};
use crate::pipeline::stage::{OperatorStage, Stage};
use crate::pipeline::step::Step;
use krishiv_api::{
    Clock, Driver, DriverBuilder, Keeps, KeyedState, LateEvents, OnError, Operator, StateBackend, StateError,
    StoredOperator,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Stages that are not open yet.
#[doc(hidden)]
pub trait Plan {
    type In;
    type Stage: Stage<In = Self::In>;

    fn open(self, opening: &mut Opening<'_>) -> Result<Self::Stage, PipelineError>;
}

/// What all stages are opened with.
#[doc(hidden)]
pub struct Opening<'a> {
    pub(super) clock: &'a Arc<dyn Clock>,
    /// Whether an input has times.
    pub(super) timed: bool,
    /// What becomes of failures where a step does not say.
    pub(super) on_reject: &'a OnReject,
    /// Whether an event that is too far ahead is late.
    pub(super) far_is_late: bool,
    /// Of the operators that are open.
    pub(super) names: Vec<String>,
    /// All whose state is on the backend, where one that is open has none there.
    pub(super) stored: Vec<StoredOperator>,
}

type Open<O, B> = fn(DriverBuilder<O>, Arc<B>) -> Result<Driver<O>, StateError>;

/// A step and the backend of its state.
#[doc(hidden)]
pub struct Placed<O: Operator, B> {
    step: Step<O>,
    backend: Arc<B>,
    /// By this nobody has to ask again whether the backend will do.
    open: Open<O, B>,
}

impl<O: Operator, B: StateBackend + Keeps<O::State>> Placed<O, B> {
    pub(super) fn new(step: Step<O>, backend: &Arc<B>) -> Self {
        Self { step, backend: Arc::clone(backend), open: DriverBuilder::open }
    }
}

/// A step and what comes behind it.
#[doc(hidden)]
pub struct Linked<O: Operator, B, N> {
    placed: Placed<O, B>,
    next: N,
}

/// The sink behind the last step.
#[doc(hidden)]
pub struct Last<T>(pub(super) BoxedSink<T>);

/// Steps one behind the other, waiting for what comes behind the last.
#[doc(hidden)]
pub trait Steps<N> {
    type Plan: Plan;
    fn end(self, next: N) -> Self::Plan;
}

impl<O: Operator, B, N: Plan<In = O::Out>> Steps<N> for Placed<O, B> {
    type Plan = Linked<O, B, N>;
    fn end(self, next: N) -> Linked<O, B, N> {
        Linked { placed: self, next }
    }
}

impl<C: Steps<Linked<O, B, N>>, O: Operator, B, N: Plan<In = O::Out>> Steps<N> for (C, Placed<O, B>) {
    type Plan = C::Plan;
    fn end(self, next: N) -> C::Plan {
        self.0.end(Linked { placed: self.1, next })
    }
}

impl<T> Plan for Last<T> {
    type In = T;
    type Stage = Outlet<T>;

    fn open(self, _: &mut Opening<'_>) -> Result<Outlet<T>, PipelineError> {
        Ok(Outlet::new("sink".to_owned(), self.0))
    }
}

impl<O: Operator, B, N: Plan<In = O::Out>> Plan for Linked<O, B, N> {
    type In = O::In;
    type Stage = OperatorStage<O, N::Stage>;

    fn open(self, opening: &mut Opening<'_>) -> Result<Self::Stage, PipelineError> {
        let Placed { step, backend, open } = self.placed;
        let Step {
            operator,
            store,
            on_error,
            late,
            lateness_ms,
            sides,
            late_to,
            dead_letters_to,
            broadcasts,
            dropped,
            unused,
        } = step;
        let on_error = on_error.unwrap_or(match opening.on_reject {
            OnReject::Stop => OnError::stop(),
            OnReject::Skip => OnError::skip(),
            // The row that the event comes from is put aside, so that no copy of the event is needed.
            OnReject::Keep(_) => OnError::report(),
        });
        let builder = Driver::builder(operator)
            .store(store.clock(Arc::new(Arc::clone(opening.clock))))
            .on_error(on_error)
            .late_events(late)
            .allowed_lateness(lateness_ms);
        let driver = open(builder, backend).map_err(|error| called_the_same(&opening.names, error))?;
        let name = driver.store().operator().to_owned();
        opening.names.push(name.clone());
        // Whose state is there matters only where this one has none.
        if opening.stored.is_empty() && driver.store().position().is_none() {
            opening.stored = driver.store().stored_operators()?;
        }
        if let Some(what) = unused {
            return Err(PipelineError::setting(format!(
                "{what} of operator `{name}` would be left unused, since a later call on its step takes its place; leave out one \
                 of the two"
            )));
        }
        check_undeclared(&driver, &dropped)?;
        // Only the first operator gets what is too far ahead.
        if std::mem::take(&mut opening.far_is_late) && late == LateEvents::Process {
            return Err(PipelineError::setting(format!(
                "an input says that events too far ahead are late, and operator `{name}` takes late events like others, so that they would \
                 take effect all the same; give its step `drop_late` or `late_to`, or leave `TooFarAhead::Late` out"
            )));
        }
        if lateness_ms > 0 && late == LateEvents::Process {
            return Err(PipelineError::setting(format!(
                "operator `{name}` allows late events, and would take them in any case; give its step `drop_late` or `late_to`, or leave \
                 `allowed_lateness` out"
            )));
        }
        let mut outlets = BTreeMap::new();
        for (side, sink) in sides {
            if outlets.insert(side, Outlet::new(format!("{name}/side/{side}"), sink)).is_some() {
                let reason = format!("the side output `{side}` of operator `{name}` has two sinks; give it one");
                return Err(PipelineError::setting(reason));
            }
        }
        Ok(OperatorStage {
            sides: outlets,
            late: late_to.map(|sink| Outlet::new(format!("{name}/late"), sink)),
            dead_letters: dead_letters_to.map(|sink| Outlet::new(format!("{name}/dead-letters"), sink)),
            broadcasts,
            driver,
            name,
            timed: opening.timed,
            next: self.next.open(opening)?,
        })
    }
}

/// Refuses to leave state behind that the struct has no field for: a renamed field would begin with nothing.
fn check_undeclared<O: Operator>(driver: &Driver<O>, dropped: &[&str]) -> Result<(), PipelineError> {
    // Where the struct declares nothing, its handles are made by name.
    if <O::State as KeyedState>::DESCRIPTORS.is_empty() {
        return Ok(());
    }
    let store = driver.store();
    let lost = store.undeclared().iter().map(|state| state.name()).filter(|name| !dropped.contains(name));
    let lost: Vec<_> = lost.map(|name| format!("`{name}`")).collect();
    if lost.is_empty() {
        return Ok(());
    }
    let (operator, lost) = (store.operator(), lost.join(", "));
    Err(PipelineError::setting(format!(
        "operator `{operator}` has stored {lost}, which its struct does not declare, so that would be left behind; if a field was \
         renamed, say so by `#[state(renamed_from = \"…\")]`; if it is not needed any more, say so by `#[state(dropped(\"…\"))]` on the \
         struct, or, to leave it where it is, by `Step::dropped([\"…\"])`"
    )))
}

/// Says it in the words of a pipeline when an operator has the name of one of `names`.
fn called_the_same(names: &[String], error: StateError) -> PipelineError {
    match error.operator().filter(|name| names.iter().any(|other| other == name)) {
        Some(name) => PipelineError::setting(format!(
            "two operators of the pipeline are called `{name}`; give one of them another name, by \
             `Step::store(Keyed::builder().operator(\"…\"))`"
        )),
        None => error.into(),
    }
}
