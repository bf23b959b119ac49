//! Models by their names on the Hugging Face Hub, from a stand-in on this machine:
//! `cargo test --workspace --features hub --test hub`.

mod server;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use relprop_testing::fixtures::folder;
use relprop_testing::program::{Ran, relprop};
use rstest::rstest;
use safetensors::SafeTensors;
use serde_json::{Value, json};
use server::{COMMIT, Hub};
use tempfile::TempDir;

const NAME: &str = "owner/tiny-bert";
const TEXT: &str = "a warm , funny film";
/// Of the fixture, with files that no model is read from.
const FILES: [&str; 6] = [
    "config.json",
    "model.safetensors",
    "pytorch_model.bin",
    "reference.json",
    "tokenizer.json",
    "tokenizer_config.json",
];

fn bert() -> Hub {
    Hub::with(NAME, &folder("bert"), &FILES)
}

/// Somebody with an empty cache.
struct User {
    home: TempDir,
    endpoint: String,
}

impl User {
    fn of(endpoint: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let endpoint = endpoint.to_owned();
        Self { home, endpoint }
    }

    fn relprop(&self, arguments: &[&str]) -> Command {
        let mut command = relprop();
        for variable in ["HF_TOKEN", "HF_HUB_OFFLINE"] {
            command.env_remove(variable);
        }
        for variable in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            command
                .env_remove(variable)
                .env_remove(variable.to_lowercase());
        }
        command
            .env("HF_HOME", self.home.path())
            .env("HF_ENDPOINT", &self.endpoint)
            .args(arguments);
        command
    }

    fn explain(&self, model: &str) -> Command {
        self.relprop(&["explain", "--model", model, "--format", "json", TEXT])
    }
}

fn run(mut command: Command) -> Ran {
    Ran::from(command.output().unwrap())
}

/// What the folder itself explains.
fn expected() -> String {
    let folder = folder("bert");
    let user = User::of("http://127.0.0.1:1");
    run(user.explain(folder.to_str().unwrap())).done().stdout
}

#[test]
fn a_name_explains_what_its_folder_explains_also_without_a_network() {
    let server = bert().start();
    let user = User::of(&server.address);
    let first = run(user.explain(NAME)).done();
    assert_eq!(first.stdout, expected());
    assert!(
        first.stderr.contains(&format!("fetching {NAME}")),
        "{}",
        first.stderr
    );
    let files = [
        "config.json",
        "tokenizer_config.json",
        "tokenizer.json",
        "model.safetensors",
    ];
    assert_eq!(server.fetched(), files);

    // What is in the cache is not asked for again.
    let second = run(user.explain(NAME)).done();
    assert_eq!((second.stdout, second.stderr.as_str()), (expected(), ""));
    assert_eq!(server.asked(), [""; 0]);

    drop(server);
    assert_eq!(run(user.explain(NAME)).done().stdout, expected());
    for offline in ["1", "TRUE"] {
        let mut command = user.explain(NAME);
        command.env("HF_HUB_OFFLINE", offline);
        assert_eq!(run(command).done().stdout, expected());
    }
    // By its commit as well.
    let commit = format!("{NAME}@{COMMIT}");
    assert_eq!(run(user.explain(&commit)).done().stdout, expected());
}

#[rstest]
#[case("inspect", &[])]
#[case("evaluate", &["--data", "reviews", "--target", "predicted", "--limit", "2", "--methods", "random"])]
#[case("tune", &["--data", "reviews", "--target", "predicted", "--limit", "60", "--tries", "1"])]
fn every_command_takes_a_name(#[case] command: &str, #[case] more: &[&str]) {
    let server = bert().start();
    let user = User::of(&server.address);
    let arguments = [&[command, "--model", NAME], more].concat();
    let ran = run(user.relprop(&arguments)).done();
    assert!(!ran.stdout.is_empty());
    // config.json, tokenizer.json, tokenizer_config.json and the weights.
    assert_eq!(server.fetched().len(), 4);
}

#[test]
fn a_revision_is_fetched_and_another_is_not_known() {
    let server = bert().start();
    let user = User::of(&server.address);
    let ran = run(user.explain(&format!("{NAME}@v1"))).done();
    assert_eq!(ran.stdout, expected());
    assert!(server.asked()[0].ends_with("/revision/v1 "));

    let wrong = format!("{NAME}@v9");
    run(user.explain(&wrong)).failed(1, &["has no", &wrong, "404", "revision after the @"]);
}

