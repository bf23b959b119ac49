//! What several methods need: no methods themselves.

pub(in crate::methods) mod attention;
pub(in crate::methods) mod quadrature;
pub(crate) mod reader;
