//! The derive of `krishiv-api`: one struct of typed, named, persistent state handles.
//!
//! Depend on `krishiv-api`, which re-exports [`KeyedState`](macro@KeyedState) beside the trait of that name.
//! This crate knows nothing of the runtime but the names that the expansion mentions; it reads no file,
//! and the same input always gives the same output.
//!
//! A derive runs through `ast` (the struct), `attr` (its attributes), `check` (the rules), and then
//! `expand`, or `fallback` where a rule is broken.

mod ast;
mod attr;
mod check;
mod derive;
mod duration;
mod entry;
mod errors;
mod expand;
mod fallback;
mod generics;
mod guess;
mod hint;
mod keys;
mod migrate;
mod names;
mod scan;
mod setting;
mod tokens;
mod value;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes a struct of state handles a keyed state: `Keyed::<Aircraft>::open(backend)` opens it.
///
/// ```ignore
/// #[derive(KeyedState)]
/// #[state(key = String)]
/// struct Aircraft {
///     late_streak: ValueState<u32>,
///     #[state(ttl = "7d", clock = "event")]
///     recent_delays: ListState<i32>,
///     destinations: MapState<String, u32>,
///     #[state(reduce = i32::max)]
///     worst_delay: ReducingState<i32>,
///     rules: BroadcastState<String, i32>,
/// }
/// ```
///
/// Every field is a handle: `ValueState<T>`, `ListState<T>`, `MapState<K, V>`, `ReducingState<T>` or
/// `BroadcastState<K, V>`, also through an alias or a qualified path. The struct has named fields, at least
/// one handle, and no lifetime parameter; it may be generic over types and constants.
///
/// # On the struct: `#[state(…)]`
///
/// | Key | Default | Meaning |
/// |---|---|---|
/// | `key = Type` | required | What the state is kept per |
/// | `name = "…"` | the struct's name in snake case | Name of the operator in the backend |
/// | `renamed_from = "…"` | none | A name that the operator had before; of several, `renamed_from("a", "b")` |
/// | `dropped("a", "b")` | none | States that the program has given up: what is stored of them is deleted |
/// | `durable` | off | The backend must keep what it is given; a volatile one does not compile |
/// | `crate = path` | `::krishiv_api` | Where the runtime is, when it is renamed or re-exported |
///
/// # On a field: `#[state(…)]`
///
/// | Key | Default | Meaning |
/// |---|---|---|
/// | `name = "…"` | the field's name | Name of the state in the backend, unique in the struct |
/// | `ttl = "7d"` | lives for ever | Time to live: a whole number of `ms`, `s`, `m`, `h` or `d`; not on a broadcast state |
/// | `clock = "…"` | `"processing"` | What measures the `ttl`: `"event"` (the watermark) or `"processing"` |
/// | `ttl_update = "…"` | `"create_and_write"` | What starts the `ttl` anew: `"create_and_write"` or `"read_and_write"` |
/// | `reduce = path` | replace | An associative `fn(T, T) -> T` that merges into a `ReducingState<T>` |
/// | `renamed_from = "…"` | none | A name that the state had before; of several, `renamed_from("a", "b")` |
/// | `migrate(from = Old, with = path)` | none | A function that makes today's values of those of an older type; of several, several |
/// | `skip` | off | Not state: the field is made with `Default`; excludes every other key |
///
/// Names are what the stored state is found by: a field may move and change its place, but a field that is
/// renamed keeps its state only with `renamed_from = "the old name"`, or `name = "the old name"`. A name is 1 to 255 bytes of letters and digits of any
/// script, `_`, `-` and `.`, and does not begin with `__krishiv`, as the library's own do.
///
/// # Types that change
///
/// A type that is another one than it was is a new version of its state's type: what is stored is read by names, or by the function of a
/// `migrate`, or the store does not open and says why. A test that holds the types to a file beside the source notices every change:
///
/// ```ignore
/// #[test]
/// fn the_types_of_state_are_those_of_the_lock() {
///     // After a change that fits, run once with KRISHIV_UPDATE_LOCK=1.
///     krishiv_api::schema::check::<Aircraft>("state.lock.json").unwrap();
/// }
/// ```
///
/// # Errors
///
/// Every mistake in a struct is reported in one compile, each where it is.
#[proc_macro_derive(KeyedState, attributes(state))]
pub fn derive_keyed_state(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    derive::derive(&input).into()
}

#[cfg(test)]
mod tests;
