//! A reader of Python pickles that builds a tree and runs nothing.
//!
//! A pickle is a program for a small stack machine; two of its instructions import names and call
//! them, which is how a hostile file runs code. Here an import only notes the name, after a look
//! at a list of the names that weight files use ([`allowed`]), and a call only makes a node that
//! holds the name and the arguments. Strings stay where they are in the file. All nodes live in
//! one flat table, so that neither depth nor cycles can exhaust the stack, and their number is
//! limited.
//!
//! Protocols 2 to 5, as PyTorch writes them: <https://docs.python.org/3/library/pickle.html>.

mod allowed;
mod machine;

use std::ops::Range;

pub(crate) use machine::parse;

/// A value on the machine's stack. Compound values are numbers of nodes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// An integer beyond 64 bits: its little-endian bytes.
    Long(Span),
    /// UTF-8 (or, from Python 2, any) text.
    Text(Span),
    Bytes(Span),
    /// An imported name.
    Class(u32),
    Node(u32),
}

/// A range of bytes of the pickle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    len: u32,
}

/// An imported name.
#[derive(Debug, Clone, Copy)]
struct Class {
    module: Span,
    name: Span,
}

/// A compound value.
#[derive(Debug)]
pub(crate) enum Node {
    Tuple(Vec<Value>),
    /// Lists and sets.
    List(Vec<Value>),
    Dict(Vec<(Value, Value)>),
    /// What would be a call: the callable with its arguments, then what was put into the result.
    Object(Box<Object>),
    /// A reference to something outside of the pickle (a storage).
    Outside(Value),
}

/// An object that was never made: how it would have been.
#[derive(Debug)]
pub(crate) struct Object {
    /// The class or function.
    pub(crate) callee: Value,
    /// A tuple.
    pub(crate) arguments: Value,
    /// The argument of `__setstate__`.
    pub(crate) state: Value,
    /// Items of a subclass of dict.
    pub(crate) items: Vec<(Value, Value)>,
}

/// Why a pickle was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    /// It contradicts itself or ends too early.
    Damaged(String),
    /// It asks for what weights never need.
    Refused(String),
}

/// A pickle that was read.
#[derive(Debug)]
pub(crate) struct Pickle<'a> {
    bytes: &'a [u8],
    nodes: Vec<Node>,
    classes: Vec<Class>,
    root: Value,
    /// Bytes up to and including the end mark.
    pub(crate) len: usize,
}

impl<'a> Pickle<'a> {
    pub(crate) fn root(&self) -> Value {
        self.root
    }

    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    pub(crate) fn node(&self, value: Value) -> Option<&Node> {
        match value {
            Value::Node(index) => self.nodes.get(index as usize),
            _ => None,
        }
    }

    fn span(&self, span: Span) -> &'a [u8] {
        self.bytes.get(span.range()).unwrap_or_default()
    }

    /// The text, if it is one and valid UTF-8.
    pub(crate) fn text(&self, value: Value) -> Option<&'a str> {
        match value {
            Value::Text(span) => std::str::from_utf8(self.span(span)).ok(),
            _ => None,
        }
    }

    /// The little-endian bytes of an integer beyond 64 bits.
    pub(crate) fn long(&self, value: Value) -> Option<&'a [u8]> {
        match value {
            Value::Long(span) => Some(self.span(span)),
            _ => None,
        }
    }

    /// Module and name of an imported name.
    pub(crate) fn class(&self, value: Value) -> Option<(&'a str, &'a str)> {
        let Value::Class(index) = value else {
            return None;
        };
        let class = self.classes.get(index as usize)?;
        let part = |span| std::str::from_utf8(self.span(span)).ok();
        Some((part(class.module)?, part(class.name)?))
    }

    /// The items of a tuple (empty for anything else).
    pub(crate) fn tuple(&self, value: Value) -> &[Value] {
        match self.node(value) {
            Some(Node::Tuple(items)) => items,
            _ => &[],
        }
    }

    /// The items of a tuple, a list or a set.
    pub(crate) fn sequence(&self, value: Value) -> Option<&[Value]> {
        match self.node(value)? {
            Node::Tuple(items) | Node::List(items) => Some(items),
            _ => None,
        }
    }

    /// The items of a dict or of an object derived from it (`OrderedDict`).
    pub(crate) fn dict(&self, value: Value) -> Option<&[(Value, Value)]> {
        match self.node(value)? {
            Node::Dict(items) => Some(items),
            Node::Object(object) if !object.items.is_empty() => Some(&object.items),
            _ => None,
        }
    }

    pub(crate) fn object(&self, value: Value) -> Option<&Object> {
        match self.node(value)? {
            Node::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The value under a text key.
    pub(crate) fn get(&self, dict: Value, key: &str) -> Option<Value> {
        let items = self.dict(dict)?;
        items
            .iter()
            .rev()
            .find(|(k, _)| self.text(*k) == Some(key))
            .map(|(_, v)| *v)
    }

    /// A list of counts that fit `usize`, as sizes and strides are written.
    pub(crate) fn counts(&self, value: Value) -> Option<Vec<usize>> {
        let items = match self.object(value) {
            // torch.Size((2, 3))
            Some(object) => self.sequence(*self.tuple(object.arguments).first()?)?,
            None => self.sequence(value)?,
        };
        items.iter().map(|item| count(*item)).collect()
    }
}

/// A number of things.
pub(crate) fn count(value: Value) -> Option<usize> {
    match value {
        Value::Int(n) => usize::try_from(n).ok(),
        _ => None,
    }
}

impl Span {
    fn range(self) -> Range<usize> {
        let start = self.start as usize;
        start..start + self.len as usize
    }
}
