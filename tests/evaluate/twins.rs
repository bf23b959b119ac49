//! Every metric against plain loops.

use burn::tensor::DType;
use relprop_checkpoints::Model;
use relprop_evaluate::{Need, Sample, metrics};
use relprop_transformer::{Batch, PaddingSide};
use rstest::rstest;

use crate::{measure, samples};
use relprop_testing::{Architecture, explainer, model, propagation};

/// One text, its relevance, and the model: everything that a definition speaks of.
struct Text<'a> {
    model: &'a Model,
    sample: &'a Sample,
    relevance: Vec<f64>,
}

impl Text<'_> {
    /// The logits of the text of these tokens; `None` stands for the unknown token.
    fn logits(&self, places: &[(usize, bool)]) -> Vec<f64> {
        let mut text = self.sample.text.clone();
        let unknown = self.model.tokenizer().unwrap().id("[UNK]").unwrap();
        text.tokens.clear();
        text.types.clear();
        for (place, hidden) in places {
            let mut token = self.sample.text.tokens[*place].clone();
            if *hidden {
                token.id = unknown;
            }
            text.tokens.push(token);
            text.types.push(self.sample.text.types[*place]);
        }
        let device = self.model.transformer.device();
        let batch = Batch::new([&text], 0, PaddingSide::Right, &device);
        let mut pass = relprop_rules::Pass::plain();
        relprop_testing::numbers(self.model.transformer.forward(&batch, &mut pass))
    }

    fn count(&self) -> usize {
        self.relevance.len()
    }

    fn special(&self, place: usize) -> bool {
        self.sample.text.tokens[place].special
    }

    fn logits_hiding(&self, hidden: &[usize]) -> Vec<f64> {
        let places: Vec<_> = (0..self.count())
            .map(|p| (p, hidden.contains(&p)))
            .collect();
        self.logits(&places)
    }

    fn logits_without(&self, gone: &[usize]) -> Vec<f64> {
        let kept = (0..self.count()).filter(|place| !gone.contains(place));
        self.logits(&kept.map(|place| (place, false)).collect::<Vec<_>>())
    }

    fn probability(&self, logits: &[f64]) -> f64 {
        let sum: f64 = logits.iter().map(|logit| logit.exp()).sum();
        logits[self.sample.label().unwrap()].exp() / sum
    }

    /// The places by a key, smallest first, one by one out of those that are left.
    fn sorted(&self, special: bool, key: impl Fn(f64) -> f64) -> Vec<usize> {
        let mut left: Vec<usize> = Vec::new();
        for place in 0..self.count() {
            if special || !self.special(place) {
                left.push(place);
            }
        }
        let mut order = Vec::new();
        while !left.is_empty() {
            let mut smallest = 0;
            for at in 1..left.len() {
                if key(self.relevance[left[at]]) < key(self.relevance[left[smallest]]) {
                    smallest = at;
                }
            }
            order.push(left.remove(smallest));
        }
        order
    }

    /// The area under what `value` makes of the logits while `order` is hidden, or shown.
    fn area(&self, order: &[usize], show: bool, value: impl Fn(&[f64]) -> f64) -> f64 {
        let mut points = Vec::new();
        for step in 0..=10 {
            let fraction = if step == 10 {
                1.0
            } else {
                f64::from(step) * 0.1
            };
            let changed = (fraction * order.len() as f64).ceil() as usize;
            let hidden = if show {
                &order[changed..]
            } else {
                &order[..changed]
            };
            points.push(value(&self.logits_hiding(hidden)));
        }
        let mut sum = 0.0;
        for step in 1..=10 {
            sum += 0.1 * (points[step - 1] + points[step]) / 2.0;
        }
        sum
    }

    fn squared_change(&self, logits: &[f64]) -> f64 {
        let whole = self.logits_hiding(&[]);
        let mut sum = 0.0;
        for label in 0..whole.len() {
            sum += (logits[label] - whole[label]).powi(2);
        }
        sum
    }

    /// The mean loss of probability when what `gone` says is gone.
    fn aopc(&self, gone: impl Fn(&[usize]) -> Vec<usize>) -> f64 {
        let order = self.sorted(false, |r| -r);
        let whole = self.probability(&self.logits_hiding(&[]));
        let mut sum = 0.0;
        for percent in [1, 5, 10, 20, 50] {
            // Rounded up.
            let size = (order.len() * percent).div_ceil(100);
            sum += whole - self.probability(&self.logits_without(&gone(&order[..size])));
        }
        sum / 5.0
    }

    /// Relevance and evidence of each word, by the place of the word among those of the tokenizer.
    fn words(&self) -> Vec<(f64, bool)> {
        let mut words: Vec<(u32, f64, bool)> = Vec::new();
        for (place, token) in self.sample.text.tokens.iter().enumerate() {
            let Some(number) = token.word else { continue };
            let mut known = false;
            for range in &self.sample.evidence {
                for character in token.start..token.end {
                    known |= range.contains(&character);
                }
            }
            if words.last().is_none_or(|last| last.0 != number) {
                words.push((number, 0.0, false));
            }
            let last = words.last_mut().unwrap();
            last.1 += self.relevance[place];
            last.2 |= known;
        }
        let mut ranked: Vec<(f64, bool)> = Vec::new();
        while !words.is_empty() {
            let mut largest = 0;
            for at in 1..words.len() {
                if words[at].1 > words[largest].1 {
                    largest = at;
                }
            }
            let (_, relevance, known) = words.remove(largest);
            ranked.push((relevance, known));
        }
        ranked
    }

    fn value(&self, metric: &str) -> Option<f64> {
        let probability = |logits: &[f64]| self.probability(logits);
        let change = |logits: &[f64]| self.squared_change(logits);
        let most = |special| self.sorted(special, |r| -r);
        let weakest = |special| self.sorted(special, f64::abs);
        let morf = || self.area(&most(false), false, probability);
        let lerf = || self.area(&self.sorted(false, |r| r), false, probability);
        let words = self.words();
        let evidence = words.iter().filter(|word| word.1).count();
        let found = |first: usize| words[..first].iter().filter(|word| word.1).count() as f64;
        let value = match metric {
            "auac" => self.area(&most(true), true, probability),
            "auac-text" => self.area(&most(false), true, probability),
            "aupc" => self.area(&weakest(true), false, probability),
            "aupc-text" => self.area(&weakest(false), false, probability),
            "au-mse" => self.area(&weakest(true), false, change),
            "au-mse-text" => self.area(&weakest(false), false, change),
            "morf" => morf(),
            "lerf" => lerf(),
            "srg" => lerf() - morf(),
            "comprehensiveness" => self.aopc(<[usize]>::to_vec),
            "sufficiency" => self.aopc(|kept| {
                let all = 0..self.count();
                all.filter(|place| !kept.contains(place) && !self.special(*place))
                    .collect()
            }),
            "tau-loo" => return self.tau(),
            "rise" => return self.rise(false),
            "mas" => return self.rise(true),
            "recovery" => {
                // The text's own tokens, and which of them overlap evidence.
                let order = most(false);
                let known = |place: &usize| {
                    let token = &self.sample.text.tokens[*place];
                    let mut ranges = self.sample.evidence.iter();
                    ranges.any(|range| (token.start..token.end).any(|c| range.contains(&c)))
                };
                let first = order.len().div_ceil(10);
                let all = order.iter().filter(|place| known(place)).count();
                let found = order[..first].iter().filter(|place| known(place)).count();
                found as f64 / all as f64
            }
            "pointing-game" => f64::from(words[0].1),
            "mass-accuracy" => {
                let [mut all, mut on_evidence] = [0.0; 2];
                for (relevance, known) in &words {
                    if *relevance > 0.0 {
                        all += relevance;
                        on_evidence += if *known { *relevance } else { 0.0 };
                    }
                }
                if all == 0.0 {
                    return None;
                }
                on_evidence / all
            }
            "rank-accuracy" => found(evidence) / evidence as f64,
            "precision@3" if words.len() < 3 => return None,
            "precision@3" => found(3) / 3.0,
            "token-f1@5" | "iou@5" if words.len() < 5 => return None,
            "token-f1@5" => {
                let (precision, recall) = (found(5) / 5.0, found(5) / evidence as f64);
                if precision + recall == 0.0 {
                    return Some(0.0);
                }
                2.0 * precision * recall / (precision + recall)
            }
            "iou@5" => {
                let either = (0..words.len()).filter(|place| *place < 5 || words[*place].1);
                found(5) / either.count() as f64
            }
            "auprc" => {
                // The mean over evidence of the precision at its rank: no two words are equal here.
                let ranks = (1..=words.len()).filter(|rank| words[rank - 1].1);
                let precisions: f64 = ranks.map(|rank| found(rank) / rank as f64).sum();
                precisions / evidence as f64
            }
            "reciprocal-rank" => {
                let mut rank = 1;
                while !words[rank - 1].1 {
                    rank += 1;
                }
                1.0 / f64::from(rank as u32)
            }
            "polarity" => return self.polarity(),
            "conservation" => {
                let mut sum = self.logits_hiding(&[])[self.sample.label().unwrap()];
                for relevance in &self.relevance {
                    sum -= relevance;
                }
                sum.abs()
            }
            "sparseness" => {
                // Half the mean absolute difference of two of them, in units of their mean.
                let [mut differences, mut all] = [0.0; 2];
                for a in &self.relevance {
                    all += a.abs();
                    for b in &self.relevance {
                        differences += (a.abs() - b.abs()).abs();
                    }
                }
                differences / (2.0 * self.count() as f64 * all)
            }
            _ => panic!("{metric} has no twin"),
        };
        Some(value)
    }

    /// RISE, or MAS: twenty steps, or one for each token of a shorter text.
    fn rise(&self, aligned: bool) -> Option<f64> {
        let order = self.sorted(false, |r| -r);
        let steps = order.len().min(20);
        let [mut scores, mut densities] = [Vec::new(), Vec::new()];
        let all: f64 = order.iter().map(|place| self.relevance[*place]).sum();
        let mut hidden = Vec::new();
        for step in 0..=steps {
            let mut density = 1.0 - step as f64 / steps as f64;
            if all > 0.0 {
                let gone = hidden.iter().map(|place: &usize| self.relevance[*place]);
                density = 1.0 - gone.sum::<f64>() / all;
            }
            densities.push(density);
            scores.push(self.probability(&self.logits_hiding(&hidden)).ln());
            // The first groups have one more where the tokens cannot be shared evenly.
            let one_more = step < order.len() % steps;
            let size = order.len() / steps + usize::from(one_more);
            let left = order[hidden.len()..].iter().take(size).copied();
            hidden.extend(left.collect::<Vec<_>>());
        }
        let (first, last) = (scores[0], scores[steps]);
        let mut points: Vec<f64> = Vec::new();
        for score in &scores {
            let share = ((score - last) / (first - last).abs()).clamp(0.0, 1.0);
            let before = points.last().copied().unwrap_or(1.0);
            points.push(if share < before { share } else { before });
        }
        if aligned {
            for (point, density) in points.iter_mut().zip(&densities) {
                *point = (*point + (*point - density).abs()).clamp(0.0, 1.0);
            }
            let lowest = points.iter().copied().fold(f64::MAX, f64::min);
            let highest = points.iter().copied().fold(f64::MIN, f64::max);
            if highest == lowest {
                return None;
            }
            for point in &mut points {
                *point = (*point - lowest) / (highest - lowest);
            }
        }
        let mut area = 0.0;
        for step in 1..=steps {
            area += (points[step - 1] + points[step]) / 2.0 / steps as f64;
        }
        Some(area)
    }

    fn tau(&self) -> Option<f64> {
        let whole = self.probability(&self.logits_hiding(&[]));
        let mut pairs = Vec::new();
        for place in 0..self.count() {
            if !self.special(place) {
                let lost = whole - self.probability(&self.logits_hiding(&[place]));
                pairs.push((self.relevance[place], lost));
            }
        }
        let [mut agree, mut disagree] = [0.0; 2];
        for (i, a) in pairs.iter().enumerate() {
            for b in &pairs[..i] {
                let product = (a.0 - b.0) * (a.1 - b.1);
                agree += f64::from(product > 0.0);
                disagree += f64::from(product < 0.0);
            }
        }
        // No two are equal in these texts.
        (pairs.len() > 1).then(|| (agree - disagree) / (agree + disagree))
    }

    fn polarity(&self) -> Option<f64> {
        let mut pairs = Vec::new();
        for word in &self.sample.polarity {
            let mut sum = 0.0;
            for (place, token) in self.sample.text.tokens.iter().enumerate() {
                if token.start >= word.place.start && token.end <= word.place.end && !token.special
                {
                    sum += self.relevance[place];
                }
            }
            pairs.push((word.value, sum));
        }
        let count = pairs.len() as f64;
        let [mut x, mut y, mut xx, mut yy, mut xy] = [0.0; 5];
        for (a, b) in &pairs {
            x += a;
            y += b;
            xx += a * a;
            yy += b * b;
            xy += a * b;
        }
        let spread = (count * xx - x * x) * (count * yy - y * y);
        (spread > 1e-12).then(|| (count * xy - x * y) / spread.sqrt())
    }
}

