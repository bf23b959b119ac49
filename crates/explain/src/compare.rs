//! Why a picture fits a text, to a model of two towers.

use std::sync::Arc;

use relprop_checkpoints::{Model, TextError, Towers, Truncation};
use relprop_rules::Registry;
use relprop_transformer::{Probabilities, TokenizedText};

use crate::batching::logits;
use crate::describe::{subject, tokens};
use crate::methods::{Finding, Propagation};
use crate::numbers::argmax;
use crate::run::Run;
use crate::score::{Choice, Lost, Scored};
use crate::similarity::{account, features, of_words, product, products};
use crate::words::words;
use crate::{
    COMPARISON, ComparedText, Comparison, ExplainError, Explanation, PairAccount, Pairs, Plan,
    SCHEMA, Scalar, Score, Target, TargetValue,
};

/// Tells why a picture fits texts to a model of two towers.
#[derive(Clone, Debug)]
pub struct Compare {
    towers: Arc<Towers>,
    picture: Propagation,
    text: Propagation,
    plan: Plan,
    pairs: bool,
}

/// What stands between the sites of the two towers.
const BETWEEN: char = ',';

impl Compare {
    /// Explains `towers` by the rules of `plan`, read at its site; of two sites with a comma between them, the first is that of
    /// the tower for pictures. The target is one of the texts, by its name or its index, or the difference of two.
    ///
    /// # Errors
    ///
    /// If rules or sites do not fit the towers, and if the plan asks for what is not computed: another method than propagation,
    /// hops, or segments.
    pub fn new(towers: &Arc<Towers>, plan: &Plan) -> Result<Self, ExplainError> {
        let asked = "a comparison of a picture with texts";
        let given = [
            ("another method than propagation", plan.method.is_some()),
            ("hops", plan.hops > 0),
            ("segments", plan.segments.is_some()),
            ("windows", plan.truncation == Truncation::Windows),
            ("a norm", plan.target.score == Score::Norm),
            ("a place in a text", plan.target.place.is_some()),
        ];
        if let Some((part, _)) = given.into_iter().find(|(_, given)| *given) {
            return Err(ExplainError::NotOf { part, asked });
        }
        let sites = match plan.at.as_deref().map(|at| (at, at.split_once(BETWEEN))) {
            None => [None; 2],
            Some((_, Some((picture, text)))) => [Some(picture.trim()), Some(text.trim())],
            Some((at, None)) => [Some(at); 2],
        };
        let rules = plan.rule_set()?;
        let propagation = |model: &Model, site: Option<&str>| {
            let model = Arc::new(model.clone());
            let mut propagation = Propagation::new(&model, &rules, &Registry::default())?;
            if let Some(site) = site {
                propagation = propagation.at(site)?;
            }
            if plan.recompute {
                propagation = propagation.recompute()?;
            }
            match plan.ledger {
                true => propagation.with_ledger(),
                false => Ok(propagation),
            }
        };
        Ok(Self {
            picture: propagation(&towers.picture, sites[0])?,
            text: propagation(&towers.text, sites[1])?,
            towers: Arc::clone(towers),
            plan: plan.clone(),
            pairs: false,
        })
    }

    /// The same for another target.
    #[must_use]
    pub fn target(&self, target: Scalar) -> Self {
        let mut same = self.clone();
        same.plan.target = target;
        same
    }

    /// The same with the relevance of pairs of patches and words. It takes a pass for each feature of a vector, in either tower.
    #[must_use]
    pub fn with_pairs(self) -> Self {
        Self {
            pairs: true,
            ..self
        }
    }

    /// Splits a text into tokens as the model reads them.
    ///
    /// # Errors
    ///
    /// If it is empty, or too long and must not be cut.
    pub fn tokenize(&self, text: &str) -> Result<TokenizedText, TextError> {
        self.towers.text.tokenize(text, None, self.plan.truncation)
    }

