//! Metrics of pictures against plain loops: pointing into boxes and masks, and patches that are hidden by a blur.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use burn::tensor::{DType, Device};
use image::{GrayImage, Luma, RgbImage};
use relprop_checkpoints::Model;
use relprop_engine::EngineError;
use relprop_engine::measure::{Hide, Measured, Samples, TextColumns};
use relprop_evaluate::{Candidate, Evaluation, Method, Metric, Sample, metric};
use relprop_explain::{Explainer, Plan, Target};
use relprop_testing::{Draw, fixtures, numbers, propagation, relevance};
use relprop_transformer::{Batch, PATCH_HIDDEN, PaddingSide, Picture, TokenizedText};

/// A ViT that reads 8 x 13 pixels in 2 rows of 4 patches of 4 x 3 pixels, and cuts off the last column.
fn vit() -> Arc<Model> {
    let mut model = Model::load(&fixtures::folder("vit"), &Device::flex()).unwrap();
    model.transformer = model.transformer.cast(DType::F64);
    Arc::new(model)
}

/// A folder with pictures of 26 x 16 pixels: a patch is 6 x 8 of them.
fn pictures(folder: &Path) {
    let mut draw = Draw::new(3);
    for name in ["a.png", "b.png", "c.png"] {
        let picture =
            RgbImage::from_fn(26, 16, |_, _| {
                image::Rgb([0; 3].map(|_: i32| {
                    (190.0 + 60.0 * f64::from(draw.number())).clamp(0.0, 255.0) as u8
                }))
            });
        picture.save(folder.join(name)).unwrap();
    }
}

fn open(
    model: &Arc<Model>,
    path: &Path,
    column: Option<&str>,
    said: &mut Vec<String>,
) -> Result<Samples, EngineError> {
    let more = TextColumns {
        evidence: column,
        ..TextColumns::default()
    };
    Samples::open(path, more, None, 0, &Measured::True, model, |text| {
        said.push(text.to_owned());
    })
}

fn measured(model: &Model, names: &[&str], sample: &Sample) -> Vec<Option<f64>> {
    let metrics: Vec<Box<dyn Metric>> = names.iter().map(|name| metric(name).unwrap()).collect();
    let evaluation = Evaluation {
        model,
        metrics: &metrics,
        mask_token: PATCH_HIDDEN,
        hops: 0,
        seed: 0,
    };
    let method = Box::new(propagation(model, "ah-ln")) as Box<dyn Method>;
    let sample = std::slice::from_ref(sample);
    let found = evaluation.measure(&[Candidate::from(method)], sample, |_| ());
    let found = found.unwrap().remove(0).remove(0);
    found
        .into_iter()
        .map(|one| one.map(|one| one.value))
        .collect()
}

fn explained(model: &Arc<Model>, sample: &Sample) -> Vec<f64> {
    let plan = Plan {
        target: Target::Label(sample.label().unwrap()).into(),
        ..Plan::default()
    };
    let explainer = Explainer::new(model, &plan).unwrap();
    let found = explainer.explain_batch(std::slice::from_ref(&sample.text));
    relevance(&found.unwrap()[0])[1..].to_vec()
}

