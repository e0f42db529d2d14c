//! A few small launches of every kernel, for a simulator that takes a thousand times as long: `tests/oclgrind.sh` runs
//! these. Lines of 9,000 elements are there for the kernels that cut lines into chunks.

use std::sync::Arc;

use rustorch::backend::memory::Scratch;
use rustorch::backend::{
    AttentionParams, ConvParams, DType, DimensionMap, Distribution, ElementwiseOp, Epilogue, Instruction,
    PoolOp, PoolParams, Program, RandomKey, ReduceOp, Scalar, ScanOp, ScatterOp, Source, dims_from_slice,
    kernel,
};

use crate::harness::{Data, LayoutKind, compare};
use crate::indexing::indices;
use crate::nonzero::count_nonzero;

const F32: DType = DType::Float32;

fn random(shape: &[usize], kind: LayoutKind) -> Data {
    Data::random(shape.iter().sum::<usize>() as u64, F32, shape, kind, 3.0)
}

fn zeros(shape: &[usize]) -> Data {
    Data::zeros(F32, shape)
}

fn places(shape: &[usize]) -> Data {
    Data::zeros(DType::Int64, shape)
}

#[test]
#[ignore = "needs a device"]
fn small_elementwise() {
    let shape = [3, 5, 7];
    let add = Instruction::new(ElementwiseOp::Add, &[Source::Input(0), Source::Constant(0)]);
    let product = Instruction::new(ElementwiseOp::Mul, &[Source::Register(0), Source::Input(1)]);
    let program = Program {
        compute: F32,
        instructions: vec![add, product].into(),
        constants: [Scalar::Float(0.5)].into_iter().collect(),
        outputs: [Source::Register(1)].into_iter().collect(),
    };
    for kind in [LayoutKind::Contiguous, LayoutKind::Gaps] {
        let data = [
            random(&shape, LayoutKind::Transposed),
            random(&shape, LayoutKind::Contiguous),
            random(&shape, kind),
        ];
        compare("fused", &data, 1.0, |b, o| b.map(&program, &o[..2], &o[2..]));
        let data = [
            Data::random(1, DType::Float16, &shape, kind, 9.0),
            Data::random(1, DType::Int16, &shape, kind, 9.0),
        ];
        compare("copy", &data, 1.0, |b, o| b.copy(o[0], o[1]));
        let data = [Data::random(1, DType::Complex64, &shape, kind, 9.0)];
        compare("fill", &data, 0.0, |b, o| b.fill(o[0], Scalar::Complex(1.5, -2.0)));
        let data = [Data::random(1, DType::Int32, &[100], kind, 9.0)];
        compare("arange", &data, 0.0, |b, o| {
            b.run(&kernel::Arange { start: Scalar::Int(3), step: Scalar::Int(-2), output: o[0] }.into())
        });
        let key = RandomKey { seed: 7, offset: 5 };
        compare("random", &[random(&[5, 9], kind)], 0.0, |b, o| {
            b.run(
                &kernel::Random {
                    distribution: Distribution::Normal { mean: 0.0, std: 1.0 },
                    key,
                    output: o[0],
                }
                .into(),
            )
        });
    }
}

#[test]
#[ignore = "needs a device"]
fn small_reductions() {
    for (shape, dim, kept) in
        [(&[3usize, 5, 11][..], 1, &[3usize, 1, 11][..]), (&[70, 5], 0, &[1, 5]), (&[9000], 0, &[1])]
    {
        let kinds = [LayoutKind::Contiguous, LayoutKind::Transposed];
        for kind in &kinds[..if shape.len() == 1 { 1 } else { 2 }] {
            let data = [random(shape, *kind), zeros(kept), zeros(kept), places(kept)];
            compare("sum", &data, 16.0, |b, o| {
                b.run(
                    &kernel::Reduce {
                        op: ReduceOp::Sum,
                        pre: None,
                        input: o[0],
                        dims: dims_from_slice(&[dim]),
                        output: o[1],
                    }
                    .into(),
                )
            });
            compare("moments", &data, 64.0, |b, o| {
                b.run(
                    &kernel::Moments {
                        input: o[0],
                        dims: dims_from_slice(&[dim]),
                        divisor: 3.0,
                        root: true,
                        mean: o[1],
                        spread: o[2],
                    }
                    .into(),
                )
            });
            compare("argmax", &data, 0.0, |b, o| {
                b.run(
                    &kernel::ArgReduce {
                        op: ReduceOp::Max,
                        input: o[0],
                        dim,
                        values: Some(o[1]),
                        indices: o[3],
                    }
                    .into(),
                )
            });
        }
    }
    let data =
        [Data::random(3, DType::Bool, &[4, 50], LayoutKind::Gaps, 1.0), Data::zeros(DType::Bool, &[4, 1])];
    compare("any", &data, 0.0, |b, o| {
        b.run(
            &kernel::Reduce {
                op: ReduceOp::Any,
                pre: None,
                input: o[0],
                dims: dims_from_slice(&[1]),
                output: o[1],
            }
            .into(),
        )
    });
}

