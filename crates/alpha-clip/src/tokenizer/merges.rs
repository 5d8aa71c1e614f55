//! Byte-pair merges.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// Records of three little-endian u16, sorted: left id, right id, rank.
/// `assets/bpe_table.py` makes them.
static TABLE: &[u8] = include_bytes!("../../assets/bpe_merges.bin");
const RECORD: usize = 6;

/// A byte that ends a word has this much more than the byte's own id.
const END_OF_WORD: u32 = 256;
/// The id of the first merge's result.
const FIRST_MERGE: u32 = 512;

/// No neighbour.
const NONE: usize = usize::MAX;

/// A symbol of the word that is being merged, in a doubly linked list.
struct Symbol {
    id: u32,
    before: usize,
    after: usize,
}

/// Appends the ids of `word`, one word of a cleaned text.
///
/// The pair of lowest rank is merged, everywhere from left to right, until none is left. What a
/// merge brings about can only take part in merges of a higher rank, so one queue ordered by rank
/// and place does the same.
pub(super) fn append_ids(word: &str, ids: &mut Vec<u32>) {
    let count = word.len();
    let mut symbols: Vec<Symbol> = word
        .bytes()
        .enumerate()
        .map(|(at, byte)| Symbol {
            id: byte_id(byte) + if at + 1 == count { END_OF_WORD } else { 0 },
            before: at.wrapping_sub(1),
            after: if at + 1 == count { NONE } else { at + 1 },
        })
        .collect();
    let rank_at = |symbols: &[Symbol], left: usize| {
        let left = symbols.get(left)?;
        rank(left.id, symbols.get(left.after)?.id)
    };
    let mut queue: BinaryHeap<Reverse<(u32, usize)>> = (0..count)
        .filter_map(|at| Some(Reverse((rank_at(&symbols, at)?, at))))
        .collect();
    while let Some(Reverse((rank, left))) = queue.pop() {
        // The pair may have been merged with another neighbour meanwhile.
        if rank_at(&symbols, left) != Some(rank) {
            continue;
        }
        let right = symbols[left].after;
        let after = symbols[right].after;
        symbols[left].id = FIRST_MERGE + rank;
        symbols[left].after = after;
        symbols[right].after = NONE;
        if after != NONE {
            symbols[after].before = left;
        }
        for at in [symbols[left].before, left] {
            queue.extend(rank_at(&symbols, at).map(|rank| Reverse((rank, at))));
        }
    }
    let mut at = if count == 0 { NONE } else { 0 };
    while let Some(symbol) = symbols.get(at) {
        ids.push(symbol.id);
        at = symbol.after;
    }
}

/// The id of a byte inside a word: first the bytes that print, then the others.
fn byte_id(byte: u8) -> u32 {
    let byte = u32::from(byte);
    match byte {
        33..=126 => byte - 33,
        161..=172 => byte - 161 + 94,
        174..=255 => byte - 174 + 106,
        0..=32 => byte + 188,
        127..=160 => byte - 127 + 221,
        _ => 255,
    }
}

/// The rank of the merge of two ids, if there is one.
fn rank(left: u32, right: u32) -> Option<u32> {
    let (records, _) = TABLE.as_chunks::<RECORD>();
    let found = records.binary_search_by(|&[a, b, c, d, ..]| {
        let pair = [[a, b], [c, d]].map(|bytes| u32::from(u16::from_le_bytes(bytes)));
        match pair[0].cmp(&left) {
            Ordering::Equal => pair[1].cmp(&right),
            other => other,
        }
    });
    let &[.., e, f] = records.get(found.ok()?)?;
    Some(u32::from(u16::from_le_bytes([e, f])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_its_own_id() {
        let mut ids: Vec<u32> = (0..=255).map(byte_id).collect();
        assert_eq!((ids[33], ids[161], ids[174], ids[0]), (0, 94, 106, 188));
        ids.sort_unstable();
        assert!(ids.into_iter().eq(0..256));
    }

    #[test]
    fn the_table_is_sorted_and_complete() {
        let (records, rest) = TABLE.as_chunks::<RECORD>();
        assert!(rest.is_empty());
        assert_eq!(records.len(), 49_408 - 512 - 2);
        let pairs: Vec<_> = records
            .iter()
            .map(|r| [0, 2, 4].map(|i| u16::from_le_bytes([r[i], r[i + 1]])))
            .collect();
        assert!(pairs.is_sorted());
        // Why the queue may mix old and new pairs: a merge comes after those that made its parts.
        for [left, right, rank] in pairs {
            let made = |id: u16| id < 512 || id - 512 < rank;
            assert!(made(left) && made(right));
        }
    }

    /// The merges as the paper tells them, round by round.
    fn by_rounds(word: &str) -> Vec<u32> {
        let mut ids: Vec<u32> = word.bytes().map(byte_id).collect();
        if let Some(last) = ids.last_mut() {
            *last += END_OF_WORD;
        }
        while let Some(lowest) = ids.windows(2).filter_map(|p| rank(p[0], p[1])).min() {
            let mut next = Vec::new();
            let mut at = 0;
            while at < ids.len() {
                if at + 1 < ids.len() && rank(ids[at], ids[at + 1]) == Some(lowest) {
                    next.push(FIRST_MERGE + lowest);
                    at += 2;
                } else {
                    next.push(ids[at]);
                    at += 1;
                }
            }
            ids = next;
        }
        ids
    }

    #[test]
    fn the_queue_merges_as_the_rounds_do() {
        let mut state = 7u32;
        for round in 0..2000 {
            let letters: &[u8] = match round % 3 {
                0 => b"aaaaab",
                1 => b"etaoinshrdlu",
                _ => b"!?.-#*=",
            };
            let word: String = (0..round % 41)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    char::from(letters[(state >> 16) as usize % letters.len()])
                })
                .collect();
            let mut ids = Vec::new();
            append_ids(&word, &mut ids);
            assert_eq!(ids, by_rounds(&word), "{word}");
        }
    }
}