/// Boxes of a column, and a mask of the same pixels, against loops over pixels.
#[test]
fn relevance_points_into_boxes_and_masks() {
    let model = vit();
    let label = model.transformer.config().labels[1].clone();
    let folder = tempfile::tempdir().unwrap();
    pictures(folder.path());
    let boxes = [
        vec![[7, 0, 18, 9]],
        vec![[0, 8, 6, 16], [5, 10, 8, 12]],
        // Half of no patch.
        vec![[13, 3, 15, 6]],
    ];
    let (mut table, mut lines) = ("picture\tlabel\tplace\n".to_owned(), String::new());
    for (name, boxes) in ["a.png", "b.png", "c.png"].iter().zip(&boxes) {
        let written: Vec<String> = boxes
            .iter()
            .map(|b| b.map(|n| n.to_string()).join(","))
            .collect();
        table += &format!("{name}\t{label}\t{}\n", written.join(";"));
        let mask = GrayImage::from_fn(26, 16, |x, y| {
            let within =
                |[x0, y0, x1, y1]: &[u32; 4]| (*x0..*x1).contains(&x) && (*y0..*y1).contains(&y);
            Luma([if boxes.iter().any(within) { 200 } else { 0 }])
        });
        mask.save(folder.path().join(format!("mask-{name}")))
            .unwrap();
        lines +=
            &serde_json::json!({"picture": name, "label": label, "place": format!("mask-{name}")})
                .to_string();
        lines += "\n";
    }
    let path = |name: &str| folder.path().join(name);
    fs::write(path("boxes.tsv"), table).unwrap();
    fs::write(path("masks.jsonl"), lines).unwrap();
    let mut said = Vec::new();
    let of_boxes = open(&model, &path("boxes.tsv"), Some("place"), &mut said).unwrap();
    let of_masks = open(&model, &path("masks.jsonl"), Some("place"), &mut said).unwrap();
    assert_eq!(said, Vec::<String>::new());
    assert_eq!(of_boxes.samples, of_masks.samples);
    assert!(of_boxes.sha256.is_some());

    let names = [
        "pointing-game",
        "mass-accuracy",
        "rank-accuracy",
        "precision@3",
        "reciprocal-rank",
        "recovery",
    ];
    for (sample, boxes) in of_boxes.samples.iter().zip(&boxes) {
        let relevance = explained(&model, sample);
        // Each of 8 patches is 6 x 8 pixels.
        let share = |patch: usize| {
            let mut count = 0;
            for y in (patch / 4 * 8)..(patch / 4 * 8 + 8) {
                for x in (patch % 4 * 6)..(patch % 4 * 6 + 6) {
                    let (x, y) = (x as u32, y as u32);
                    let within =
                        |[x0, y0, x1, y1]: &[u32; 4]| *x0 <= x && x < *x1 && *y0 <= y && y < *y1;
                    count += usize::from(boxes.iter().any(within));
                }
            }
            count as f64 / 48.0
        };
        let shares: Vec<f64> = (0..8).map(share).collect();
        for (found, expected) in sample.patches.iter().zip(&shares) {
            assert!(
                (found - expected).abs() < 1e-5,
                "{found} instead of {expected}"
            );
        }
        let most = shares.iter().copied().fold(0.0, f64::max);
        let decides = |patch: usize| match most >= 0.5 {
            true => shares[patch] >= 0.5,
            false => shares[patch] == most,
        };
        let mut order: Vec<usize> = (0..8).collect();
        order.sort_by(|&a, &b| relevance[b].total_cmp(&relevance[a]));
        let among = |count: usize| order[..count].iter().filter(|&&p| decides(p)).count() as f64;
        let all = (0..8).filter(|&p| decides(p)).count();
        let positive: f64 = relevance.iter().map(|r| r.max(0.0)).sum();
        let inside: f64 = (0..8).map(|p| shares[p] * relevance[p].max(0.0)).sum();
        let rank = 1 + order.iter().position(|&p| decides(p)).unwrap();
        let expected = [
            among(1),
            inside / positive,
            among(all) / all as f64,
            among(3) / 3.0,
            1.0 / rank as f64,
            among(1) / all as f64,
        ];
        let found = measured(&model, &names, sample);
        for ((found, expected), name) in found.iter().zip(expected).zip(names) {
            let found = found.unwrap();
            assert!(
                (found - expected).abs() < 1e-6,
                "{name}: {found} instead of {expected}"
            );
        }
    }
}

