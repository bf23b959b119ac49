//! Chooses the words of a review.

use rand::seq::IndexedRandom;

use super::super::lexicon::{
    ADJECTIVES, ASPECTS, DEGREES, Degree, INTENSIFIERS, Noun, STORY, VERBS,
};
use super::Writer;

/// Words that share this many letters at the start are taken to be of one stem.
const STEM: usize = 3;

/// How an adjective is used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Alone,
    Paired,
    Intensified,
}

impl Writer<'_> {
    /// Writes words that reverse the next word with sentiment.
    pub(super) fn negate(&mut self, words: &'static str) {
        self.say(words, !self.conceding);
        self.negating = true;
    }

    /// Names the film, once. After that it is "it".
    pub(super) fn film(&mut self, names: &'static [&'static str]) {
        let name = if self.film_named {
            "it"
        } else {
            self.pick(names)
        };
        self.film_named = true;
        self.kind = STORY;
        self.plural = false;
        self.used.extend(name.split(' ').next_back());
        self.say(name, false);
    }

    /// Chooses an aspect.
    pub(super) fn choose(&mut self) {
        let fits: Vec<&Noun> = ASPECTS
            .iter()
            .filter(|noun| !self.was_used(noun.word))
            .collect();
        let noun = self.pick(&fits);
        self.used.push(noun.word);
        (self.noun, self.kind, self.plural) = (noun.word, noun.kind, noun.plural);
    }

    /// Says an adjective that fits the subject.
    pub(super) fn adjective(&mut self, used_as: Use) {
        let negating = self.negating;
        let side = self.side();
        let fits = ADJECTIVES[side].iter().filter(|adjective| {
            adjective.kind & self.kind != 0
                && match adjective.degree {
                    Degree::Mild => true,
                    Degree::Broad => used_as != Use::Paired,
                    Degree::Extreme => used_as != Use::Paired && !negating,
                }
                && !self.was_used(adjective.word)
        });
        let fits: Vec<_> = fits.collect();
        let adjective = self.pick(&fits);
        if used_as == Use::Intensified {
            let attribute = self.words.last().is_some_and(|(word, _)| *word == "a");
            let intensifiers = match adjective.degree {
                Degree::Extreme => INTENSIFIERS,
                _ if self.chance(1, 2) => INTENSIFIERS,
                _ if attribute => &DEGREES[..2],
                _ => DEGREES,
            };
            let intensifier = self.pick(intensifiers);
            self.say(intensifier, !self.conceding);
        }
        self.used.push(adjective.word);
        self.say(adjective.word, !self.conceding);
    }

    /// Says a verb that fits the subject, in its base form or as in "it delights".
    pub(super) fn verb(&mut self, base: bool) {
        let side = self.side();
        let fits = VERBS[side]
            .iter()
            .filter(|verb| verb.kind & self.kind != 0 && !self.was_used(verb.base));
        let fits: Vec<_> = fits.collect();
        let verb = self.pick(&fits);
        self.used.push(verb.base);
        self.say(if base { verb.base } else { verb.third }, !self.conceding);
    }

    /// Says a word from one of two lists, negative and positive.
    pub(super) fn sentiment(&mut self, lists: [&'static [&'static str]; 2]) {
        let side = self.side();
        self.unused(lists[side], !self.conceding);
    }

    /// Says a phrase that speaks for no label.
    pub(super) fn neutral(&mut self, phrases: &'static [&'static str]) {
        self.drawn.push(phrases);
        self.unused(phrases, false);
    }

    /// Says a phrase that did not come yet.
    fn unused(&mut self, phrases: &'static [&'static str], decides: bool) {
        let fits: Vec<_> = phrases
            .iter()
            .copied()
            .filter(|phrase| !self.was_used(phrase))
            .collect();
        let phrase = self.pick(&fits);
        self.used.push(phrase);
        self.say(phrase, decides);
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

    /// One of the items. A review is too short to use up a list.
    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        *items.choose(self.random).expect("no list is used up")
    }
}
