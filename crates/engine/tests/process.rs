//! The process that computes. A program of its own, for it has one set of rayon's threads.

use relprop_engine::prepare_process;

#[test]
fn the_caller_is_one_of_rayons_threads_if_there_are_others() {
    prepare_process();
    prepare_process();
    let takes_part = rayon::current_thread_index() == Some(0);
    assert_eq!(takes_part, rayon::current_num_threads() > 1);
    // While it waits, a thread that is none of them is served all the same.
    let sum = std::thread::spawn(|| rayon::join(|| 1, || 2));
    assert_eq!(sum.join().expect("it ends"), (1, 2));
}
