//! Which tensors the family's files have, and which parameters of the model are in each.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;

use super::stored::Stored;
use crate::Family;
use relprop_transformer::{ParameterPath, Transformer};

/// A constant for each logit of a vocabulary, which a file keeps as a matrix of one row. Where it has none, they are 0.
pub(crate) const LOGIT_BIAS: &str = "final_logits_bias";

/// A tensor of a file: one parameter of the model, or several side by side along their outputs.
pub(super) struct FileTensor {
    pub(super) name: String,
    pub(super) parts: Vec<Parameter>,
    /// Whether it is a linear map that the file stores transposed, `[output, input]`.
    pub(super) turned: bool,
    /// How often the parts take turns: once where each stands in one piece.
    pub(super) groups: usize,
    /// Whether it holds all experts, one after another, each with its parts.
    pub(super) stacked: bool,
    /// How many axes of length 1 the file leaves out before the others.
    pub(super) left_out: usize,
}

/// A parameter of the model: its name and shape here.
pub(super) struct Parameter {
    pub(super) name: String,
    shape: Vec<usize>,
    is_linear: bool,
}

/// The tensors of the family's file, each with the parameters that it holds.
pub(super) fn layout(model: &Transformer, family: &Family, base: &str) -> Vec<FileTensor> {
    let mut visitor = Parameters::default();
    model.visit(&mut visitor);
    let mut tensors: Vec<FileTensor> = Vec::new();
    for parameter in visitor.found {
        let ours = in_pytorch(&parameter.name);
        let name = family.tensor_name_in(model.config(), &ours, base);
        match tensors.iter_mut().find(|tensor| tensor.name == name) {
            Some(tensor) => tensor.parts.push(parameter),
            None => tensors.push(FileTensor {
                turned: parameter.is_linear && !family.is_untransposed(&ours),
                groups: match family.is_grouped(&ours) {
                    true => model.config().key_heads(),
                    false => 1,
                },
                stacked: family.is_stacked(&ours),
                left_out: left_out(&ours, &name),
                name,
                parts: vec![parameter],
            }),
        }
    }
    for tensor in &mut tensors {
        let place = |part: &Parameter| family.place_of(&in_pytorch(&part.name));
        tensor.parts.sort_by_key(place);
        if let (true, Some(experts)) = (tensor.stacked, model.config().experts) {
            tensor.by_expert(experts.count);
        }
    }
    tensors
}

impl FileTensor {
    /// Sorts the parts of a stacked tensor, all gates before all others, by their experts. The numbers of each take
    /// turns.
    fn by_expert(&mut self, experts: usize) {
        let parts = std::mem::take(&mut self.parts);
        let kinds = parts.len() / experts;
        let mut parts: Vec<_> = parts.into_iter().enumerate().collect();
        parts.sort_by_key(|(place, _)| (place % experts, place / experts));
        self.parts = parts.into_iter().map(|(_, part)| part).collect();
        if kinds > 1 {
            self.groups = self.sizes()[0];
        }
    }

    /// How many parts one expert has; where there are none, how many there are.
    pub(super) fn kinds(&self) -> usize {
        let shape = &self.parts[0].name;
        let kind = |name: &str| {
            name.rsplit('.')
                .take(2)
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        match self.stacked {
            false => self.parts.len(),
            true => {
                let first = kind(shape);
                let others = self.parts[1..].iter().map(|part| kind(&part.name));
                1 + others.take_while(|other| *other != first).count()
            }
        }
    }

    /// The axis in the file along which the parts stand side by side, of one expert where it is stacked.
    fn axis(&self) -> usize {
        match self.turned {
            true => 0,
            false => self.parts[0].shape.len() - 1,
        }
    }

    /// The sizes of the parts, of one expert where it is stacked.
    fn sizes(&self) -> Vec<usize> {
        let outputs = |part: &Parameter| part.shape.last().copied().unwrap_or(1);
        self.parts[..self.kinds()].iter().map(outputs).collect()
    }

    /// Its shape in the file, of one expert where it is stacked.
    pub(super) fn shape_of_one(&self) -> Vec<usize> {
        let mut shape = self.parts[0].shape.clone();
        if self.turned {
            shape.reverse();
        }
        if self.kinds() > 1 {
            shape[self.axis()] = self.sizes().iter().sum();
        }
        shape
    }

    /// Its shape in the file.
    pub(super) fn shape(&self) -> Vec<usize> {
        let mut shape = self.shape_of_one();
        if self.stacked {
            shape.insert(0, self.parts.len() / self.kinds());
        }
        if self.name == LOGIT_BIAS {
            shape.insert(0, 1);
        }
        shape.split_off(self.left_out)
    }

    /// The piece of the tensor in the file for each part, with the part's name.
    pub(super) fn split(&self, mut found: Stored) -> Vec<(String, Stored)> {
        found.shape.splice(0..0, vec![1; self.left_out]);
        if self.name == LOGIT_BIAS {
            found.shape.remove(0);
        }
        let names = self.parts.iter().map(|part| part.name.clone());
        let kinds = self.kinds();
        let experts = match self.stacked {
            true => found.unstack(self.parts.len()),
            false => vec![found],
        };
        let parts = experts.into_iter().flat_map(|one| match kinds {
            1 => vec![one],
            _ => one.split(self.axis(), &self.sizes(), self.groups),
        });
        names.zip(parts).collect()
    }
}

#[derive(Default)]
struct Parameters {
    path: ParameterPath,
    found: Vec<Parameter>,
}

impl ModuleVisitor for Parameters {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        self.found.push(Parameter {
            name: self.path.name(),
            // Asking for the tensor itself would draw it at random.
            shape: parameter.lazy_shape().to_vec(),
            is_linear: self.path.owner() == Some("Struct:Linear") && D == 2,
        });
    }
}

/// How many axes of length 1 stand before the others here and not in the file: those of tokens and positions of pictures,
/// where the file has them as a table of embeddings, or as one vector.
fn left_out(ours: &str, name: &str) -> usize {
    let is_weight = |name: &str| name.ends_with(".weight");
    match name.ends_with("class_embedding") {
        true => 2,
        false => usize::from(is_weight(name) && !is_weight(ours)),
    }
}

/// A parameter's name in PyTorch, where a norm's factor and shift are called otherwise.
fn in_pytorch(ours: &str) -> String {
    match ours.rsplit_once('.') {
        Some((module, "gamma")) => format!("{module}.weight"),
        Some((module, "beta")) => format!("{module}.bias"),
        _ => ours.to_owned(),
    }
}