    /// Tells how well each of the texts fits the picture, and why.
    ///
    /// ```text
    /// z_k = scale * u v_k + bias          u, v_k: the vectors, of length 1
    /// R(u) from f(z_1, ..., z_n),         R(v_k) from z_k df/dz_k, all else constant
    /// ```
    ///
    /// # Errors
    ///
    /// [`ExplainError::NoTexts`] if there is none, an unknown target, [`ExplainError::Device`] if the device fails.
    pub fn explain(
        &self,
        picture: &TokenizedText,
        texts: &[TokenizedText],
    ) -> Result<Comparison, ExplainError> {
        if texts.is_empty() {
            return Err(ExplainError::NoTexts);
        }
        let labels: Vec<String> = texts.iter().map(|text| text.text.clone()).collect();
        let given: Vec<&TokenizedText> = texts.iter().collect();
        let u = logits(&self.towers.picture.transformer, &[picture])?.remove(0);
        let v = logits(&self.towers.text.transformer, &given)?;
        let cosines: Vec<f64> = v.iter().map(|v| product(&u, v)).collect();
        let z: Vec<f32> = cosines.iter().map(|cosine| self.logit(*cosine)).collect();
        let target = Asked::new(&self.plan.target, &z, &labels, self.towers.probabilities)?;

        let of_picture = |_: usize, u: &[f32]| self.through_picture(&target, u, &v);
        let found = self.picture.find_scored(&[picture], &of_picture)?.remove(0);
        // The texts that the target depends on.
        let slopes = target.scored(&z).weights;
        let asked: Vec<usize> = (0..texts.len()).filter(|&k| slopes[k] != 0.0).collect();
        let chosen: Vec<&TokenizedText> = asked.iter().map(|&k| given[k]).collect();
        let of_text = |place: usize, v: &[f32]| self.through_text(&target, asked[place], &u, v, &z);
        let of_texts = self.text.find_scored(&chosen, &of_text)?;

        let probabilities = self.towers.probabilities.of(&z).unwrap_or_default();
        let alone = asked.len() == 1;
        let mut of_texts: Vec<Option<Finding>> = {
            let mut found: Vec<Option<Finding>> = vec![None; texts.len()];
            asked
                .iter()
                .zip(of_texts)
                .for_each(|(&k, of_text)| found[k] = Some(of_text));
            found
        };
        let mut pairs: Vec<Option<Pairs>> = vec![None; texts.len()];
        if self.pairs {
            let of_picture = features(&self.picture, picture)?;
            for &k in &asked {
                let both = [of_picture.clone(), features(&self.text, given[k])?];
                pairs[k] = Some(self.of_pairs(both, [picture, given[k]], [&u, &v[k]]));
            }
        }
        let texts = (0..texts.len()).map(|k| ComparedText {
            pairs: pairs[k].take(),
            text: labels[k].clone(),
            vector: v[k].clone(),
            cosine: cosines[k] as f32,
            logit: z[k],
            probability: probabilities[k],
            explanation: of_texts[k].take().map(|found| {
                let label = match alone {
                    true => target.name.clone(),
                    false => format!("{}, through this text", target.name),
                };
                self.explanation(&self.text, given[k], found, (label, &target), &labels, &z)
            }),
        });
        let name = target.name.clone();
        Ok(Comparison {
            schema: COMPARISON.to_owned(),
            scale: self.towers.scale,
            bias: self.towers.bias,
            texts: texts.collect(),
            picture: self.explanation(&self.picture, picture, found, (name, &target), &labels, &z),
            vector: u,
        })
    }

    fn logit(&self, cosine: f64) -> f32 {
        (self.towers.scale * cosine + self.towers.bias) as f32
    }

    /// The target as a function of the picture's vector `u`:
    ///
    /// ```text
    /// df/du = sum over k of df/dz_k * scale * v_k
    /// ```
    fn through_picture(&self, target: &Asked, u: &[f32], v: &[Vec<f32>]) -> Scored {
        let z: Vec<f32> = v.iter().map(|v| self.logit(product(u, v))).collect();
        let outer = target.scored(&z);
        let scale = self.towers.scale;
        let weight = |m: usize| {
            let slopes = outer.weights.iter().zip(v);
            let sum: f64 = slopes
                .map(|(slope, v)| f64::from(*slope) * f64::from(v[m]))
                .sum();
            (sum * scale) as f32
        };
        let weights = (0..u.len()).map(weight).collect();
        let slopes: f64 = outer.weights.iter().map(|slope| f64::from(*slope)).sum();
        let mut absorbed = outer.absorbed;
        absorbed.push(self.of_bias(slopes));
        Scored {
            value: outer.value,
            weights,
            absorbed,
        }
    }

    /// The share of the target that goes through the vector `v` of text `k`: z_k df/dz_k.
    fn through_text(&self, target: &Asked, k: usize, u: &[f32], v: &[f32], z: &[f32]) -> Scored {
        let mut z = z.to_vec();
        z[k] = self.logit(product(u, v));
        let outer = target.scored(&z);
        let slope = f64::from(outer.weights[k]);
        let weight = |u: &f32| (slope * self.towers.scale * f64::from(*u)) as f32;
        Scored {
            value: slope * f64::from(z[k]),
            weights: u.iter().map(weight).collect(),
            absorbed: vec![self.of_bias(slope)],
        }
    }