#[test]
#[ignore = "needs a device"]
fn small_scans() {
    for (shape, dim) in [(&[3usize, 5, 11][..], 1), (&[2, 300], 1), (&[70, 5], 0), (&[9000], 0)] {
        let data = [random(shape, LayoutKind::Contiguous), zeros(shape), places(shape)];
        compare("cumsum", &data, 64.0, |b, o| {
            b.run(&kernel::Scan { op: ScanOp::Sum, input: o[0], dim, output: o[1], indices: None }.into())
        });
        compare("cummax", &data, 0.0, |b, o| {
            b.run(
                &kernel::Scan { op: ScanOp::Max, input: o[0], dim, output: o[1], indices: Some(o[2]) }.into(),
            )
        });
    }
    compare("in place", &[random(&[3, 70], LayoutKind::Gaps)], 16.0, |b, o| {
        b.run(&kernel::Scan { op: ScanOp::Sum, input: o[0], dim: 1, output: o[0], indices: None }.into())
    });
}

#[test]
#[ignore = "needs a device"]
fn small_softmax() {
    for (shape, dim) in [(&[3usize, 5, 11][..], 2), (&[40, 9], 0), (&[2, 300], 1), (&[5000], 0)] {
        let data =
            [random(shape, LayoutKind::Contiguous), random(shape, LayoutKind::Contiguous), zeros(shape)];
        compare("softmax", &data, 4.0, |b, o| {
            b.run(&kernel::Softmax { log: false, input: o[0], dim, output: o[2] }.into())
        });
        compare("its gradient", &data, 64.0, |b, o| {
            b.run(&kernel::SoftmaxGrad { log: true, grad: o[0], result: o[1], dim, output: o[2] }.into())
        });
        compare("in place", &data, 16.0, |b, o| {
            b.run(&kernel::Softmax { log: true, input: o[0], dim, output: o[0] }.into())
        });
    }
}

#[test]
#[ignore = "needs a device"]
fn small_norms() {
    for (shape, dims, kept, parameters) in [
        (&[6usize, 33][..], &[1usize][..], &[6usize, 1][..], &[1usize, 33][..]),
        (&[5, 3, 7], &[0, 2], &[1, 3, 1], &[1, 3, 1]),
        (&[1, 9000], &[1], &[1, 1], &[1, 9000]),
    ] {
        let statistics = random(kept, LayoutKind::Contiguous);
        let input = random(shape, LayoutKind::Contiguous);
        let parameters = random(parameters, LayoutKind::Contiguous);
        let data = [input.clone(), parameters.clone(), zeros(shape), statistics.clone(), statistics.clone()];
        compare("normalize", &data, 16.0, |b, o| {
            b.run(
                &kernel::Normalize {
                    input: o[0],
                    dims: dims_from_slice(dims),
                    eps: 1e-5,
                    weight: Some(o[1]),
                    bias: Some(o[1]),
                    output: o[2],
                    mean: o[3],
                    rstd: o[4],
                }
                .into(),
            )
        });
        let grad = random(shape, LayoutKind::Contiguous);
        let data = [grad, input, parameters, statistics.clone(), statistics, zeros(shape)];
        compare("its gradient", &data, 256.0, |b, o| {
            b.run(
                &kernel::NormalizeGrad {
                    grad: o[0],
                    input: o[1],
                    dims: dims_from_slice(dims),
                    weight: Some(o[2]),
                    mean: o[3],
                    rstd: o[4],
                    grad_input: o[5],
                }
                .into(),
            )
        });
    }
}

#[test]
#[ignore = "needs a device"]
fn small_products() {
    for (lead, [m, k, n]) in
        [(&[2usize][..], [9, 20, 17]), (&[], [1, 40, 9]), (&[], [9, 40, 1]), (&[], [5, 600, 6])]
    {
        for kind in [LayoutKind::Contiguous, LayoutKind::Transposed] {
            let shape = |rows, columns| [lead, &[rows, columns]].concat();
            let data = [
                random(&shape(m, k), kind),
                random(&shape(k, n), kind),
                random(&shape(m, n), LayoutKind::Gaps),
                random(&[n], kind),
            ];
            compare("product", &data, 256.0, |b, o| {
                b.run(
                    &kernel::MatrixMultiply {
                        a: o[0],
                        b: o[1],
                        output: o[2],
                        epilogue: Epilogue { alpha: 0.5, beta: 2.0, bias: Some(o[3]) },
                    }
                    .into(),
                )
            });
        }
    }
}

