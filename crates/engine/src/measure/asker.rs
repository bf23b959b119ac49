//! How the texts that are measured are asked.

use std::ops::Range;
use std::sync::Arc;

use relprop_checkpoints::{Model, TextError, Truncation};
use relprop_explain::{
    Chosen, ExplainError, Explainer, Place, Plan, Scalar, Score, Target, answer_start,
};
use relprop_transformer::{Content, Head, Outputs, TokenizedText};

use super::{LabeledText, MeasureError, Measured};
use crate::EngineError;

/// How texts are asked.
pub(super) struct Asker {
    /// It reads texts, and knows what is asked of them, but for an answer that stands in each of them.
    pub(super) explainer: Explainer,
    /// What is asked.
    pub(super) target: Scalar,
    /// Whether the answer that is given to each text is explained.
    pub(super) answers: bool,
    /// Whether the model goes on with texts.
    pub(super) writes: bool,
}

impl Asker {
    /// The text, and where the answer begins in it.
    pub(super) fn tokenize(
        &self,
        found: &LabeledText,
    ) -> Result<(TokenizedText, Option<usize>), String> {
        match &found.picture {
            None => self.read(found).map_err(|error| error.to_string()),
            Some(picture) => {
                let read = self.explainer.model().picture(picture, &found.text);
                Ok((read.map_err(|error| error.to_string())?, None))
            }
        }
    }

    fn read(&self, found: &LabeledText) -> Result<(TokenizedText, Option<usize>), ExplainError> {
        let read = |explainer: &Explainer| match &found.pair {
            Some(second) => explainer.tokenize_pair(&found.text, second),
            None => explainer.tokenize(&found.text),
        };
        if !self.answers || self.target.place.is_some() && !self.writes {
            return Ok((read(&self.explainer)?, None));
        }
        let answer = found.answer.as_deref().ok_or(TextError::NoAnswer)?;
        if !self.writes {
            let place = Place::Text {
                text: answer.trim().to_owned(),
                number: None,
            };
            let plan = Plan {
                target: Scalar {
                    place: Some(place),
                    ..self.target.clone()
                },
                ..self.explainer.plan().clone()
            };
            let explainer = Explainer::new(self.explainer.model(), &plan)?;
            return Ok((read(&explainer)?, None));
        }
        let text = self.explainer.tokenize_answer(&found.text, answer)?;
        let start = answer_start(&text);
        Ok((text, Some(start)))
    }
}

/// Places in the second text as places in both.
pub(super) fn in_second(
    text: &TokenizedText,
    mut evidence: Vec<Range<usize>>,
) -> Vec<Range<usize>> {
    if let Content::Text {
        second: Some(start),
    } = text.content
    {
        let shift = |range: &mut Range<usize>| *range = range.start + start..range.end + start;
        evidence.iter_mut().for_each(shift);
    }
    evidence
}

/// Refuses what the model, or a metric, cannot be asked.
pub(super) fn asker(target: &Measured, model: &Arc<Model>) -> Result<Asker, EngineError> {
    let config = model.transformer.config();
    let outputs = config.head.outputs();
    let writes = matches!(config.head, Head::NextToken { .. });
    let scalar = match target {
        Measured::True if writes || outputs == Outputs::StartAndEnd => Target::Given.into(),
        Measured::True if outputs == Outputs::Labels => Target::Predicted.into(),
        Measured::Predicted if matches!(outputs, Outputs::Labels | Outputs::Vocabulary) => {
            Target::Predicted.into()
        }
        Measured::True | Measured::Predicted => return Err(MeasureError::NoTextLabel.into()),
        Measured::Target(written) => {
            Scalar::read(model, written, None).map_err(ExplainError::from)?
        }
    };
    let of_all = scalar.score == Score::Entropy;
    let open = scalar.of == Target::Predicted && matches!(target, Measured::Target(_)) && !of_all;
    let above_predicted = matches!(
        scalar.of,
        Target::AboveMean {
            of: Chosen::Predicted,
            ..
        }
    );
    if open || above_predicted || scalar.score == Score::Norm {
        return Err(MeasureError::NotFixed(scalar.to_string()).into());
    }
    let answers = scalar.of.is_given();
    let finds = outputs == Outputs::StartAndEnd;
    let stands_in_texts = answers && finds && scalar.place.is_none();
    let plan = Plan {
        target: match stands_in_texts {
            true => Target::Predicted.into(),
            false => scalar.clone(),
        },
        truncation: Truncation::Cut,
        ..Plan::default()
    };
    Ok(Asker {
        explainer: Explainer::new(model, &plan)?,
        target: scalar,
        answers,
        writes,
    })
}
