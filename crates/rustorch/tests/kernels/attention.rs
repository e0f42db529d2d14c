//! Attention and its gradients.

use rustorch::backend::{AttentionParams, DType, kernel};

use crate::harness::{Data, LayoutKind, compare};

/// What one comparison is about.
#[derive(Debug, Clone, Copy)]
struct Case<'a> {
    lead: &'a [usize],
    queries: usize,
    keys: usize,
    features: usize,
    values: usize,
    causal: bool,
    mask: bool,
    layout_kind: LayoutKind,
}

const PLAIN: Case<'_> = Case {
    lead: &[2, 3],
    queries: 40,
    keys: 70,
    features: 20,
    values: 24,
    causal: false,
    mask: false,
    layout_kind: LayoutKind::Contiguous,
};

fn check(dtype: DType, case: Case<'_>) {
    let Case { lead, queries, keys, features, values, causal, mask, layout_kind } = case;
    let shape =
        |rows: usize, columns: usize| -> Vec<usize> { lead.iter().copied().chain([rows, columns]).collect() };
    let row: Vec<usize> = lead.iter().copied().chain([queries]).collect();
    let random = |seed, shape: &[usize]| Data::random(seed, dtype, shape, layout_kind, 1.0);
    let sums = if dtype == DType::Float64 { dtype } else { DType::Float32 };
    let params = AttentionParams { scale: 0.7, causal };
    let numel: usize = row.iter().product::<usize>() * keys;
    // Some pairs are hidden, and all of a row.
    let hidden: Vec<f64> = crate::harness::noise(9, numel)
        .into_iter()
        .enumerate()
        .map(|(i, v)| if v > 0.6 || i / keys.max(1) % 11 == 5 { f64::NEG_INFINITY } else { v })
        .collect();
    let data = [
        random(1, &shape(queries, features)),
        random(2, &shape(keys, features)),
        random(3, &shape(keys, values)),
        Data::new(dtype, &shape(queries, keys), LayoutKind::Contiguous, &hidden),
        Data::new(
            dtype,
            &shape(queries, values),
            layout_kind,
            &vec![0.0; row.iter().product::<usize>() * values],
        ),
        Data::zeros(sums, &row),
        random(4, &shape(queries, values)),
        Data::zeros(dtype, &shape(queries, features)),
        Data::zeros(dtype, &shape(keys, features)),
        Data::zeros(dtype, &shape(keys, values)),
    ];
    compare(&format!("{dtype} {case:?}"), &data, 16.0, |b, o| {
        let mask = mask.then_some(o[3]);
        b.run(
            &kernel::Attention {
                params,
                query: o[0],
                key: o[1],
                value: o[2],
                mask,
                output: o[4],
                log_sum: o[5],
            }
            .into(),
        )?;
        b.run(
            &kernel::AttentionGrad {
                params,
                grad: o[6],
                query: o[0],
                key: o[1],
                value: o[2],
                mask,
                output: o[4],
                log_sum: o[5],
                grad_query: o[7],
                grad_key: o[8],
                grad_value: o[9],
            }
            .into(),
        )
    });
}

#[test]
#[ignore = "needs a device"]
fn attention_and_its_gradients_agree_with_the_cpu() {
    let cases = [
        PLAIN,
        Case { mask: true, ..PLAIN },
        Case { causal: true, ..PLAIN },
        Case { causal: true, queries: 150, keys: 90, lead: &[2], ..PLAIN },
        Case { layout_kind: LayoutKind::Transposed, mask: true, ..PLAIN },
        Case { layout_kind: LayoutKind::Gaps, causal: true, ..PLAIN },
        Case { lead: &[], queries: 1, keys: 130, ..PLAIN },
        Case { keys: 0, ..PLAIN },
        Case { queries: 0, ..PLAIN },
        Case { features: 1, values: 1, keys: 3, ..PLAIN },
    ];
    for case in cases {
        check(DType::Float32, case);
    }
}

#[test]
#[ignore = "needs a device"]
fn attention_of_wide_heads_agrees_with_the_cpu() {
    check(DType::Float32, Case { features: 50, values: 60, queries: 70, mask: true, ..PLAIN });
    check(DType::Float32, Case { features: 130, values: 20, causal: true, ..PLAIN });
    check(DType::Float32, Case { features: 20, values: 150, ..PLAIN });
}

#[test]
#[ignore = "needs a device"]
fn attention_of_every_dtype_agrees_with_the_cpu() {
    for dtype in [DType::Float16, DType::BFloat16, DType::Float64] {
        check(dtype, Case { mask: true, queries: 70, ..PLAIN });
    }
}
