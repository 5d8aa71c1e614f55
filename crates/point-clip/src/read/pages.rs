//! Large pages for large results. Most of the time that a big binary file takes goes to page
//! faults, of which pages of 2 MB have 512 times fewer than those of 4 kB.

/// Bytes from which on large pages are asked for.
const LARGE: usize = 8 << 20;

/// Asks the system for large pages under the memory of `vec`, used or not; it need not give any.
pub(super) fn prefer_large<T>(vec: &mut Vec<T>) {
    let bytes = vec.capacity().saturating_mul(size_of::<T>());
    if bytes >= LARGE {
        advise(vec.as_mut_ptr().cast(), bytes);
    }
}

#[cfg(target_os = "linux")]
fn advise(start: *mut u8, bytes: usize) {
    /// Advice is for whole pages; no system has a page size that does not divide this.
    const PAGE: usize = 1 << 16;
    let skipped = start.align_offset(PAGE);
    let Some(length) = bytes.checked_sub(skipped) else {
        return;
    };
    // SAFETY: the range lies in one allocation that the caller holds exclusively. The advice
    // changes how it is backed, never what it contains, and a refusal changes nothing.
    unsafe {
        libc::madvise(
            start.add(skipped).cast(),
            length & !(PAGE - 1),
            libc::MADV_HUGEPAGE,
        );
    }
}

#[cfg(not(target_os = "linux"))]
fn advise(_: *mut u8, _: usize) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_kept() {
        let mut vec: Vec<[u8; 3]> = (0..LARGE).map(|i| [i as u8, 1, 2]).collect();
        prefer_large(&mut vec);
        assert!(vec.iter().enumerate().all(|(i, &v)| v == [i as u8, 1, 2]));
        prefer_large(&mut Vec::<u8>::new());
    }
}
