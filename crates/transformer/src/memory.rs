//! Memory that is freed, and needed again a moment later.

/// Makes the allocator keep what is freed for the next operation, up to 64 MB. Call it once when a program
/// begins; relprop's own does.
///
/// An operation on a CPU takes fresh memory for its result, and most of it is freed a few operations later.
/// glibc's allocator hands a few megabytes at the end of its heap back to the system at once, which must
/// then clear and map them again: a third of the time of a forward pass. It raises that limit to twice the
/// largest block that was ever freed, but counts no block beyond 32 MiB. So one is taken here and freed;
/// nothing touches it, so it costs nothing. Other allocators are not changed by it.
pub fn keep_freed_memory() {
    let largest = (32 << 20) - (64 << 10);
    drop(std::hint::black_box(Vec::<u8>::with_capacity(largest)));
}
