//! Models that read pictures against PyTorch, on the fixtures that `fixtures/pictures.py` made; and the
//! parts that only they have against plain loops.

use std::collections::BTreeMap;
use std::fs;

use burn::tensor::{Device, Tensor};
use relprop_checkpoints::{Model, Preprocessor, TextError};
use relprop_explain::{Explainer, Explanation, Target};
use relprop_rules::Pass;
use relprop_testing::fixtures::{self, folder, saves_what_transformers_saved};
use relprop_testing::{Asked, Draw, difference, explainer, logits, parameters, relevance};
use relprop_transformer::{
    Batch, BatchInput, Distillation, PATCH_HIDDEN, PaddingSide, PatchConfig, Picture,
    TokenizedText, Transformer, TransformerConfig,
};
use rstest::rstest;
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    pictures: Vec<Expected>,
}

#[derive(Deserialize)]
struct Expected {
    file: String,
    /// From 0 to 255, `[channel][y][x]`: what transformers makes with torchvision, and with Pillow.
    pixels: Vec<Vec<Vec<i32>>>,
    pillow: Vec<Vec<Vec<i32>>>,
    logits: Vec<f64>,
    target: usize,
    /// By preset, then by site.
    relevance: BTreeMap<String, BTreeMap<String, Vec<f64>>>,
}

const PRESETS: [&str; 4] = ["gradient-x-input", "ah-ln", "attn-lrp", "libra"];
const SITES: [&str; 3] = ["blocks", "embeddings.token", "embeddings.pixel"];

fn load(name: &str) -> (Model, Vec<Expected>) {
    let (model, reference) = fixtures::load::<Reference>(name);
    (model, reference.pictures)
}

fn patches(model: &Model) -> PatchConfig {
    *model.transformer.config().patches().unwrap()
}

/// The picture that relprop makes of a file.
fn read(model: &Model, file: &str) -> TokenizedText {
    let bytes = fs::read(folder("pictures").join(file)).unwrap();
    model
        .picture(&relprop_data::decode(&bytes).unwrap(), file)
        .unwrap()
}

impl Expected {
    /// The picture that transformers made, as the model reads it.
    fn tokens(&self, model: &Model) -> TokenizedText {
        fixtures::picture(model, &self.pixels, &self.file)
    }
}

/// The numbers of the patches in a batch of pictures.
fn pixels(input: BatchInput) -> Tensor<3> {
    match input {
        BatchInput::Patches(pixels) => pixels,
        BatchInput::Tokens { .. } => panic!("these are texts"),
    }
}

/// The largest difference from `expected`, in levels of 255, over what patches are cut from.
fn levels_apart(model: &Model, found: &TokenizedText, expected: &[Vec<Vec<i32>>]) -> f64 {
    let preprocessor = model.preprocessor().unwrap();
    let (mean, deviation) = preprocessor.normalize.as_ref().unwrap();
    let config = patches(model);
    let ([_, columns], [height, width]) = (config.grid(), config.patch);
    let batch = Batch::new([found], PATCH_HIDDEN, PaddingSide::Right, &Device::flex());
    let pixels = pixels(batch.input).into_data_as::<f32>();
    let pixels: Vec<f32> = pixels.try_into_vec().unwrap();
    let mut worst = 0.0_f64;
    for (patch, values) in pixels.chunks(config.numbers()).enumerate() {
        for (index, value) in values.iter().enumerate() {
            let (channel, y, x) = (
                index / (height * width),
                index / width % height,
                index % width,
            );
            let level = (f64::from(*value) * deviation[channel] + mean[channel]) * 255.0;
            let (y, x) = (patch / columns * height + y, patch % columns * width + x);
            worst = worst.max((level - f64::from(expected[channel][y][x])).abs());
        }
    }
    worst
}

/// Pixels are those that transformers makes with Pillow, and one level of 255 at most from those that it makes with
/// torchvision, which rounds otherwise. JPEG leaves it to the decoder how colors between its samples are made up.
#[rstest]
fn pixels_are_those_of_transformers(#[values("vit", "deit", "deit-alone")] name: &str) {
    let (model, pictures) = load(name);
    for expected in &pictures {
        let found = read(&model, &expected.file);
        let pillow = levels_apart(&model, &found, &expected.pillow);
        let torchvision = levels_apart(&model, &found, &expected.pixels);
        println!(
            "{name}, {}: {pillow:.3} levels from Pillow, {torchvision:.3} from torchvision",
            expected.file
        );
        let jpeg = expected.file.ends_with("jpg");
        let [most, most_of_torchvision] = if jpeg { [3.0; 2] } else { [0.0, 1.0] };
        assert!(pillow < most + 1e-3, "{}: {pillow}", expected.file);
        assert!(
            torchvision < most_of_torchvision + 1e-3,
            "{}: {torchvision}",
            expected.file
        );
    }
}

