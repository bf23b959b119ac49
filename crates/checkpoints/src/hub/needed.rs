//! Which of the Hub's files a model is read from.

use crate::files::{
    ADDED_TOKENS, CHAT_TEMPLATE, CHAT_TEMPLATE_OF_PROCESSOR, CONFIG, DEFAULT_CHAT_TEMPLATE,
    GENERATION, PREPROCESSOR, PROCESSOR, SPECIAL_TOKENS, TOKENIZER, TOKENIZER_CONFIG,
    TOKENIZER_FILES,
};
use crate::weights::{WEIGHTS, index_of};

/// The files that [`Model::load`](crate::Model::load) reads, of those for which `has` holds; of
/// weights in several files, the index alone. The weights come last, so a folder that has them has
/// all files.
///
/// # Errors
///
/// The file that a model cannot do without.
pub(super) fn needed(has: impl Fn(&str) -> bool) -> Result<Vec<String>, &'static str> {
    let weights = WEIGHTS.iter();
    let mut weights = weights.flat_map(|(name, _)| [(*name).to_owned(), index_of(name)]);

    if !has(CONFIG) {
        return Err(CONFIG);
    }
    let beside = [
        GENERATION,
        PREPROCESSOR,
        PROCESSOR,
        TOKENIZER_CONFIG,
        SPECIAL_TOKENS,
        ADDED_TOKENS,
        CHAT_TEMPLATE,
        DEFAULT_CHAT_TEMPLATE,
        CHAT_TEMPLATE_OF_PROCESSOR,
    ];
    let mut tokenizers = TOKENIZER_FILES.iter().map(|(files, _)| *files);
    let complete = tokenizers.find(|files| files.iter().all(|file| has(file)));
    let tokenizer = match complete {
        Some(files) => files,
        None if has(PREPROCESSOR) => &[],
        None => return Err(TOKENIZER),
    };
    let reads = beside.iter().chain(tokenizer);
    let weights = weights.find(|file| has(file)).ok_or(WEIGHTS[0].0)?;
    let reads = reads.filter(|file| has(file));
    let mut files = vec![CONFIG.to_owned()];
    files.extend(reads.map(|file| (*file).to_owned()));
    files.push(weights);
    Ok(files)
}

/// Whether the file says in which files the weights are.
pub(super) fn is_index(file: &str) -> bool {
    WEIGHTS.iter().any(|(name, _)| file == index_of(name))
}