    /// What patches and words do together:
    ///
    /// ```text
    /// R_ij = scale * sum over m of R_i(u_m) R_j(v_m)
    /// ```
    fn of_pairs(
        &self,
        features: [Vec<Vec<f32>>; 2],
        inputs: [&TokenizedText; 2],
        vectors: [&Vec<f32>; 2],
    ) -> Pairs {
        let scale = self.towers.scale;
        let mut interaction = products(&features[0], &features[1]);
        let all = interaction.iter_mut().flatten();
        all.for_each(|relevance| *relevance = (scale * f64::from(*relevance)) as f32);
        let found = account(&features, &vectors.map(Vec::clone));
        Pairs {
            word_interaction: of_words(&interaction, inputs),
            interaction,
            account: PairAccount {
                product: scale * found.product,
                pairs: scale * found.pairs,
                first_with_biases: scale * found.first_with_biases,
                second_with_biases: scale * found.second_with_biases,
                biases: scale * found.biases,
                unaccounted: scale * found.unaccounted,
            },
        }
    }

    /// What the bias of logits gives to a target of this derivative. It is in no vector.
    fn of_bias(&self, slope: f64) -> Lost {
        Lost {
            site: "logit-bias",
            kind: "bias",
            amount: -self.towers.bias * slope,
        }
    }

    fn explanation(
        &self,
        propagation: &Propagation,
        input: &TokenizedText,
        found: Finding,
        (label, target): (String, &Asked),
        labels: &[String],
        z: &[f32],
    ) -> Explanation {
        let model = propagation.model();
        let Run {
            method,
            rules,
            at,
            model: mut info,
            device,
        } = Run::new(model, propagation);
        self.towers.family.clone_into(&mut info.family);
        Explanation {
            schema: SCHEMA.to_owned(),
            text: input.text.clone(),
            subject: subject(input),
            method,
            rules,
            at,
            model: info,
            device,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            logits: z.to_vec(),
            labels: labels.to_vec(),
            prediction: labels[argmax(z)].clone(),
            probability: None,
            probabilities: self.towers.probabilities,
            answer: None,
            position: None,
            target: TargetValue {
                label,
                score: target.score,
                value: found.value as f32,
            },
            tokens: tokens(input, &found.relevance),
            parts: Vec::new(),
            words: match input.picture() {
                None => words(input, &found.relevance),
                Some(_) => Vec::new(),
            },
            segments: Vec::new(),
            dropped_tokens: input.dropped,
            dropped_from: (input.dropped > 0).then(|| model.cuts_from()),
            windows: 0,
            hops: Vec::new(),
            ledger: found.ledger,
        }
    }
}

/// What is asked of the logits of a picture.
struct Asked {
    /// How much of each logit counts.
    weights: Vec<f32>,
    score: Score,
    probabilities: Probabilities,
    name: String,
}

impl Asked {
    fn new(
        scalar: &Scalar,
        z: &[f32],
        labels: &[String],
        probabilities: Probabilities,
    ) -> Result<Self, ExplainError> {
        let target = match scalar.of.check(labels.len(), labels)? {
            Target::Predicted => Target::Label(argmax(z)),
            other => other,
        };
        let mut weights = vec![0.0; labels.len()];
        match target {
            Target::Label(index) => weights[index] = 1.0,
            Target::Contrast(a, b) => {
                weights[a] += 1.0;
                weights[b] -= 1.0;
            }
            Target::Predicted | Target::AboveMean { .. } | Target::Class(_) | Target::Given => {
                return Err(ExplainError::Unfit {
                    scalar: scalar.to_string(),
                    reason: "of a picture and texts, one text is explained, or the difference of two",
                });
            }
        }
        Ok(Self {
            weights,
            score: scalar.score,
            probabilities,
            name: match scalar.score {
                Score::Entropy => "entropy()".to_owned(),
                _ => target.named(&|index| labels[index].clone()),
            },
        })
    }

    /// The value where the logits are `z`, and its derivatives.
    fn scored(&self, z: &[f32]) -> Scored {
        let choice = Choice {
            first: 0,
            step: 1,
            count: z.len(),
        };
        match self.score {
            Score::Logit | Score::Norm => Scored::sum(self.weights.clone(), z),
            Score::LogProbability => {
                Scored::log_probability(&self.weights, z, &[choice], self.probabilities)
            }
            Score::Entropy => Scored::entropy(z, &[choice], self.probabilities),
        }
    }
}
