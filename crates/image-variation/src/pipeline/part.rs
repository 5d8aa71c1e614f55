//! Parts of a pipeline that are kept in memory, or loaded each time they are needed.

use std::ops::Deref;

use crate::error::Result;

/// One network of a pipeline.
pub(super) struct Part<T> {
    kept: Option<T>,
    load: Box<dyn Fn() -> Result<T> + Send + Sync>,
}

/// A part in use: it is freed with this, unless the pipeline keeps it.
pub(super) enum Loan<'a, T> {
    Kept(&'a T),
    Own(Box<T>),
}

impl<T> Part<T> {
    /// A part that is loaded when it is borrowed.
    pub(super) fn lazy(load: impl Fn() -> Result<T> + Send + Sync + 'static) -> Self {
        Self {
            kept: None,
            load: Box::new(load),
        }
    }

    /// Loads the part for good.
    pub(super) fn keep(&mut self) -> Result<()> {
        if self.kept.is_none() {
            self.kept = Some((self.load)()?);
        }
        Ok(())
    }

    pub(super) fn borrow(&self) -> Result<Loan<'_, T>> {
        match &self.kept {
            Some(part) => Ok(Loan::Kept(part)),
            None => Ok(Loan::Own(Box::new((self.load)()?))),
        }
    }
}

impl<T> Deref for Loan<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Self::Kept(part) => part,
            Self::Own(part) => part,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_part_that_is_not_kept_is_loaded_each_time_and_freed() {
        let loads = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&loads);
        let mut part = Part::lazy(move || Ok(Arc::new(counter.fetch_add(1, Ordering::SeqCst))));
        let loan = part.borrow().unwrap();
        let weak = Arc::downgrade(&*loan);
        drop(loan);
        assert!(weak.upgrade().is_none());
        assert_eq!(**part.borrow().unwrap(), 1);
        part.keep().unwrap();
        assert_eq!(**part.borrow().unwrap(), 2);
        assert_eq!(**part.borrow().unwrap(), 2);
        assert_eq!(loads.load(Ordering::SeqCst), 3);
    }
}
