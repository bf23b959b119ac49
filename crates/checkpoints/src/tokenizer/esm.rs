//! ESM's tokenizer, from the `vocab.txt` that its folders have: one token an amino acid.

use std::collections::HashMap;

use serde_json::{Map, Value};
use tokenizers::models::wordlevel::WordLevel;
use tokenizers::pre_tokenizers::whitespace::WhitespaceSplit;
use tokenizers::processors::template::TemplateProcessing;
use tokenizers::{AddedToken, Tokenizer as Inner};

/// Every token of the vocabulary is found wherever it stands; what is left between spaces is unknown.
pub(super) fn parse(vocabulary: &[u8], settings: &Map<String, Value>) -> Result<Inner, String> {
    let token = |key: &str, default: &str| {
        let value = settings.get(key);
        // A token is a string, or an object with settings of its own.
        let content = value.and_then(|value| value.get("content").unwrap_or(value).as_str());
        content.unwrap_or(default).to_owned()
    };
    let [unknown, first, last] = [
        token("unk_token", "<unk>"),
        token("cls_token", "<cls>"),
        token("eos_token", "<eos>"),
    ];
    let special = [
        unknown.clone(),
        first.clone(),
        last.clone(),
        token("pad_token", "<pad>"),
        token("mask_token", "<mask>"),
    ];
    let vocabulary = std::str::from_utf8(vocabulary).map_err(|error| error.to_string())?;
    let tokens: Vec<&str> = vocabulary.lines().map(str::trim).collect();
    let ids: HashMap<String, u32> = (0..)
        .zip(&tokens)
        .map(|(i, t)| ((*t).to_owned(), i))
        .collect();
    let id = |token: &str| {
        let id = ids.get(token).copied();
        id.ok_or_else(|| format!("the vocabulary has no {token}"))
    };
    id(&unknown)?;
    let around = vec![(first.clone(), id(&first)?), (last.clone(), id(&last)?)];
    let mut template = TemplateProcessing::builder();
    template
        .try_single(format!("{first} $A {last}"))?
        .try_pair(format!("{first} $A {last} $B {last}"))?
        .special_tokens(around);
    let template = template.build().map_err(|error| error.to_string())?;
    let model = WordLevel::builder()
        .vocab(ids.iter().map(|(token, id)| (token.clone(), *id)).collect())
        .unk_token(unknown.clone())
        .build()
        .map_err(|error| error.to_string())?;
    let mut inner = Inner::new(model);
    inner
        .with_pre_tokenizer(Some(WhitespaceSplit))
        .with_post_processor(Some(template));
    let known = |token: &&String| ids.contains_key(*token);
    let special: Vec<_> = special.iter().filter(known).cloned().collect();
    let others = tokens
        .iter()
        .filter(|token| !token.is_empty() && !special.contains(&(**token).to_owned()));
    let others: Vec<_> = others
        .map(|token| AddedToken::from(*token, false).normalized(false))
        .collect();
    inner.add_tokens(&others);
    let special: Vec<_> = special
        .into_iter()
        .map(|token| AddedToken::from(token, true))
        .collect();
    inner.add_special_tokens(&special);
    Ok(inner)
}
