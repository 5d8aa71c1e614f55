//! Tokens equal to CLIP's, for the texts of `tests/golden/alpha_clip`.

use std::fs::File;
use std::io::Read;

use alpha_clip::{Error, Tokenizer};
use flate2::read::GzDecoder;
use serde_json::Value;

fn texts(name: &str) -> Vec<Value> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/alpha_clip");
    let file = File::open(format!("{folder}/{name}")).unwrap();
    let mut text = String::new();
    GzDecoder::new(file).read_to_string(&mut text).unwrap();
    let all: Value = serde_json::from_str(&text).unwrap();
    all["texts"].as_array().unwrap().clone()
}

#[test]
fn ids_are_those_of_clip() {
    let texts = texts("texts.json.gz");
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