#[derive(Deserialize)]
struct Resized {
    before: [usize; 2],
    after: [usize; 2],
    channels: usize,
    resample: usize,
    /// In hexadecimal, `[y, x, channel]`.
    levels: String,
}

/// Every filter, to the last level, on the sizes of `fixtures/resize.py`.
#[test]
fn resizing_is_that_of_pillow() {
    let text = fs::read_to_string(folder("resized.json")).unwrap();
    let all: Vec<Resized> = serde_json::from_str(&text).unwrap();
    assert_eq!(all.len(), 11 * 2 * 6);
    for one in all {
        let Resized {
            before: [height, width],
            after: [rows, columns],
            channels,
            resample,
            levels,
        } = one;
        let count = (height * width * channels) as u64;
        let drawn = (0..count).map(|index| ((index * 2_654_435_761 + 12_345) % (1 << 32)) >> 21);
        let bytes = drawn.map(|level| (level as i64 / 6 - 40).clamp(0, 255) as u8);
        let settings = serde_json::json!({
            "size": {"height": rows, "width": columns}, "resample": resample, "do_rescale": false, "do_normalize": false,
        });
        let preprocessor = Preprocessor::from_json(&settings.to_string()).unwrap();
        // Each patch is one pixel.
        let patches = PatchConfig::new([rows, columns], [1; 2], channels);
        let picture = preprocessor.picture(bytes.collect(), [height, width], &patches);
        let tokens = picture.unwrap().into_tokens("drawn");
        let batch = Batch::new([&tokens], PATCH_HIDDEN, PaddingSide::Right, &Device::flex());
        let found = pixels(batch.input).into_data_as::<f32>();
        let found = found.try_into_vec::<f32>().unwrap();
        let found: String = found
            .iter()
            .map(|level| format!("{:02x}", *level as u8))
            .collect();
        assert_eq!(
            found, levels,
            "{height} x {width} to {rows} x {columns}, {channels} channels, resample {resample}"
        );
    }
}

fn explain_alone(explainer: &Explainer, target: usize, picture: TokenizedText) -> Explanation {
    let explainer = explainer.clone().target(Target::Label(target)).unwrap();
    explainer.explain_batch(&[picture]).unwrap().remove(0)
}

/// At the pixels, the tokens before the patches have nothing, and PyTorch knows patches alone.
fn expected_at<'e>(expected: &'e Expected, preset: &str, site: &str) -> &'e [f64] {
    &expected.relevance[preset][site]
}

fn found_at(found: &Explanation, site: &str) -> Vec<f64> {
    let all = relevance(found);
    match site {
        "embeddings.pixel" => {
            let special = found.tokens.iter().filter(|token| token.special).count();
            assert!(all[..special].iter().all(|&number| number == 0.0));
            all[special..].to_vec()
        }
        _ => all,
    }
}

#[rstest]
fn logits_and_relevance_are_those_of_pytorch(#[values("vit", "deit", "deit-alone")] name: &str) {
    let (model, pictures) = load(name);
    let mut worst_logits = 0.0_f64;
    for preset in PRESETS {
        for site in SITES {
            let explainer = explainer(&model, preset).at(site).unwrap();
            let mut worst = 0.0_f64;
            for expected in &pictures {
                let found = explain_alone(&explainer, expected.target, expected.tokens(&model));
                worst_logits = worst_logits.max(difference(&logits(&found), &expected.logits));
                let found = found_at(&found, site);
                worst = worst.max(difference(&found, expected_at(expected, preset, site)));
            }
            println!("{name}, {preset} at {site}: {worst:.1e} of the largest relevance");
            assert!(worst < 1e-4, "{preset} at {site}: {worst:.1e}");
        }
    }
    println!("{name}: logits {worst_logits:.1e} apart");
    assert!(worst_logits < 1e-4, "{worst_logits:.1e}");
}

