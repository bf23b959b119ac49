//! What a process is to be like, to compute on a CPU without waiting.

use std::{env, thread};

/// Readies a process for a model on a CPU. Call it once when a program begins, on the thread that explains
/// or trains; relprop's own does. Nothing is computed otherwise, it only takes less time.
///
/// The thread takes part in the work of all cores from now on, in the place of one of rayon's own, unless
/// there is one core only, or rayon has begun its work already. And memory that was freed is kept for the
/// next operation, up to 2 GiB.
pub fn prepare_process() {
    take_part();
    keep_freed_memory();
}

/// Each operation is handed to rayon's threads. A caller that is none of them goes to sleep and wakes one,
/// and is woken when it is done: with a small model that takes longer than the operation.
fn take_part() {
    // So many threads will there be. If it were this one alone, others of the program would find nobody to
    // work for them while it waits for them.
    let asked = env::var("RAYON_NUM_THREADS").ok();
    let threads = asked
        .and_then(|number| number.parse().ok())
        .or_else(|| thread::available_parallelism().ok());
    if threads.is_some_and(|threads| threads.get() > 1) {
        // Others may have begun before: then it stays as it is.
        let _ = rayon::ThreadPoolBuilder::new()
            .use_current_thread()
            .build_global();
    }
}

/// Makes the allocator keep what is freed for the next operation.
///
/// An operation on a CPU takes fresh memory for its result, and most of it is freed a few operations later.
/// glibc's allocator hands what is free at the end of its heap back to the system, which must then clear and
/// map it again: a third of the time of a forward pass. It never hands back what lies between blocks in
/// use. So blocks are taken here with a small one after them, and all but the small one are freed. Nothing
/// touches them, so they cost nothing. Other allocators are not changed by it.
fn keep_freed_memory() {
    // From its first free on, blocks up to its size come from the heap, instead of each from the system.
    drop(block(LARGEST));
    let room: Vec<_> = (0..ROOM / LARGEST)
        .map_while(|_| block(LARGEST - (64 << 10)))
        .collect();
    std::mem::forget(block(256 << 10));
    drop(room);
}

/// The allocator counts no block beyond 32 MiB.
const LARGEST: usize = (32 << 20) - (64 << 10);
const ROOM: usize = 2 << 30;

/// Memory that nobody looks at; none if there is none.
fn block(bytes: usize) -> Option<Vec<u8>> {
    let mut block = Vec::new();
    block.try_reserve_exact(bytes).ok()?;
    Some(std::hint::black_box(block))
}
