//! The header of an array is a Python literal: a dict of strings, numbers, tuples and lists.

/// A Python literal.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literal<'a> {
    Text(&'a str),
    Integer(u64),
    Bool(bool),
    None,
    /// A tuple or a list.
    Sequence(Vec<Literal<'a>>),
    /// Keys and values.
    Dict(Vec<(Literal<'a>, Literal<'a>)>),
}

impl<'a> Literal<'a> {
    /// The literal that `text` is, but for blanks around it.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let mut parser = Parser { rest: text };
        let literal = parser.literal(0)?;
        parser.skip();
        parser.rest.is_empty().then_some(literal)
    }

    /// The value of `key`, if this is a dict that has it.
    pub(super) fn get(&self, key: &str) -> Option<&Literal<'a>> {
        let Literal::Dict(pairs) = self else {
            return None;
        };
        let pair = pairs.iter().find(|(k, _)| *k == Literal::Text(key));
        pair.map(|(_, value)| value)
    }
}

/// Deeper literals than any header has are refused, since each level takes stack.
const DEEPEST: usize = 8;

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn literal(&mut self, depth: usize) -> Option<Literal<'a>> {
        if depth > DEEPEST {
            return None;
        }
        self.skip();
        match self.rest.chars().next()? {
            quote @ ('\'' | '"') => {
                let (text, rest) = self.rest.get(1..)?.split_once(quote)?;
                self.rest = rest;
                (!text.contains('\\')).then_some(Literal::Text(text))
            }
            '0'..='9' => {
                let end = self.rest.find(|c: char| !c.is_ascii_digit());
                let (digits, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
                // Python 2 wrote `3L`.
                self.rest = rest.strip_prefix('L').unwrap_or(rest);
                digits.parse().ok().map(Literal::Integer)
            }
            '(' => self.items(')', depth).map(Literal::Sequence),
            '[' => self.items(']', depth).map(Literal::Sequence),
            '{' => {
                self.take('{');
                let mut pairs = Vec::new();
                loop {
                    if self.take('}') {
                        return Some(Literal::Dict(pairs));
                    }
                    let key = self.literal(depth + 1)?;
                    if !self.take(':') {
                        return None;
                    }
                    pairs.push((key, self.literal(depth + 1)?));
                    if !self.take(',') && !self.rest.starts_with('}') {
                        return None;
                    }
                }
            }
            _ => {
                let words = [
                    ("True", Literal::Bool(true)),
                    ("False", Literal::Bool(false)),
                    ("None", Literal::None),
                ];
                let (word, literal) = words.into_iter().find(|(w, _)| self.rest.starts_with(w))?;
                self.rest = self.rest.strip_prefix(word)?;
                Some(literal)
            }
        }
    }

    fn items(&mut self, end: char, depth: usize) -> Option<Vec<Literal<'a>>> {
        self.rest = self.rest.get(1..)?;
        let mut items = Vec::new();
        loop {
            if self.take(end) {
                return Some(items);
            }
            items.push(self.literal(depth + 1)?);
            if !self.take(',') && !self.rest.starts_with(end) {
                return None;
            }
        }
    }

    /// Takes `c` off the rest, if it comes next.
    fn take(&mut self, c: char) -> bool {
        self.skip();
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                self.skip();
                true
            }
            None => false,
        }
    }

    fn skip(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_numpy() {
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2048, 3), }          \n";
        let dict = Literal::parse(header).unwrap();
        assert_eq!(dict.get("descr"), Some(&Literal::Text("<f4")));
        assert_eq!(dict.get("fortran_order"), Some(&Literal::Bool(false)));
        let shape = vec![Literal::Integer(2048), Literal::Integer(3)];
        assert_eq!(dict.get("shape"), Some(&Literal::Sequence(shape)));
        assert_eq!(dict.get("other"), None);
        let record = Literal::parse("[('x', '<f8'), (\"y\", '<f8', (3L,)), ('z', None)]").unwrap();
        assert!(matches!(record, Literal::Sequence(fields) if fields.len() == 3));
        assert_eq!(Literal::parse("()"), Some(Literal::Sequence(Vec::new())));
    }

    #[test]
    fn what_is_no_literal() {
        for text in [
            "",
            "{",
            "(1",
            "(1 2)",
            "{'a'}",
            "{'a': }",
            "'a",
            "f(1)",
            "1 2",
            "-",
            "{1:1",
            "99999999999999999999999",
            "'\\x'",
            "[[[[[[[[[[[[1]]]]]]]]]]]]",
        ] {
            assert_eq!(Literal::parse(text), None, "{text}");
        }
    }
}