#[test]
fn a_folder_is_preferred_to_a_name() {
    let user = User::of("http://127.0.0.1:1");
    let place = tempfile::tempdir().unwrap();
    let copy = place.path().join(NAME);
    fs::create_dir_all(&copy).unwrap();
    for file in ["config.json", "model.safetensors", "tokenizer.json"] {
        fs::copy(folder("bert").join(file), copy.join(file)).unwrap();
    }
    let mut command = user.explain(NAME);
    command.current_dir(place.path());
    assert_eq!(run(command).done().stdout, expected());
}

/// The fixture with its tensors in two files.
fn sharded() -> Hub {
    let mut hub = bert();
    hub.files.remove("pytorch_model.bin");
    let whole = hub.files.remove("model.safetensors").unwrap();
    let tensors = SafeTensors::deserialize(&whole).unwrap();
    let mut parts = [BTreeMap::new(), BTreeMap::new()];
    let mut weight_map = BTreeMap::new();
    for (index, (name, view)) in tensors.iter().enumerate() {
        parts[index % 2].insert(name, view);
        weight_map.insert(name, format!("model-{}.safetensors", index % 2));
    }
    for (index, part) in parts.into_iter().enumerate() {
        let bytes = safetensors::serialize(part, None).unwrap();
        hub.files
            .insert(format!("model-{index}.safetensors"), bytes);
    }
    let index = json!({"metadata": {}, "weight_map": weight_map}).to_string();
    hub.files
        .insert("model.safetensors.index.json".to_owned(), index.into());
    hub
}

/// Logits and relevance; the SHA-256 of the weights differs.
fn numbers(output: &str) -> [Value; 2] {
    let mut output: Value = serde_json::from_str(output).unwrap();
    ["logits", "tokens"].map(|key| output[key].take())
}

#[test]
fn weights_in_several_files_are_fetched() {
    let server = sharded().start();
    let user = User::of(&server.address);
    let first = run(user.explain(NAME)).done();
    assert_eq!(numbers(&first.stdout), numbers(&expected()));
    let files = [
        "config.json",
        "tokenizer_config.json",
        "tokenizer.json",
        "model.safetensors.index.json",
        "model-0.safetensors",
        "model-1.safetensors",
    ];
    assert_eq!(server.fetched(), files);

    // One of them is lost: it alone is fetched again.
    let commit = user
        .home
        .path()
        .join("hub/models--owner--tiny-bert/snapshots")
        .join(COMMIT);
    fs::remove_file(commit.join("model-1.safetensors")).unwrap();
    let mut offline = user.explain(NAME);
    offline.env("HF_HUB_OFFLINE", "1");
    run(offline).failed(1, &["or not all of it"]);
    assert_eq!(run(user.explain(NAME)).done().stdout, first.stdout);
    assert_eq!(server.fetched(), ["model-1.safetensors"]);
}

#[test]
fn an_index_does_not_lead_out_of_the_cache() {
    let mut hub = sharded();
    let index = json!({"weight_map": {"a": "../../../model-0.safetensors"}}).to_string();
    hub.files
        .insert("model.safetensors.index.json".to_owned(), index.into());
    let server = hub.start();
    let user = User::of(&server.address);
    run(user.explain(NAME)).failed(
        1,
        &["model.safetensors.index.json", "not the name of a file"],
    );
}

#[test]
fn an_older_tokenizer_and_a_preprocessor_are_fetched() {
    let mut hub = bert();
    hub.files.remove("tokenizer.json");
    let tokens = "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nfilm\n";
    hub.files.insert("vocab.txt".to_owned(), tokens.into());
    let server = hub.start();
    let user = User::of(&server.address);
    run(user.explain(NAME)).done();
    let files = [
        "config.json",
        "tokenizer_config.json",
        "vocab.txt",
        "model.safetensors",
    ];
    assert_eq!(server.fetched(), files);

    let files = [
        "config.json",
        "preprocessor_config.json",
        "model.safetensors",
    ];
    let server = Hub::with("owner/vit", &folder("vit"), &files).start();
    let user = User::of(&server.address);
    run(user.relprop(&["inspect", "--model", "owner/vit"])).done();
    assert_eq!(server.fetched(), files);
}

