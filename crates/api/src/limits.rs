//! The limits that hold for every request.

/// How many bytes the body of a request may have.
pub const BODY: usize = 1 << 20;
/// The same where a model reads pictures, which are in the body.
pub const BODY_WITH_PICTURES: usize = 16 << 20;
/// How many methods or models may be compared.
pub const SIDES: usize = 8;

/// How many texts a request may have.
pub(crate) const TEXTS: usize = 256;
/// How many characters each of them may have.
pub(crate) const CHARACTERS: usize = 100_000;
/// How many tokens a language model may be asked to write.
pub(crate) const TOKENS: usize = 128;
/// How many labels that a model was never trained on may be asked for.
pub(crate) const LABELS: usize = 64;
/// How often relevance may be passed on.
pub(crate) const HOPS: usize = 16;
/// The largest number of steps or samples of a method.
pub(crate) const STEPS: u64 = 1000;
