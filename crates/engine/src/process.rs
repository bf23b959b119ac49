//! Settings of a process with which a CPU computes faster.

use std::{env, thread};

/// Prepares a process to run a model on a CPU. Call it once when a program begins, on the thread
/// that explains or trains, as relprop's own program does. Results do not change; they only take
/// less time.
///
/// From now on the thread works with rayon's threads, in the place of one of them, unless there is
/// only one core or rayon's threads have already started. Memory that was freed is kept for the
/// next operation, up to 2 GiB.
pub fn prepare_process() {
    take_part();
    keep_freed_memory();
}

/// Rayon's threads run each operation. A caller that is not one of them wakes one, sleeps, and is
/// woken when the operation is done. With a small model that takes longer than the operation.
fn take_part() {
    // The number of threads in the pool. If this thread were the only one, other threads of the
    // program would have no thread to work for them while this one waits for them.
    let asked = env::var("RAYON_NUM_THREADS").ok();
    let threads = asked
        .and_then(|number| number.parse().ok())
        .or_else(|| thread::available_parallelism().ok());
    if threads.is_some_and(|threads| threads.get() > 1) {
        // If the pool exists already, it stays as it is.
        let _ = rayon::ThreadPoolBuilder::new()
            .use_current_thread()
            .build_global();
    }
}

/// Makes the allocator keep what is freed for the next operation.
///
/// An operation on a CPU takes fresh memory for its result, and most of it is freed a few
/// operations later. glibc's allocator returns the free memory at the end of its heap to the
/// system, which must then clear and map it again. That takes a third of the time of a forward
/// pass. The allocator never returns memory that lies between blocks in use. So this function takes
/// large blocks and a small one after them, and frees all but the small one. The large blocks are
/// never written, so they take no memory. Other allocators are not affected.
fn keep_freed_memory() {
    // After a block is freed once, blocks up to its size come from the heap and not from the
    // system.
    drop(block(LARGEST));
    let room: Vec<_> = (0..ROOM / LARGEST)
        .map_while(|_| block(LARGEST - (64 << 10)))
        .collect();
    std::mem::forget(block(256 << 10));
    drop(room);
}

/// The allocator does this only for blocks up to 32 MiB.
const LARGEST: usize = (32 << 20) - (64 << 10);
const ROOM: usize = 2 << 30;

/// A block of memory that is never used; none if the system has too little.
fn block(bytes: usize) -> Option<Vec<u8>> {
    let mut block = Vec::new();
    block.try_reserve_exact(bytes).ok()?;
    Some(std::hint::black_box(block))
}
