//! From the tree of a pickle to named tensors.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::bytes::Bytes;
use crate::checkpoint::Contents;
use crate::entry::Entry;
use crate::error::{Error, Result, quote};
use crate::pickle::{Node, Object, Pickle, Value, count};
use crate::slice::Slice;
use crate::stored::StoredType;

/// Where the elements of a storage are.
#[derive(Clone)]
pub(super) struct Storage {
    pub(super) bytes: Arc<Bytes>,
    pub(super) range: Range<usize>,
    pub(super) big_endian: bool,
}

/// Finds storages by the key that the pickle gives them.
pub(super) trait Storages {
    fn find(&mut self, key: &str) -> Result<Storage, String>;
    /// Bytes that all tensors together may have. A stride of 0 lets a small storage unfold into a
    /// tensor of any size.
    fn limit(&self) -> u64;
}

/// The [`Storages::limit`] for storages of this many bytes. Shared storages are common (tied
/// weights), wide strides of 0 are not.
pub(super) fn unfolded_limit(stored: u64) -> u64 {
    (16 << 20) + 8 * stored
}

/// What a pickle says of a storage.
pub(super) struct StorageRef<'a> {
    pub(super) key: &'a str,
    /// `None` if its tensors name the type.
    pub(super) stored: Option<Result<StoredType, String>>,
    /// Number of elements, or of bytes if it has no type.
    pub(super) count: usize,
    /// First element of a view into the storage (only in the older form).
    start: usize,
}

/// Dicts in which training programs put the weights, beside the state of the optimiser and more.
const CONTAINERS: [&str; 9] = [
    "state_dict",
    "model_state_dict",
    "model",
    "module",
    "net",
    "network",
    "weights",
    "params",
    "ema_state_dict",
];

/// Nesting of modules and containers that names may have.
const DEPTH: usize = 64;
/// Places to look at; above it the tree repeats itself. A value may be reached in several ways
/// (tied weights), but not in this many.
const VISITS: usize = 1 << 20;
const VISITS_PER_NODE: usize = 16;
/// Longest name of a tensor.
const NAME: usize = 1024;
/// Length of all names together.
const NAMES: usize = 1 << 25;

/// All tensors of the pickle. If the root is a dict of containers, those of the first known one.
pub(super) fn tensors(
    pickle: &Pickle,
    storages: &mut dyn Storages,
    file: &str,
) -> Result<Contents> {
    let mut walk = Walk {
        pickle,
        storages,
        file,
        visits: 0,
        names: 0,
        unfolded: 0,
    };
    let mut root = pickle.root();
    for _ in 0..4 {
        let holds_tensors = |dict: Value| {
            let items = pickle.dict(dict).unwrap_or_default();
            items
                .iter()
                .any(|(_, v)| pickle.object(*v).is_some_and(|o| walk.is_tensor(o)))
        };
        if holds_tensors(root) {
            break;
        }
        let Some(inner) = CONTAINERS.iter().find_map(|key| {
            let inner = pickle.get(root, key)?;
            pickle.node(inner).map(|_| inner)
        }) else {
            break;
        };
        root = inner;
    }
    let mut contents = walk.collect(root)?;
    if contents.tensors.is_empty() && contents.skipped.is_empty() && root != pickle.root() {
        contents = walk.collect(pickle.root())?;
    }
    Ok(contents)
}

/// The storages that the pickle refers to, by key.
pub(super) fn storage_refs<'a>(pickle: &'a Pickle) -> BTreeMap<&'a str, StorageRef<'a>> {
    let outside = pickle.nodes().iter().filter_map(|node| match node {
        Node::Outside(id) => storage_ref(pickle, *id).ok(),
        _ => None,
    });
    outside.map(|storage| (storage.key, storage)).collect()
}

/// Reads ("storage", class, key, device, count) and, in the older form, a view into it.
fn storage_ref<'a>(pickle: &'a Pickle, id: Value) -> Result<StorageRef<'a>, String> {
    let id = pickle.tuple(id);
    let ([kind, class, key, _, n], view) = match id {
        [a, b, c, d, e] => ([*a, *b, *c, *d, *e], None),
        [a, b, c, d, e, view] => ([*a, *b, *c, *d, *e], Some(*view)),
        _ => return Err("refers to a storage in an unknown way".into()),
    };
    let (Some("storage"), Some(key), Some(count_)) =
        (pickle.text(kind), pickle.text(key), count(n))
    else {
        return Err("refers to a storage in an unknown way".into());
    };
    let start = match view.map(|v| pickle.tuple(v)) {
        Some([_, start, _]) => count(*start).ok_or("has a storage that starts nowhere")?,
        _ => 0,
    };
    let (_, class) = pickle
        .class(class)
        .ok_or("has a storage of no known type")?;
    let stored = match class.strip_suffix("Storage") {
        Some("Untyped") => None,
        Some(name) => Some(element_type(name)),
        None => return Err(format!("has a storage of type {}", quote(class))),
    };
    Ok(StorageRef {
        key,
        stored,
        count: count_,
        start,
    })
}

