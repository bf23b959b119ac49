#![doc = include_str!("../README.md")]

mod answer;
mod api;
mod ask;
mod compare;
mod describe;
mod explainers;
mod fields;
mod found;
mod fragment;
mod limits;
mod models;
mod pictures;
mod question;
mod refusal;
mod similar;
mod towers;

pub use answer::{Answer, SimilarAnswer, written};
pub use api::Api;
pub use ask::{Ask, ask, object};
pub use compare::{COMMON, Comparison, sides};
pub use describe::{described, rules};
pub use explainers::{Explained, Explainers, Outcome};
pub use fields::{FIELDS, Field, OWN, TOWERS};
pub use found::ItemFound;
pub use fragment::Fragment;
pub use limits::{BODY, BODY_WITH_PICTURES, SIDES};
pub use models::NamedModel;
pub use question::{Asked, Item, Question};
pub use refusal::Refusal;
pub use similar::{FIELDS as SIMILAR_FIELDS, SimilarAsk};