/// From the file, with our own preprocessing, where it gives the same pixels.
#[rstest]
fn a_file_is_explained_as_in_pytorch(#[values("vit", "deit-alone")] name: &str) {
    let (model, pictures) = load(name);
    let explainer = explainer(&model, "ah-ln");
    let mut alike = 0;
    for expected in &pictures {
        let picture = read(&model, &expected.file);
        if levels_apart(&model, &picture, &expected.pixels) > 1e-3 {
            continue;
        }
        alike += 1;
        let found = explain_alone(&explainer, expected.target, picture);
        assert!(difference(&logits(&found), &expected.logits) < 1e-4);
        let expected = expected_at(expected, "ah-ln", "blocks");
        assert!(difference(&relevance(&found), expected) < 1e-4);
    }
    println!(
        "{name}: {alike} of {} files have the same pixels",
        pictures.len()
    );
    assert!(alike > 0);
}

/// All pictures at once give what each gives alone.
#[rstest]
fn a_batch_changes_nothing(#[values("vit", "deit", "deit-alone")] name: &str) {
    let (model, pictures) = load(name);
    let explainer = explainer(&model, "ah-ln");
    let batch: Vec<_> = pictures.iter().map(|one| one.tokens(&model)).collect();
    for (found, expected) in explainer
        .explain_batch(&batch)
        .unwrap()
        .iter()
        .zip(&pictures)
    {
        // The predicted label is the target of the fixtures.
        let expected = expected_at(expected, "ah-ln", "blocks");
        assert!(difference(&relevance(found), expected) < 1e-4);
    }
}

#[rstest]
fn the_ledger_closes(#[values("vit", "deit", "deit-alone")] name: &str) {
    let (model, pictures) = load(name);
    let mut worst = 0.0_f64;
    for preset in PRESETS {
        for site in SITES {
            let explainer = explainer(&model, preset).at(site).unwrap().with_ledger();
            for expected in &pictures {
                let found = explain_alone(&explainer, expected.target, expected.tokens(&model));
                let ledger = found.ledger().unwrap();
                let sum: f64 = expected_at(expected, preset, site).iter().sum();
                assert!((ledger.tokens - sum).abs() < 1e-4, "{preset} at {site}");
                let unaccounted = ledger.unaccounted.abs();
                assert!(unaccounted < 1e-5, "{preset} at {site}: {unaccounted:.1e}");
                worst = worst.max(unaccounted);
            }
        }
    }
    println!("{name}: {worst:.1e} unaccounted");
}

/// What transformers saved is saved again, bit by bit, under the same names.
#[rstest]
fn what_is_saved_is_what_transformers_saved(#[values("vit", "deit", "deit-alone")] name: &str) {
    saves_what_transformers_saved(name, env!("CARGO_TARGET_TMPDIR"));
}

fn config(distillation: Distillation) -> PatchConfig {
    PatchConfig {
        distillation,
        ..PatchConfig::new([7, 11], [2, 3], 3)
    }
}

fn draw(count: usize, seed: u64) -> Vec<f32> {
    let mut draw = Draw::new(seed);
    (0..count).map(|_| draw.number()).collect()
}

/// The embedding of patches is a convolution whose stride is its size. The slow twin is one: plain
/// loops over the picture, which know nothing of patches.
#[test]
fn patches_are_embedded_by_a_convolution() {
    let device = Device::flex();
    let patches = config(Distillation::Absent);
    let vit = TransformerConfig {
        width: 4,
        heads: 2,
        blocks: 1,
        initializer_range: 0.5,
        ..TransformerConfig::vit(patches, vec!["a".into(), "b".into()])
    };
    let transformer = Transformer::new(&vit, &device).unwrap();
    let ([height, width], values) = (patches.picture, draw(3 * 7 * 11, 5));
    let text = Picture::cut(&values, patches).into_tokens("waves");
    let batch = Batch::new([&text], PATCH_HIDDEN, PaddingSide::Right, &device);
    let mut pass = Pass::plain().with_probe("embeddings.patch");
    transformer.forward(&batch, &mut pass);
    let found: Tensor<3> = pass
        .into_readings()
        .read("embeddings.patch")
        .unwrap()
        .signal;
    let found = found.into_data_as::<f64>().try_into_vec::<f64>().unwrap();

    let named = parameters(&transformer);
    let of = |name: &str| {
        let numbers = named.get(name);
        numbers.unwrap_or_else(|| panic!("{:?}", named.keys()))
    };
    let (weight, bias) = (of("embeddings.patch.weight"), of("embeddings.patch.bias"));
    let mut expected = Vec::new();
    for top in (0..=height - 2).step_by(2) {
        for left in (0..=width - 3).step_by(3) {
            for (output, bias) in bias.iter().enumerate() {
                let mut sum = *bias;
                for channel in 0..3 {
                    for y in 0..2 {
                        for x in 0..3 {
                            let pixel = values[(channel * height + top + y) * width + left + x];
                            let place = ((output * 3 + channel) * 2 + y) * 3 + x;
                            sum += f64::from(pixel) * weight[place];
                        }
                    }
                }
                expected.push(sum);
            }
        }
    }
    assert_eq!(expected.len(), 9 * 4);
    assert!(difference(&found, &expected) < 1e-6);
}

