//! What is found besides explanations: labels of tokens, continuations, similarities, comparisons. Each is a
//! document with the fields of its JSON.

use numpy::{PyArray1, PyArray2};
use pyo3::prelude::*;
use pyo3::types::PyType;
use relprop_render as render;

use crate::explanation::Explanation;
use crate::json::{json_of, of_json, python_of};
use crate::matrix::matrix;
use crate::pictured::Pictured;

/// A class for a document: what all of them have, and then what is its own.
macro_rules! document {
    ($(#[$about:meta])* $name:ident, $found:ty, $text:expr, { $($own:tt)* }) => {
        $(#[$about])*
        #[pyclass(module = "relprop", frozen, eq)]
        #[derive(Debug, PartialEq)]
        pub(crate) struct $name(pub(crate) Pictured<$found>);

        #[pymethods]
        impl $name {
            /// Reads what :meth:`json` has written.
            #[classmethod]
            fn from_json(class: &Bound<'_, PyType>, text: &str) -> PyResult<Self> {
                let found: $found = of_json(class.py(), text)?;
                Ok(Self(found.into()))
            }

            /// It as JSON, as the program writes it.
            fn json(&self) -> PyResult<String> {
                json_of(&*self.0)
            }

            /// It as a dict, with the fields of the JSON.
            fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
                python_of(py, &self.json()?)
            }

            fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
                self.0.check_pickled()?;
                let make = py.get_type::<Self>().getattr("from_json")?;
                Ok((make, (self.json()?,)))
            }

            fn __repr__(&self) -> String {
                let text: fn(&$found) -> String = $text;
                format!("{}({})", stringify!($name), text(&self.0))
            }

            fn __str__(&self) -> String {
                self.ansi(80, false)
            }

            fn _repr_html_(&self) -> String {
                self.html(false)
            }

            $($own)*
        }
    };
}

/// The heat maps one under another.
fn heat_maps(explanations: &[relprop_explain::Explanation], page: bool) -> String {
    let items = explanations.iter().map(|explanation| render::Item {
        explanations: std::slice::from_ref(explanation),
        note: None,
        evidence: &[],
        picture: None,
    });
    let title = if page {
        "Why the model decided as it did"
    } else {
        ""
    };
    let report = render::html(&render::Report {
        title,
        facts: &[],
        items: &items.collect::<Vec<_>>(),
    });
    if page {
        report.page()
    } else {
        report.fragment()
    }
}

document! {
    /// A text whose tokens have labels, with what each label rests on.
    Labelling, relprop_explain::Labelling, |found| format!("{:?}, {} parts", found.text, found.parts.len()), {
        /// The label of each token, special ones included: a list of str.
        #[getter]
        fn token_labels(&self) -> Vec<&str> {
            self.0.tokens.iter().map(|token| token.label.as_str()).collect()
        }

        /// What was explained, part by part, each as an :class:`Explanation` of the text.
        #[getter]
        fn parts(&self) -> Vec<Explanation> {
            self.0.explanations().map(Explanation::from).collect()
        }

        /// A heat map of each part for a terminal of ``width`` letters a line.
        #[pyo3(signature = (width=80, color=true))]
        fn ansi(&self, width: usize, color: bool) -> String {
            render::labelling_ansi(&self.0, width, color)
        }

        /// A page, or with ``page=False`` one element for a page of your own.
        #[pyo3(signature = (page=true))]
        fn html(&self, page: bool) -> String {
            heat_maps(&self.0.explanations().collect::<Vec<_>>(), page)
        }
    }
}

