//! The small machine that a pickle is a program for, with those instructions that `torch.save` writes.
//!
//! It knows the [classes](Class) that tensors are made of, and makes these by itself: nothing that a pickle
//! names is run. Values are in one list and name each other by their places in it, so that a pickle that
//! nests them deeply, or puts one into itself, does no harm. Each instruction makes at most one.

use std::collections::HashMap;
use std::rc::Rc;

use super::Fault;
use super::classes::{Class, Numbers};
use super::source::Source;

/// What a pickle makes.
#[derive(Clone, Debug)]
pub(super) enum Value {
    None,
    Flag,
    Int(i64),
    /// An integer of more than 64 bits, the lowest byte first.
    Large(Rc<[u8]>),
    Text(Rc<str>),
    /// A number or bytes that no tensor is made of.
    Other,
    Class(Class),
    /// The place of what is in it.
    Tuple(usize),
    List(usize),
    /// Keys and values by turns.
    Dict(usize),
    Storage(Rc<Storage>),
    Tensor(Rc<Tensor>),
}

/// Numbers beside the pickle.
#[derive(Debug)]
pub(super) struct Storage {
    pub(super) key: Rc<str>,
    /// None where the tensor says what they are.
    pub(super) numbers: Option<Numbers>,
    /// How many there are; bytes, if it is not said what they are.
    pub(super) count: u64,
    /// A part of the storage: how many numbers stand before it, and how many it has.
    pub(super) part: Option<(u64, u64)>,
}

/// Where the numbers of a tensor are in its storage.
#[derive(Debug)]
pub(super) struct Tensor {
    pub(super) storage: Rc<Storage>,
    pub(super) numbers: Numbers,
    pub(super) offset: u64,
    pub(super) shape: Vec<u64>,
    pub(super) strides: Vec<u64>,
}

/// What a pickle came to.
pub(super) struct Pickle {
    pub(super) value: Value,
    contents: Vec<Vec<Value>>,
}

impl Pickle {
    /// Reads the next pickle.
    pub(super) fn read(source: &mut Source) -> Result<Self, Fault> {
        Machine::default().run(source)
    }

    /// What is in a tuple, a list or a dictionary.
    pub(super) fn contents(&self, value: &Value) -> &[Value] {
        match value {
            Value::Tuple(at) | Value::List(at) | Value::Dict(at) => &self.contents[*at],
            _ => &[],
        }
    }
}

#[derive(Default)]
pub(super) struct Machine {
    stack: Vec<Value>,
    /// How high the stack was at each mark.
    marks: Vec<usize>,
    memo: HashMap<u32, Value>,
    pub(super) contents: Vec<Vec<Value>>,
}

impl Machine {
    fn run(mut self, source: &mut Source) -> Result<Pickle, Fault> {
        loop {
            match source.byte()? {
                b'.' => {
                    let (value, contents) = (self.pop()?, self.contents);
                    return Ok(Pickle { value, contents });
                }
                instruction => self.step(instruction, source)?,
            }
        }
    }

    fn step(&mut self, instruction: u8, source: &mut Source) -> Result<(), Fault> {
        let value = match instruction {
            // Of the protocol, and of how it is cut into pieces.
            0x80 => return source.skip(1),
            0x95 => return source.skip(8),
            b'(' => {
                self.marks.push(self.stack.len());
                return Ok(());
            }
            b'0' => return self.pop().map(drop),
            b'1' => return self.marked().map(drop),
            b'2' => {
                let top = self.stack.last().cloned();
                top.ok_or_else(order)?
            }
            b'N' => Value::None,
            0x88 | 0x89 => Value::Flag,
            b'K' => Value::Int(source.byte()?.into()),
            b'M' => Value::Int(u16::from_le_bytes(source.array()?).into()),
            b'J' => Value::Int(i32::from_le_bytes(source.array()?).into()),
            0x8a => {
                let length = source.byte()?;
                integer(source.bytes(length.into())?)
            }
            b'G' => {
                source.skip(8)?;
                Value::Other
            }
            b'X' => text(source, |s| Ok(u32::from_le_bytes(s.array()?).into()))?,
            0x8c | b'U' => text(source, |s| Ok(s.byte()?.into()))?,
            0x8d => text(source, |s| Ok(u64::from_le_bytes(s.array()?)))?,
            b'T' => text(source, |s| Ok(u32::from_le_bytes(s.array()?).into()))?,
            b'C' => passed(source, |s| Ok(s.byte()?.into()))?,
            b'B' => passed(source, |s| Ok(u32::from_le_bytes(s.array()?).into()))?,
            0x8e => passed(source, |s| Ok(u64::from_le_bytes(s.array()?)))?,
            b')' => Value::Tuple(self.hold(Vec::new())),
            b't' => {
                let values = self.marked()?;
                Value::Tuple(self.hold(values))
            }
            0x85..=0x87 => {
                let count = usize::from(instruction - 0x84);
                if self.above() < count {
                    return Err(order());
                }
                let values = self.stack.split_off(self.stack.len() - count);
                Value::Tuple(self.hold(values))
            }
            b']' => Value::List(self.hold(Vec::new())),
            b'l' => {
                let values = self.marked()?;
                Value::List(self.hold(values))
            }
            b'}' => Value::Dict(self.hold(Vec::new())),
            b'd' => {
                let values = self.marked()?;
                Value::Dict(self.hold(values))
            }
            b'a' => {
                let value = self.pop()?;
                return self.add_to_list(vec![value]);
            }
            b'e' => {
                let values = self.marked()?;
                return self.add_to_list(values);
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                return self.add_to_dict(vec![key, value]);
            }
            b'u' => {
                let values = self.marked()?;
                return self.add_to_dict(values);
            }
            b'c' => class(&source.line()?, &source.line()?)?,
            0x93 => match (self.pop()?, self.pop()?) {
                (Value::Text(name), Value::Text(module)) => class(&module, &name)?,
                _ => return Err(order()),
            },
            b'Q' => {
                let name = self.pop()?;
                self.storage(&name)?
            }
            b'R' => {
                let (arguments, class) = (self.pop()?, self.pop()?);
                self.made(&class, &arguments)?
            }
            // What is set on a dictionary beside its content is the version of the modules.
            b'b' => match (self.pop()?, self.stack.last()) {
                (_, Some(Value::Dict(_))) => return Ok(()),
                _ => {
                    let message = "it sets what is in an object, and no tensor needs that";
                    return Err(Fault::Refused(message.to_owned()));
                }
            },
            b'h' => self.recalled(source.byte()?.into())?,
            b'j' => self.recalled(u32::from_le_bytes(source.array()?))?,
            b'q' => return self.keep(source.byte()?.into()),
            b'r' => return self.keep(u32::from_le_bytes(source.array()?)),
            0x94 => return self.keep(self.memo.len() as u32),
            other => {
                return Err(Fault::Refused(format!(
                    "it has the instruction {other:#04x} at byte {}, which torch.save does not write",
                    source.position() - 1
                )));
            }
        };
        self.stack.push(value);
        Ok(())
    }

