//! Convolutions and their gradients through cuDNN.

use rustorch_backend::{Buffer, ComputeBackend, ConvParams, DType, Layout, Operand, kernel};
use rustorch_error::Result;
use rustorch_gpu::{Float32Precision, set_float32_matmul_precision};

use crate::Fake;
use crate::memory::{bytes, compare};

/// Sizes of a convolution.
#[derive(Debug, Clone)]
struct Case {
    dtype: DType,
    images: usize,
    channels: usize,
    filters: usize,
    input: Vec<usize>,
    kernel: Vec<usize>,
    params: ConvParams,
    biased: bool,
}

impl Case {
    /// The layouts of input, weight, output and bias.
    fn layouts(&self) -> [Layout; 4] {
        let ConvParams { stride, padding, dilation, groups, .. } = self.params;
        let output = self.input.iter().zip(&self.kernel).enumerate().map(|(d, (&size, &kernel))| {
            (size + 2 * padding[d] - dilation[d] * (kernel - 1) - 1) / stride[d] + 1
        });
        let shape = |first: [usize; 2], spatial: Vec<usize>| {
            Layout::contiguous("convolutions", &first.into_iter().chain(spatial).collect::<Vec<_>>()).unwrap()
        };
        [
            shape([self.images, self.channels], self.input.clone()),
            shape([self.filters, self.channels / groups], self.kernel.clone()),
            shape([self.images, self.filters], output.collect()),
            Layout::contiguous("convolutions", &[self.filters]).unwrap(),
        ]
    }
}

/// What `backend` leaves in the memory of the result of a part: the output, or the input's or the weight's gradient.
fn run(backend: &dyn ComputeBackend, case: &Case, part: usize) -> Result<Vec<u8>> {
    let layouts = case.layouts();
    let mut buffers = Vec::new();
    for (seed, layout) in layouts.iter().enumerate() {
        let bytes = bytes(seed as u64 + 1, case.dtype, layout);
        let buffer = Buffer::allocate(backend.allocator(), bytes.len())?;
        backend.write(&buffer, 0, &bytes)?;
        buffers.push(buffer);
    }
    let operands: Vec<Operand<'_>> = layouts
        .iter()
        .zip(&buffers)
        .map(|(layout, buffer)| Operand { buffer, layout, dtype: case.dtype })
        .collect();
    let [input, weight, output, bias] = operands[..] else { panic!("four operands") };
    let result = match part {
        0 => {
            backend.run(
                &kernel::Convolution {
                    params: case.params,
                    input,
                    weight,
                    bias: case.biased.then_some(bias),
                    output,
                }
                .into(),
            )?;
            2
        }
        1 => {
            backend.run(
                &kernel::ConvolutionGradInput {
                    params: case.params,
                    grad: output,
                    weight,
                    grad_input: input,
                }
                .into(),
            )?;
            0
        }
        _ => {
            backend.run(
                &kernel::ConvolutionGradWeight {
                    params: case.params,
                    grad: output,
                    input,
                    grad_weight: weight,
                }
                .into(),
            )?;
            1
        }
    };
    let mut bytes = vec![0; layouts[result].numel() * case.dtype.size()];
    backend.read(&buffers[result], 0, &mut bytes)?;
    Ok(bytes)
}

fn cases() -> Vec<Case> {
    let plain = ConvParams { spatial: 2, stride: [1; 3], padding: [0; 3], dilation: [1; 3], groups: 1 };
    let case = |input: &[usize], kernel: &[usize], params: ConvParams| Case {
        dtype: DType::Float32,
        images: 2,
        channels: 4,
        filters: 6,
        input: input.to_vec(),
        kernel: kernel.to_vec(),
        params: ConvParams { spatial: input.len(), ..params },
        biased: false,
    };
    let uneven = ConvParams { stride: [2, 1, 3], padding: [1, 2, 0], dilation: [1, 2, 1], ..plain };
    let mut cases = vec![
        case(&[7, 6], &[3, 2], plain),
        case(&[9, 8], &[3, 2], uneven),
        case(&[9, 8], &[3, 2], ConvParams { groups: 2, ..uneven }),
        case(&[11], &[4], plain),
        case(&[11], &[4], uneven),
        case(&[5, 6, 9], &[2, 3, 2], uneven),
        Case { filters: 8, ..case(&[5, 5], &[3, 3], ConvParams { groups: 4, ..plain }) },
        case(&[1, 1], &[1, 1], plain),
    ];
    for dtype in [DType::Float64, DType::Float16, DType::BFloat16] {
        cases.push(Case { dtype, ..case(&[9, 8], &[3, 2], uneven) });
    }
    let biased: Vec<Case> = cases.iter().map(|case| Case { biased: true, ..case.clone() }).collect();
    cases.extend(biased);
    cases
}

/// Convolutions are described to the library as they are.
pub fn test(fake: &Fake, cpu: &dyn ComputeBackend, device: &dyn ComputeBackend) {
    let cases = cases();
    for (done, case) in cases.iter().enumerate() {
        for part in 0..3 {
            let expected = run(cpu, case, part).unwrap_or_else(|error| panic!("{case:?}: the CPU: {error}"));
            let got = run(device, case, part).unwrap_or_else(|error| panic!("{case:?} {part}: {error}"));
            let reached = fake.at("fake_convolutions", part as i32);
            assert_eq!(reached, done as u32 + 1, "{case:?} {part} did not reach the library");
            compare(&(case, part), case.dtype, &expected, &got);
        }
    }
    let plans = fake.ask("fake_convolution_plans");
    run(device, &cases[0], 0).expect("the convolution");
    assert_eq!(fake.ask("fake_convolution_plans"), plans, "a plan is made once");
    // Only where it was asked for is float32 multiplied with less.
    for (precision, math) in [(Float32Precision::High, 0), (Float32Precision::Highest, 3)] {
        set_float32_matmul_precision(precision);
        run(device, &cases[0], 0).expect("the convolution");
        assert_eq!(fake.ask("fake_math"), math, "{precision:?}");
    }
}
