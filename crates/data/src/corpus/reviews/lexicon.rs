//! The words of the reviews. Everything that carries sentiment comes in two lists, negative first.

/// What a word can be said about, as a set of bits: an adjective fits a noun if they share a bit.
pub(super) type Kind = u8;

/// A story or how it is told.
pub(super) const STORY: Kind = 1;
/// People and how they act.
pub(super) const PEOPLE: Kind = 2;
/// Craft: pictures, sound, design.
pub(super) const CRAFT: Kind = 4;
/// What is meant to be laughed at.
pub(super) const JOKES: Kind = 8;

const ALL: Kind = STORY | PEOPLE | CRAFT | JOKES;
const TOLD: Kind = STORY | PEOPLE;
const MADE: Kind = STORY | CRAFT;

/// Something that a review speaks of.
pub(super) struct Noun {
    pub word: &'static str,
    pub kind: Kind,
    pub plural: bool,
}

const fn one(word: &'static str, kind: Kind) -> Noun {
    Noun {
        word,
        kind,
        plural: false,
    }
}

const fn many(word: &'static str, kind: Kind) -> Noun {
    Noun {
        word,
        kind,
        plural: true,
    }
}

/// What a film is made of. All of them follow "the".
pub(super) const ASPECTS: &[Noun] = &[
    one("plot", STORY),
    one("script", STORY),
    one("story", STORY),
    one("dialogue", STORY),
    one("opening", STORY),
    one("ending", STORY),
    one("finale", STORY),
    one("romance", STORY),
    one("second half", STORY),
    one("lead", PEOPLE),
    one("cast", PEOPLE),
    one("acting", PEOPLE),
    one("young star", PEOPLE),
    one("hero", PEOPLE),
    many("actors", PEOPLE),
    many("performances", PEOPLE),
    many("characters", PEOPLE),
    one("score", CRAFT),
    one("soundtrack", CRAFT),
    one("camera work", CRAFT),
    one("photography", CRAFT),
    one("editing", CRAFT),
    one("direction", CRAFT),
    one("design", CRAFT),
    many("costumes", CRAFT),
    many("sets", CRAFT),
    many("effects", CRAFT),
    many("songs", CRAFT),
    many("jokes", JOKES),
    many("lines", JOKES),
];

/// Names of the film itself, in statements of fact.
pub(super) const TITLES: &[&str] = &["the film", "the movie", "this film", "this movie"];

/// Names of the film itself, in judgements.
pub(super) const FILMS: &[&str] = &[
    "it",
    "this",
    "the film",
    "the movie",
    "this film",
    "the whole thing",
];

/// What a film can be.
pub(super) const GENRES: &[&str] = &[
    "film",
    "movie",
    "picture",
    "comedy",
    "drama",
    "thriller",
    "romance",
    "western",
    "mystery",
    "documentary",
];

/// What a film consists of.
pub(super) const MOMENTS: &[&str] = &["moment", "scene", "minute", "line", "shot"];

/// How an adjective may be used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Degree {
    /// Anywhere.
    Mild,
    /// Not beside another adjective: it says too little.
    Broad,
    /// Neither beside another nor after "very" or "not": it says too much.
    Extreme,
}

/// An adjective and what it fits.
pub(super) struct Adjective {
    pub word: &'static str,
    pub kind: Kind,
    pub degree: Degree,
}

const fn mild(word: &'static str, kind: Kind) -> Adjective {
    Adjective {
        word,
        kind,
        degree: Degree::Mild,
    }
}

const fn broad(word: &'static str) -> Adjective {
    Adjective {
        word,
        kind: ALL,
        degree: Degree::Broad,
    }
}

const fn extreme(word: &'static str) -> Adjective {
    Adjective {
        word,
        kind: ALL,
        degree: Degree::Extreme,
    }
}

