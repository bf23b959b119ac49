//! What is found besides explanations: labels of tokens, continuations, similarities. Each is a document
//! with the fields of its JSON.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyType;
use relprop_render as render;

use crate::explanation::Explanation;
use crate::json::{json_of, of_json, python_of};

/// A class for a document: what all of them have, and then what is its own.
macro_rules! document {
    ($(#[$about:meta])* $name:ident, $found:ty, $text:expr, { $($own:tt)* }) => {
        $(#[$about])*
        #[pyclass(module = "relprop", frozen, eq)]
        #[derive(Debug, PartialEq)]
        pub(crate) struct $name(pub(crate) $found);

        #[pymethods]
        impl $name {
            /// Reads what :meth:`json` has written.
            #[classmethod]
            fn from_json(class: &Bound<'_, PyType>, text: &str) -> PyResult<Self> {
                Ok(Self(of_json(class.py(), text)?))
            }

            /// It as JSON, as the program writes it.
            fn json(&self) -> PyResult<String> {
                json_of(&self.0)
            }

            /// It as a dict, with the fields of the JSON.
            fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
                python_of(py, &self.json()?)
            }

            fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
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
    /// How alike two texts are, and why.
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

        /// The two texts: a list of dicts with ``text``, ``vector``, ``tokens`` and ``words``.
        #[getter]
        fn texts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
            self.to_dict(py)?.get_item("texts")
        }

        /// The relevance of each pair of words: float32 array of shape ``[words of the first, words of the
        /// second]``.
        #[getter]
        fn word_interaction<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, numpy::PyArray2<f32>>> {
            let array = numpy::PyArray2::from_vec2(py, &self.0.word_interaction);
            array.map_err(|error| PyValueError::new_err(error.to_string()))
        }

        /// The relevance of each pair of tokens: float32 array of shape ``[tokens of the first, tokens of the
        /// second]``.
        #[getter]
        fn interaction<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, numpy::PyArray2<f32>>> {
            let array = numpy::PyArray2::from_vec2(py, &self.0.interaction);
            array.map_err(|error| PyValueError::new_err(error.to_string()))
        }

        /// The words of both texts for a terminal of ``width`` letters a line.
        #[pyo3(signature = (width=80, color=true))]
        fn ansi(&self, width: usize, color: bool) -> String {
            render::similarity_ansi(&self.0, width, color)
        }

        /// A page, or with ``page=False`` one element for a page of your own.
        #[pyo3(signature = (page=true))]
        fn html(&self, page: bool) -> String {
            let report = render::similarity_html(&self.0, None);
            if page { report.page() } else { report.fragment() }
        }
    }
}