#[rstest]
#[case("config.json", &["has no config.json"])]
#[case("tokenizer.json", &["has no tokenizer.json"])]
#[case("model.safetensors", &["has no model.safetensors"])]
fn a_missing_file_is_named(#[case] file: &str, #[case] words: &[&str]) {
    let mut hub = bert();
    hub.files.remove(file);
    hub.files.remove("pytorch_model.bin");
    let server = hub.start();
    let user = User::of(&server.address);
    run(user.explain(NAME)).failed(1, &[&[NAME, &server.address], words].concat());
    // It is known before anything is fetched.
    assert_eq!(server.fetched(), [""; 0]);
}

#[test]
fn a_pickle_is_fetched_where_there_is_nothing_else() {
    let mut hub = bert();
    hub.files.remove("model.safetensors");
    let server = hub.start();
    let user = User::of(&server.address);
    run(user.explain(NAME)).done();
    let fetched = server.fetched();
    assert!(
        fetched.contains(&"pytorch_model.bin".to_owned()),
        "{fetched:?}"
    );
}

#[rstest]
#[case(401)]
#[case(403)]
fn a_model_for_some_needs_a_token(#[case] status: u16) {
    let mut hub = bert();
    hub.token = Some(("hf_secret", status));
    let server = hub.start();
    let user = User::of(&server.address);
    let words = [&status.to_string(), "HF_TOKEN", "hf auth login", NAME];
    run(user.explain(NAME)).failed(1, &words);
    let mut wrong = user.explain(NAME);
    wrong.env("HF_TOKEN", "hf_other");
    run(wrong).failed(1, &words);

    let mut right = user.explain(NAME);
    right.env("HF_TOKEN", "hf_secret");
    assert_eq!(run(right).done().stdout, expected());

    // What `hf auth login` leaves.
    let user = User::of(&server.address);
    fs::write(user.home.path().join("token"), "hf_secret\n").unwrap();
    assert_eq!(run(user.explain(NAME)).done().stdout, expected());
}

#[test]
fn a_name_that_nobody_knows_is_refused() {
    let server = bert().start();
    let user = User::of(&server.address);
    run(user.explain("owner/typo")).failed(
        1,
        &[
            "there is no folder owner/typo",
            "has no owner/typo (404)",
            &server.address,
        ],
    );
}

#[test]
fn without_a_network_the_way_out_is_named() {
    // Nothing listens there.
    let user = User::of("http://127.0.0.1:1");
    run(user.explain(NAME)).failed(
        1,
        &[
            "http://127.0.0.1:1 cannot be reached",
            "HTTPS_PROXY",
            "--local-dir",
        ],
    );
    let mut offline = user.explain(NAME);
    offline.env("HF_HUB_OFFLINE", "1");
    let cache = user.home.path().join("hub");
    let words = [NAME, "HF_HUB_OFFLINE", cache.to_str().unwrap()];
    run(offline).failed(1, &words);
}

#[test]
fn what_broke_off_goes_on() {
    let mut hub = bert();
    hub.breaks = Some(20_000);
    let server = hub.start();
    let user = User::of(&server.address);
    run(user.explain(NAME)).failed(
        1,
        &[
            "model.safetensors could not be fetched",
            "fetching it again",
        ],
    );
    server.asked();
    assert_eq!(run(user.explain(NAME)).done().stdout, expected());
    let asked = server.asked();
    assert!(
        asked.contains(&"/large/model.safetensors bytes=20000-".to_owned()),
        "{asked:?}"
    );
}

#[test]
fn a_part_that_does_not_fit_is_named() {
    let mut hub = bert();
    hub.breaks = Some(20_000);
    let server = hub.start();
    let user = User::of(&server.address);
    run(user.explain(NAME)).failed(1, &["fetching it again"]);
    let blobs = user.home.path().join("hub/models--owner--tiny-bert/blobs");
    let part = part_in(&blobs);
    let bytes = fs::read(&part).unwrap();
    fs::write(&part, bytes.repeat(2)).unwrap();
    run(user.explain(NAME)).failed(1, &["does not fit", blobs.to_str().unwrap()]);
    fs::remove_file(part).unwrap();
    assert_eq!(run(user.explain(NAME)).done().stdout, expected());
}

fn part_in(blobs: &Path) -> std::path::PathBuf {
    let mut files = fs::read_dir(blobs)
        .unwrap()
        .map(|file| file.unwrap().path());
    files
        .find(|file| file.extension().is_some_and(|ending| ending == "part"))
        .unwrap()
}