document! {
    /// A text, and how well each of some labels fits it, the likeliest first.
    ZeroShot, relprop_explain::ZeroShot, |found| format!("{:?}, {:?}", found.text, found.candidates[0].label), {
        /// The labels, the likeliest first: a list of str.
        #[getter]
        fn labels(&self) -> Vec<&str> {
            self.0.candidates.iter().map(|found| found.label.as_str()).collect()
        }

        /// The probability of each label, in the same order: a list of float.
        #[getter]
        fn probabilities(&self) -> Vec<f64> {
            self.0.candidates.iter().map(|found| found.probability).collect()
        }

        /// Why each label fits, in the same order, each an :class:`Explanation` of the text and its sentence.
        #[getter]
        fn explanations(&self) -> Vec<Explanation> {
            self.0.candidates.iter().map(|found| found.explanation.clone().into()).collect()
        }

        /// The labels and a heat map of each for a terminal of ``width`` letters a line.
        #[pyo3(signature = (width=80, color=true))]
        fn ansi(&self, width: usize, color: bool) -> String {
            render::zero_shot_ansi(&self.0, width, color)
        }

        /// A page, or with ``page=False`` one element for a page of your own.
        #[pyo3(signature = (page=true))]
        fn html(&self, page: bool) -> String {
            heat_maps(&self.0.explanations().collect::<Vec<_>>(), page)
        }
    }
}

document! {
    /// A prompt and the tokens that a language model added to it, each one explained.
    Continuation, relprop_explain::Continuation, |found| format!("{:?}, {} steps", found.text, found.steps.len()), {
        /// The prompt, and after it the new tokens.
        #[getter]
        fn text(&self) -> &str {
            &self.0.text
        }

        /// A heat map of each new token for a terminal of ``width`` letters a line.
        #[pyo3(signature = (width=80, color=true))]
        fn ansi(&self, width: usize, color: bool) -> String {
            render::continuation_ansi(&self.0, width, color)
        }

        /// A page, or with ``page=False`` one element for a page of your own.
        #[pyo3(signature = (page=true))]
        fn html(&self, page: bool) -> String {
            let report = render::continuation_html(&self.0);
            if page { report.page() } else { report.fragment() }
        }
    }
}

document! {
    /// How alike two texts, or two pictures, are, and why.
    Similarity, relprop_explain::Similarity, |found| format!("{:?}, {:?}, cosine={}", found.texts[0].text, found.texts[1].text, found.cosine), {
        /// The cosine of the two vectors.
        #[getter]
        fn cosine(&self) -> f32 {
            self.0.cosine
        }

        /// The product of the two vectors as the model gives them.
        #[getter]
        fn dot(&self) -> f32 {
            self.0.dot
        }

        /// The two texts, or pictures: a list of dicts with ``text``, ``vector``, ``tokens``, ``words``, and ``ledger`` if it
        /// was asked for.
        #[getter]
        fn texts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
            self.to_dict(py)?.get_item("texts")
        }

        /// The relevance of each pair of words, or of patches: float32 array of shape ``[words of the first, words of
        /// the second]``.
        #[getter]
        fn word_interaction<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f32>>> {
            matrix(py, &self.0.word_interaction)
        }

        /// The relevance of each pair of tokens: float32 array of shape ``[tokens of the first, tokens of the
        /// second]``.
        #[getter]
        fn interaction<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f32>>> {
            matrix(py, &self.0.interaction)
        }

        /// The words of both texts, or the patches of both pictures, for a terminal of ``width`` letters a line.
        #[pyo3(signature = (width=80, color=true))]
        fn ansi(&self, width: usize, color: bool) -> String {
            render::similarity_ansi(&self.0, width, color)
        }

        /// A page, or with ``page=False`` one element for a page of your own.
        #[pyo3(signature = (page=true))]
        fn html(&self, page: bool) -> String {
            let pictures = match self.0.pictures.as_slice() {
                [first, second] => Some([first, second]),
                _ => None,
            };
            let report = render::similarity_html(&self.0, pictures);
            if page { report.page() } else { report.fragment() }
        }
    }
}

