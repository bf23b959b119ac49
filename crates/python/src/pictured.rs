//! A document beside the pictures that it is of.

use std::ops::Deref;

use image::DynamicImage;
use pyo3::exceptions::PyNotImplementedError;
use pyo3::prelude::*;

/// A document, and the pictures that it is of if it was just made. They are no part of what it says.
#[derive(Debug)]
pub(crate) struct Pictured<D> {
    document: D,
    pub(crate) pictures: Vec<DynamicImage>,
}

impl<D> Pictured<D> {
    pub(crate) fn new(document: D, pictures: Vec<DynamicImage>) -> Self {
        Self { document, pictures }
    }

    /// Refuses to pickle what would lose its pictures.
    pub(crate) fn check_pickled(&self) -> PyResult<()> {
        check_pickled(!self.pictures.is_empty())
    }
}

impl<D> Deref for Pictured<D> {
    type Target = D;

    fn deref(&self) -> &D {
        &self.document
    }
}

impl<D> From<D> for Pictured<D> {
    fn from(document: D) -> Self {
        Self::new(document, Vec::new())
    }
}

impl<D: PartialEq> PartialEq for Pictured<D> {
    fn eq(&self, other: &Self) -> bool {
        self.document == other.document
    }
}

/// Refuses to pickle what `has_picture`, which would be lost.
pub(crate) fn check_pickled(has_picture: bool) -> PyResult<()> {
    match has_picture {
        true => Err(PyNotImplementedError::new_err(
            "what explains a picture is not pickled with its picture: use json()",
        )),
        false => Ok(()),
    }
}
