//! Many inputs at once, results in their order.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

use super::context::Context;
use super::failure::Failure;

/// Calls `work` for every item on as many threads as the context has, and `done` with each item
/// and its result on this thread, in the order of the items, as soon as it is its turn.
///
/// # Errors
/// What `done` returns, and 130 after Ctrl-C; items that were begun are not waited for then.
pub(crate) fn in_order<I: Sync, T: Send>(
    items: &[I],
    context: &Context,
    work: impl Fn(&I) -> T + Sync,
    mut done: impl FnMut(&I, T) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let threads = context.threads.min(items.len());
    std::thread::scope(|scope| {
        // Bounded, so that a slow reader of the results holds up the work.
        let (sender, receiver) = mpsc::sync_channel(2 * threads.max(1));
        for _ in 0..threads {
            let (sender, next, stop, work) = (sender.clone(), &next, &stop, &work);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) && !context.interrupted() {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { break };
                    if sender.send((index, work(item))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let mut waiting = BTreeMap::new();
        let mut turn = 0;
        for (index, result) in receiver {
            waiting.insert(index, result);
            while let Some(result) = waiting.remove(&turn) {
                if let Err(failure) = done(&items[turn], result) {
                    stop.store(true, Ordering::Relaxed);
                    return Err(failure);
                }
                turn += 1;
            }
        }
        if context.interrupted() && turn < items.len() {
            return Err(Failure::interrupted());
        }
        Ok(())
    })
}
