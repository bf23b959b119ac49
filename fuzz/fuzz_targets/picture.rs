//! Pictures, and the `preprocessor_config.json` that says what is done to them.
//!
//! What starts with a brace is settings up to the first zero, then a picture; all else is a picture.

#![no_main]

use libfuzzer_sys::fuzz_target;
use relprop_checkpoints::Preprocessor;
use relprop_data::decode;
use relprop_transformer::PatchConfig;

const SETTINGS: &str = r#"{"size": 8}"#;

fuzz_target!(|bytes: &[u8]| {
    let (settings, picture) = match bytes.iter().position(|byte| *byte == 0) {
        Some(end) if bytes[0] == b'{' => (str::from_utf8(&bytes[..end]), &bytes[end + 1..]),
        _ => (Ok(SETTINGS), bytes),
    };
    let Ok(settings) = settings else { return };
    let Ok(preprocessor) = Preprocessor::from_json(settings) else {
        return;
    };
    let patches = [1, 3].map(|channels| PatchConfig::new([8, 8], [4, 4], channels));
    let patches = patches.map(|patches| preprocessor.check(&patches).is_ok().then_some(patches));
    if patches == [None; 2] {
        return;
    }
    let Ok(picture) = decode(picture) else { return };
    for patches in patches.into_iter().flatten() {
        let _ = preprocessor.tokens(&picture, &patches, "a picture");
    }
});