#[test]
fn evidence_that_does_not_fit_its_picture_is_named() {
    let model = vit();
    let label = model.transformer.config().labels[0].clone();
    let folder = tempfile::tempdir().unwrap();
    pictures(folder.path());
    let path = |name: &str| folder.path().join(name);
    GrayImage::new(8, 8).save(path("small.png")).unwrap();
    GrayImage::new(26, 16).save(path("black.png")).unwrap();
    for (place, problem) in [
        (
            "[20, 2, 27, 8]",
            "the box 20,2,27,8, which reaches out of the picture of 26 x 16 pixels",
        ),
        ("[5, 2, 5, 8]", "the box 5,2,5,8, which is empty"),
        ("[5, 2, 8]", "not a box x0,y0,x1,y1"),
        ("\"5,2,8\"", "not a box x0,y0,x1,y1"),
        ("\"-5,2,8,9\"", "not a box x0,y0,x1,y1"),
        ("true", "not a box x0,y0,x1,y1"),
        (
            "\"small.png\"",
            "a mask of 8 x 8 pixels, and the picture has 26 x 16",
        ),
        ("\"black.png\"", "black everywhere"),
        ("\"none.png\"", "`none.png`: "),
    ] {
        let rows = format!(
            "{{\"picture\": \"a.png\", \"label\": \"{label}\", \"place\": {place}}}\n\
             {{\"picture\": \"b.png\", \"label\": \"{label}\", \"place\": null}}\n"
        );
        fs::write(path("table.jsonl"), rows).unwrap();
        let mut said = Vec::new();
        let found = open(&model, &path("table.jsonl"), Some("place"), &mut said).unwrap();
        assert_eq!(found.samples.len(), 1, "{place}");
        assert!(
            said[0].contains(problem) && said[0].contains("line 1"),
            "{place}: {said:?}"
        );
    }
    fs::write(
        path("table.csv"),
        format!("picture,label\na.png,{label}\nnone.png,{label}\n"),
    )
    .unwrap();
    let mut said = Vec::new();
    let found = open(&model, &path("table.csv"), None, &mut said).unwrap();
    assert_eq!((found.samples.len(), said.len()), (1, 1), "{said:?}");
    let error = open(&model, &path("table.csv"), Some("place"), &mut said).unwrap_err();
    assert!(error.to_string().contains("`place`"), "{error}");
    fs::write(path("texts.csv"), "text,label\na film,0\n").unwrap();
    let error = open(&model, &path("texts.csv"), None, &mut said).unwrap_err();
    assert!(error.to_string().contains("`picture`"), "{error}");
}

/// The picture's patches after a blur, pixel by pixel over all pixels around it, `[patch][channel, y, x]`.
fn blurred(picture: &Picture) -> Vec<Vec<f32>> {
    let ([rows, columns], numbers) = ([2, 4], picture.numbers_of_all());
    let (tall, wide) = (4, 3);
    let at = |channel: usize, y: usize, x: usize| {
        let patch = y / tall * columns + x / wide;
        f64::from(numbers[((patch * 3 + channel) * tall + y % tall) * wide + x % wide])
    };
    let mut patches = vec![Vec::new(); rows * columns];
    for (patch, values) in patches.iter_mut().enumerate() {
        for channel in 0..3 {
            for y in (patch / columns * tall)..(patch / columns * tall + tall) {
                for x in (patch % columns * wide)..(patch % columns * wide + wide) {
                    let (mut sum, mut all) = (0.0, 0.0);
                    for other_y in 0..rows * tall {
                        for other_x in 0..columns * wide {
                            let (down, right) = (other_y.abs_diff(y), other_x.abs_diff(x));
                            if down > 3 * tall || right > 3 * wide {
                                continue;
                            }
                            let [down, right] =
                                [down as f64 / tall as f64, right as f64 / wide as f64];
                            let weight = (-(down * down + right * right) / 2.0).exp();
                            sum += weight * at(channel, other_y, other_x);
                            all += weight;
                        }
                    }
                    values.push((sum / all) as f32);
                }
            }
        }
    }
    patches
}