#[test]
#[ignore = "needs a device"]
fn small_convolutions() {
    for (groups, channels, filters) in [(1, 3, 5), (4, 1, 1), (1, 9, 2)] {
        let params =
            ConvParams { spatial: 2, stride: [2, 1, 1], padding: [1, 0, 0], dilation: [1, 2, 1], groups };
        let data = [
            random(&[2, groups * channels, 6, 7], LayoutKind::Contiguous),
            random(&[groups * filters, channels, 3, 2], LayoutKind::Contiguous),
            random(&[2, groups * filters, 3, 5], LayoutKind::Contiguous),
            random(&[groups * filters], LayoutKind::Gaps),
        ];
        compare("convolution", &data, 64.0, |b, o| {
            b.run(
                &kernel::Convolution { params, input: o[0], weight: o[1], bias: Some(o[3]), output: o[2] }
                    .into(),
            )
        });
        compare("grad input", &data, 64.0, |b, o| {
            b.run(&kernel::ConvolutionGradInput { params, grad: o[2], weight: o[1], grad_input: o[0] }.into())
        });
        compare("grad weight", &data, 64.0, |b, o| {
            b.run(
                &kernel::ConvolutionGradWeight { params, grad: o[2], input: o[0], grad_weight: o[1] }.into(),
            )
        });
    }
}

#[test]
#[ignore = "needs a device"]
fn small_pools() {
    let params = PoolParams {
        op: PoolOp::Max,
        spatial: 2,
        kernel: [3, 2, 1],
        stride: [2, 1, 1],
        padding: [1, 0, 0],
        dilation: [1; 3],
    };
    let (input, output) = ([2, 2, 7, 6], [2, 2, 4, 5]);
    let data = [
        random(&input, LayoutKind::Transposed),
        zeros(&output),
        places(&output),
        random(&input, LayoutKind::Contiguous),
    ];
    compare("maxima", &data, 0.0, |b, o| {
        b.run(&kernel::Pool { params, input: o[0], output: o[1], indices: Some(o[2]) }.into())?;
        b.run(&kernel::PoolGrad { params, grad: o[1], indices: Some(o[2]), grad_input: o[3] }.into())
    });
    // A window over everything, whose gradient is spread.
    let params = PoolParams { kernel: [1; 3], ..params };
    compare("maxima anywhere", &data, 1.0, |b, o| {
        b.run(&kernel::PoolGrad { params, grad: o[1], indices: Some(o[2]), grad_input: o[3] }.into())
    });
    let op = PoolOp::Average { count_include_pad: false, divisor_override: 0 };
    let params = PoolParams { op, kernel: [3, 2, 1], ..params };
    compare("means", &data, 4.0, |b, o| {
        b.run(&kernel::Pool { params, input: o[0], output: o[1], indices: None }.into())?;
        b.run(&kernel::PoolGrad { params, grad: o[1], indices: None, grad_input: o[3] }.into())
    });
    let regions = [Scratch::collect([0..3, 2..5, 3..7, 6..7]), Scratch::collect((0..5).map(|i| i..i + 2))];
    let regions: Arc<[_]> = Arc::from(regions.map(|windows| windows.expect("memory")));
    compare("regions", &data, 0.0, |b, o| {
        b.run(
            &kernel::MaxPoolRegions { regions: regions.clone(), input: o[0], output: o[1], indices: o[2] }
                .into(),
        )
    });
}

