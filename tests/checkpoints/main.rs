//! Models from disk: folders, families, tokenizers and preprocessors, held against transformers.

mod answers;
mod continuations;
mod decomposition;
mod experts;
mod families;
mod folders;
mod heads;
mod hops;
mod language;
mod malformed;
mod more;
mod more_pictures;
mod parts;
mod picture_vectors;
mod pictures;
mod scalars;
mod texts;
mod tokenizer;
mod towers;
mod trained;
mod two_stacks;
mod vectors;
mod windows;
