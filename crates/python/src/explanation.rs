//! Explanations.
//!
//! The file is long because it has a method for each attribute that Python sees.

use std::path::PathBuf;

use image::DynamicImage;
use numpy::{PyArray1, PyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyType;
use pythonize::pythonize;
use relprop_render as render;
use relprop_transformer::Probabilities;

use crate::json::{json_of, of_json, python_of};
use crate::ledger::Ledger;
use crate::matrix::matrix;
use crate::pictured::check_pickled;

/// How many letters a line of a drawing has.
const COLUMNS: usize = 80;

/// Why a model decided as it did on one text, or picture.
///
/// Relevance is in units of the target (a logit, unless another score was asked for): what speaks for it is
/// positive, what speaks against it negative. An explanation is data: it pickles, compares with ``==``,
/// and needs no model.
#[pyclass(module = "relprop", frozen, eq)]
#[derive(Debug)]
pub(crate) struct Explanation {
    pub(crate) found: relprop_explain::Explanation,
    /// The picture, if it is one of a picture that was just explained.
    pub(crate) picture: Option<DynamicImage>,
}

impl PartialEq for Explanation {
    fn eq(&self, other: &Self) -> bool {
        self.found == other.found
    }
}

impl From<relprop_explain::Explanation> for Explanation {
    fn from(found: relprop_explain::Explanation) -> Self {
        Self {
            found,
            picture: None,
        }
    }
}

impl Explanation {
    fn report(&self, title: &str, facts: &[(String, String)]) -> render::Html {
        render::html(&render::Report {
            title,
            facts,
            items: &[render::Item {
                explanations: std::slice::from_ref(&self.found),
                note: None,
                evidence: &[],
                picture: self.picture.as_ref(),
            }],
        })
    }
}

#[pymethods]
impl Explanation {
    /// Reads what :meth:`json` has written.
    #[classmethod]
    fn from_json(class: &Bound<'_, PyType>, text: &str) -> PyResult<Self> {
        let found: relprop_explain::Explanation = of_json(class.py(), text)?;
        Ok(found.into())
    }

    /// The text as given; of a picture, its name.
    #[getter]
    fn text(&self) -> &str {
        &self.found.text
    }

    /// The tokens, special ones included: a list of str. Of a picture, the patches as ``row,column``.
    #[getter]
    fn tokens(&self) -> Vec<&str> {
        self.found
            .tokens
            .iter()
            .map(|token| token.text.as_str())
            .collect()
    }

    /// The tokens' ids in the vocabulary: a list of int.
    #[getter]
    fn token_ids(&self) -> Vec<u32> {
        self.found.tokens.iter().map(|token| token.id).collect()
    }

    /// Where each token stands in the text: a list of (start, end) in characters; special tokens are empty.
    #[getter]
    fn offsets(&self) -> Vec<(usize, usize)> {
        self.found
            .tokens
            .iter()
            .map(|token| (token.start, token.end))
            .collect()
    }

    /// Whether each token was added around the text, such as ``[CLS]``: a list of bool.
    #[getter]
    fn special_tokens_mask(&self) -> Vec<bool> {
        self.found
            .tokens
            .iter()
            .map(|token| token.special)
            .collect()
    }

    /// The relevance of each token: float32 array of shape ``[tokens]``, in units of the target.
    #[getter]
    fn relevance<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f32>> {
        PyArray1::from_iter(py, self.found.tokens.iter().map(|token| token.relevance))
    }

    /// The words: a list of str. Special tokens belong to no word, and a picture has none.
    #[getter]
    fn words(&self) -> Vec<&str> {
        self.found
            .words
            .iter()
            .map(|word| word.text.as_str())
            .collect()
    }

    /// Where each word stands in the text: a list of (start, end) in characters.
    #[getter]
    fn word_offsets(&self) -> Vec<(usize, usize)> {
        self.found
            .words
            .iter()
            .map(|word| (word.start, word.end))
            .collect()
    }

    /// The relevance of each word, the sum over its tokens: float32 array of shape ``[words]``.
    #[getter]
    fn word_relevance<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f32>> {
        PyArray1::from_iter(py, self.found.words.iter().map(|word| word.relevance))
    }

    /// The relevance of each patch of a picture: float32 array of shape ``[rows, columns]``, as an image is drawn.
    /// None for a text.
    #[getter]
    fn patch_relevance<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyArray2<f32>>>> {
        let Some(picture) = self.found.subject.picture() else {
            return Ok(None);
        };
        let patches = self
            .found
            .tokens
            .iter()
            .filter(|token| token.area.is_some());
        let patches: Vec<f32> = patches.map(|token| token.relevance).collect();
        let rows = patches.chunks(picture.columns.max(1)).map(<[f32]>::to_vec);
        matrix(py, &rows.collect::<Vec<_>>()).map(Some)
    }

    /// The logits, in the order of :attr:`labels`: float32 array of shape ``[labels]``.
    #[getter]
    fn logits<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f32>> {
        PyArray1::from_slice(py, &self.found.logits)
    }

    /// The model's labels; of a language model, the tokens that are likeliest to come next.
    #[getter]
    fn labels(&self) -> Vec<&str> {
        self.found.labels.iter().map(String::as_str).collect()
    }

    /// The label, or token, with the largest logit.
    #[getter]
    fn prediction(&self) -> &str {
        &self.found.prediction
    }

    /// The probability of the prediction; None where the logits are no logits of probabilities.
    #[getter]
    fn probability(&self) -> Option<f64> {
        let (labels, logits) = (&self.found.labels, &self.found.logits);
        if let Some(probability) = self.found.probability {
            return Some(f64::from(probability));
        }
        let place = labels
            .iter()
            .position(|label| *label == self.found.prediction)?;
        match self.found.probabilities {
            Probabilities::Softmax => Some(relprop_explain::probability(logits, place)),
            Probabilities::Sigmoid => Some(1.0 / (1.0 + (-f64::from(logits[place])).exp())),
            Probabilities::None => None,
        }
    }

    /// What was explained: a label, a token, or ``A-B`` for the difference of two.
    #[getter]
    fn target(&self) -> &str {
        &self.found.target.label
    }

    /// The value of the target: a logit, the logarithm of a probability, or a difference of two.
    #[getter]
    fn target_value(&self) -> f32 {
        self.found.target.value
    }

    /// How the target is measured: ``logit``, ``log-probability``, ``entropy`` or ``norm``.
    #[getter]
    fn score<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(pythonize(py, &self.found.target.score)?)
    }

    /// How relevance was found: ``lrp``, or the name of another method.
    #[getter]
    fn method(&self) -> &str {
        &self.found.method
    }

    /// The name of the rule set; empty if the method is not ``lrp``.
    #[getter]
    fn rules(&self) -> &str {
        &self.found.rules
    }

    /// The site at which relevance was read.
    #[getter]
    fn at(&self) -> &str {
        &self.found.at
    }

    /// Which model it was: a dict with ``family`` and the ``sha256`` of its weights.
    #[getter]
    fn model<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(pythonize(py, &self.found.model)?)
    }

    /// The device that computed it.
    #[getter]
    fn device(&self) -> &str {
        &self.found.device
    }

    /// The version of relprop.
    #[getter]
    fn version(&self) -> &str {
        &self.found.version
    }

    /// How many tokens were cut because the model has no position for them.
    #[getter]
    fn dropped_tokens(&self) -> usize {
        self.found.dropped_tokens
    }

    /// The token that answers, counted from 0, where the model answers at one; else None.
    #[getter]
    fn position(&self) -> Option<usize> {
        self.found.position
    }

    /// Of a model that finds the answer to a question in a text: a dict with the ``text`` of the answer, its
    /// first and last token in ``tokens``, ``start_logits`` and ``end_logits``; else None.
    #[getter]
    fn answer<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let answer = self.found.answer.as_ref();
        answer.map(|answer| Ok(pythonize(py, answer)?)).transpose()
    }

    /// The relevance of each part of the text, in its order: a list of dicts with ``text``, ``start``, ``end``,
    /// ``relevance``, ``rank`` and, of a document, ``name``. Empty unless ``segments`` was asked for.
    #[getter]
    fn segments<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(pythonize(py, &self.found.segments)?)
    }

    /// What was passed on to the prompt, hop by hop, and where it went: a list of dicts. Empty unless ``hops`` was
    /// asked for.
    #[getter]
    fn hops<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(pythonize(py, &self.found.hops)?)
    }

    /// The account of the target, if it was asked for with ``ledger=True``; else None.
    #[getter]
    fn ledger(&self) -> Option<Ledger> {
        self.found.ledger.clone().map(Ledger)
    }

    /// How relevance moves through the model: float32 array of shape ``[layers, tokens]``, where it was read,
    /// then at the output of each block. None without a ledger.
    #[getter]
    fn layers<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyArray2<f32>>>> {
        let layers = self.found.layers().into_iter().map(<[f32]>::to_vec);
        match layers.collect::<Vec<_>>().as_slice() {
            [] => Ok(None),
            layers => matrix(py, layers).map(Some),
        }
    }

    /// The sites of :attr:`layers`: a list of str; empty without a ledger.
    #[getter]
    fn layer_sites(&self) -> Vec<&str> {
        let layers = self.found.ledger.iter().flat_map(|ledger| &ledger.layers);
        layers.map(|layer| layer.site.as_str()).collect()
    }

    /// The sum of the tokens' relevance. The rest of the target was absorbed; the ledger lists it.
    #[getter]
    fn total(&self) -> f32 {
        self.found.total()
    }

    /// A page, or with ``page=False`` one element for a page of your own: the heat map, the sums and a table.
    #[pyo3(signature = (page=true))]
    fn html(&self, page: bool) -> String {
        let facts = render::facts(&self.found);
        let title = "Why the model decided as it did";
        match page {
            true => self.report(title, &facts).page(),
            false => self.report("", &facts).fragment(),
        }
    }

    fn _repr_html_(&self) -> String {
        self.report("", &[]).fragment()
    }

    /// A heat map for a terminal of ``width`` letters a line; ``color=False`` leaves the colors out.
    #[pyo3(signature = (width=80, color=true))]
    fn ansi(&self, width: usize, color: bool) -> String {
        render::ansi(&self.found, width, color)
    }

    /// The heat map as a drawing, with ``columns`` letters a line.
    #[pyo3(signature = (columns=80))]
    fn svg(&self, columns: usize) -> String {
        render::svg(&self.found, columns)
    }

    /// The explanation as JSON: what ``relprop explain --format json`` writes.
    fn json(&self) -> PyResult<String> {
        json_of(&self.found)
    }

    /// The explanation as a dict, with the fields of the JSON.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        python_of(py, &self.json()?)
    }

    /// Writes it to a file, in the format of its ending: ``.html``, ``.svg``, ``.json``, ``.txt``, or
    /// ``.png`` for a picture with its heat map over it.
    fn save(&self, path: PathBuf) -> PyResult<()> {
        let bytes = match path.extension().and_then(|end| end.to_str()) {
            Some("html") => self.html(true).into_bytes(),
            Some("svg") => self.svg(COLUMNS).into_bytes(),
            Some("json") => self.json()?.into_bytes(),
            Some("txt") => self.ansi(COLUMNS, false).into_bytes(),
            Some("png") => match &self.picture {
                Some(picture) => render::overlay(&self.found, picture),
                None => {
                    let message = "a .png shows a picture: save a text as .svg or .html";
                    return Err(PyValueError::new_err(message));
                }
            },
            _ => {
                let message = format!(
                    "{}: give a name that ends in .html, .svg, .json, .txt or .png",
                    path.display()
                );
                return Err(PyValueError::new_err(message));
            }
        };
        Ok(std::fs::write(path, bytes)?)
    }

    /// A ``shap.Explanation`` of the words, or of the tokens with ``by="tokens"``, for shap's plots. Its base
    /// value is what was absorbed (the target minus the relevance): no expectation, as it is in shap.
    #[pyo3(signature = (by="words"))]
    fn to_shap<'py>(slf: &Bound<'py, Self>, by: &str) -> PyResult<Bound<'py, PyAny>> {
        let others = slf.py().import("relprop._others")?;
        others.call_method1("to_shap", (slf, by))
    }

    /// A ``VisualizationDataRecord`` of captum, for its ``visualize_text``.
    #[pyo3(signature = (true_class=None))]
    fn to_captum<'py>(
        slf: &Bound<'py, Self>,
        true_class: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let others = slf.py().import("relprop._others")?;
        others.call_method1("to_captum", (slf, true_class))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        check_pickled(self.picture.is_some())?;
        let make = py.get_type::<Self>().getattr("from_json")?;
        Ok((make, (self.json()?,)))
    }

    fn __len__(&self) -> usize {
        self.found.tokens.len()
    }

    fn __str__(&self) -> String {
        render::ansi(&self.found, COLUMNS, false)
    }

    fn __repr__(&self) -> String {
        let relprop_explain::Explanation {
            text,
            prediction,
            target,
            ..
        } = &self.found;
        let (label, value, title) = (&target.label, target.value, self.found.title());
        format!(
            "Explanation({text:?}, prediction={prediction:?}, target={label:?}, value={value}, by={title:?})"
        )
    }
}