/// Adjectives, negative and positive.
pub(super) const ADJECTIVES: [&[Adjective]; 2] = [
    &[
        extreme("awful"),
        extreme("dreadful"),
        extreme("terrible"),
        broad("bad"),
        mild("dull", ALL),
        mild("weak", ALL),
        mild("flat", ALL),
        mild("bland", ALL),
        mild("lazy", MADE | JOKES),
        mild("tired", ALL),
        mild("annoying", ALL),
        mild("boring", ALL),
        mild("clumsy", ALL),
        mild("messy", MADE),
        mild("sloppy", MADE),
        mild("dreary", MADE),
        mild("ugly", CRAFT),
        mild("cheap", CRAFT | JOKES),
        mild("lifeless", TOLD | CRAFT),
        mild("awkward", TOLD | JOKES),
        mild("shallow", TOLD),
        mild("wooden", PEOPLE),
        mild("stiff", PEOPLE),
        mild("stale", STORY | JOKES),
        mild("silly", STORY | JOKES),
        mild("forced", TOLD | JOKES),
        mild("predictable", STORY | JOKES),
        mild("confusing", STORY),
        mild("hollow", STORY),
        mild("tedious", STORY),
    ],
    &[
        extreme("superb"),
        extreme("brilliant"),
        extreme("wonderful"),
        broad("good"),
        mild("clever", STORY | JOKES),
        mild("fresh", ALL),
        mild("sharp", ALL),
        mild("lively", ALL),
        mild("charming", ALL),
        mild("impressive", TOLD | CRAFT),
        mild("delightful", ALL),
        mild("memorable", ALL),
        mild("inventive", MADE | JOKES),
        mild("elegant", MADE),
        mild("graceful", MADE | PEOPLE),
        mild("lovely", MADE),
        mild("vivid", MADE),
        mild("exciting", MADE),
        mild("funny", TOLD | JOKES),
        mild("witty", STORY | JOKES),
        mild("warm", TOLD),
        mild("honest", TOLD),
        mild("sincere", TOLD),
        mild("touching", TOLD),
        mild("moving", TOLD),
        mild("engaging", TOLD),
        mild("convincing", TOLD),
        mild("believable", TOLD),
        mild("gripping", STORY),
        mild("thoughtful", STORY),
    ],
];

/// A verb that says what a subject does to its audience.
pub(super) struct Verb {
    /// As in "it delights".
    pub third: &'static str,
    /// As in "they delight" and "fails to delight".
    pub base: &'static str,
    pub kind: Kind,
}

const fn verb(third: &'static str, base: &'static str, kind: Kind) -> Verb {
    Verb { third, base, kind }
}

/// Verbs, negative and positive.
pub(super) const VERBS: [&[Verb]; 2] = [
    &[
        verb("disappoints", "disappoint", ALL),
        verb("annoys", "annoy", ALL),
        verb("bores", "bore", ALL),
        verb("irritates", "irritate", ALL),
        verb("stumbles", "stumble", TOLD),
        verb("drags", "drag", STORY),
    ],
    &[
        verb("delights", "delight", ALL),
        verb("impresses", "impress", ALL),
        verb("works", "work", ALL),
        verb("shines", "shine", ALL),
        verb("convinces", "convince", TOLD),
        verb("charms", "charm", TOLD),
    ],
];

/// What a film can be called, after "a": negative and positive.
pub(super) const THINGS: [&[&str]; 2] = [
    &["mess", "chore", "bore", "failure", "disaster", "mistake"],
    &["joy", "treat", "delight", "triumph", "pleasure", "gem"],
];

/// What a film can have, without an article: negative and positive.
pub(super) const QUALITIES: [&[&str]; 2] = [
    &[
        "tedium", "cliche", "nonsense", "noise", "padding", "clutter",
    ],
    &["charm", "wit", "heart", "warmth", "energy", "style"],
];

/// Words that make an adjective stronger, whatever it says.
pub(super) const INTENSIFIERS: &[&str] = &["truly", "really", "utterly", "simply", "thoroughly"];

/// The same, for what is not extreme already. The first two also stand between "a" and a noun.
pub(super) const DEGREES: &[&str] = &["very", "rather", "quite", "so"];

/// Who a story follows.
pub(super) const WHO: &[&str] = &[
    "two brothers",
    "three friends",
    "a young nurse",
    "an old sailor",
    "a retired teacher",
    "a jazz singer",
    "a family of farmers",
    "a country doctor",
];

/// Where a story takes place.
pub(super) const WHERE: &[&str] = &[
    "paris",
    "lisbon",
    "a small town",
    "a fishing village",
    "an old hotel",
    "the desert",
    "the north",
    "a boarding school",
];

/// How a film was made.
pub(super) const MADE_HOW: &[&str] = &[
    "shot in black and white",
    "shot in one summer",
    "filmed on location",
    "based on a novel",
    "based on a true story",
    "released in may",
];

/// How long a film is.
pub(super) const HOW_LONG: &[&str] = &[
    "eighty minutes",
    "ninety minutes",
    "two hours",
    "almost three hours",
];

/// What a reviewer may start with.
pub(super) const OPENERS: &[&str] = &[
    "overall ,",
    "in short ,",
    "all in all ,",
    "for me ,",
    "once again ,",
    "i think",
];

/// What a reviewer may end a plain clause with.
pub(super) const CLOSERS: &[&str] = &["here", "this time", "throughout", "from start to finish"];
