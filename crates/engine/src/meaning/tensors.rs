//! Weights in a safetensors file: a length, a JSON header, and numbers end to end.
//!
//! Owns reading 32-bit tensors by name. Every offset and size is checked, so that a damaged file is an error.

use std::collections::HashMap;

use serde::Deserialize;

use crate::error::EngineError;

#[derive(Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: (usize, usize),
}

/// The tensors of a file.
pub(super) struct Tensors<'a> {
    entries: HashMap<String, Entry>,
    data: &'a [u8],
}

fn wrong(what: impl std::fmt::Display) -> EngineError {
    EngineError::usage(format!("model.safetensors is not that of the model: {what}"))
}

impl<'a> Tensors<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, EngineError> {
        let (length, rest) = bytes.split_first_chunk::<8>().ok_or_else(|| wrong("it is too short"))?;
        let length = usize::try_from(u64::from_le_bytes(*length)).map_err(wrong)?;
        let (header, data) = rest.split_at_checked(length).ok_or_else(|| wrong("its header is cut off"))?;
        let header: HashMap<String, serde_json::Value> = serde_json::from_slice(header).map_err(wrong)?;
        let entries = header
            .into_iter()
            .filter(|(name, _)| name != "__metadata__")
            .map(|(name, value)| Ok((name, serde_json::from_value(value).map_err(wrong)?)))
            .collect::<Result<_, EngineError>>()?;
        Ok(Self { entries, data })
    }

    /// The numbers of a tensor, if it has this shape.
    pub(super) fn take(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, EngineError> {
        let entry = self.entries.get(name).ok_or_else(|| wrong(format!("it has no {name}")))?;
        if entry.dtype != "F32" || entry.shape != shape {
            return Err(wrong(format!("{name} is {} {:?}, not F32 {shape:?}", entry.dtype, entry.shape)));
        }
        let (from, to) = entry.data_offsets;
        let bytes = self.data.get(from..to).ok_or_else(|| wrong(format!("{name} is cut off")))?;
        if bytes.len() != 4 * shape.iter().product::<usize>() {
            return Err(wrong(format!("{name} has {} bytes", bytes.len())));
        }
        Ok(bytes.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(header: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(data);
        bytes
    }

    #[test]
    fn a_tensor_is_read_and_a_damaged_file_refused() {
        let header = r#"{"__metadata__":{"a":"b"},"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
        let mut data = 1.5_f32.to_le_bytes().to_vec();
        data.extend(2.5_f32.to_le_bytes());
        let bytes = file(header, &data);
        let tensors = Tensors::parse(&bytes).unwrap();
        assert_eq!(tensors.take("x", &[2]).unwrap(), [1.5, 2.5]);
        assert!(tensors.take("x", &[3]).is_err());
        assert!(tensors.take("y", &[2]).is_err());
        assert!(Tensors::parse(&bytes[..20]).is_err());
        let short = file(header, &data[..4]);
        assert!(Tensors::parse(&short).unwrap().take("x", &[2]).is_err());
    }
}
