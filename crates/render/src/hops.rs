//! How relevance went from the target to the prompt, hop by hop, in words that every writer shows.

use relprop_explain::Explanation;

use crate::numbers::{Numbers, largest};

/// A sentence for each hop, without its full stop; none where no hops were asked for.
pub(crate) fn lines(explanation: &Explanation) -> Vec<String> {
    let hops = &explanation.hops;
    let all = hops.iter();
    let all = all.flat_map(|hop| [hop.target, hop.prompt, hop.answer, hop.absorbed]);
    let numbers = Numbers::up_to(largest(all.map(|number| number as f32)));
    let written = |number: f64| numbers.signed(number as f32);
    let lines = hops.iter().enumerate().map(|(at, hop)| {
        let what = match at {
            0 => "the target".to_owned(),
            _ => format!("hop {at} passes on"),
        };
        format!(
            "{what} {} = prompt {}, earlier text {} (of which stay {}), absorbed {}",
            written(hop.target),
            written(hop.prompt),
            written(hop.answer),
            written(hop.kept),
            written(hop.absorbed)
        )
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use relprop_explain::Hop;

    use super::*;
    use crate::fixtures::next_token;

    #[test]
    fn each_hop_has_a_line_that_adds_up() {
        let mut sample = next_token();
        assert!(lines(&sample).is_empty());
        let hop = |target, prompt, answer, kept, absorbed| Hop {
            target,
            prompt,
            answer,
            kept,
            absorbed,
            unaccounted: 0.0,
            relevance: Vec::new(),
        };
        sample.hops = vec![
            hop(3.0, 1.0, 1.5, 0.5, 0.5),
            hop(1.0, 1.25, 0.0, 0.0, -0.25),
        ];
        assert_eq!(
            lines(&sample),
            [
                "the target +3.00 = prompt +1.00, earlier text +1.50 (of which stay +0.50), absorbed +0.50",
                "hop 1 passes on +1.00 = prompt +1.25, earlier text 0.00 (of which stay 0.00), absorbed -0.25",
            ]
        );
    }
}