#[test]
#[ignore = "needs a device"]
fn small_attention() {
    let (queries, keys, features) = (9, 13, 5);
    let params = AttentionParams { scale: 0.7, causal: true };
    let make = |rows, columns| random(&[2, rows, columns], LayoutKind::Contiguous);
    let data = [
        make(queries, features),
        make(keys, features),
        make(keys, features),
        make(queries, keys),
        zeros(&[2, queries, features]),
        zeros(&[2, queries]),
        make(queries, features),
        zeros(&[2, queries, features]),
        zeros(&[2, keys, features]),
        zeros(&[2, keys, features]),
    ];
    compare("attention", &data, 64.0, |b, o| {
        b.run(
            &kernel::Attention {
                params,
                query: o[0],
                key: o[1],
                value: o[2],
                mask: Some(o[3]),
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
                mask: Some(o[3]),
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
fn small_indexing() {
    let table = random(&[6, 5, 7], LayoutKind::Transposed);
    let data = [table.clone(), indices(1, &[6, 9, 7], LayoutKind::Gaps, 0, 5), zeros(&[6, 9, 7])];
    compare("gather", &data, 0.0, |b, o| {
        b.run(&kernel::Gather { input: o[0], dim: 1, index: o[1], output: o[2] }.into())
    });
    let data = [
        table,
        indices(1, &[4], LayoutKind::Gaps, -6, 6),
        indices(2, &[4], LayoutKind::Contiguous, 0, 5),
        random(&[4, 7], LayoutKind::Gaps),
    ];
    compare("index_read", &data, 0.0, |b, o| {
        b.run(
            &kernel::IndexRead { input: o[0], indices: kernel::List::from_slice(&o[1..3]), output: o[3] }
                .into(),
        )
    });
    for accumulate in [false, true] {
        compare("index_write", &data, 1.0, |b, o| {
            b.run(
                &kernel::IndexWrite {
                    accumulate,
                    indices: kernel::List::from_slice(&o[1..3]),
                    source: o[3],
                    output: o[0],
                }
                .into(),
            )
        });
    }
    for (shape, kept) in [(&[4usize, 6, 5][..], &[4usize, 3, 5][..]), (&[1, 300], &[1, 20])] {
        let data = [
            indices(2, shape, LayoutKind::Contiguous, 0, kept[1] as i64),
            random(shape, LayoutKind::Gaps),
            random(kept, LayoutKind::Contiguous),
        ];
        for op in [ScatterOp::Add, ScatterOp::Assign, ScatterOp::Max] {
            compare("scatter", &data, 16.0, |b, o| {
                b.run(&kernel::Scatter { op, dim: 1, index: o[0], source: o[1], output: o[2] }.into())
            });
        }
    }
    let (images, channels, points) = (2, 3, 11);
    let data = [
        random(&[images, channels, 20], LayoutKind::Contiguous),
        indices(5, &[images, points, 4], LayoutKind::Contiguous, 0, 20),
        random(&[images, points, 4], LayoutKind::Gaps),
        random(&[images, channels, points], LayoutKind::Contiguous),
    ];
    compare("picked elements", &data, 16.0, |b, o| {
        b.run(&kernel::WeightedGather { input: o[0], index: o[1], weight: o[2], output: o[3] }.into())
    });
    compare("their gradient", &data, 16.0, |b, o| {
        b.run(
            &kernel::WeightedGatherGradWeight { grad: o[3], input: o[0], index: o[1], grad_weight: o[2] }
                .into(),
        )
    });
    compare("its other one", &data, 16.0, |b, o| {
        b.run(
            &kernel::WeightedGatherGradInput { grad: o[3], index: o[1], weight: o[2], grad_input: o[0] }
                .into(),
        )
    });
    let maps: Arc<[DimensionMap]> = Arc::from([
        DimensionMap::selection(5, [1, 0, 1, 2, 3, 4, 3]).expect("memory"),
        DimensionMap::weighted(7, (0..9).map(|i| [(i % 7, 0.25), ((i + 1) % 7, 0.75)])).expect("memory"),
    ]);
    let data = [random(&[2, 5, 7], LayoutKind::Contiguous), zeros(&[2, 7, 9])];
    compare("resample", &data, 4.0, |b, o| {
        b.run(&kernel::Resample { maps: maps.clone(), input: o[0], output: o[1] }.into())
    });
    let mut sparse = random(&[3, 5, 11], LayoutKind::Transposed);
    sparse.change(|v| if v > 0.0 { 1.0 } else { 0.0 });
    let data = [sparse, places(&[165, 3]), places(&[1])];
    compare("nonzero", &data, 0.0, |b, o| {
        let layout =
            rustorch::backend::Layout::contiguous("small", &[count_nonzero(b, o[0], o[2])?, 3]).unwrap();
        b.run(
            &kernel::Nonzero { input: o[0], output: rustorch::backend::Operand { layout: &layout, ..o[1] } }
                .into(),
        )
    });
}

#[test]
#[ignore = "needs a device"]
fn small_sorts() {
    for (shape, dim, k) in [(&[3usize, 11, 2][..], 1, 4), (&[2100], 0, 3)] {
        let mut kept = shape.to_vec();
        kept[dim] = k;
        let data =
            [random(shape, LayoutKind::Gaps), zeros(shape), places(shape), zeros(&kept), places(&kept)];
        compare("sort", &data, 0.0, |b, o| {
            b.run(
                &kernel::Sort { input: o[0], dim, descending: false, values: Some(o[1]), indices: o[2] }
                    .into(),
            )
        });
        compare("top_k", &data, 0.0, |b, o| {
            b.run(
                &kernel::TopK {
                    input: o[0],
                    dim,
                    largest: true,
                    sorted: true,
                    values: Some(o[3]),
                    indices: o[4],
                }
                .into(),
            )
        });
    }
    let mut line = crate::harness::noise(1, 37);
    line.sort_by(f64::total_cmp);
    let data =
        [Data::new(F32, &[37], LayoutKind::Gaps, &line), random(&[3, 9], LayoutKind::Gaps), places(&[3, 9])];
    compare("search", &data, 0.0, |b, o| {
        b.run(
            &kernel::SearchSorted { sorted: o[0], sorter: None, values: o[1], right: true, output: o[2] }
                .into(),
        )
    });
}
