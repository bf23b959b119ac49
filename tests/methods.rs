//! Every method against its formula in plain loops, one text at a time, and what must hold for all.

#[path = "methods/all.rs"]
mod all;
#[path = "methods/attention.rs"]
mod attention;
#[path = "methods/chefer.rs"]
mod chefer;
mod common;
#[path = "methods/gradients.rs"]
mod gradients;
#[path = "methods/perturbation.rs"]
mod perturbation;
#[path = "methods/support.rs"]
mod support;
