//! Writes one review: fills a template with words.

mod words;

use std::ops::RangeInclusive;

use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use self::words::Use;
use super::lexicon::{
    CLOSERS, FILMS, GENRES, HOW_LONG, Kind, MADE_HOW, MOMENTS, OPENERS, QUALITIES, STORY, THINGS,
    TITLES, WHERE, WHO,
};
use super::templates::{
    CONTRASTED, FACTS, NEGATED, NEGATED_CLAUSES, PLAIN, PLAIN_CLAUSES, Piece, Template,
};
use crate::corpus::Example;

/// What makes a review hard for a bag of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Neither.
    Plain,
    /// A negator.
    Negated,
    /// Two parts, of which the last decides. There may be negators in both.
    Contrasted,
}

/// The fewest and the most words of a review, punctuation counted.
const WORDS: RangeInclusive<usize> = 4..=25;

/// The review so far.
pub(super) struct Writer<'a> {
    random: &'a mut ChaCha8Rng,
    /// The label of the review.
    label: usize,
    /// Whether what is written now is conceded and does not decide.
    conceding: bool,
    /// Whether a negator waits for the next word with sentiment.
    negating: bool,
    /// What an adjective or verb must fit now.
    kind: Kind,
    /// Whether the subject is plural.
    plural: bool,
    /// The aspect that was chosen last.
    noun: &'static str,
    /// Whether the film was named, so that it is "it" from now on.
    film_named: bool,
    /// The lists of phrases that were drawn from.
    drawn: Vec<&'static [&'static str]>,
    /// Words that are not to come again.
    used: Vec<&'static str>,
    /// Words and whether they are evidence.
    words: Vec<(&'static str, bool)>,
}

impl<'a> Writer<'a> {
    /// Writes a review of this shape and label. None if it came out too short or too long, or tells
    /// the story twice; there is no harm in trying again.
    pub(super) fn review(
        random: &'a mut ChaCha8Rng,
        shape: Shape,
        label: usize,
    ) -> Option<Example> {
        let mut writer = Writer {
            random,
            label,
            conceding: false,
            negating: false,
            kind: STORY,
            plural: false,
            noun: "",
            film_named: false,
            drawn: Vec::new(),
            used: Vec::new(),
            words: Vec::new(),
        };
        let fact = writer.random.random_range(0..20_u32);
        if fact < 3 {
            writer.fill(FACTS);
            writer.say(".", false);
        }
        let templates = match shape {
            Shape::Plain => PLAIN,
            Shape::Negated => NEGATED,
            Shape::Contrasted => CONTRASTED,
        };
        writer.conceding = shape == Shape::Contrasted;
        writer.fill(templates);
        if (3..6).contains(&fact) {
            writer.say(".", false);
            writer.fill(FACTS);
            writer.say(".", false);
        } else if writer.chance(9, 10) {
            writer.say(".", false);
        }
        let told = |list| writer.drawn.iter().filter(|drawn| **drawn == list).count();
        let good = WORDS.contains(&writer.words.len()) && told(WHO) < 2 && told(WHERE) < 2;
        good.then(|| writer.finish())
    }

    /// Joins the words with spaces and counts where the evidence stands.
    fn finish(self) -> Example {
        let mut text = String::new();
        let mut evidence = Vec::new();
        let mut at = 0;
        let next = self.words.iter().skip(1).map(|(word, _)| *word).chain([""]);
        for ((word, decides), next) in self.words.iter().zip(next) {
            let word = if *word == "a" { article(next) } else { word };
            if !text.is_empty() {
                text.push(' ');
                at += 1;
            }
            text.push_str(word);
            let end = at + word.chars().count();
            if *decides {
                evidence.push(at..end);
            }
            at = end;
        }
        Example {
            text,
            label: self.label,
            evidence,
            learned: Vec::new(),
        }
    }

    /// Takes one of the templates that the label allows and writes it.
    fn fill(&mut self, templates: &'static [Template]) {
        let speaks_for = self.speaks_for();
        let weight = |template: &Template| match template.only {
            Some(label) if label != speaks_for => 0,
            _ => template.weight,
        };
        let template = templates.choose_weighted(self.random, weight);
        let template = template.expect("every list has a template for either label");
        self.kind = STORY;
        self.plural = false;
        template.pieces.iter().for_each(|piece| self.write(*piece));
    }

    fn write(&mut self, piece: Piece) {
        let decides = !self.conceding;
        match piece {
            Piece::Say(words) => self.say(words, false),
            Piece::Agree(one, many) => self.say(if self.plural { many } else { one }, false),
            Piece::Negate(words) => self.negate(words),
            Piece::NegateAgree(one, many) => self.negate(if self.plural { many } else { one }),
            Piece::Negated(words) => self.say(words, decides),
            Piece::Contrast(words) => self.say(words, true),
            Piece::Turn => self.conceding = false,
            Piece::Plain => self.fill(PLAIN_CLAUSES),
            Piece::Negative => self.fill(NEGATED_CLAUSES),
            Piece::Clause if self.chance(1, 5) => self.fill(NEGATED_CLAUSES),
            Piece::Clause => self.fill(PLAIN_CLAUSES),
            Piece::Subject if self.chance(1, 4) => self.film(FILMS),
            Piece::Film => self.film(FILMS),
            Piece::Title => self.film(TITLES),
            Piece::Subject | Piece::Aspect => {
                self.choose();
                self.say("the", false);
                self.say(self.noun, false);
            }
            Piece::Choose => self.choose(),
            Piece::Noun => self.say(self.noun, false),
            Piece::Adjective => self.adjective(Use::Alone),
            Piece::Paired => self.adjective(Use::Paired),
            Piece::Strong if self.chance(1, 3) => self.adjective(Use::Intensified),
            Piece::Strong => self.adjective(Use::Alone),
            Piece::Verb => self.verb(self.plural),
            Piece::Base => self.verb(true),
            Piece::Thing => self.sentiment(THINGS),
            Piece::Quality => self.sentiment(QUALITIES),
            Piece::Genre if self.drawn.contains(&GENRES) => self.say("one", false),
            Piece::Genre => self.neutral(GENRES),
            Piece::Moment => self.neutral(MOMENTS),
            Piece::Who => self.neutral(WHO),
            Piece::Where => self.neutral(WHERE),
            Piece::MadeHow => self.neutral(MADE_HOW),
            Piece::HowLong => self.neutral(HOW_LONG),
            Piece::Opener if self.chance(1, 6) => self.neutral(OPENERS),
            Piece::Closer if self.chance(1, 6) => self.neutral(CLOSERS),
            Piece::Opener | Piece::Closer => {}
        }
    }

    fn say(&mut self, words: &'static str, decides: bool) {
        self.words
            .extend(words.split(' ').map(|word| (word, decides)));
    }

    /// The label that the part written now speaks for.
    fn speaks_for(&self) -> usize {
        if self.conceding {
            1 - self.label
        } else {
            self.label
        }
    }

    fn chance(&mut self, of: u32, all: u32) -> bool {
        self.random.random_ratio(of, all)
    }
}

/// The form of the indefinite article before `next`.
fn article(next: &str) -> &'static str {
    if next == "honest" || next.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    }
}
