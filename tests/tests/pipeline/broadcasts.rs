//! A broadcast takes effect at its time.

use crate::world::{Do, ListSource, Rec, Shelf, plain, rec};
use krishiv_pipeline::{Input, Pipeline, PipelineError, Step, StopSignal, Summary};
use krishiv_tests::{Memory, Place};

fn ruled(operator: Do, rules: &[(i64, u64)]) -> Step<Do> {
    Step::new(operator).broadcast(ListSource::new(rules.to_vec()), |(from, _)| *from)
}

fn events(times: &[i64]) -> ListSource<Rec> {
    ListSource::new(times.iter().map(|time| rec(0, *time, 0)).collect::<Vec<_>>())
}

fn untimed(rules: &[(i64, u64)]) -> (Result<Summary, PipelineError>, Vec<(u8, i64, i64)>) {
    let sink = Shelf::new();
    let tell = Do::event(|state, event, ctx| ctx.emit(Rec { n: state.rules.get(&0).unwrap_or(0), ..event }));
    let pipeline = Pipeline::new(Memory::new().open()).input(Input::new(events(&[0, 1])));
    let run = pipeline.step(ruled(tell, rules)).sink(sink.clone()).stop_on(StopSignal::manual()).run();
    (run, plain(&sink.items()))
}

#[test]
fn where_no_input_has_times_a_rule_with_a_time_is_refused_and_one_without_holds_at_once() {
    let (run, items) = untimed(&[(i64::MIN, 5), (i64::MIN, 6)]);
    assert_eq!((run.unwrap().events, items), (2, vec![(0, 0, 6), (0, 1, 6)]));
    for rules in [&[(0, 50)][..], &[(i64::MIN, 5), (1_000, 6)], &[(i64::MAX, 1)]] {
        let (run, items) = untimed(rules);
        let error = run.unwrap_err();
        assert!(matches!(error, PipelineError::Setting { .. }), "{error:?}");
        let time = rules.last().unwrap().0;
        assert_eq!(
            error.to_string(),
            format!(
                "a broadcast to operator `folded` takes effect at time {time}, and no input of the pipeline has times, so that \
                 would never come; give an input its times by `Input::event_time`, or the broadcast `i64::MIN`, which is at once"
            )
        );
        assert_eq!(items, [], "nothing was done without the rule");
    }
}