/// Element types by the names of storages and of dtypes.
fn element_type(name: &str) -> Result<StoredType, String> {
    Ok(match name {
        "Double" | "float64" | "double" => StoredType::F64,
        "Float" | "float32" | "float" => StoredType::F32,
        "Half" | "float16" | "half" => StoredType::F16,
        "BFloat16" | "bfloat16" => StoredType::BF16,
        "Long" | "int64" => StoredType::I64,
        "Int" | "int32" => StoredType::I32,
        "Short" | "int16" => StoredType::I16,
        "Char" | "int8" => StoredType::I8,
        "Byte" | "uint8" => StoredType::U8,
        "Bool" | "bool" => StoredType::Bool,
        "uint16" => StoredType::U16,
        "uint32" => StoredType::U32,
        "uint64" => StoredType::U64,
        "float8_e4m3fn" => StoredType::F8E4M3,
        "float8_e5m2" => StoredType::F8E5M2,
        other => {
            return Err(format!(
                "has elements of the unreadable type {}",
                quote(other)
            ));
        }
    })
}

struct Walk<'a, 'b> {
    pickle: &'a Pickle<'a>,
    storages: &'b mut dyn Storages,
    file: &'a str,
    visits: usize,
    names: usize,
    unfolded: u64,
}

/// Names of functions that make tensors all begin so.
const REBUILD: &str = "_rebuild_";

impl Walk<'_, '_> {
    /// Visits containers, modules and tensors below `root` and names what it finds by the path.
    fn collect(&mut self, root: Value) -> Result<Contents> {
        let limit = VISITS.min(VISITS_PER_NODE * (self.pickle.nodes().len() + 64));
        let mut contents = Contents::default();
        let mut open = vec![(root, String::new(), 0)];
        while let Some((value, name, depth)) = open.pop() {
            self.visits += 1;
            if self.visits > limit || depth > DEPTH || name.len() > NAME || self.names > NAMES {
                return Err(Error::refused(
                    self.file,
                    "its pickle repeats or nests itself without end",
                    "do not trust this file",
                ));
            }
            if let Some(object) = self.pickle.object(value)
                && self.is_tensor(object)
            {
                let name = if name.is_empty() {
                    "tensor".to_owned()
                } else {
                    name
                };
                self.names += name.len();
                match self.tensor(object) {
                    Ok(slice) => {
                        self.count_size(&slice)?;
                        contents
                            .tensors
                            .insert(name.clone(), Entry::stored(&name, slice));
                    }
                    Err(Failure::Skip(reason)) => drop(contents.skipped.insert(name, reason)),
                    Err(Failure::Damaged(what)) => {
                        let what = format!("tensor {} {what}", quote(&name));
                        return Err(Error::damaged(self.file, what));
                    }
                }
                continue;
            }
            for (key, child) in self.children(value) {
                if !matches!(child, Value::Node(_)) {
                    continue;
                }
                let path = match (name.is_empty(), key.is_empty()) {
                    (true, _) => key,
                    (_, true) => name.clone(),
                    _ => format!("{name}.{key}"),
                };
                open.push((child, path, depth + 1));
            }
        }
        Ok(contents)
    }

    /// What is inside of a value, each with its name there.
    fn children(&self, value: Value) -> Vec<(String, Value)> {
        let pickle = self.pickle;
        if let Some(items) = pickle.dict(value) {
            return self.named(items);
        }
        if let Some(items) = pickle.sequence(value) {
            return items
                .iter()
                .enumerate()
                .map(|(i, v)| (i.to_string(), *v))
                .collect();
        }
        let Some(object) = pickle.object(value) else {
            return Vec::new();
        };
        // A module that was saved whole keeps what it holds in three dicts.
        let parts = ["_parameters", "_buffers", "_modules"];
        let inner: Vec<_> = parts
            .iter()
            .filter_map(|p| pickle.get(object.state, p))
            .collect();
        if inner.is_empty() {
            return self.named(pickle.dict(object.state).unwrap_or_default());
        }
        inner
            .iter()
            .flat_map(|d| self.named(pickle.dict(*d).unwrap_or_default()))
            .collect()
    }

