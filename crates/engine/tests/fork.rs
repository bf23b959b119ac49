//! A child that `fork` made after its parent has computed: it has none of the parent's threads.

use std::time::{Duration, Instant};

use fork::{Fork, fork, waitpid_nohang};
use relprop_engine::Threads;

static THREADS: Threads = Threads::new(Some(2));

fn sum() -> u64 {
    let sum = THREADS.run(|| {
        let (a, b) = rayon::join(|| (0..1000u64).sum::<u64>(), || 1);
        a + b
    });
    sum.expect("threads start")
}

#[test]
fn a_forked_child_computes_as_its_parent_does() {
    assert_eq!(sum(), 499_501);
    match fork().expect("the system forks") {
        Fork::Child => {
            let right = sum() == 499_501;
            std::process::exit(if right { 0 } else { 1 });
        }
        Fork::Parent(child) => {
            let start = Instant::now();
            let status = loop {
                match waitpid_nohang(child).expect("it is our child") {
                    Some(status) => break status,
                    None => assert!(
                        start.elapsed() < Duration::from_secs(60),
                        "the child waits for threads that it does not have"
                    ),
                }
                std::thread::sleep(Duration::from_millis(10));
            };
            assert_eq!(status, 0);
            assert_eq!(sum(), 499_501, "the parent goes on");
        }
    }
}
