//! Code that several methods share. No file here is a method.

pub(in crate::methods) mod attention;
pub(in crate::methods) mod quadrature;
pub(crate) mod reader;
