//! The stack machine.

use std::collections::HashMap;

use super::{Class, Node, Object, Pickle, Problem, Span, Value, allowed::allowed};
use crate::error::quote;

/// Values that one pickle may make. A training state of a large model has some hundred thousand;
/// each takes at most some 50 bytes here.
const VALUES: usize = 1 << 20;

/// Longest module or class name.
const NAME: usize = 512;

/// Reads the pickle at the start of `bytes`; what follows its end mark is not looked at.
pub(crate) fn parse(bytes: &[u8]) -> Result<Pickle<'_>, Problem> {
    // Positions are 32-bit numbers; weights themselves are never inside the pickle.
    let bytes = bytes.get(..u32::MAX as usize).unwrap_or(bytes);
    let mut machine = Machine {
        bytes,
        at: 0,
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        nodes: Vec::new(),
        classes: Vec::new(),
        made: 0,
    };
    let root = machine.run()?;
    let Machine {
        at, nodes, classes, ..
    } = machine;
    Ok(Pickle {
        bytes,
        nodes,
        classes,
        root,
        len: at,
    })
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    stack: Vec<Value>,
    /// Heights of the stack.
    marks: Vec<usize>,
    memo: HashMap<u32, Value>,
    nodes: Vec<Node>,
    classes: Vec<Class>,
    /// Values made so far.
    made: usize,
}

