//! Relevance at any site of a model.

use relprop_rules::{Pass, Relevance, find_site};
use relprop_transformer::TokenizedText;

use crate::methods::{Propagation, Question};
use crate::numbers::numbers;
use crate::{ExplainError, Explainer};

/// The relevance of every number at one site of a model, for one text.
#[derive(Clone, Debug, PartialEq)]
pub struct SiteRelevance {
    /// The site: `encoder.3.attention.mix`.
    pub site: String,
    /// The size of each axis, the batch of one text first: `[1, head, query, feature]`.
    pub shape: Vec<usize>,
    /// The relevance of each number, row by row, in units of the target.
    pub relevance: Vec<f32>,
}

impl SiteRelevance {
    /// The same, summed over one axis, which is then removed. The relevance of a head, for example,
    /// is the sum over its queries and features.
    ///
    /// ```
    /// use relprop_explain::SiteRelevance;
    ///
    /// let found = SiteRelevance {
    ///     site: "encoder.0.output".to_owned(),
    ///     shape: vec![1, 2, 3],
    ///     relevance: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
    /// };
    /// let of_tokens = found.sum(2);
    /// assert_eq!((of_tokens.shape, of_tokens.relevance), (vec![1, 2], vec![6.0, 15.0]));
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no such axis.
    #[must_use]
    pub fn sum(&self, axis: usize) -> Self {
        let size = self.shape[axis];
        let inner: usize = self.shape[axis + 1..].iter().product();
        let outer: usize = self.shape[..axis].iter().product();
        let mut relevance = vec![0.0; outer * inner];
        for (place, number) in self.relevance.iter().enumerate() {
            relevance[place / (size * inner) * inner + place % inner] += number;
        }
        let mut shape = self.shape.clone();
        shape.remove(axis);
        Self {
            site: self.site.clone(),
            shape,
            relevance,
        }
    }
}

impl Explainer {
    /// The relevance of every number at `site`, whatever its rank, for the plan's target in one text.
    ///
    /// ```no_run
    /// # fn run(explainer: &relprop_explain::Explainer) -> Result<(), relprop_explain::ExplainError> {
    /// // Of each attention head: [1, head].
    /// let mixed = explainer.read("encoder.3.attention.mix", "a warm , funny film")?;
    /// let heads = mixed.sum(3).sum(2);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// If the model has no such site, if it cannot read the text, or if the method of the plan is
    /// not propagation.
    pub fn read(&self, site: &str, text: &str) -> Result<SiteRelevance, ExplainError> {
        self.read_tokenized(site, &self.tokenize(text)?)
    }

    /// The same for a [tokenized](Explainer::tokenize) text, a pair of texts or a picture.
    ///
    /// # Errors
    ///
    /// As [`Explainer::read`].
    pub fn read_tokenized(
        &self,
        site: &str,
        text: &TokenizedText,
    ) -> Result<SiteRelevance, ExplainError> {
        self.method.read(site, text, &self.question())
    }
}

impl Propagation {
    /// The relevance of every number at `site` for one text.
    pub(crate) fn read_site(
        &self,
        site: &str,
        text: &TokenizedText,
        question: &Question,
    ) -> Result<SiteRelevance, ExplainError> {
        let transformer = &question.model.transformer;
        let rank = find_site(&transformer.sites(), site)?.shape.len();
        let pass = Pass::new(self.bound())
            .with_probe(self.site_name())
            .with_probe(site);
        let (_, mut found) = self.run(transformer, &[text], pass, question)?;
        let (shape, relevance) = match rank {
            1 => take::<1>(&mut found, site),
            2 => take::<2>(&mut found, site),
            3 => take::<3>(&mut found, site),
            4 => take::<4>(&mut found, site),
            _ => take::<5>(&mut found, site),
        }?;
        Ok(SiteRelevance {
            site: site.to_owned(),
            shape,
            relevance,
        })
    }
}

fn take<const D: usize>(
    found: &mut Relevance,
    site: &str,
) -> Result<(Vec<usize>, Vec<f32>), ExplainError> {
    let relevance = found.take::<D>(site)?;
    Ok((relevance.dims().to_vec(), numbers(relevance)?))
}
