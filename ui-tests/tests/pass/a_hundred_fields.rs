//! Nothing about the derive is limited to a handful of fields.

use krishiv_api::{BroadcastState, InMemoryStateBackend, Keyed, KeyedState, ListState, MapState, ReducingState, ValueState};
use std::sync::Arc;

#[derive(KeyedState)]
#[state(key = u64)]
struct Wide {
    field_0: ValueState<u32>,
    field_1: ListState<String>,
    field_2: MapState<String, u64>,
    field_3: ReducingState<i64>,
    field_4: BroadcastState<u8, u8>,
    field_5: ValueState<u32>,
    field_6: ListState<String>,
    field_7: MapState<String, u64>,
    field_8: ReducingState<i64>,
    field_9: BroadcastState<u8, u8>,
    field_10: ValueState<u32>,
    field_11: ListState<String>,
    field_12: MapState<String, u64>,
    field_13: ReducingState<i64>,
    field_14: BroadcastState<u8, u8>,
    field_15: ValueState<u32>,
    field_16: ListState<String>,
    field_17: MapState<String, u64>,
    field_18: ReducingState<i64>,
    field_19: BroadcastState<u8, u8>,
    field_20: ValueState<u32>,
    field_21: ListState<String>,
    field_22: MapState<String, u64>,
    field_23: ReducingState<i64>,
    field_24: BroadcastState<u8, u8>,
    field_25: ValueState<u32>,
    field_26: ListState<String>,
    field_27: MapState<String, u64>,
    field_28: ReducingState<i64>,
    field_29: BroadcastState<u8, u8>,
    field_30: ValueState<u32>,
    field_31: ListState<String>,
    field_32: MapState<String, u64>,
    field_33: ReducingState<i64>,
    field_34: BroadcastState<u8, u8>,
    field_35: ValueState<u32>,
    field_36: ListState<String>,
    field_37: MapState<String, u64>,
    field_38: ReducingState<i64>,
    field_39: BroadcastState<u8, u8>,
    field_40: ValueState<u32>,
    field_41: ListState<String>,
    field_42: MapState<String, u64>,
    field_43: ReducingState<i64>,
    field_44: BroadcastState<u8, u8>,
    field_45: ValueState<u32>,
    field_46: ListState<String>,
    field_47: MapState<String, u64>,
    field_48: ReducingState<i64>,
    field_49: BroadcastState<u8, u8>,
    field_50: ValueState<u32>,
    field_51: ListState<String>,
    field_52: MapState<String, u64>,
    field_53: ReducingState<i64>,
    field_54: BroadcastState<u8, u8>,
    field_55: ValueState<u32>,
    field_56: ListState<String>,
    field_57: MapState<String, u64>,
    field_58: ReducingState<i64>,
    field_59: BroadcastState<u8, u8>,
    field_60: ValueState<u32>,
    field_61: ListState<String>,
    field_62: MapState<String, u64>,
    field_63: ReducingState<i64>,
    field_64: BroadcastState<u8, u8>,
    field_65: ValueState<u32>,
    field_66: ListState<String>,
    field_67: MapState<String, u64>,
    field_68: ReducingState<i64>,
    field_69: BroadcastState<u8, u8>,
    field_70: ValueState<u32>,
    field_71: ListState<String>,
    field_72: MapState<String, u64>,
    field_73: ReducingState<i64>,
    field_74: BroadcastState<u8, u8>,
    field_75: ValueState<u32>,
    field_76: ListState<String>,
    field_77: MapState<String, u64>,
    field_78: ReducingState<i64>,
    field_79: BroadcastState<u8, u8>,
    field_80: ValueState<u32>,
    field_81: ListState<String>,
    field_82: MapState<String, u64>,
    field_83: ReducingState<i64>,
    field_84: BroadcastState<u8, u8>,
    field_85: ValueState<u32>,
    field_86: ListState<String>,
    field_87: MapState<String, u64>,
    field_88: ReducingState<i64>,
    field_89: BroadcastState<u8, u8>,
    field_90: ValueState<u32>,
    field_91: ListState<String>,
    field_92: MapState<String, u64>,
    field_93: ReducingState<i64>,
    field_94: BroadcastState<u8, u8>,
    field_95: ValueState<u32>,
    field_96: ListState<String>,
    field_97: MapState<String, u64>,
    field_98: ReducingState<i64>,
    field_99: BroadcastState<u8, u8>,
}

fn main() {
    let mut store = Keyed::<Wide>::open(Arc::new(InMemoryStateBackend::new())).unwrap();
    store.broadcast(|state, scope| state.field_99.put(scope, 1, 2)).unwrap();
    store
        .with_key(&7, |state| {
            state.field_0.set(1);
            state.field_97.put("a".to_owned(), 3);
            state.field_98.merge(4);
        })
        .unwrap();
    let seen = |state: &Wide| (state.field_0.get(), state.field_5.get(), state.field_97.get("a"), state.field_99.get(&1));
    assert_eq!(store.with_key(&7, seen).unwrap(), (Some(1), None, Some(3), Some(2)));
    assert_eq!(Wide::DESCRIPTORS.len(), 100);
}