    fn named(&self, items: &[(Value, Value)]) -> Vec<(String, Value)> {
        let name = |key: Value| match key {
            Value::Int(n) => Some(n.to_string()),
            _ => self
                .pickle
                .text(key)
                .filter(|t| t.len() <= NAME)
                .map(str::to_owned),
        };
        items
            .iter()
            .filter_map(|(k, v)| Some((name(*k)?, *v)))
            .collect()
    }

    fn is_tensor(&self, object: &Object) -> bool {
        match self.pickle.class(object.callee) {
            Some(("torch._utils" | "torch._tensor", name)) => name.starts_with(REBUILD),
            Some(("torch.nn.parameter", "Parameter" | "Buffer")) => true,
            _ => false,
        }
    }

    /// The view that a `_rebuild_…` call describes, through the wrappers around it.
    fn tensor(&mut self, object: &Object) -> Result<Slice, Failure> {
        let pickle = self.pickle;
        let (mut callee, mut arguments) = (object.callee, object.arguments);
        // A wrapper's argument was made before the wrapper, so this ends.
        loop {
            let items = pickle.tuple(arguments);
            let Some((_, name)) = pickle.class(callee) else {
                return Err(Failure::Damaged(
                    "is made by something that has no name".into(),
                ));
            };
            match (name, items) {
                ("_rebuild_tensor", [storage, start, size, stride]) => {
                    return self.view([*storage, *start, *size, *stride], None);
                }
                ("_rebuild_tensor_v2", [storage, start, size, stride, ..]) => {
                    return self.view([*storage, *start, *size, *stride], None);
                }
                ("_rebuild_tensor_v3", [storage, start, size, stride, _, _, dtype, ..]) => {
                    return self.view([*storage, *start, *size, *stride], Some(*dtype));
                }
                ("_rebuild_from_type_v2", [function, _, inner, ..]) => {
                    (callee, arguments) = (*function, *inner);
                }
                ("_rebuild_parameter" | "_rebuild_parameter_with_state", [inner, ..])
                | ("Parameter" | "Buffer", [inner, ..]) => {
                    let Some(inner) = pickle.object(*inner) else {
                        return Err(Failure::Damaged("wraps what is no tensor".into()));
                    };
                    (callee, arguments) = (inner.callee, inner.arguments);
                }
                _ => {
                    return Err(Failure::Skip(format!(
                        "is made by {} in a way that is not read (sparse or quantised)",
                        quote(name)
                    )));
                }
            }
        }
    }

    fn view(
        &mut self,
        [storage, start, size, stride]: [Value; 4],
        dtype: Option<Value>,
    ) -> Result<Slice, Failure> {
        let pickle = self.pickle;
        let Some(Node::Outside(id)) = pickle.node(storage) else {
            return Err(Failure::Damaged("has no storage".into()));
        };
        let of = storage_ref(pickle, *id).map_err(Failure::Damaged)?;
        let stored = match (dtype.and_then(|d| pickle.class(d)), &of.stored) {
            (Some((_, dtype)), _) => element_type(dtype),
            (None, Some(stored)) => stored.clone(),
            (None, None) => Err("has no element type".into()),
        };
        let stored = stored.map_err(Failure::Skip)?;
        let (Some(start), Some(shape), Some(strides)) =
            (count(start), pickle.counts(size), pickle.counts(stride))
        else {
            return Err(Failure::Damaged("has sizes that are no counts".into()));
        };
        let place = self.storages.find(of.key).map_err(Failure::Damaged)?;
        let width = if of.stored.is_some() {
            stored.size()
        } else {
            1
        };
        let there = place.range.len();
        if of
            .count
            .checked_mul(width)
            .is_none_or(|needed| needed > there)
        {
            return Err(Failure::Damaged(format!(
                "needs {} elements of {width} bytes, but its storage has {there} bytes",
                of.count
            )));
        }
        let start = start
            .checked_add(of.start)
            .ok_or_else(|| Failure::Damaged("starts beyond its storage".into()))?;
        let slice = Slice::strided(place.bytes, place.range, stored, start, shape, strides)
            .map_err(Failure::Damaged)?;
        Ok(slice.with_big_endian(place.big_endian))
    }

    fn count_size(&mut self, slice: &Slice) -> Result<()> {
        let size = (slice.len() as u64).saturating_mul(slice.stored().size() as u64);
        self.unfolded = self.unfolded.saturating_add(size);
        if self.unfolded > self.storages.limit() {
            return Err(Error::refused(
                self.file,
                format!(
                    "its tensors unfold to more than {} bytes",
                    self.storages.limit()
                ),
                "do not trust this file",
            ));
        }
        Ok(())
    }
}

/// Why a tensor was not taken.
enum Failure {
    /// It is of a kind that is not read; the others may be fine.
    Skip(String),
    Damaged(String),
}
