//! Vectors of texts, and why two are alike, against PyTorch, on the fixtures of `heads.rs`.

use std::fs;
use std::path::Path;

use burn::tensor::Device;
use relprop_checkpoints::Model;
use relprop_explain::batching::logits;
use relprop_explain::{Measure, Similar};
use relprop_testing::fixtures::folder;
use relprop_transformer::{Head, VectorPooling};
use rstest::rstest;
use safetensors::tensor::{Dtype, TensorView, serialize_to_file};
use serde::Deserialize;
use serde_json::json;

use super::heads::{close, load, plan};

#[derive(Deserialize)]
struct Vectors {
    text: String,
    mean: Vec<f64>,
    first: Vec<f64>,
    last: Vec<f64>,
    /// By feature of the mean.
    relevance: Vec<Vec<f64>>,
}

#[rstest]
fn a_text_has_a_vector(
    #[values(
        "bert",
        "roberta",
        "xlm-roberta",
        "distilbert",
        "electra",
        "more/albert",
        "more/mpnet",
        "more/deberta-v2",
        "more/esm",
        "more/modernbert",
        "more/deberta",
        "more/eurobert",
        "more/nomic_bert",
        "more/gte",
        "more/t5",
        "more/t5.gated",
        "more/ernie",
        "more/cohere",
        "more/gemma3_text.embedding",
        "more/umt5",
        "more/jina_embeddings_v3"
    )]
    family: &str,
) {
    let (model, texts) = load::<Vectors>(&format!("{family}-vectors"));
    let similar = |pooling| Similar::new(&model, &plan(&model), Measure::Dot, pooling).unwrap();
    let tokenize = |text: &Vectors| {
        model
            .tokenize(&text.text, None, Default::default())
            .unwrap()
    };
    let [first, second] = [tokenize(&texts[0]), tokenize(&texts[1])];
    for (pooling, of) in [
        (None, (|text| &text.mean) as fn(&Vectors) -> &Vec<f64>),
        (Some(VectorPooling::First), |text| &text.first),
        (Some(VectorPooling::Last), |text| &text.last),
    ] {
        let found = similar(pooling).explain([&first, &second]).unwrap();
        close(&found.texts[0].vector, of(&texts[0]), "vector");
        close(&found.texts[1].vector, of(&texts[1]), "vector");
    }
    let found = similar(None).explain([&first, &second]).unwrap();
    let pairs = texts[0].relevance[0].iter().enumerate().flat_map(|(i, _)| {
        let column = 0..texts[1].relevance[0].len();
        let (u, v) = (&texts[0].relevance, &texts[1].relevance);
        column.map(move |j| u.iter().zip(v).map(|(u, v)| u[i] * v[j]).sum::<f64>())
    });
    close(
        &found.interaction.concat(),
        &pairs.collect::<Vec<_>>(),
        "pairs",
    );
    let account = found.account;
    assert!(account.unaccounted.abs() < 1e-5 * account.product.abs().max(1.0));
    // The other text's vector is a constant: relevance is linear in it.
    let expected = (0..first.tokens.len()).map(|token| {
        let features = texts[0].relevance.iter().zip(&texts[1].mean);
        features
            .map(|(relevance, v)| relevance[token] * v)
            .sum::<f64>()
    });
    let tokens: Vec<f32> = found.texts[0].tokens.iter().map(|t| t.relevance).collect();
    close(&tokens, &expected.collect::<Vec<_>>(), "first order");
    assert!(matches!(
        model.transformer.config().head,
        Head::Vector { .. }
    ));
    assert_eq!(logits(&model.transformer, &[&first]).unwrap()[0].len(), 16);
}

/// A matrix of these sizes whose numbers are all different.
fn matrix([rows, columns]: [usize; 2]) -> Vec<f32> {
    let numbers = 0..rows * columns;
    numbers.map(|i| (i as f32 * 0.7).sin()).collect()
}

