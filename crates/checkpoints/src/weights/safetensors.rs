//! Files of safetensors: a header that says what the tensors are, and their numbers after it.

use ::safetensors::tensor::{Dtype, Metadata};
use burn::tensor::{Bytes, DType};

use super::files::Format;
use super::stored::{ReadBytes, Stored, numbers};
use crate::CheckpointError;
use crate::files::{File, io_error};

/// A longer header is a damaged one.
const LONGEST_HEADER: u64 = 100_000_000;

/// The tensors of a file, by their names.
pub(super) fn open(file: &File) -> Result<Vec<(String, Stored)>, CheckpointError> {
    let damaged = |message: String| CheckpointError::Damaged {
        path: file.path().to_owned(),
        format: Format::Safetensors.name(),
        message,
    };
    let length = file.length().map_err(io_error(file.path()))?;

    let mut start = [0; 8];
    if length < 8 {
        return Err(damaged("it has no header".to_owned()));
    }
    file.read_at(0, &mut start).map_err(io_error(file.path()))?;
    let header_length = u64::from_le_bytes(start);
    if header_length > LONGEST_HEADER || 8 + header_length > length {
        return Err(damaged("its header is longer than it is".to_owned()));
    }
    let mut header = vec![0; header_length as usize];
    file.read_at(8, &mut header)
        .map_err(io_error(file.path()))?;

    // Reading the metadata checks that the tensors lie one after another and fit their shapes.
    let metadata: Metadata = serde_json::from_slice(&header).map_err(|e| damaged(e.to_string()))?;
    let data = 8 + header_length;
    if data.checked_add(metadata.data_len() as u64) != Some(length) {
        return Err(damaged("its tensors do not fill it to the end".to_owned()));
    }

    let tensors = metadata.tensors().into_iter().map(|(name, info)| {
        let (begin, end) = info.data_offsets;
        let (file, size) = (file.clone(), end - begin);
        let begin = data + begin as u64;
        let dtype = float(info.dtype);
        let read: Box<ReadBytes> = match info.dtype.bitsize() {
            64 => Box::new(move || numbers::<u64>(&file, begin, size / 8).map(Bytes::from_elems)),
            32 => Box::new(move || numbers::<u32>(&file, begin, size / 4).map(Bytes::from_elems)),
            16 => Box::new(move || numbers::<u16>(&file, begin, size / 2).map(Bytes::from_elems)),
            _ => Box::new(move || numbers::<u8>(&file, begin, size).map(Bytes::from_elems)),
        };
        let shape = info.shape.clone();
        let tensor = Stored { dtype, shape, read };
        (name, tensor)
    });
    Ok(tensors.collect())
}

fn float(dtype: Dtype) -> Result<DType, String> {
    match dtype {
        Dtype::F64 => Ok(DType::F64),
        Dtype::F32 => Ok(DType::F32),
        Dtype::F16 => Ok(DType::F16),
        Dtype::BF16 => Ok(DType::BF16),
        other => Err(format!("{other:?}")),
    }
}
