//! Memory that is freed, and needed again a moment later.

/// Makes the allocator keep what is freed for the next operation, up to 2 GiB. Call it once when a program
/// begins; relprop's own does.
///
/// An operation on a CPU takes fresh memory for its result, and most of it is freed a few operations later.
/// glibc's allocator hands what is free at the end of its heap back to the system, which must then clear and
/// map it again: a third of the time of a forward pass. It never hands back what lies between blocks in
/// use. So blocks are taken here with a small one after them, and all but the small one are freed. Nothing
/// touches them, so they cost nothing. Other allocators are not changed by it.
pub fn keep_freed_memory() {
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
