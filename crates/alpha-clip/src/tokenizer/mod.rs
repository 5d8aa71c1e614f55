//! [`Tokenizer`]: text to ids, equal to CLIP's.

mod merges;
mod split;

use crate::cleaning::clean;
use crate::error::{Error, Result};
use split::{Piece, Pieces};

/// CLIP's byte-pair tokenizer (Radford et al., 2021): 49408 ids, the text cleaned as CLIP does it.
///
/// The merges are part of the program, sorted for look-up where they lie; making a tokenizer
/// costs nothing.
///
/// ```
/// let tokenizer = alpha_clip::Tokenizer::new(77);
/// let ids = tokenizer.encode("a photo of a chair.")?;
/// assert_eq!(ids.len(), 77);
/// assert_eq!(ids[..9], [49406, 320, 1125, 539, 320, 4269, 269, 49407, 0]);
/// # Ok::<(), alpha_clip::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tokenizer {
    context: usize,
}

impl Tokenizer {
    /// The number of ids.
    pub const VOCABULARY: usize = 49_408;
    /// The id that starts every text.
    pub const START: u32 = 49_406;
    /// The id that ends every text, the largest one.
    pub const END: u32 = 49_407;
    /// The id after the end.
    pub const PAD: u32 = 0;

    /// For texts of `context` ids, start and end among them: 77 for CLIP, 248 for Long-CLIP. Less
    /// than 2 counts as 2.
    pub const fn new(context: usize) -> Self {
        Self {
            context: if context < 2 { 2 } else { context },
        }
    }

    /// The ids that a text has room for, start and end included.
    pub const fn context(&self) -> usize {
        self.context
    }

    /// The ids of `text`: start, text, end, then 0 up to [`context`](Self::context).
    ///
    /// # Errors
    /// [`Error::TextTooLong`] if they are more than the context holds.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let mut ids = self.ids(text);
        if ids.len() > self.context {
            return Err(Error::TextTooLong {
                tokens: ids.len(),
                context: self.context,
            });
        }
        ids.resize(self.context, Self::PAD);
        Ok(ids)
    }

    /// As [`encode`](Self::encode), but a text that is too long is cut: the first ids are kept,
    /// the last of them replaced by the end. Alpha-CLIP does so by default.
    pub fn encode_truncated(&self, text: &str) -> Vec<u32> {
        let mut ids = self.ids(text);
        if ids.len() > self.context {
            ids.truncate(self.context);
            if let Some(last) = ids.last_mut() {
                *last = Self::END;
            }
        }
        ids.resize(self.context, Self::PAD);
        ids
    }

    /// All ids of `text`, however many, start and end included; no padding.
    ///
    /// A text may contain `<|startoftext|>` and `<|endoftext|>`, which become these ids. As in
    /// CLIP, what follows the first end is not looked at by the text tower.
    pub fn ids(&self, text: &str) -> Vec<u32> {
        let text = clean(text);
        let mut ids = vec![Self::START];
        for piece in Pieces::new(&text) {
            match piece {
                Piece::Start => ids.push(Self::START),
                Piece::End => ids.push(Self::END),
                Piece::Word(word) => merges::append_ids(word, &mut ids),
            }
        }
        ids.push(Self::END);
        ids
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_padded_cut_or_refused() {
        let tokenizer = Tokenizer::new(6);
        assert_eq!(tokenizer.encode("").unwrap(), [49406, 49407, 0, 0, 0, 0]);
        let text = "one two three four five";
        let all = tokenizer.ids(text);
        assert_eq!(all.len(), 7);
        let cut = tokenizer.encode_truncated(text);
        assert_eq!(cut[..5], all[..5]);
        assert_eq!(cut[5], Tokenizer::END);
        assert_eq!(
            tokenizer.encode(text).unwrap_err().to_string(),
            "the text has 7 tokens, the model takes 6; shorten it, or let it be cut"
        );
        assert_eq!(tokenizer.encode("one two three four").unwrap().len(), 6);
        assert_eq!(Tokenizer::new(0).encode("").unwrap(), [49406, 49407]);
    }

    #[test]
    fn a_megabyte_of_one_word_is_no_trouble() {
        let letters = b"etaoinshrdlu";
        let mut state = 1u32;
        let word: String = (0..1 << 20)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                char::from(letters[(state >> 16) as usize % letters.len()])
            })
            .collect();
        assert_eq!(Tokenizer::new(77).encode_truncated(&word).len(), 77);
    }
}
