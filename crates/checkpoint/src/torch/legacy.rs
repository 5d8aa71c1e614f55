//! `torch.save` before PyTorch 1.6: four pickles (a magic number, the version, the machine, the
//! tree), a fifth with the keys of the storages, then for each a count and its elements.

use std::collections::HashMap;
use std::sync::Arc;

use super::tree::{self, Storage, Storages, unfolded_limit};
use super::{no_tensors, problem};
use crate::bytes::Bytes;
use crate::checkpoint::Contents;
use crate::error::{Error, Result, quote};
use crate::pickle::{self, Pickle, Value};

/// The first pickle: 0x1950a86a20f9469cfc6c.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
const VERSION: i64 = 1001;

pub(crate) fn read(bytes: &Arc<Bytes>) -> Result<Contents> {
    let file = bytes.name();
    let mut at = 0;
    let mut next = || -> Result<Pickle<'_>> {
        let rest = bytes.all().get(at..).unwrap_or_default();
        let pickle = pickle::parse(rest).map_err(|p| problem(file, p))?;
        at += pickle.len;
        Ok(pickle)
    };
    let magic = next()?;
    if magic.long(magic.root()) != Some(&MAGIC) {
        return Err(Error::not_weights(
            file,
            "this is a Python pickle, but not one that PyTorch's `torch.save` wrote",
            "save the model's state dict with `torch.save` or as safetensors",
        ));
    }
    if next()?.root() != Value::Int(VERSION) {
        return Err(Error::unsupported(
            file,
            "this PyTorch file has an unknown version",
            "load and save it with a newer PyTorch",
        ));
    }
    let machine = next()?;
    let big_endian = machine.get(machine.root(), "little_endian") == Some(Value::Bool(false));
    let tree = next()?;
    let keys = next()?;
    let keys = keys
        .sequence(keys.root())
        .unwrap_or_default()
        .iter()
        .map(|key| keys.text(*key))
        .collect::<Option<Vec<&str>>>()
        .ok_or_else(|| Error::damaged(file, "its list of storages is no list of names"))?;
    let found = locate(bytes, at, &keys, &tree, big_endian)?;
    let limit = unfolded_limit(bytes.all().len() as u64);
    let contents = tree::tensors(&tree, &mut Tail { found, limit }, file)?;
    if contents.tensors.is_empty() && contents.skipped.is_empty() {
        return Err(no_tensors(file));
    }
    Ok(contents)
}

/// Finds each storage behind the pickles: an i64 count, then the elements.
fn locate(
    bytes: &Arc<Bytes>,
    mut at: usize,
    keys: &[&str],
    tree: &Pickle,
    big_endian: bool,
) -> Result<HashMap<String, Storage>> {
    let file = bytes.name();
    let refs = tree::storage_refs(tree);
    let mut found = HashMap::new();
    for key in keys {
        let bad = |what: &str| Error::damaged(file, format!("storage {} {what}", quote(key)));
        let Some(of) = refs.get(key) else {
            return Err(bad("belongs to no tensor"));
        };
        let size = match &of.stored {
            Some(Ok(stored)) => stored.size(),
            Some(Err(what)) => return Err(bad(what)),
            None => 1,
        };
        let head = bytes
            .all()
            .get(at..)
            .and_then(|rest| rest.first_chunk::<8>());
        let count = head.copied().map(|head| {
            if big_endian {
                u64::from_be_bytes(head)
            } else {
                u64::from_le_bytes(head)
            }
        });
        let end = count
            .and_then(|count| usize::try_from(count).ok())
            .and_then(|count| count.checked_mul(size))
            .and_then(|len| len.checked_add(at + 8))
            .filter(|end| *end <= bytes.all().len());
        let Some(end) = end else {
            return Err(bad("is cut short: the file ends before it"));
        };
        let storage = Storage {
            bytes: bytes.clone(),
            range: at + 8..end,
            big_endian,
        };
        found.insert((*key).to_owned(), storage);
        at = end;
    }
    Ok(found)
}

struct Tail {
    found: HashMap<String, Storage>,
    limit: u64,
}

impl Storages for Tail {
    fn find(&mut self, key: &str) -> Result<Storage, String> {
        self.found
            .get(key)
            .cloned()
            .ok_or_else(|| format!("needs storage {}, which is not there", quote(key)))
    }

    fn limit(&self) -> u64 {
        self.limit
    }
}
