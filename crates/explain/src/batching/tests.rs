use std::cell::{Cell, RefCell};

use super::*;

fn text(id: u32) -> TokenizedText {
    let token = relprop_transformer::Token {
        text: String::new(),
        id,
        start: 0,
        end: 0,
        word: None,
        special: false,
    };
    TokenizedText {
        text: String::new(),
        tokens: vec![token],
        types: vec![0],
        dropped: 0,
        asked: Vec::new(),
        source: 0,
        content: relprop_transformer::Content::Text { second: None },
    }
}

/// A device that holds `limit` texts at once, and gives ten times the first token of each.
fn device(limit: usize) -> impl FnMut(&[&TokenizedText]) -> Result<Vec<u32>, ExplainError> {
    move |batch| match batch.len() <= limit {
        true => Ok(batch.iter().map(|text| 10 * text.tokens[0].id).collect()),
        false => Err(ExplainError::Device("out of memory".to_owned())),
    }
}

#[test]
fn lengths_are_cut_where_a_pass_is_full() {
    assert_eq!(passes(&[1; 3]).first(), Some(&(0..3)));
    assert_eq!(
        passes(&[TOKENS / 2, TOKENS / 2, TOKENS, 9000]),
        [0..2, 2..3, 3..4]
    );
    assert!(passes(&[]).is_empty());
}

#[test]
fn a_pass_that_does_not_fit_is_halved_and_every_text_is_done_once_and_in_order() {
    let texts: Vec<_> = (0..13).map(text).collect();
    let texts: Vec<_> = texts.iter().collect();
    let warnings = RefCell::new(Vec::new());
    let warn = |text: &str| warnings.borrow_mut().push(text.to_owned());
    let mut passes = Passes::default();
    let done = passes.run(&texts, 1, device(4), warn).unwrap();
    assert_eq!(done, (0..13).map(|id| 10 * id).collect::<Vec<_>>());
    assert_eq!(warnings.borrow().len(), 2, "13 to 6 to 3");
    assert!(warnings.borrow()[1].contains("6 texts at once; going on with 3"));

    // The smaller size is kept: the next pass fits at once.
    let never = |_: &str| panic!("failed again");
    passes.run(&texts, 1, device(4), never).unwrap();
}

#[test]
fn a_device_that_cannot_do_a_single_text_is_given_up() {
    let one = text(1);
    let tries = Cell::new(0);
    let mut dead = device(0);
    let run = |batch: &[&TokenizedText]| {
        tries.set(tries.get() + 1);
        dead(batch)
    };
    let error = in_passes(&[&one; 32], 1, run).unwrap_err();
    assert!(matches!(error, ExplainError::Device(_)));
    assert_eq!(tries.get(), 6, "32, 16, 8, 4, 2 and 1");
}

#[test]
fn other_errors_are_not_tried_again() {
    let refuse = |_: &[&TokenizedText]| -> Result<Vec<u32>, _> {
        let site = "pooling".to_owned();
        Err(ExplainError::NotPerToken { site })
    };
    let one = text(1);
    let error = Passes::default().run(&[&one; 2], 1, refuse, |_| panic!("no warning"));
    assert!(matches!(error, Err(ExplainError::NotPerToken { .. })));
}

#[test]
fn cancelled_work_stops_before_the_next_pass() {
    let called_off = Arc::new(AtomicBool::new(false));
    let long = TokenizedText {
        tokens: vec![text(1).tokens.remove(0); TOKENS],
        ..text(1)
    };
    let mut runs = 0;
    let error = Passes::until(Arc::clone(&called_off)).run(
        &[&long; 3],
        1,
        |texts| {
            runs += 1;
            called_off.store(true, Ordering::Relaxed);
            Ok(vec![0; texts.len()])
        },
        |_| (),
    );
    assert!(matches!(error, Err(ExplainError::Cancelled)));
    assert_eq!(runs, 1);
}
