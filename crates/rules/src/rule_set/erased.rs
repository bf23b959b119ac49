//! Rules without their operation in the type, so that one map can hold all of them.

use std::any::{Any, TypeId};
use std::fmt;
use std::sync::Arc;

use serde::{Serializer, ser::Error};

use crate::{Operation, Rule};

/// A rule of some operation: an `Arc<dyn Rule<O>>` beside the type of its `O`.
#[derive(Clone)]
pub(crate) struct ErasedRule {
    operation: TypeId,
    rule: Arc<dyn Any + Send + Sync>,
}

impl ErasedRule {
    pub(crate) fn new<O: Operation>(rule: impl Rule<O>) -> Self {
        let rule: Arc<dyn Rule<O>> = Arc::new(rule);
        Self {
            operation: TypeId::of::<O>(),
            rule: Arc::new(rule),
        }
    }

    /// The type of the operation that it is for.
    pub(crate) fn operation(&self) -> TypeId {
        self.operation
    }

    /// The rule, if it is for `O`.
    pub(crate) fn get<O: Operation>(&self) -> Option<&dyn Rule<O>> {
        let rule = self.rule.downcast_ref::<Arc<dyn Rule<O>>>()?;
        Some(rule.as_ref())
    }

    /// Refuses, since a rule that is a Rust value has no text.
    pub(super) fn refuse<S: Serializer>(_: &Option<Self>, _: S) -> Result<S::Ok, S::Error> {
        let reason = "a rule that is a Rust value cannot be written";
        Err(S::Error::custom(reason))
    }
}

/// Two are equal if one is a copy of the other.
impl PartialEq for ErasedRule {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.rule, &other.rule)
    }
}

impl fmt::Debug for ErasedRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErasedRule").finish_non_exhaustive()
    }
}
