//! The products of attention against plain loops in f64, however the factors lie.

mod common;

use common::numbers;
use relprop_kernels::{Heads, Order, products};

/// The ways in which `[text, head, row, column]` may lie: in order, with the heads of a row side by side,
/// and both with rows for columns.
fn strides([_, heads, rows, columns]: [usize; 4], way: usize) -> [usize; 4] {
    let text = heads * rows * columns;
    match way {
        0 => [text, rows * columns, columns, 1],
        1 => [text, columns, heads * columns, 1],
        2 => [text, rows * columns, 1, rows],
        _ => [text, rows, 1, heads * rows],
    }
}

fn at(x: &Heads<'_>, place: [usize; 4]) -> f64 {
    let index: usize = (0..4).map(|axis| place[axis] * x.strides[axis]).sum();
    f64::from(x.numbers[index])
}

fn of(numbers: &[f32], shape: [usize; 4], way: usize) -> Heads<'_> {
    Heads {
        numbers,
        shape,
        strides: strides(shape, way),
    }
}

/// Texts, heads, rows, what is summed over, and columns.
const SHAPES: [[usize; 5]; 5] = [
    [1, 1, 1, 1, 1],
    [2, 3, 1, 8, 5],
    [1, 2, 7, 3, 1],
    [3, 4, 33, 16, 33],
    [2, 2, 130, 64, 96],
];

#[test]
fn products_are_those_of_plain_loops() {
    for [texts, heads, rows, inner, columns] in SHAPES {
        let a = numbers(texts * heads * rows * inner, 1.0);
        let b = numbers(texts * heads * inner * columns, 2.0);
        for (way_a, way_b) in (0..4).flat_map(|a| (0..4).map(move |b| (a, b))) {
            let left = of(&a, [texts, heads, rows, inner], way_a);
            let right = of(&b, [texts, heads, inner, columns], way_b);
            for order in [Order::Heads, Order::Rows] {
                let found = products(left, right, -0.5, order);
                assert_eq!(found.len(), texts * heads * rows * columns);
                let shape = [texts, heads, rows, columns];
                let found = of(&found, shape, usize::from(order == Order::Rows));
                for index in 0..found.numbers.len() {
                    let (row, column) = (index / columns % rows, index % columns);
                    let (text, head) = (
                        index / columns / rows / heads,
                        index / columns / rows % heads,
                    );
                    let (mut sum, mut size) = (0.0, 0.0);
                    for i in 0..inner {
                        let term =
                            at(&left, [text, head, row, i]) * at(&right, [text, head, i, column]);
                        sum += -0.5 * term;
                        size += term.abs();
                    }
                    let error = (at(&found, [text, head, row, column]) - sum).abs();
                    assert!(
                        error <= 1e-6 * size,
                        "{shape:?}, {way_a}, {way_b}, {order:?}, {index}"
                    );
                }
            }
        }
    }
}

/// Heads that share their keys lie in the same place.
#[test]
fn a_stride_may_be_nothing() {
    let (a, b) = (numbers(2 * 3 * 4, 1.0), numbers(4 * 2, 2.0));
    let left = Heads {
        numbers: &a,
        shape: [1, 2, 3, 4],
        strides: [24, 12, 4, 1],
    };
    let shared = Heads {
        numbers: &b,
        shape: [1, 2, 4, 2],
        strides: [8, 0, 2, 1],
    };
    let twice = Heads {
        numbers: &b.repeat(2),
        shape: [1, 2, 4, 2],
        strides: [16, 8, 2, 1],
    };
    let expected = products(left, twice, 1.0, Order::Heads);
    assert_eq!(products(left, shared, 1.0, Order::Heads), expected);
}

#[test]
#[should_panic(expected = "another shape")]
fn what_does_not_fit_is_refused() {
    let x = Heads {
        numbers: &[1.0; 6],
        shape: [1, 1, 2, 3],
        strides: [6, 6, 3, 1],
    };
    products(x, x, 1.0, Order::Heads);
}
