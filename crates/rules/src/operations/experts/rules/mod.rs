//! The rules for experts, one in each file. [`Half`](crate::rules::Half) serves other products as well.

mod detach_router;

pub use detach_router::DetachRouter;
