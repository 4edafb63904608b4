use krishiv_api::{KeyedState, ListState, StateError, ValueState};
/// Mistakes of the macro's and of the compiler's, and a field that is right.
struct Aircraft<T> {
    late: ValueState<u32>,
    log: Vec<T>,
    own: Plane,
    right: ListState<T>,
}
::core::compile_error! {
    "`7` has no unit; expected a whole number and one of the units `ms`, `s`, `m`, `h` and `d`, like \"90m\" or \"7d\""
}
::core::compile_error! {
    "what is the state kept per? Give the type of the key: `#[state(key = String)]` on the struct"
}
const _: () = {
    use ::krishiv_api::__private as __krishiv;
    type __KrishivSound = [(); {
        let _ = <ValueState<u32> as __krishiv::Handle>::KIND;
        let _ = <Plane as __krishiv::Handle>::KIND;
        0
    }];
    type __KrishivField0 = <__KrishivSound as __krishiv::Sound<ValueState<u32>>>::Type;
    type __KrishivField1 = <__KrishivSound as __krishiv::Sound<Plane>>::Type;
    #[automatically_derived]
    impl<T> __krishiv::KeyedState for Aircraft<T>
    where
        for<'krishiv> Aircraft<T>: ::core::marker::Send + 'static,
    {
        type Key = [(); ::core::compile_error! {
            "`log` is `Vec<T>`, which is no state handle; use `ListState<T>`, or mark the field `#[state(skip)]`"
        }];
        type Needs = __krishiv::Volatile;
        type Row = ();
        const OPERATOR: &'static ::core::primitive::str = "unfinished";
        const DESCRIPTORS: &'static [__krishiv::StateDescriptor] = &[];
        fn attach(
            _: &mut __krishiv::Binder<'_>,
        ) -> ::core::result::Result<Self, __krishiv::StateError> {
            ::core::unreachable!()
        }
        fn visit<__KrishivVisitor: __krishiv::Visitor>(
            &mut self,
            _: &mut (),
            _: &mut __KrishivVisitor,
        ) {}
        fn handle(
            &self,
            _: ::core::primitive::usize,
        ) -> ::core::option::Option<__krishiv::Bound<'_>> {
            ::core::option::Option::None
        }
    }
};
struct Plane;
pub fn run() -> Result<usize, StateError> {
    Ok(Aircraft::<u8>::DESCRIPTORS.len())
}
fn main() {}
