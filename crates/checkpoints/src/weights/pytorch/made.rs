//! What the machine makes of the classes that it knows: storages, tensors, dictionaries.

use std::mem;
use std::rc::Rc;

use super::Fault;
use super::classes::{Class, Numbers};
use super::pickle::{Machine, Storage, Tensor, Value, order};

/// PyTorch has no tensors of more axes. A pickle can name one tuple many times, and each is copied.
const MOST_AXES: usize = 64;

impl Machine {
    fn tuple(&self, value: &Value) -> Result<&[Value], Fault> {
        match value {
            Value::Tuple(at) => Ok(&self.contents[*at]),
            _ => Err(order()),
        }
    }

    /// The storage that torch.save names so: what it is, of which numbers, under which key.
    pub(super) fn storage(&self, name: &Value) -> Result<Value, Fault> {
        let (kind, numbers, key, count, view) = match self.tuple(name)? {
            [
                Value::Text(kind),
                Value::Class(numbers),
                Value::Text(key),
                _,
                count,
            ] => (kind, numbers, key, count, &Value::None),
            [
                Value::Text(kind),
                Value::Class(numbers),
                Value::Text(key),
                _,
                count,
                view,
            ] => (kind, numbers, key, count, view),
            _ => return Err(order()),
        };
        let numbers = match numbers {
            Class::Numbers(numbers) => Some(*numbers),
            Class::Untyped => None,
            _ => return Err(order()),
        };
        let part = match view {
            Value::None => None,
            view => match self.tuple(view)? {
                [_, offset, count] => Some((size(offset)?, size(count)?)),
                _ => return Err(order()),
            },
        };
        if &**kind != "storage" {
            return Err(order());
        }
        let (key, count) = (Rc::clone(key), size(count)?);
        Ok(Value::Storage(Rc::new(Storage {
            key,
            numbers,
            count,
            part,
        })))
    }

    /// What a class makes of its arguments.
    pub(super) fn made(&mut self, class: &Value, arguments: &Value) -> Result<Value, Fault> {
        let Value::Class(class) = class else {
            return Err(order());
        };
        match (class, self.tuple(arguments)?) {
            (Class::OrderedDict, []) => Ok(Value::Dict(self.hold(Vec::new()))),
            // As Python 2 wrote it: a list of pairs.
            (Class::OrderedDict, [Value::List(pairs)]) => {
                // Taken and not copied: a pickle can name one list many times.
                let pairs = *pairs;
                let mut values = Vec::new();
                for pair in mem::take(&mut self.contents[pairs]) {
                    match pair {
                        Value::Tuple(pair) | Value::List(pair)
                            if self.contents[pair].len() == 2 =>
                        {
                            values.extend_from_slice(&self.contents[pair]);
                        }
                        _ => return Err(order()),
                    }
                }
                Ok(Value::Dict(self.hold(values)))
            }
            (Class::Size, [Value::Tuple(at) | Value::List(at)]) => Ok(Value::Tuple(*at)),
            (Class::Parameter, [tensor @ Value::Tensor(_), ..]) => Ok(tensor.clone()),
            (Class::Tensor, [Value::Storage(storage), offset, shape, strides, ..]) => {
                let numbers = storage.numbers.ok_or_else(order)?;
                self.tensor(storage, numbers, [offset, shape, strides])
            }
            (
                Class::TypedTensor,
                [
                    Value::Storage(storage),
                    offset,
                    shape,
                    strides,
                    _,
                    _,
                    Value::Class(Class::Numbers(numbers)),
                    ..,
                ],
            ) => self.tensor(storage, *numbers, [offset, shape, strides]),
            _ => Err(order()),
        }
    }

    fn tensor(
        &self,
        storage: &Rc<Storage>,
        numbers: Numbers,
        [offset, shape, strides]: [&Value; 3],
    ) -> Result<Value, Fault> {
        let sizes = |value| {
            self.tuple(value)?
                .iter()
                .map(size)
                .collect::<Result<Vec<_>, _>>()
        };
        let (shape, strides) = (sizes(shape)?, sizes(strides)?);
        if shape.len() != strides.len() || shape.len() > MOST_AXES {
            return Err(order());
        }
        Ok(Value::Tensor(Rc::new(Tensor {
            storage: Rc::clone(storage),
            numbers,
            offset: size(offset)?,
            shape,
            strides,
        })))
    }
}

/// A number that is no less than 0.
fn size(value: &Value) -> Result<u64, Fault> {
    match value {
        Value::Int(number) => u64::try_from(*number).map_err(|_| order()),
        _ => Err(order()),
    }
}
