//! Quantised numbers: blocks of small whole numbers, each with factors of its own, as ggml defines them.

use burn::tensor::f16;

/// How the numbers of a tensor are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    F32,
    F16,
    Bf16,
    F64,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q2K,
    Q3K,
    Q4K,
    Q5K,
    Q6K,
}

/// The kinds with their numbers in files, their names, and how many numbers a block has in how many bytes.
const KINDS: [(u32, Kind, &str, usize, usize); 14] = [
    (0, Kind::F32, "F32", 1, 4),
    (1, Kind::F16, "F16", 1, 2),
    (30, Kind::Bf16, "BF16", 1, 2),
    (28, Kind::F64, "F64", 1, 8),
    (2, Kind::Q4_0, "Q4_0", 32, 18),
    (3, Kind::Q4_1, "Q4_1", 32, 20),
    (6, Kind::Q5_0, "Q5_0", 32, 22),
    (7, Kind::Q5_1, "Q5_1", 32, 24),
    (8, Kind::Q8_0, "Q8_0", 32, 34),
    (10, Kind::Q2K, "Q2_K", 256, 84),
    (11, Kind::Q3K, "Q3_K", 256, 110),
    (12, Kind::Q4K, "Q4_K", 256, 144),
    (13, Kind::Q5K, "Q5_K", 256, 176),
    (14, Kind::Q6K, "Q6_K", 256, 210),
];

/// The names of kinds that are not read.
const OTHERS: [(u32, &str); 12] = [
    (9, "Q8_1"),
    (15, "Q8_K"),
    (16, "IQ2_XXS"),
    (17, "IQ2_XS"),
    (18, "IQ3_XXS"),
    (19, "IQ1_S"),
    (20, "IQ4_NL"),
    (21, "IQ3_S"),
    (22, "IQ2_S"),
    (23, "IQ4_XS"),
    (29, "IQ1_M"),
    (39, "MXFP4"),
];

impl Kind {
    /// The kind with this number; the name of another one.
    pub(super) fn of(number: u32) -> Result<Self, String> {
        let found = KINDS.iter().find(|kind| kind.0 == number);
        found.map(|kind| kind.1).ok_or_else(|| {
            let other = OTHERS.iter().find(|other| other.0 == number);
            other.map_or_else(|| format!("kind {number}"), |other| other.1.to_owned())
        })
    }

    /// The names of all kinds.
    pub(super) fn names() -> String {
        KINDS.map(|kind| kind.2).join(", ")
    }

    fn row(self) -> (usize, usize) {
        let found = KINDS.iter().find(|kind| kind.1 == self);
        found.map_or((1, 4), |kind| (kind.3, kind.4))
    }

    /// How many numbers a block has.
    pub(super) fn block(self) -> usize {
        self.row().0
    }

    /// How many bytes so many numbers take.
    pub(super) fn size(self, count: usize) -> usize {
        let (block, bytes) = self.row();
        (count / block).saturating_mul(bytes)
    }

    /// The numbers that quantised blocks stand for.
    pub(super) fn numbers(self, bytes: &[u8], count: usize) -> Vec<f32> {
        let mut numbers = Vec::with_capacity(count);
        let (block, size) = self.row();
        let mut of_block = [0.0; 256];
        for bytes in bytes.chunks_exact(size) {
            let of_block = &mut of_block[..block];
            match self {
                Self::Q4_0 => halves(&bytes[2..], of_block, |low| {
                    half(bytes, 0) * (f32::from(low) - 8.0)
                }),
                Self::Q4_1 => halves(&bytes[4..], of_block, |low| {
                    half(bytes, 0) * f32::from(low) + half(bytes, 2)
                }),
                Self::Q5_0 => {
                    fifths(&bytes[2..], of_block, |five| {
                        half(bytes, 0) * (f32::from(five) - 16.0)
                    });
                }
                Self::Q5_1 => fifths(&bytes[4..], of_block, |five| {
                    half(bytes, 0) * f32::from(five) + half(bytes, 2)
                }),
                Self::Q8_0 => {
                    let factor = half(bytes, 0);
                    for (number, byte) in of_block.iter_mut().zip(&bytes[2..]) {
                        *number = f32::from(byte.cast_signed()) * factor;
                    }
                }
                Self::Q2K => q2_k(bytes, of_block),
                Self::Q3K => q3_k(bytes, of_block),
                Self::Q4K => q4_k(bytes, of_block),
                Self::Q5K => q5_k(bytes, of_block),
                Self::Q6K => q6_k(bytes, of_block),
                // These are read as they are.
                Self::F32 | Self::F16 | Self::Bf16 | Self::F64 => {}
            }
            numbers.extend_from_slice(of_block);
        }
        numbers
    }
}

