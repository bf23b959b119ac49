//! What every writer shows of a picture and texts that it was compared with.

use relprop_explain::{ComparedText, Comparison};

use crate::numbers::Numbers;

/// The texts, the likeliest first.
pub(crate) fn likeliest(found: &Comparison) -> Vec<&ComparedText> {
    let mut texts: Vec<&ComparedText> = found.texts.iter().collect();
    texts.sort_by(|a, b| b.logit.total_cmp(&a.logit));
    texts
}

/// The cosine and the logit of a text.
pub(crate) fn facts(text: &ComparedText) -> String {
    let logit = Numbers::up_to(text.logit.abs()).signed(text.logit);
    format!("cosine {:+.3}  logit {logit}", text.cosine)
}
