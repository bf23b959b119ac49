//! Which of the Hub's files a model is read from.

use crate::files::{CONFIG, PREPROCESSOR, TOKENIZER, TOKENIZER_CONFIG, VOCABULARY};
use crate::weights::{Format, WEIGHTS, index_of};

/// The files that [`Model::load`](crate::Model::load) reads, of those for which `has` holds; of
/// weights in several files, the index alone. The weights come last: where they are, all is.
///
/// # Errors
///
/// The file that a model cannot do without.
pub(super) fn needed(has: impl Fn(&str) -> bool) -> Result<Vec<String>, &'static str> {
    let reads = |format| cfg!(feature = "pytorch") || format == Format::Safetensors;
    let weights = WEIGHTS.iter().filter(|(_, format)| reads(*format));
    let mut weights = weights.flat_map(|(name, _)| [(*name).to_owned(), index_of(name)]);

    if !has(CONFIG) {
        return Err(CONFIG);
    }
    let reads: &[&str] = match (has(TOKENIZER), has(VOCABULARY)) {
        (true, _) => &[PREPROCESSOR, TOKENIZER],
        (false, true) => &[PREPROCESSOR, TOKENIZER_CONFIG, VOCABULARY],
        (false, false) if has(PREPROCESSOR) => &[PREPROCESSOR],
        (false, false) => return Err(TOKENIZER),
    };
    let weights = weights.find(|file| has(file)).ok_or(WEIGHTS[0].0)?;
    let reads = reads.iter().filter(|file| has(file));
    let mut files = vec![CONFIG.to_owned()];
    files.extend(reads.map(|file| (*file).to_owned()));
    files.push(weights);
    Ok(files)
}

/// Whether the file says in which files the weights are.
pub(super) fn is_index(file: &str) -> bool {
    WEIGHTS.iter().any(|(name, _)| file == index_of(name))
}
