//! The sentences of the reviews, with gaps for the words.
//!
//! No template knows the label. It marks the gaps for words that speak for the label, the negators
//! that reverse the next such word, and the start of the deciding part in a contrast. So one
//! template gives sentences of both labels, and words that are not evidence are equally likely in
//! both.

/// A piece of a template.
#[derive(Clone, Copy)]
pub(super) enum Piece {
    /// Words that decide nothing.
    Say(&'static str),
    /// The form of a word after a singular subject and after a plural one.
    Agree(&'static str, &'static str),
    /// A word that reverses the next word with sentiment.
    Negate(&'static str),
    /// The same in two forms, as in [`Piece::Agree`].
    NegateAgree(&'static str, &'static str),
    /// What belongs to a negator but stands behind the word with sentiment.
    Negated(&'static str),
    /// A word that sets two parts against each other.
    Contrast(&'static str),
    /// In a contrast: what stands before is conceded, what follows decides.
    Turn,
    /// A clause of [`PLAIN_CLAUSES`].
    Plain,
    /// A clause of [`NEGATED_CLAUSES`].
    Negative,
    /// Either, mostly plain.
    Clause,
    /// An aspect or the film itself.
    Subject,
    /// An aspect with its article.
    Aspect,
    /// The film itself, judged.
    Film,
    /// The film itself, in a statement of fact.
    Title,
    /// Chooses an aspect but does not write it yet.
    Choose,
    /// Writes the aspect that was chosen, without an article.
    Noun,
    /// An adjective.
    Adjective,
    /// An adjective, perhaps with an intensifier.
    Strong,
    /// An adjective that stands beside another.
    Paired,
    /// A verb that agrees with the subject.
    Verb,
    /// A verb in its base form.
    Base,
    /// What a film can be called.
    Thing,
    /// What a film can have.
    Quality,
    /// A word from the list of the same name; "one" if there was such a word before.
    Genre,
    /// A word from the list of the same name.
    Moment,
    /// A phrase from the list of the same name.
    Who,
    /// A phrase from the list of the same name.
    Where,
    /// A phrase from the list of the same name.
    MadeHow,
    /// A phrase from the list of the same name.
    HowLong,
    /// Sometimes a phrase from the list of openers.
    Opener,
    /// Sometimes a phrase from the list of closers.
    Closer,
}

use Piece::*;

/// A template and how often it is taken, relative to the others in its list.
pub(super) struct Template {
    pub weight: u32,
    /// The only label that the template can speak for. None if it can speak for both.
    pub only: Option<usize>,
    pub pieces: &'static [Piece],
}

const fn both(weight: u32, pieces: &'static [Piece]) -> Template {
    Template {
        weight,
        only: None,
        pieces,
    }
}

const fn negative(weight: u32, pieces: &'static [Piece]) -> Template {
    Template {
        weight,
        only: Some(0),
        pieces,
    }
}

const fn positive(weight: u32, pieces: &'static [Piece]) -> Template {
    Template {
        weight,
        only: Some(1),
        pieces,
    }
}

// The lists below are skipped by rustfmt, which would put every piece on a line of its own.

/// Main clauses without a negator.
#[rustfmt::skip]
pub(super) const PLAIN_CLAUSES: &[Template] = &[
    both(8, &[Subject, Agree("is", "are"), Strong]),
    both(2, &[Aspect, Agree("is", "are"), Paired, Say("and"), Paired]),
    both(3, &[Subject, Verb]),
    both(2, &[Film, Say("is a"), Strong, Genre]),
    both(1, &[Film, Say("is a"), Thing]),
    both(1, &[Film, Say("is a"), Adjective, Thing]),
    both(2, &[Film, Say("is full of"), Quality]),
    both(1, &[Say("i found"), Aspect, Strong]),
];

/// Main clauses with a negator. Those that only one label can have come in pairs.
#[rustfmt::skip]
pub(super) const NEGATED_CLAUSES: &[Template] = &[
    both(3, &[Subject, Agree("is", "are"), Negate("not"), Adjective]),
    both(1, &[Subject, Agree("is", "are"), Negate("not"), Adjective, Negated("at all")]),
    both(1, &[Subject, Agree("is", "are"), Negate("not at all"), Adjective]),
    both(3, &[Subject, Agree("is", "are"), Negate("never"), Adjective]),
    both(2, &[Subject, Agree("is", "are"), Negate("hardly"), Adjective]),
    both(2, &[Subject, Agree("is", "are"), Negate("far from"), Adjective]),
    both(2, &[Aspect, Agree("is", "are"), Paired, Say("and"), Negate("never"), Paired]),
    both(2, &[Subject, Agree("does", "do"), Negate("not"), Base]),
    both(2, &[Subject, Negate("never"), Verb]),
    both(2, &[Film, Say("is"), Negate("not"), Say("a"), Adjective, Genre]),
    both(1, &[Film, Say("is"), Negate("not"), Say("a"), Adjective, Genre, Negated("at all")]),
    both(1, &[Film, Say("is"), Negate("hardly"), Say("a"), Adjective, Genre]),
    both(1, &[Film, Say("is"), Negate("no"), Thing]),
    both(1, &[Say("there is"), Negate("not"), Say("a"), Adjective, Moment, Say("in it")]),
    both(1, &[Say("there is"), Negate("barely"), Say("a"), Adjective, Moment, Say("in it")]),
    both(1, &[Say("i did"), Negate("not"), Say("find"), Aspect, Adjective]),
    both(1, &[Say("i would"), Negate("not"), Say("call"), Aspect, Adjective]),
    negative(2, &[Subject, NegateAgree("fails", "fail"), Say("to"), Base]),
    positive(2, &[Subject, NegateAgree("refuses", "refuse"), Say("to"), Base]),
    negative(1, &[Subject, NegateAgree("lacks", "lack"), Say("any"), Quality]),
    positive(1, &[Subject, NegateAgree("avoids", "avoid"), Say("any"), Quality]),
];

/// Sentences without a negator and without a contrast.
#[rustfmt::skip]
pub(super) const PLAIN: &[Template] = &[
    both(12, &[Opener, Plain, Closer]),
    both(4, &[Opener, Plain, Say("and"), Plain]),
    both(1, &[Say("a"), Paired, Say(","), Paired, Genre]),
    both(1, &[Say("a"), Paired, Say("and"), Paired, Genre, Say("set in"), Where]),
    both(1, &[Say("a"), Strong, Genre, Say("about"), Who]),
    both(1, &[Say("this"), Genre, Say("about"), Who, Say("is"), Strong]),
    both(1, &[Say("in this"), Genre, Say("about"), Who, Say(","), Aspect, Agree("is", "are"),
        Strong]),
    both(1, &[MadeHow, Say(","), Film, Say("is a"), Strong, Genre]),
    both(1, &[MadeHow, Say(","), Film, Say("is"), Strong]),
    both(1, &[Say("every"), Moment, Say("is"), Strong]),
    both(1, &[Say("what a"), Adjective, Thing]),
];

/// Sentences with a negator and without a contrast.
#[rustfmt::skip]
pub(super) const NEGATED: &[Template] = &[
    both(14, &[Opener, Negative]),
    both(2, &[Opener, Plain, Say("and"), Negative]),
    both(1, &[Opener, Negative, Say("and"), Negative]),
    both(1, &[Negate("not"), Say("a"), Adjective, Genre, Negated("at all")]),
    both(1, &[Negate("not"), Say("a"), Adjective, Genre, Say("about"), Who]),
    both(1, &[Negate("not"), Say("a single"), Moment, Say("is"), Adjective]),
    both(1, &[Say("a"), Genre, Say("about"), Who, Negate("without"), Quality]),
    both(1, &[Say("a"), Genre, Negate("without"), Say("a single"), Adjective, Moment]),
    both(1, &[Say("this"), Genre, Say("about"), Who, Say("is"), Negate("never"), Adjective]),
    both(1, &[Say("this"), Genre, Say("set in"), Where, Say("is"), Negate("far from"), Adjective]),
    both(1, &[MadeHow, Say(","), Film, Say("is"), Negate("not"), Adjective]),
    both(1, &[MadeHow, Say(","), Film, Say("is"), Negate("never"), Adjective]),
];

/// Sentences with a contrast. The part behind [`Piece::Turn`] decides.
#[rustfmt::skip]
pub(super) const CONTRASTED: &[Template] = &[
    both(3, &[Clause, Contrast("but"), Turn, Clause]),
    both(3, &[Clause, Say(","), Contrast("but"), Turn, Clause]),
    both(2, &[Clause, Say(","), Contrast("yet"), Turn, Clause]),
    both(2, &[Clause, Say("."), Contrast("however"), Say(","), Turn, Clause]),
    both(2, &[Contrast("although"), Clause, Say(","), Turn, Clause]),
    both(1, &[Contrast("though"), Clause, Say(","), Turn, Clause]),
    both(2, &[Contrast("while"), Clause, Say(","), Turn, Clause]),
    both(3, &[Contrast("despite"), Say("the"), Choose, Adjective, Noun, Say(","), Turn, Clause]),
    both(1, &[Contrast("despite"), Say("all the"), Quality, Say(","), Turn, Clause]),
    both(1, &[Contrast("for all"), Say("its"), Quality, Say(","), Turn, Clause]),
    both(2, &[Subject, Agree("is", "are"), Paired, Contrast("but"), Turn, Paired]),
    both(1, &[Say("a"), Paired, Contrast("but"), Turn, Paired, Genre]),
    both(1, &[Say("a"), Paired, Contrast("but"), Turn, Paired, Genre, Say("about"), Who]),
    both(1, &[Film, Say("starts out"), Adjective, Contrast("but"), Turn, Say("ends up"), Strong]),
    both(1, &[Film, Say("starts as a"), Adjective, Genre, Contrast("but"), Turn, Say("ends as a"),
        Adjective, Thing]),
    both(1, &[Aspect, Agree("is", "are"), Adjective, Say("at first"), Contrast("but"), Turn,
        Strong, Say("in the end")]),
];

/// Neutral sentences that stand before or after another.
#[rustfmt::skip]
pub(super) const FACTS: &[Template] = &[
    both(1, &[Title, Say("runs for"), HowLong]),
    both(1, &[Title, Say("was"), MadeHow]),
    both(1, &[Title, Say("follows"), Who]),
    both(1, &[Title, Say("takes place in"), Where]),
];
