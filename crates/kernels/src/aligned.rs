//! Memory on the borders of cache lines.

/// A cache line.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u32; LINE]);

/// Elements of 32 bits in a line.
const LINE: usize = 16;

/// Elements of 32 bits (an f32, or two bf16) that begin on a cache line, zero at first.
#[derive(Clone, Default)]
pub(crate) struct Aligned(Vec<Line>);

impl Aligned {
    pub(crate) fn zeros(elements: usize) -> Self {
        Self(vec![Line([0; LINE]); elements.div_ceil(LINE)])
    }

    /// Room for at least so many elements; what was there may be lost.
    pub(crate) fn grow(&mut self, elements: usize) {
        if self.len() < elements {
            *self = Self::zeros(elements);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len() * LINE
    }

    pub(crate) fn as_slice(&self) -> &[u32] {
        // SAFETY: a line is sixteen u32 without padding (64 bytes, aligned to 64), so the lines
        // are that many u32 in a row, initialised and borrowed as long as `self`.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast(), self.len()) }
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [u32] {
        // SAFETY: as above, and the borrow is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.0.as_mut_ptr().cast(), self.len()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_begin_on_a_line() {
        let mut memory = Aligned::zeros(17);
        assert_eq!((memory.len(), memory.as_slice().len()), (32, 32));
        assert!(memory.as_slice().as_ptr().addr().is_multiple_of(64));
        memory.as_mut_slice()[31] = 7;
        memory.grow(20);
        assert_eq!(memory.as_slice()[31], 7);
        memory.grow(33);
        assert_eq!(memory.len(), 48);
    }
}
