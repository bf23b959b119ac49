//! Every method against its formula in plain loops, one text at a time, and what must hold for all.

mod all;
mod attention;
mod chefer;
mod decomposition;
mod gradients;
mod perturbation;
mod support;
