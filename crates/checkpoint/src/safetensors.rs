//! safetensors: a JSON header that says where each tensor lies, then the bytes.
//! <https://huggingface.co/docs/safetensors>

use std::collections::BTreeMap;
use std::sync::Arc;

use ::safetensors::{SafeTensorError, SafeTensors};

use crate::bytes::Bytes;
use crate::checkpoint::Contents;
use crate::entry::Entry;
use crate::error::{Error, Result, quote};
use crate::slice::Slice;
use crate::stored::StoredType;

/// Bytes of the length in front of the header.
const PREFIX: usize = 8;

/// Whether the bytes look like a safetensors file: a length, then a JSON object.
pub(crate) fn is_safetensors(bytes: &[u8]) -> bool {
    bytes.get(PREFIX) == Some(&b'{')
}

fn header_len(bytes: &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.first_chunk()?))
}

/// Reads the header and checks every claim in it: no overlap, no gap, no byte outside the file.
pub(crate) fn read(bytes: &Arc<Bytes>) -> Result<Contents> {
    let file = bytes.name();
    let (header, known) = SafeTensors::read_metadata(bytes.all()).map_err(|e| explain(bytes, e))?;
    let start = PREFIX + header;
    let mut contents = Contents::default();
    for (name, info) in known.tensors() {
        let Some(stored) = StoredType::from_safetensors(info.dtype) else {
            contents
                .skipped
                .insert(name, format!("has the unreadable type {:?}", info.dtype));
            continue;
        };
        let range = start + info.data_offsets.0..start + info.data_offsets.1;
        let slice = Slice::dense(bytes.clone(), range, stored, info.shape.clone())
            .map_err(|what| Error::damaged(file, format!("tensor {} {what}", quote(&name))))?;
        contents
            .tensors
            .insert(name.clone(), Entry::stored(&name, slice));
    }
    if let Some(metadata) = known.metadata() {
        contents.metadata = metadata.clone().into_iter().collect::<BTreeMap<_, _>>();
    }
    Ok(contents)
}

/// The library's complaint with numbers and a remedy.
fn explain(bytes: &Bytes, error: SafeTensorError) -> Error {
    let file = bytes.name();
    let len = bytes.all().len();
    let promised = header_len(bytes.all()).unwrap_or(0);
    match error {
        SafeTensorError::HeaderTooSmall
        | SafeTensorError::HeaderTooLarge
        | SafeTensorError::InvalidHeaderLength => Error::damaged(
            file,
            format!(
                "the header claims {promised} bytes, but the file has {len} and a header may have 100000000"
            ),
        ),
        SafeTensorError::MetadataIncompleteBuffer => {
            let data = data_end(bytes.all()).unwrap_or(0);
            let whole = data.saturating_add(promised).saturating_add(PREFIX as u64);
            if whole > len as u64 {
                Error::damaged(
                    file,
                    format!(
                        "the file is cut short: the header promises {whole} bytes, {len} are there"
                    ),
                )
            } else {
                Error::damaged(
                    file,
                    format!(
                        "{} bytes follow that belong to no tensor",
                        len as u64 - whole
                    ),
                )
            }
        }
        SafeTensorError::InvalidOffset(name) => Error::damaged(
            file,
            format!(
                "tensor {} overlaps its neighbour or leaves a gap",
                quote(&name)
            ),
        ),
        SafeTensorError::TensorInvalidInfo
        | SafeTensorError::ValidationOverflow
        | SafeTensorError::MisalignedSlice => Error::damaged(
            file,
            "a tensor's shape and its number of bytes contradict each other",
        ),
        SafeTensorError::InvalidHeaderDeserialization(e) => Error::damaged(
            file,
            format!("the header is not what safetensors writes ({})", short(&e)),
        ),
        other => Error::damaged(file, format!("the header is not valid ({})", short(&other))),
    }
}

fn short(error: &impl std::fmt::Display) -> String {
    error
        .to_string()
        .chars()
        .filter(|c| !c.is_control())
        .take(120)
        .collect()
}

/// Largest end offset in the header.
fn data_end(bytes: &[u8]) -> Option<u64> {
    let end = usize::try_from(header_len(bytes)?)
        .ok()?
        .checked_add(PREFIX)?;
    let header: serde_json::Value = serde_json::from_slice(bytes.get(PREFIX..end)?).ok()?;
    header
        .as_object()?
        .values()
        .filter_map(|t| t.get("data_offsets")?.get(1)?.as_u64())
        .max()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A safetensors file with this header and body.
    pub(crate) fn file(header: &str, body: &[u8]) -> Vec<u8> {
        let mut out = (header.len() as u64).to_le_bytes().to_vec();
        out.extend_from_slice(header.as_bytes());
        out.extend_from_slice(body);
        out
    }

    fn message(data: Vec<u8>) -> String {
        let bytes = Arc::new(Bytes::held(data.into(), "m.safetensors"));
        read(&bytes).err().expect("must be refused").to_string()
    }

    #[test]
    fn hostile_headers_are_refused_with_a_reason() {
        let two = |a: &str, b: &str| {
            format!(
                r#"{{"a":{{"dtype":"F32","shape":[2],"data_offsets":{a}}},"b":{{"dtype":"F32","shape":[2],"data_offsets":{b}}}}}"#
            )
        };
        let overlap = message(file(&two("[0,8]", "[4,12]"), &[0; 12]));
        assert!(overlap.contains("overlaps"), "{overlap}");
        let cut = message(file(&two("[0,8]", "[8,16]"), &[0; 10]));
        assert!(cut.contains("cut short"), "{cut}");
        let more = message(file(&two("[0,8]", "[8,16]"), &[0; 20]));
        assert!(more.contains("4 bytes follow"), "{more}");
        let mut huge = file("{}", &[]);
        huge[..8].copy_from_slice(&(1_u64 << 60).to_le_bytes());
        assert!(message(huge).contains("1152921504606846976"));
        let wrong = r#"{"a":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}}"#;
        assert!(message(file(wrong, &[0; 8])).contains("F33"));
        let shape = r#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#;
        assert!(message(file(shape, &[0; 8])).contains("contradict"));
        let overflow = format!(
            r#"{{"a":{{"dtype":"F32","shape":[{0},{0}],"data_offsets":[0,8]}}}}"#,
            u64::MAX
        );
        assert!(message(file(&overflow, &[0; 8])).contains("contradict"));
    }
}