document! {
    /// How well each of some texts fits a picture, and why.
    ///
    /// Relevance is of the first order: that of patches, where the vectors of all texts are constants, and that of the words of a
    /// text, where the vectors of the picture and of all other texts are.
    Comparison, relprop_explain::Comparison, |found| format!("{:?}, prediction={:?}", found.picture.text, found.picture.prediction), {
        /// The texts, in the order in which they were given: a list of str.
        #[getter]
        fn texts(&self) -> Vec<&str> {
            self.0.texts.iter().map(|found| found.text.as_str()).collect()
        }

        /// The text with the largest logit.
        #[getter]
        fn prediction(&self) -> &str {
            &self.0.picture.prediction
        }

        /// The cosine of the vectors of each text and of the picture: float32 array of shape ``[texts]``.
        #[getter]
        fn cosines<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f32>> {
            PyArray1::from_iter(py, self.0.texts.iter().map(|found| found.cosine))
        }

        /// The logit of each text, ``scale * cosine + bias``: float32 array of shape ``[texts]``.
        #[getter]
        fn logits<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f32>> {
            PyArray1::from_iter(py, self.0.texts.iter().map(|found| found.logit))
        }

        /// How likely each text is among the texts (CLIP), or by itself (SigLIP): float64 array of shape ``[texts]``.
        #[getter]
        fn probabilities<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
            PyArray1::from_iter(py, self.0.texts.iter().map(|found| found.probability))
        }

        /// What cosines are multiplied by to be logits.
        #[getter]
        fn scale(&self) -> f64 {
            self.0.scale
        }

        /// What is then added.
        #[getter]
        fn bias(&self) -> f64 {
            self.0.bias
        }

        /// The vector of the picture, of length 1: float32 array of shape ``[size]``.
        #[getter]
        fn picture_vector<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f32>> {
            PyArray1::from_slice(py, &self.0.vector)
        }

        /// The vectors of the texts, of length 1: float32 array of shape ``[texts, size]``.
        #[getter]
        fn text_vectors<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f32>>> {
            let vectors = self.0.texts.iter().map(|found| found.vector.clone());
            matrix(py, &vectors.collect::<Vec<_>>())
        }

        /// Why, of the picture: an :class:`Explanation`, with the texts as labels, and the relevance of each patch in
        /// ``patch_relevance``.
        #[getter]
        fn picture(&self) -> Explanation {
            Explanation {
                found: self.0.picture.clone(),
                picture: self.0.pictures.first().cloned(),
            }
        }

        /// Why, of each text, each an :class:`Explanation` with the relevance of its words; None where the target does not
        /// depend on the text.
        #[getter]
        fn explanations(&self) -> Vec<Option<Explanation>> {
            let explanations = self.0.texts.iter().map(|found| found.explanation.clone());
            explanations.map(|found| found.map(Explanation::from)).collect()
        }

        /// The relevance of each pair of a patch and a word, for each text: a list of float32 arrays of shape ``[patches,
        /// words]``. None without ``pairs=True``, and where the target does not depend on the text.
        #[getter]
        fn word_interactions<'py>(&self, py: Python<'py>) -> PyResult<Vec<Option<Bound<'py, PyArray2<f32>>>>> {
            let pairs = self.0.texts.iter().map(|found| found.pairs.as_ref());
            pairs.map(|pairs| pairs.map(|pairs| matrix(py, &pairs.word_interaction)).transpose()).collect()
        }

        /// The same of each pair of tokens, special ones included: a list of float32 arrays of shape ``[tokens of the
        /// picture, tokens of the text]``, or of None.
        #[getter]
        fn interactions<'py>(&self, py: Python<'py>) -> PyResult<Vec<Option<Bound<'py, PyArray2<f32>>>>> {
            let pairs = self.0.texts.iter().map(|found| found.pairs.as_ref());
            pairs.map(|pairs| pairs.map(|pairs| matrix(py, &pairs.interaction)).transpose()).collect()
        }

        /// The patches, and the words of each text that the target depends on, for a terminal of ``width`` letters a line.
        #[pyo3(signature = (width=80, color=true))]
        fn ansi(&self, width: usize, color: bool) -> String {
            render::comparison_ansi(&self.0, width, color)
        }

        /// A page, or with ``page=False`` one element for a page of your own.
        #[pyo3(signature = (page=true))]
        fn html(&self, page: bool) -> String {
            let report = render::comparison_html(&[(&*self.0, self.0.pictures.first())]);
            if page { report.page() } else { report.fragment() }
        }
    }
}
