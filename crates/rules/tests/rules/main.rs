//! The rules as mathematics: against slow twins, against the identities of the paper, and against
//! everything that a user can get wrong in a rule set.

mod algebra;
mod biased_scores;
mod burn_modules;
mod checker;
mod conservation;
mod experts;
mod explicit;
mod explicit_attention;
mod holding;
mod ledger;
mod linear_twins;
mod position_scores;
mod probes;
mod products;
mod properties;
mod registry;
mod rotary;
mod rule_sets;
mod rust_values;
mod sums;
mod support;
mod twins;
mod values;