/// A folder of sentence-transformers, with these linear maps after the mean of the states and then the length 1.
fn with_maps(target: &Path, maps: &[[usize; 2]]) {
    let made = folder("more/gemma3_text.embedding-vectors");
    for file in fs::read_dir(made).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), target.join(file.file_name())).unwrap();
    }
    let write = |name: &str, value: serde_json::Value| {
        let path = target.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, value.to_string()).unwrap();
    };
    write(
        "1_Pooling/config.json",
        json!({"pooling_mode_mean_tokens": true}),
    );
    let mut modules = vec![("", "Transformer"), ("1_Pooling", "Pooling")];
    let names: Vec<String> = (0..maps.len())
        .map(|i| format!("{}_Dense", i + 2))
        .collect();
    for (name, [outputs, inputs]) in names.iter().zip(maps) {
        let activation = "torch.nn.modules.linear.Identity";
        write(
            &format!("{name}/config.json"),
            json!({"in_features": inputs, "out_features": outputs, "bias": false, "activation_function": activation}),
        );
        let bytes: Vec<u8> = matrix([*outputs, *inputs])
            .iter()
            .flat_map(|number| number.to_le_bytes())
            .collect();
        let view = TensorView::new(Dtype::F32, vec![*outputs, *inputs], &bytes).unwrap();
        let file = target.join(name).join("model.safetensors");
        serialize_to_file([("linear.weight", view)], None, &file).unwrap();
        modules.push((name, "Dense"));
    }
    modules.push(("9_Normalize", "Normalize"));
    let modules = modules.iter().enumerate().map(|(index, (path, class))| {
        json!({"idx": index, "name": index.to_string(), "path": path, "type": format!("sentence_transformers.models.{class}")})
    });
    write("modules.json", modules.collect());
}

/// EmbeddingGemma has two.
#[rstest]
fn vectors_go_through_the_linear_maps_of_a_folder(
    #[values(&[], &[[5, 16]], &[[24, 16], [6, 24]])] maps: &[[usize; 2]],
) {
    let target = tempfile::tempdir().unwrap();
    with_maps(target.path(), maps);
    let model = Model::load(target.path(), &Device::flex()).unwrap();
    let (_, texts) = load::<Vectors>("more/gemma3_text.embedding-vectors");
    for text in texts {
        let mut expected = text.mean;
        for &[outputs, inputs] in maps {
            let weights = matrix([outputs, inputs]);
            let row = |row: &[f32]| {
                let products = row.iter().zip(&expected);
                products.map(|(w, x)| f64::from(*w) * x).sum::<f64>()
            };
            expected = weights.chunks(inputs).map(row).collect();
        }
        let length = expected.iter().map(|x| x * x).sum::<f64>().sqrt();
        let expected: Vec<f64> = expected.iter().map(|x| x / length).collect();
        let tokenized = model
            .tokenize(&text.text, None, Default::default())
            .unwrap();
        let found = logits(&model.transformer, &[&tokenized]).unwrap();
        close(&found[0], &expected, &text.text);
    }
}

/// A folder of SPLADE is the masked language model that it holds.
#[test]
fn splade_fills_masks() {
    let target = tempfile::tempdir().unwrap();
    for file in fs::read_dir(folder("heads/bert-masks")).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), target.path().join(file.file_name())).unwrap();
    }
    let module = |path: &str, class: &str| json!({"path": path, "type": format!("sentence_transformers.sparse_encoder.models.{class}")});
    let modules = json!([
        module("", "MLMTransformer"),
        module("1_SpladePooling", "SpladePooling")
    ]);
    fs::write(target.path().join("modules.json"), modules.to_string()).unwrap();
    let model = Model::load(target.path(), &Device::flex()).unwrap();
    assert!(matches!(
        model.transformer.config().head,
        Head::MaskedToken { .. }
    ));
}

/// A third one is not computed.
#[test]
fn three_linear_maps_are_refused() {
    let target = tempfile::tempdir().unwrap();
    with_maps(target.path(), &[[16, 16]; 3]);
    let refused = Model::load(target.path(), &Device::flex()).unwrap_err();
    let message = refused.to_string();
    assert!(message.contains("one Dense or two"), "{message}");
}