/// A hidden patch is one whose pixels are zero; one that is gone leaves the others in their places.
#[test]
fn hidden_patches_are_zero_and_others_keep_their_places() {
    let device = Device::flex();
    let patches = config(Distillation::Averaged);
    let values = draw(3 * 7 * 11, 6);
    let text = Picture::cut(&values, patches).into_tokens("waves");
    assert_eq!(text.tokens.len(), 2 + 9);

    let mut hidden = text.clone();
    hidden.tokens[2 + 4].id = PATCH_HIDDEN;
    let mut zeroed = values.clone();
    for channel in 0..3 {
        for y in 2..4 {
            for x in 3..6 {
                zeroed[(channel * 7 + y) * 11 + x] = 0.0;
            }
        }
    }
    let zeroed = Picture::cut(&zeroed, patches).into_tokens("waves");
    let pixels_of = |text: &TokenizedText| {
        let batch = Batch::new([text], PATCH_HIDDEN, PaddingSide::Right, &device);
        let positions = batch.positions.into_data_as::<i64>();
        let numbers = pixels(batch.input).into_data_as::<f32>();
        (
            numbers.try_into_vec::<f32>().unwrap(),
            positions.try_into_vec::<i64>().unwrap(),
        )
    };
    assert_ne!(pixels_of(&hidden).0, pixels_of(&text).0);
    assert_eq!(pixels_of(&hidden), pixels_of(&zeroed));

    let mut gone = text.clone();
    gone.tokens.remove(2 + 4);
    gone.types.pop();
    let ((numbers, positions), (all, _)) = (pixels_of(&gone), pixels_of(&text));
    assert_eq!(positions, [0, 1, 2, 3, 4, 5, 7, 8, 9, 10]);
    assert_eq!(numbers, [&all[..4 * 18], &all[5 * 18..]].concat());
}

/// Where a patch lies in the picture as given: resized, then cut around the middle.
#[test]
fn patches_know_where_in_the_picture_they_lie() {
    let preprocessor = r#"{"size": {"height": 10, "width": 20}, "do_center_crop": true,
        "crop_size": {"height": 6, "width": 12}, "resample": 3}"#;
    let preprocessor = Preprocessor::from_json(preprocessor).unwrap();
    let patches = PatchConfig {
        picture: [6, 12],
        patch: [3, 4],
        ..config(Distillation::Absent)
    };
    preprocessor.check(&patches).unwrap();
    let picture = preprocessor
        .picture(vec![9; 3 * 40 * 30], [40, 30], &patches)
        .unwrap();
    assert_eq!((picture.size(), picture.grid()), ([30, 40], [2, 3]));
    // 2 of 10 rows above and 4 of 20 columns left are cut off; a row was 4 pixels, a column 1.5.
    assert_eq!(picture.area(0), [6.0, 8.0, 6.0, 12.0]);
    assert_eq!(picture.area(5), [18.0, 20.0, 6.0, 12.0]);
}

#[rstest]
#[case(
    r#"{"size": {"longest_edge": 224}}"#,
    "`size` is {\"longest_edge\":224}"
)]
#[case(r#"{"size": 0}"#, "`size` must be from 1")]
#[case(
    r#"{"image_processor_type": "LevitImageProcessor"}"#,
    "`image_processor_type` is \"LevitImageProcessor\""
)]
#[case(
    r#"{"do_center_crop": true, "crop_size": {"shortest_edge": 224}}"#,
    "`crop_size` gives the shorter side alone"
)]
#[case(r#"{"resample": 6}"#, "`resample` is 6")]
#[case(r#"{"do_flip": true}"#, "`do_flip` is true; relprop does not know")]
#[case(r#"{"image_std": [0.5, 0.0, 0.5]}"#, "`image_mean` and `image_std`")]
#[case(r#"{"image_mean": [0.5]}"#, "`image_mean` and `image_std`")]
#[case(r#"{"rescale_factor": "a"}"#, "`rescale_factor`: invalid type")]
#[case("[]", "invalid type")]
fn a_preprocessor_that_is_not_understood_is_refused(#[case] json: &str, #[case] message: &str) {
    let error = Preprocessor::from_json(json).unwrap_err().to_string();
    assert!(error.contains(message), "{error}");
}

