use super::*;

#[test]
fn show() {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    for index in 0..60 {
        let (shape, example) = draw(&mut random, index % 2);
        let words: Vec<String> = example
            .evidence
            .iter()
            .map(|range| {
                example
                    .text
                    .chars()
                    .skip(range.start)
                    .take(range.len())
                    .collect()
            })
            .collect();
        println!(
            "{} {shape:?}\t{}\t[{}]",
            example.label,
            example.text,
            words.join(" ")
        );
    }
}