/// The 16-bit float at a byte.
fn half(bytes: &[u8], at: usize) -> f32 {
    f16::from_le_bytes([bytes[at], bytes[at + 1]]).to_f32()
}

/// Sixteen bytes hold 32 numbers of four bits: the low ones first, then the high ones.
fn halves(bytes: &[u8], numbers: &mut [f32], number: impl Fn(u8) -> f32) {
    for (at, byte) in bytes[..16].iter().enumerate() {
        numbers[at] = number(byte & 15);
        numbers[at + 16] = number(byte >> 4);
    }
}

/// The same with the fifth bit of each number in four bytes before them.
fn fifths(bytes: &[u8], numbers: &mut [f32], number: impl Fn(u8) -> f32) {
    let high = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    let bit = |at: usize| ((high >> at & 1) as u8) << 4;
    for (at, byte) in bytes[4..20].iter().enumerate() {
        numbers[at] = number(byte & 15 | bit(at));
        numbers[at + 16] = number(byte >> 4 | bit(at + 16));
    }
}

/// The number `index` of two bits in blocks of 32 bytes, each of which holds four layers.
fn two_bits(bytes: &[u8], index: usize) -> u8 {
    let byte = bytes[index / 128 * 32 + index % 32];
    byte >> (index % 128 / 32 * 2) & 3
}

/// The number `index` of four bits in blocks of `width` bytes, each of which holds two layers.
fn four_bits(bytes: &[u8], index: usize, width: usize) -> u8 {
    let byte = bytes[index / (2 * width) * width + index % width];
    byte >> (index % (2 * width) / width * 4) & 15
}

fn q2_k(bytes: &[u8], numbers: &mut [f32]) {
    let (factor, least) = (half(bytes, 80), half(bytes, 82));
    for (index, number) in numbers.iter_mut().enumerate() {
        let scale = bytes[index / 16];
        let low = f32::from(two_bits(&bytes[16..80], index));
        *number = factor * f32::from(scale & 15) * low - least * f32::from(scale >> 4);
    }
}

fn q3_k(bytes: &[u8], numbers: &mut [f32]) {
    let factor = half(bytes, 108);
    let scales = &bytes[96..108];
    for (index, number) in numbers.iter_mut().enumerate() {
        let group = index / 16;
        let low = scales[group % 8] >> (group / 8 * 4) & 15;
        let high = scales[8 + group % 4] >> (group / 4 * 2) & 3;
        let scale = f32::from((low | high << 4).cast_signed() - 32);
        let low = two_bits(&bytes[32..96], index).cast_signed();
        // Where the third bit is not set, four is taken away.
        let third = bytes[index % 32] >> (index / 32) & 1;
        let four = if third == 1 { 0 } else { 4 };
        *number = factor * scale * f32::from(low - four);
    }
}

/// The factor and the offset of the group `group` of 32 numbers, six bits each.
fn scale_and_least(scales: &[u8], group: usize) -> (f32, f32) {
    let at = group % 4;
    let (scale, least) = match group {
        0..4 => (scales[at] & 63, scales[4 + at] & 63),
        _ => (
            scales[8 + at] & 15 | scales[at] >> 2 & 48,
            scales[8 + at] >> 4 | scales[4 + at] >> 2 & 48,
        ),
    };
    (f32::from(scale), f32::from(least))
}

fn q4_k(bytes: &[u8], numbers: &mut [f32]) {
    let (factor, least) = (half(bytes, 0), half(bytes, 2));
    for (index, number) in numbers.iter_mut().enumerate() {
        let (scale, minimum) = scale_and_least(&bytes[4..16], index / 32);
        let four = f32::from(four_bits(&bytes[16..], index, 32));
        *number = factor * scale * four - least * minimum;
    }
}

fn q5_k(bytes: &[u8], numbers: &mut [f32]) {
    let (factor, least) = (half(bytes, 0), half(bytes, 2));
    for (index, number) in numbers.iter_mut().enumerate() {
        let (scale, minimum) = scale_and_least(&bytes[4..16], index / 32);
        let high = bytes[16 + index % 32] >> (index / 32) & 1;
        let five = f32::from(four_bits(&bytes[48..], index, 32) | high << 4);
        *number = factor * scale * five - least * minimum;
    }
}

fn q6_k(bytes: &[u8], numbers: &mut [f32]) {
    let factor = half(bytes, 208);
    for (index, number) in numbers.iter_mut().enumerate() {
        let scale = f32::from(bytes[192 + index / 16].cast_signed());
        let high = two_bits(&bytes[128..192], index);
        let six = four_bits(&bytes[..128], index, 64) | high << 4;
        *number = factor * scale * f32::from(six.cast_signed() - 32);
    }
}