impl Machine<'_> {
    fn run(&mut self) -> Result<Value, Problem> {
        loop {
            let code = self.byte()?;
            match code {
                b'.' => return self.pop(),
                0x80 => drop(self.byte()?),
                0x95 => drop(self.take(8)?),
                b'(' => {
                    self.count()?;
                    self.marks.push(self.stack.len());
                }
                b'0' => drop(self.pop()?),
                b'1' => drop(self.marked()?),
                b'2' => {
                    let top = self.peek()?;
                    self.push(top)?;
                }
                b'N' => self.push(Value::None)?,
                0x88 => self.push(Value::Bool(true))?,
                0x89 => self.push(Value::Bool(false))?,
                b'K' => {
                    let n = self.byte()?;
                    self.push(Value::Int(n.into()))?;
                }
                b'M' => {
                    let n = u16::from_le_bytes(self.array()?);
                    self.push(Value::Int(n.into()))?;
                }
                b'J' => {
                    let n = i32::from_le_bytes(self.array()?);
                    self.push(Value::Int(n.into()))?;
                }
                0x8a | 0x8b => self.long(code)?,
                b'G' => {
                    let x = f64::from_be_bytes(self.array()?);
                    self.push(Value::Float(x))?;
                }
                b'X' | 0x8c | 0x8d | b'T' | b'U' => {
                    let span = self.string(code)?;
                    self.push(Value::Text(span))?;
                }
                b'B' | b'C' | 0x8e | 0x96 => {
                    let span = self.string(code)?;
                    self.push(Value::Bytes(span))?;
                }
                b']' | 0x8f => self.make(Node::List(Vec::new()))?,
                b'}' => self.make(Node::Dict(Vec::new()))?,
                b')' => self.make(Node::Tuple(Vec::new()))?,
                b't' | b'l' | 0x91 | b'd' | 0x85..=0x87 => self.collect(code)?,
                b'a' | b'e' | 0x90 | b's' | b'u' => self.fill(code)?,
                b'c' | 0x93 => self.import(code)?,
                b'R' | 0x81 | 0x92 => self.call(code)?,
                b'b' => self.build()?,
                b'Q' => {
                    let id = self.pop()?;
                    self.make(Node::Outside(id))?;
                }
                b'q' | b'r' | 0x94 | b'h' | b'j' => self.remember(code)?,
                other => {
                    return Err(self.damaged(format!(
                        "instruction {other:#04x} is none that weight files use"
                    )));
                }
            }
        }
    }

    fn long(&mut self, code: u8) -> Result<(), Problem> {
        let len = if code == 0x8a {
            usize::from(self.byte()?)
        } else {
            u32::from_le_bytes(self.array()?) as usize
        };
        let span = self.take(len)?;
        let bytes = self.bytes.get(span.range()).unwrap_or_default();
        let value = if len <= 8 {
            let fill = if bytes.last().is_some_and(|b| b & 0x80 != 0) {
                0xff
            } else {
                0
            };
            let mut all = [fill; 8];
            for (to, from) in all.iter_mut().zip(bytes) {
                *to = *from;
            }
            Value::Int(i64::from_le_bytes(all))
        } else {
            Value::Long(span)
        };
        self.push(value)
    }

    /// The bytes of a string whose length is in front of it.
    fn string(&mut self, code: u8) -> Result<Span, Problem> {
        let len = match code {
            b'U' | b'C' | 0x8c => u64::from(self.byte()?),
            0x8d | 0x8e | 0x96 => u64::from_le_bytes(self.array()?),
            _ => u64::from(u32::from_le_bytes(self.array()?)),
        };
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        self.take(len)
    }

    /// Tuples, lists, sets and dicts made of what is on the stack.
    fn collect(&mut self, code: u8) -> Result<(), Problem> {
        let items = match code {
            0x85..=0x87 => self.pops(usize::from(code - 0x84))?,
            _ => self.marked()?,
        };
        match code {
            b'l' | 0x91 => self.make(Node::List(items)),
            b'd' => {
                let pairs = self.pairs(&items)?;
                self.make(Node::Dict(pairs))
            }
            _ => self.make(Node::Tuple(items)),
        }
    }

    /// Puts what is on the stack into the list, set or dict below it.
    fn fill(&mut self, code: u8) -> Result<(), Problem> {
        let items = match code {
            b'a' => self.pops(1)?,
            b's' => self.pops(2)?,
            _ => self.marked()?,
        };
        let Value::Node(index) = self.peek()? else {
            return Err(self.damaged("items are put into what is no container"));
        };
        let pairs = if matches!(code, b's' | b'u') {
            self.pairs(&items)?
        } else {
            Vec::new()
        };
        match self.nodes.get_mut(index as usize) {
            Some(Node::List(list)) if pairs.is_empty() => list.extend(items),
            Some(Node::Dict(dict)) => dict.extend(pairs),
            Some(Node::Object(object)) => object.items.extend(pairs),
            _ => return Err(self.damaged("items are put into what is no container")),
        }
        Ok(())
    }

    fn pairs(&self, items: &[Value]) -> Result<Vec<(Value, Value)>, Problem> {
        let (pairs, rest) = items.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(self.damaged("a dict has a key without a value"));
        }
        Ok(pairs.iter().map(|&[k, v]| (k, v)).collect())
    }

    /// Notes an imported name if weight files may have it.
    fn import(&mut self, code: u8) -> Result<(), Problem> {
        let (module, name) = if code == b'c' {
            (self.line()?, self.line()?)
        } else {
            let (name, module) = (self.pop()?, self.pop()?);
            match (module, name) {
                (Value::Text(module), Value::Text(name)) => (module, name),
                _ => return Err(self.damaged("a name to import is no text")),
            }
        };
        let text = |span: Span| {
            let bytes = self.bytes.get(span.range()).unwrap_or_default();
            std::str::from_utf8(bytes).ok().filter(|t| t.len() <= NAME)
        };
        let (Some(module_text), Some(name_text)) = (text(module), text(name)) else {
            return Err(self.damaged("a name to import is no text"));
        };
        if !allowed(module_text, name_text) {
            return Err(Problem::Refused(format!(
                "its pickle names {}, which weights do not need (nothing was run)",
                quote(&format!("{module_text}.{name_text}"))
            )));
        }
        self.classes.push(Class { module, name });
        self.push(Value::Class(self.classes.len() as u32 - 1))
    }

    fn call(&mut self, code: u8) -> Result<(), Problem> {
        if code == 0x92 {
            self.pop()?;
        }
        let (arguments, callee) = (self.pop()?, self.pop()?);
        let object = Object {
            callee,
            arguments,
            state: Value::None,
            items: Vec::new(),
        };
        self.make(Node::Object(Box::new(object)))
    }

    fn build(&mut self) -> Result<(), Problem> {
        let state = self.pop()?;
        if let Value::Node(index) = self.peek()?
            && let Some(Node::Object(object)) = self.nodes.get_mut(index as usize)
        {
            object.state = state;
        }
        Ok(())
    }

    fn remember(&mut self, code: u8) -> Result<(), Problem> {
        let key = match code {
            b'q' | b'h' => u32::from(self.byte()?),
            b'r' | b'j' => u32::from_le_bytes(self.array()?),
            _ => self.memo.len() as u32,
        };
        if matches!(code, b'h' | b'j') {
            let Some(&value) = self.memo.get(&key) else {
                return Err(self.damaged(format!("value {key} is used before it is made")));
            };
            return self.push(value);
        }
        self.count()?;
        let value = self.peek()?;
        self.memo.insert(key, value);
        Ok(())
    }

    fn count(&mut self) -> Result<(), Problem> {
        self.made += 1;
        if self.made > VALUES {
            return Err(Problem::Refused(format!(
                "its pickle has more than {VALUES} values"
            )));
        }
        Ok(())
    }

    fn push(&mut self, value: Value) -> Result<(), Problem> {
        self.count()?;
        self.stack.push(value);
        Ok(())
    }

    fn make(&mut self, node: Node) -> Result<(), Problem> {
        self.nodes.push(node);
        self.push(Value::Node(self.nodes.len() as u32 - 1))
    }

    /// Height below which the stack is not to be touched.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn pop(&mut self) -> Result<Value, Problem> {
        if self.stack.len() > self.floor()
            && let Some(value) = self.stack.pop()
        {
            return Ok(value);
        }
        Err(self.damaged("a value is used that is not there"))
    }

    fn pops(&mut self, n: usize) -> Result<Vec<Value>, Problem> {
        match self.stack.len().checked_sub(n) {
            Some(start) if start >= self.floor() => Ok(self.stack.split_off(start)),
            _ => Err(self.damaged("a value is used that is not there")),
        }
    }

    fn peek(&self) -> Result<Value, Problem> {
        match self.stack.last() {
            Some(&value) if self.stack.len() > self.floor() => Ok(value),
            _ => Err(self.damaged("a value is used that is not there")),
        }
    }

    /// Everything above the last mark.
    fn marked(&mut self) -> Result<Vec<Value>, Problem> {
        match self.marks.pop() {
            Some(height) if height <= self.stack.len() => Ok(self.stack.split_off(height)),
            _ => Err(self.damaged("a mark is used that is not there")),
        }
    }

    fn byte(&mut self) -> Result<u8, Problem> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Problem> {
        let found = self
            .bytes
            .get(self.at..)
            .and_then(|rest| rest.first_chunk::<N>());
        let Some(array) = found else {
            return Err(self.cut(N));
        };
        self.at += N;
        Ok(*array)
    }

    fn take(&mut self, len: usize) -> Result<Span, Problem> {
        if self.bytes.len() - self.at < len {
            return Err(self.cut(len));
        }
        let span = Span {
            start: self.at as u32,
            len: len as u32,
        };
        self.at += len;
        Ok(span)
    }

    /// Bytes up to a line end, which is skipped.
    fn line(&mut self) -> Result<Span, Problem> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let window = rest.get(..=NAME).unwrap_or(rest);
        let Some(len) = window.iter().position(|&b| b == b'\n') else {
            return Err(self.damaged("a name to import has no end"));
        };
        let span = self.take(len)?;
        self.at += 1;
        Ok(span)
    }

    fn cut(&self, wanted: usize) -> Problem {
        let left = self.bytes.len() - self.at;
        self.damaged(format!("{wanted} bytes are promised but {left} are there"))
    }

    fn damaged(&self, what: impl std::fmt::Display) -> Problem {
        Problem::Damaged(format!("its pickle is damaged at byte {}: {what}", self.at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn problem(bytes: &[u8]) -> String {
        match parse(bytes) {
            Err(Problem::Damaged(what) | Problem::Refused(what)) => what,
            Ok(pickle) => panic!("was read: {:?}", pickle.root()),
        }
    }

    #[test]
    fn values_come_out_as_they_went_in() {
        // pickle.dumps({"a": (1, -2, 300, 2**40, True, None, 1.5), "b": [b"x"]}, protocol=2..4)
        let dict = b"\x80\x02}(X\x01\0\0\0a(K\x01J\xfe\xff\xff\xffM\x2c\x01\x8a\x06\0\0\0\0\0\x01\x88NG?\xf8\0\0\0\0\0\0tX\x01\0\0\0b](C\x01xeu.";
        let pickle = parse(dict).unwrap();
        let a = pickle.get(pickle.root(), "a").unwrap();
        assert_eq!(
            pickle.tuple(a),
            [
                Value::Int(1),
                Value::Int(-2),
                Value::Int(300),
                Value::Int(1 << 40),
                Value::Bool(true),
                Value::None,
                Value::Float(1.5)
            ]
        );
        let b = pickle.get(pickle.root(), "b").unwrap();
        assert!(matches!(pickle.sequence(b).unwrap(), [Value::Bytes(_)]));
        assert_eq!(pickle.len, dict.len());
    }

    #[test]
    fn hostile_programs_are_stopped() {
        assert!(problem(b"\x80\x02cos\nsystem\n(X\x02\0\0\0lstR.").contains("`os.system`"));
        assert!(problem(b"\x80\x04\x8c\x02os\x8c\x06system\x93)R.").contains("`os.system`"));
        // A 4 GiB string in 30 bytes, and an even longer one.
        assert!(
            problem(b"\x80\x02X\xff\xff\xff\xffabcdefghijklmnopqrstuvwx").contains("4294967295")
        );
        assert!(
            problem(b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xffa")
                .contains("bytes are promised")
        );
        assert!(problem(b"\x80\x02h\x05.").contains("before it is made"));
        assert!(problem(b"\x80\x02R.").contains("not there"));
        assert!(problem(b"\x80\x02(t").contains("promised"));
        assert!(problem(b"\x80\x02]K\x01s.").contains("not there"));
        assert!(problem(b"\x80\x02K\x01K\x02a.").contains("no container"));
        assert!(problem(b"\x80\x02ios\nsystem\n.").contains("0x69"));
        let many = [b"\x80\x02".as_slice(), &vec![b'N'; VALUES + 1]].concat();
        assert!(problem(&many).contains("more than"));
        // Ten thousand nested lists and a list that holds itself are just values.
        let deep = [
            b"\x80\x02".as_slice(),
            &b"]".repeat(10_000),
            &b"a".repeat(9_999),
            b".",
        ]
        .concat();
        assert!(parse(&deep).is_ok());
        assert!(parse(b"\x80\x02]q\0h\0a.").is_ok());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn any_program_is_read_or_refused(
            ops in proptest::collection::vec(
                proptest::sample::select(b"(.012NK])}tldaesuRbQqhr\x81\x85\x86\x87\x88\x94\x93".to_vec()),
                0..200,
            )
        ) {
            let _ = parse(&ops);
        }
    }
}
