//! Writes one review: fills a template with words.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::lexicon::{
    ADJECTIVES, ASPECTS, CLOSERS, DEGREES, FILMS, GENRES, HOW_LONG, INTENSIFIERS, Kind, MADE_HOW,
    MOMENTS, Noun, OPENERS, QUALITIES, STORY, THINGS, VERBS, WHERE, WHO,
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

/// Words that share this many letters at the start are taken to be of one stem.
const STEM: usize = 3;

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
    /// Words that are not to come again.
    used: Vec<&'static str>,
    /// Words and whether they are evidence.
    words: Vec<(&'static str, bool)>,
}

impl<'a> Writer<'a> {
    /// Writes a review of this shape and label.
    pub(super) fn review(random: &'a mut ChaCha8Rng, shape: Shape, label: usize) -> Example {
        let mut writer = Writer {
            random,
            label,
            conceding: false,
            negating: false,
            kind: STORY,
            plural: false,
            noun: "",
            film_named: false,
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
        writer.finish()
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
        }
    }

    /// Takes one of the templates that the label allows and writes it.
    fn fill(&mut self, templates: &'static [Template]) {
        let speaks_for = self.speaks_for();
        let fits = |template: &&Template| template.only.is_none_or(|label| label == speaks_for);
        let total: u32 = templates
            .iter()
            .filter(fits)
            .map(|template| template.weight)
            .sum();
        let mut ticket = self.random.random_range(0..total);
        for template in templates.iter().filter(fits) {
            if ticket < template.weight {
                self.kind = STORY;
                self.plural = false;
                return template.pieces.iter().for_each(|piece| self.write(*piece));
            }
            ticket -= template.weight;
        }
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
            Piece::Clause if self.chance(3, 10) => self.fill(NEGATED_CLAUSES),
            Piece::Clause => self.fill(PLAIN_CLAUSES),
            Piece::Subject if self.chance(1, 4) => self.film(),
            Piece::Film => self.film(),
            Piece::Subject | Piece::Aspect => {
                self.choose();
                self.say("the", false);
                self.say(self.noun, false);
            }
            Piece::Choose => self.choose(),
            Piece::Noun => self.say(self.noun, false),
            Piece::Adjective => self.adjective(false),
            Piece::Strong => {
                let strong = self.chance(1, 3);
                self.adjective(strong);
            }
            Piece::Verb => self.verb(self.plural),
            Piece::Base => self.verb(true),
            Piece::Thing => self.sentiment(THINGS),
            Piece::Quality => self.sentiment(QUALITIES),
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

    /// Says words that turn the next word with sentiment round.
    fn negate(&mut self, words: &'static str) {
        self.say(words, !self.conceding);
        self.negating = true;
    }

    /// Names the film, once. After that it is "it".
    fn film(&mut self) {
        let name = if self.film_named {
            "it"
        } else {
            self.pick(FILMS.iter().copied())
        };
        self.film_named = true;
        self.kind = STORY;
        self.plural = false;
        self.used.extend(name.split(' ').next_back());
        self.say(name, false);
    }

    /// Chooses an aspect.
    fn choose(&mut self) {
        let fits: Vec<&Noun> = ASPECTS
            .iter()
            .filter(|noun| !self.was_used(noun.word))
            .collect();
        let noun = self.pick(fits.into_iter());
        self.used.push(noun.word);
        (self.noun, self.kind, self.plural) = (noun.word, noun.kind, noun.plural);
    }

    fn adjective(&mut self, strong: bool) {
        let negating = self.negating;
        let side = self.side();
        let fits = ADJECTIVES[side].iter().filter(|adjective| {
            adjective.kind & self.kind != 0
                && (adjective.gradable || !negating)
                && !self.was_used(adjective.word)
        });
        let fits: Vec<_> = fits.collect();
        let adjective = self.pick(fits.into_iter());
        if strong {
            let mild = adjective.gradable && self.chance(1, 2);
            let intensifiers = if mild { DEGREES } else { INTENSIFIERS };
            let intensifier = self.pick(intensifiers.iter().copied());
            self.say(intensifier, !self.conceding);
        }
        self.used.push(adjective.word);
        self.say(adjective.word, !self.conceding);
    }

    fn verb(&mut self, base: bool) {
        let side = self.side();
        let fits = VERBS[side]
            .iter()
            .filter(|verb| verb.kind & self.kind != 0 && !self.was_used(verb.base));
        let fits: Vec<_> = fits.collect();
        let verb = self.pick(fits.into_iter());
        self.used.push(verb.base);
        self.say(if base { verb.base } else { verb.third }, !self.conceding);
    }

    /// Says a word from one of two lists, negative and positive.
    fn sentiment(&mut self, lists: [&'static [&'static str]; 2]) {
        let side = self.side();
        self.unused(lists[side], !self.conceding);
    }

    fn neutral(&mut self, phrases: &'static [&'static str]) {
        self.unused(phrases, false);
    }

    /// Says a phrase that did not come yet.
    fn unused(&mut self, phrases: &'static [&'static str], decides: bool) {
        let fits: Vec<_> = phrases
            .iter()
            .copied()
            .filter(|phrase| !self.was_used(phrase))
            .collect();
        let phrase = self.pick(fits.into_iter());
        self.used.push(phrase);
        self.say(phrase, decides);
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

    /// The list that the next word with sentiment comes from. Uses up the negator that waits.
    fn side(&mut self) -> usize {
        let speaks_for = self.speaks_for();
        if std::mem::take(&mut self.negating) {
            1 - speaks_for
        } else {
            speaks_for
        }
    }

    fn was_used(&self, word: &str) -> bool {
        let stem = |word: &str| word.chars().take(STEM).collect::<String>();
        self.used.iter().any(|used| stem(used) == stem(word))
    }

    fn chance(&mut self, of: u32, all: u32) -> bool {
        self.random.random_ratio(of, all)
    }

    /// One of the items. The lists are long enough that there always is one.
    fn pick<T>(&mut self, items: impl ExactSizeIterator<Item = T>) -> T {
        let mut items = items;
        let index = self.random.random_range(0..items.len());
        items.nth(index).expect("the index is below the length")
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