#[test]
fn a_preprocessor_of_another_size_is_refused() {
    let patches = config(Distillation::Absent);
    let error = Preprocessor::from_json("{}")
        .unwrap()
        .check(&patches)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("224 x 224 pixels, but the model reads 7 x 11"),
        "{error}"
    );
    let kept = Preprocessor::plain(3);
    kept.check(&patches).unwrap();
    let error = kept
        .picture(vec![0; 3 * 8 * 11], [8, 11], &patches)
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("it has 8 x 11 pixels, the model reads 7 x 11")
    );
}

#[test]
fn a_model_for_pictures_refuses_texts_and_files_that_are_none() {
    let (model, _) = load("vit");
    let error = model
        .tokenize("a film", None, Default::default())
        .unwrap_err();
    assert!(matches!(error, TextError::Pictures), "{error}");
    let error = relprop_data::decode(b"a film").unwrap_err();
    assert!(error.to_string().contains("no PNG, JPEG, GIF"), "{error}");
    let bert = Model::load(&folder("bert"), &Device::flex()).unwrap();
    let blank = image::DynamicImage::new_luma8(1, 1);
    let error = bert.picture(&blank, "film.png").unwrap_err();
    assert_eq!(error.to_string(), "the model reads texts, not pictures");
}

fn in_format(name: &str) -> image::RgbImage {
    let bytes = fs::read(folder("formats").join(name)).unwrap();
    relprop_data::decode(&bytes).unwrap().to_rgb8()
}

/// Of a GIF that moves, it is the first picture.
#[test]
fn every_format_gives_the_same_pixels() {
    let expected = in_format("picture.png");
    assert_eq!(expected.get_pixel(2, 1).0, [100, 80, 255]);
    for ending in ["bmp", "webp", "gif", "tiff"] {
        assert_eq!(
            in_format(&format!("picture.{ending}")),
            expected,
            "{ending}"
        );
    }
}

/// Of a PNG with 16 bits a level, a model reads the upper half of each, as Pillow does.
#[test]
fn a_picture_of_sixteen_bits_is_read_as_one_of_eight() {
    let patches = PatchConfig::new([4, 6], [1; 2], 3);
    let [deep, expected] = ["deep.png", "picture.png"].map(|name| {
        let bytes = fs::read(folder("formats").join(name)).unwrap();
        let picture = relprop_data::decode(&bytes).unwrap();
        let tokens = Preprocessor::plain(3).tokens(&picture, &patches, "");
        let batch = Batch::new(
            [&tokens.unwrap()],
            PATCH_HIDDEN,
            PaddingSide::Right,
            &Device::flex(),
        );
        pixels(batch.input)
            .into_data_as::<f32>()
            .try_into_vec::<f32>()
            .unwrap()
    });
    assert_eq!(deep, expected);
}

#[test]
fn a_picture_that_was_turned_is_set_upright() {
    let expected = in_format("picture.png");
    for ending in ["png", "webp", "tiff"] {
        assert_eq!(in_format(&format!("turned.{ending}")), expected, "{ending}");
    }
}

/// A PNG of a few bytes that claims to have 2^60 pixels.
#[test]
fn a_picture_that_claims_to_be_huge_is_refused() {
    let small = folder("pictures/small.png");
    let mut bytes = fs::read(small).unwrap();
    bytes[16..24].copy_from_slice(&[0x40, 0, 0, 0, 0x40, 0, 0, 0]);
    let crc = crc32(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&crc.to_be_bytes());
    let error = relprop_data::decode(&bytes).unwrap_err();
    assert!(error.to_string().contains("too large"), "{error}");
}

/// The checksum of a PNG's chunks.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xEDB8_8320 * (crc & 1))
        })
    };
    !bytes.iter().fold(u32::MAX, step)
}
