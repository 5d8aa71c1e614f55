//! Typed access to the JSON configurations of a pipeline's parts.

use std::path::Path;

use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// No configuration is larger.
const LARGEST: u64 = 4 << 20;

/// A JSON object and the file that it is from.
pub(crate) struct Object<'a> {
    map: &'a Map<String, Value>,
    file: &'a str,
}

impl<'a> Object<'a> {
    pub(crate) fn new(value: &'a Value, file: &'a str) -> Result<Self> {
        match value.as_object() {
            Some(map) => Ok(Self { map, file }),
            None => Err(Error::pipeline(
                file,
                "the configuration is no JSON object",
                "download the file again",
            )),
        }
    }

    /// The value of a key that is there and not null.
    pub(crate) fn get(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    fn typed<T>(
        &self,
        key: &str,
        wanted: &str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        match read(value) {
            Some(value) => Ok(Some(value)),
            None => Err(self.wrong(
                format!("{key} should be {wanted}, not {}", shortened(value)),
                "correct the configuration",
            )),
        }
    }

    pub(crate) fn text(&self, key: &str) -> Result<Option<&'a str>> {
        self.typed(key, "a text", Value::as_str)
    }

    pub(crate) fn texts(&self, key: &str) -> Result<Option<Vec<&'a str>>> {
        self.typed(key, "a list of texts", |value| {
            value.as_array()?.iter().map(Value::as_str).collect()
        })
    }

    pub(crate) fn flag(&self, key: &str) -> Result<Option<bool>> {
        self.typed(key, "true or false", Value::as_bool)
    }

    pub(crate) fn count(&self, key: &str) -> Result<Option<usize>> {
        self.typed(key, "a whole number", as_count)
    }

    pub(crate) fn counts(&self, key: &str) -> Result<Option<Vec<usize>>> {
        self.typed(key, "a list of whole numbers", |value| {
            value.as_array()?.iter().map(as_count).collect()
        })
    }

    pub(crate) fn number(&self, key: &str) -> Result<Option<f64>> {
        self.typed(key, "a number", |value| {
            value.as_f64().filter(|x| x.is_finite())
        })
    }

    pub(crate) fn numbers(&self, key: &str) -> Result<Option<Vec<f64>>> {
        self.typed(key, "a list of numbers", |value| {
            value.as_array()?.iter().map(Value::as_f64).collect()
        })
    }

    /// An error about this file.
    pub(crate) fn wrong(&self, what: impl Into<String>, remedy: impl Into<String>) -> Error {
        Error::pipeline(self.file, what, remedy)
    }

    pub(crate) fn unknown(&self, key: &str, value: &str) -> Error {
        self.wrong(
            format!("{key} = {value:?} is not known"),
            "use another pipeline",
        )
    }
}

fn as_count(value: &Value) -> Option<usize> {
    value
        .as_u64()
        .and_then(|n| u32::try_from(n).ok())
        .map(|n| n as usize)
}

fn shortened(value: &Value) -> String {
    let text = value.to_string();
    let short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        format!("{short}…")
    } else {
        short
    }
}

/// Reads a configuration file. Python writes infinities and NaN as words that JSON lacks; they are
/// read as null.
pub(crate) fn read(path: &Path) -> Result<Value> {
    let failed = |e: std::io::Error| {
        Error::pipeline(path, e.to_string(), "check the path and its permissions")
    };
    let length = std::fs::metadata(path).map_err(failed)?.len();
    if length > LARGEST {
        return Err(Error::pipeline(
            path,
            format!("{length} bytes are too many for a configuration"),
            "download the file again",
        ));
    }
    parse(&std::fs::read_to_string(path).map_err(failed)?).map_err(|e| {
        Error::pipeline(
            path,
            format!("this is not valid JSON ({e})"),
            "download the file again",
        )
    })
}

fn parse(text: &str) -> serde_json::Result<Value> {
    serde_json::from_str(text).or_else(|error| {
        let plain = without_infinities(text);
        if plain == text {
            Err(error)
        } else {
            serde_json::from_str(&plain)
        }
    })
}

/// The text with `Infinity`, `-Infinity` and `NaN` outside of strings replaced by `null`.
fn without_infinities(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut in_string, mut escaped) = (false, false);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if !in_string {
            let word = ["-Infinity", "Infinity", "NaN"]
                .into_iter()
                .find(|w| rest.starts_with(w));
            if let Some(word) = word {
                out.push_str("null");
                rest = &rest[word.len()..];
                continue;
            }
        }
        if c == '"' && !escaped {
            in_string = !in_string;
        }
        escaped = in_string && c == '\\' && !escaped;
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn infinities_of_python_are_null() {
        let value = parse(r#"{"a": -Infinity, "b": [NaN, 1], "c": "say \"NaN\" ä"}"#).unwrap();
        assert!(value["a"].is_null() && value["b"][0].is_null());
        assert_eq!(value["c"], "say \"NaN\" ä");
        assert!(parse("{").is_err());
    }

    #[test]
    fn a_value_of_the_wrong_type_is_named() {
        let value = serde_json::json!({"n": -1, "t": 3, "list": [1, "x"], "none": null});
        let object = Object::new(&value, "config.json").unwrap();
        let said = object.count("n").unwrap_err().to_string();
        assert!(
            said.starts_with("config.json: n should be a whole number, not -1;"),
            "{said}"
        );
        assert!(object.text("t").is_err() && object.counts("list").is_err());
        assert_eq!(object.flag("none").unwrap(), None);
    }
}
