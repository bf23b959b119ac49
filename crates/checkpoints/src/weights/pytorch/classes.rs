//! What a pickle of tensors may call for, by name. All else is refused, so that no code of a file is run.

use burn::tensor::DType;

/// A class or a function that a pickle names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// A dictionary that keeps its order.
    OrderedDict,
    /// A storage of numbers of a type, or the type itself.
    Numbers(Numbers),
    /// A storage that does not say what its numbers are.
    Untyped,
    /// A tensor over a storage.
    Tensor,
    /// The same, with the type of its numbers apart.
    TypedTensor,
    /// A tensor that is learned.
    Parameter,
    /// The sizes of a tensor.
    Size,
}

/// The type of the numbers in a storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Numbers {
    /// What PyTorch calls it.
    pub(super) name: &'static str,
    /// How many bytes one has.
    pub(super) size: u64,
    /// The same for Burn, if they are floats.
    pub(super) float: Option<DType>,
}

/// Names of storages and of types, with the bytes of a number.
const NUMBERS: [(&str, &str, u64, Option<DType>); 14] = [
    ("DoubleStorage", "float64", 8, Some(DType::F64)),
    ("FloatStorage", "float32", 4, Some(DType::F32)),
    ("HalfStorage", "float16", 2, Some(DType::F16)),
    ("BFloat16Storage", "bfloat16", 2, Some(DType::BF16)),
    ("LongStorage", "int64", 8, None),
    ("IntStorage", "int32", 4, None),
    ("ShortStorage", "int16", 2, None),
    ("CharStorage", "int8", 1, None),
    ("ByteStorage", "uint8", 1, None),
    ("BoolStorage", "bool", 1, None),
    ("ComplexFloatStorage", "complex64", 8, None),
    ("ComplexDoubleStorage", "complex128", 16, None),
    ("", "float8_e4m3fn", 1, None),
    ("", "float8_e5m2", 1, None),
];

impl Class {
    /// The class of a name, if a pickle of tensors may call for it.
    pub(super) fn named(module: &str, name: &str) -> Option<Self> {
        match (module, name) {
            ("collections", "OrderedDict") => Some(Self::OrderedDict),
            ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => Some(Self::Tensor),
            ("torch._utils", "_rebuild_tensor_v3") => Some(Self::TypedTensor),
            ("torch._utils", "_rebuild_parameter") => Some(Self::Parameter),
            ("torch", "Size") => Some(Self::Size),
            ("torch" | "torch.storage", "UntypedStorage") => Some(Self::Untyped),
            ("torch" | "torch.cuda" | "torch.storage", _) => {
                let named = |(storage, numbers, ..): &&(&str, &str, u64, _)| {
                    (!storage.is_empty() && *storage == name)
                        || (module == "torch" && *numbers == name)
                };
                let (_, name, size, float) = *NUMBERS.iter().find(named)?;
                Some(Self::Numbers(Numbers { name, size, float }))
            }
            _ => None,
        }
    }
}
