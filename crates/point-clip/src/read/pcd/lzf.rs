//! LZF (Lehmann's LibLZF), the compression of binary PCD files.

/// No input byte makes more than this many output bytes: three make 264.
pub(super) const GREATEST_RATIO: usize = 88;

/// Unpacks `packed`, which holds `size` bytes; `None` if it does not. The caller has checked
/// `size` against [`GREATEST_RATIO`].
///
/// A control byte below 32 starts a run of that many bytes and one, which follow. Any other holds
/// in its upper three bits the length of a repetition less 2 (7: the next byte adds to it), and in
/// its lower five the upper bits of how far back it lies, less 1; the next byte has the lower ones.
pub(super) fn unpack(packed: &[u8], size: usize) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(size);
    let mut rest = packed;
    while let Some((&control, mut after)) = rest.split_first() {
        if control < 32 {
            let run;
            (run, after) = after.split_at_checked(usize::from(control) + 1)?;
            out.extend_from_slice(run);
        } else {
            let mut take = || {
                let (&byte, more) = after.split_first()?;
                after = more;
                Some(usize::from(byte))
            };
            let mut length = usize::from(control >> 5);
            if length == 7 {
                length += take()?;
            }
            let back = (usize::from(control & 31) << 8 | take()?) + 1;
            let start = out.len().checked_sub(back)?;
            // The repetition may run into what it makes.
            for at in start..start + length + 2 {
                out.push(*out.get(at)?);
            }
        }
        if out.len() > size {
            return None;
        }
        rest = after;
    }
    (out.len() == size).then_some(out)
}

/// Packs by repetitions of one byte and runs only, for tests.
#[cfg(test)]
pub(super) fn pack(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    let mut rest = bytes;
    while let Some(&first) = rest.first() {
        let same = rest.iter().take_while(|&&b| b == first).count();
        if same >= 4 {
            let length = (same - 1).min(264);
            packed.extend([0, first]);
            match length - 2 {
                short @ ..7 => packed.extend([(short as u8) << 5, 0]),
                long => packed.extend([7 << 5, (long - 7) as u8, 0]),
            }
            rest = &rest[length + 1..];
        } else {
            let run = same.min(32);
            packed.push(run as u8 - 1);
            packed.extend(&rest[..run]);
            rest = &rest[run..];
        }
    }
    packed
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_stream_of_liblzf() {
        // "abcabcabcabcX": three bytes, nine from three back, one byte.
        let packed = [2, b'a', b'b', b'c', 7 << 5, 0, 2, 0, b'X'];
        assert_eq!(unpack(&packed, 13).unwrap(), b"abcabcabcabcX");
        assert_eq!(unpack(&packed, 12), None);
        assert_eq!(unpack(&packed, 14), None);
        for end in 1..packed.len() {
            assert_eq!(unpack(&packed[..end], 13), None);
        }
        // Back before the start.
        assert_eq!(unpack(&[0, b'a', 1 << 5, 1], 4), None);
    }

    proptest! {
        #[test]
        fn what_was_packed_comes_back(runs in prop::collection::vec((any::<u8>(), 1_usize..600), 0..20)) {
            let bytes: Vec<u8> = runs.iter().flat_map(|&(b, n)| std::iter::repeat_n(b, n)).collect();
            let packed = pack(&bytes);
            prop_assert!(bytes.len() <= packed.len() * GREATEST_RATIO);
            prop_assert_eq!(unpack(&packed, bytes.len()), Some(bytes));
        }

        #[test]
        fn noise_never_panics(packed in prop::collection::vec(any::<u8>(), 0..200), size in 0_usize..5000) {
            if let Some(bytes) = unpack(&packed, size) {
                prop_assert_eq!(bytes.len(), size);
            }
        }
    }
}