/// The metrics that look at one explanation of one model.
fn simple() -> Vec<String> {
    let about = metrics::all().map(|metric| metric.about());
    let others = [Some(Need::Randomized), Some(Need::OtherLabel)];
    let simple = about.filter(|about| !others.contains(&about.need));
    simple.map(|about| about.name).collect()
}

#[rstest]
#[case(Architecture::PostNorm)]
#[case(Architecture::PreNorm)]
#[case(Architecture::AttentionOnly)]
fn every_metric_is_what_plain_loops_give(#[case] architecture: Architecture) {
    // In f64, so that the batch that a version of a text is in makes no difference of rounding.
    let mut model = model(&architecture.config());
    model.transformer = model.transformer.cast(DType::F64);
    let samples = samples(&model);
    let names = simple();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for preset in ["gradient-x-input", "ah-ln"] {
        let explainer = explainer(&model, preset);
        let found = measure(&model, propagation(&model, preset), &names, &samples);
        for (sample, found) in samples.iter().zip(found) {
            let alone = explainer.clone().target(sample.target).unwrap();
            let explained = alone.explain_batch(std::slice::from_ref(&sample.text));
            let text = Text {
                model: &model,
                sample,
                relevance: relprop_testing::relevance(&explained.unwrap()[0]),
            };
            for (name, found) in names.iter().zip(found) {
                let expected = text.value(name);
                let found = found.map(|reading| reading.value);
                let close = match (found, expected) {
                    (Some(found), Some(expected)) => {
                        (found - expected).abs() < 1e-6 * expected.abs().max(1.0)
                    }
                    (found, expected) => found == expected,
                };
                assert!(close, "{preset}, {name}: {found:?} instead of {expected:?}");
            }
        }
    }
}