#[test]
fn a_hidden_patch_can_be_blurred() {
    let model = vit();
    let label = model.transformer.config().labels[2].clone();
    let folder = tempfile::tempdir().unwrap();
    pictures(folder.path());
    let path = folder.path().join("table.csv");
    fs::write(
        &path,
        format!("picture,label\na.png,{label}\nb.png,{label}\n"),
    )
    .unwrap();
    let plain = open(&model, &path, None, &mut Vec::new()).unwrap();
    let blurry = plain.clone().hidden_by(Hide::Blur, "table.csv").unwrap();
    for (plain, blurry) in plain.samples.iter().zip(&blurry.samples) {
        let picture = plain.text.picture().unwrap();
        let (kept, soft) = (picture.numbers_of_all(), blurred(picture));
        let patches = *model.transformer.config().patches().unwrap();
        // A picture of its own, in which the blur stands in the place of hidden patches.
        let probability = |hidden: &[usize]| {
            let mut values = vec![0.0_f32; 3 * 8 * 13];
            for patch in 0..8 {
                for place in 0..36 {
                    let (channel, y, x) = (place / 12, place / 3 % 4, place % 3);
                    let value = match hidden.contains(&patch) {
                        true => soft[patch][place],
                        false => kept[patch * 36 + place],
                    };
                    values[(channel * 8 + patch / 4 * 4 + y) * 13 + patch % 4 * 3 + x] = value;
                }
            }
            let text = Picture::cut(&values, patches).into_tokens("");
            let logits = forward(&model, &text);
            logits[2].exp() / logits.iter().map(|logit| logit.exp()).sum::<f64>()
        };
        let relevance = explained(&model, blurry);
        let mut order: Vec<usize> = (0..8).collect();
        order.sort_by(|&a, &b| relevance[b].total_cmp(&relevance[a]));
        let counts = (0..=10).map(|step: usize| (step * 8).div_ceil(10));
        let points: Vec<f64> = counts.map(|count| probability(&order[..count])).collect();
        let area: f64 = points
            .windows(2)
            .map(|pair| (pair[0] + pair[1]) / 20.0)
            .sum();
        let found = measured(&model, &["morf"], blurry)[0].unwrap();
        assert!((found - area).abs() < 1e-6, "{found} instead of {area}");
        let zeros = measured(&model, &["morf"], plain)[0].unwrap();
        assert!((found - zeros).abs() > 1e-4, "both ways to hide are one");
    }
    let model = Arc::new(Model::load(&fixtures::folder("bert"), &Device::flex()).unwrap());
    let label = &model.transformer.config().labels[0];
    fs::write(&path, format!("text,label\na film,{label}\n")).unwrap();
    let texts = open(&model, &path, None, &mut Vec::new()).unwrap();
    let error = texts.hidden_by(Hide::Blur, "table.csv").unwrap_err();
    assert!(error.to_string().contains("these are texts"), "{error}");
}

fn forward(model: &Model, text: &TokenizedText) -> Vec<f64> {
    let batch = Batch::new([text], 0, PaddingSide::Right, &model.transformer.device());
    let mut pass = relprop_rules::Pass::plain();
    numbers(model.transformer.forward(&batch, &mut pass))
}

/// After rules, the name of a method may have the site at which relevance is read.
#[test]
fn a_method_is_measured_at_any_site() {
    let model = vit();
    let folder = tempfile::tempdir().unwrap();
    pictures(folder.path());
    let path = folder.path().join("table.csv");
    let label = model.transformer.config().labels[0].clone();
    fs::write(&path, format!("picture,label\na.png,{label}\n")).unwrap();
    let sample = open(&model, &path, None, &mut Vec::new())
        .unwrap()
        .samples
        .remove(0);
    let rules = folder.path().join("mine.toml");
    fs::write(
        &rules,
        relprop_rules::RuleSet::preset_toml("ah-ln").unwrap(),
    )
    .unwrap();
    for site in ["embeddings.pixel", "blocks", "encoder.0.output"] {
        let expected = propagation(&model, "ah-ln").at(site).unwrap();
        let expected = expected.relevance(&[&sample.text], 0).unwrap();
        for name in ["ah-ln", rules.to_str().unwrap()] {
            let found = relprop_engine::method(&format!("{name}@{site}"), &model, 0).unwrap();
            assert_eq!(
                found.relevance(&[&sample.text], 0).unwrap(),
                expected,
                "{site}"
            );
        }
    }
    for wrong in ["ah-ln@nowhere", "random@blocks"] {
        assert!(relprop_engine::method(wrong, &model, 0).is_err(), "{wrong}");
    }
}