    /// How many values are above the last mark.
    fn above(&self) -> usize {
        self.stack.len() - self.marks.last().copied().unwrap_or(0)
    }

    fn pop(&mut self) -> Result<Value, Fault> {
        match self.above() {
            0 => Err(order()),
            _ => self.stack.pop().ok_or_else(order),
        }
    }

    /// Takes off what is above the last mark, and the mark.
    fn marked(&mut self) -> Result<Vec<Value>, Fault> {
        let start = self.marks.pop().ok_or_else(order)?;
        Ok(self.stack.split_off(start))
    }

    pub(super) fn hold(&mut self, values: Vec<Value>) -> usize {
        self.contents.push(values);
        self.contents.len() - 1
    }

    fn add_to_list(&mut self, values: Vec<Value>) -> Result<(), Fault> {
        match self.stack.last() {
            Some(Value::List(at)) => self.contents[*at].extend(values),
            _ => return Err(order()),
        }
        Ok(())
    }

    fn add_to_dict(&mut self, values: Vec<Value>) -> Result<(), Fault> {
        match self.stack.last() {
            Some(Value::Dict(at)) if values.len().is_multiple_of(2) => {
                self.contents[*at].extend(values);
            }
            _ => return Err(order()),
        }
        Ok(())
    }

    fn keep(&mut self, place: u32) -> Result<(), Fault> {
        let value = self.stack.last().cloned().ok_or_else(order)?;
        self.memo.insert(place, value);
        Ok(())
    }

    fn recalled(&self, place: u32) -> Result<Value, Fault> {
        self.memo.get(&place).cloned().ok_or_else(order)
    }
}

/// The class of that name, which a pickle may call for.
fn class(module: &str, name: &str) -> Result<Value, Fault> {
    let class = Class::named(module, name);
    class.map(Value::Class).ok_or_else(|| {
        let name: String = format!("{module}.{name}").chars().take(100).collect();
        Fault::Refused(format!(
            "it calls for `{}`, which no tensor is made of; relprop reads tensors alone and runs no code \
             of a file",
            name.escape_debug()
        ))
    })
}

/// An integer whose lowest byte is the first, and whose sign is in the last.
fn integer(bytes: Vec<u8>) -> Value {
    if bytes.len() > 8 {
        return Value::Large(bytes.into());
    }
    let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
    let mut whole = [if negative { 0xff } else { 0 }; 8];
    whole[..bytes.len()].copy_from_slice(&bytes);
    Value::Int(i64::from_le_bytes(whole))
}

fn text(
    source: &mut Source,
    length: impl Fn(&mut Source) -> Result<u64, Fault>,
) -> Result<Value, Fault> {
    let length = length(source)?;
    Ok(Value::Text(source.text(length)?.into()))
}

fn passed(
    source: &mut Source,
    length: impl Fn(&mut Source) -> Result<u64, Fault>,
) -> Result<Value, Fault> {
    let length = length(source)?;
    source.skip(length)?;
    Ok(Value::Other)
}

/// What to say of instructions that do not go together.
pub(super) fn order() -> Fault {
    Fault::damaged("its pickle is not one of tensors")
}
