//! Tokens equal to CLIP's, for the texts of `tests/golden/alpha_clip`.

mod support;

use alpha_clip::{Error, Tokenizer};
use serde_json::Value;
use support::{Golden, bytes};

const FOLDER: &str = "golden/alpha_clip";

fn json(name: &str) -> Value {
    serde_json::from_slice(&bytes(&format!("{FOLDER}/{name}"))).unwrap()
}

#[test]
fn ids_are_those_of_clip() {
    let texts = json("texts.json");
    let texts = texts["texts"].as_array().unwrap();
    assert_eq!(texts.len(), 49);
    let tokenizer = Tokenizer::new(77);
    for entry in texts {
        let text = entry["text"].as_str().unwrap();
        let expected: Vec<u32> = serde_json::from_value(entry["ids"].clone()).unwrap();
        assert_eq!(tokenizer.ids(text), expected, "{text:?}");

        let mut fitted = expected.clone();
        if fitted.len() > 77 {
            fitted.truncate(77);
            fitted[76] = 49_407;
        }
        fitted.resize(77, 0);
        assert_eq!(tokenizer.encode_truncated(text), fitted, "{text:?}");
        match tokenizer.encode(text) {
            Ok(ids) => assert!(expected.len() <= 77 && ids == fitted),
            Err(Error::TextTooLong { tokens, context }) => {
                assert!(context == 77 && tokens == expected.len() && tokens > 77);
            }
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn a_longer_context_keeps_more() {
    let texts = json("long_clip/texts.json");
    let texts = texts.as_array().unwrap();
    let expected = Golden::of(FOLDER).ids("long_clip/tokens");
    let expected = expected.to_vec2::<u32>().unwrap();
    assert_eq!(texts.len(), expected.len());
    for (entry, expected) in texts.iter().zip(expected) {
        let text = entry["text"].as_str().unwrap();
        let ids = Tokenizer::new(248).encode_truncated(text);
        assert_eq!(ids, expected, "{text:?}");
    }
}
