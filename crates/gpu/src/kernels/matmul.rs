//! Products of matrices, and of matrices with vectors.

use rustorch_backend::{Buffer, Category, DType, Dims, Epilogue, Layout, Operand, kernel, volume};
use rustorch_error::{Result, RusTorchError};
use smallvec::smallvec;

use super::tile::{
    Chunks, Finish, Tile, combine, define_sums, factor, position_type, sums_of, value_of, with_bias,
};
use crate::device::Device;
use crate::kernel::{Call, GROUP};
use crate::positions::Strided;
use crate::vendor_library::{Matrix, MatrixProduct, float32_matmul_precision};

const OP: &str = "matmul";

/// Rows of a matrix that a group multiplies with a vector: few, when its rows are contiguous, else neighbours.
const ROWS_ALONG: usize = 8;
const ROWS_ACROSS: usize = 32;

/// A batched product: sizes and strides.
#[derive(Debug, Clone)]
struct Product {
    m: usize,
    n: usize,
    k: usize,
    a: (isize, isize),
    b: (isize, isize),
    c: (isize, isize),
    /// The leading dimensions' sizes, and their strides in a, b and the output.
    lead: Dims<usize>,
    strides: [Dims<isize>; 3],
}

impl Product {
    fn new(a: Operand<'_>, b: Operand<'_>, output: Operand<'_>) -> Option<Product> {
        let shapes = [a, b, output].map(|operand| operand.layout.shape());
        let [&[ref lead @ .., m, k], &[ref lead_b @ .., k_b, n], &[ref lead_c @ .., m_c, n_c]] = shapes
        else {
            return None;
        };
        if lead != lead_b || lead != lead_c || (m, n, k) != (m_c, n_c, k_b) {
            return None;
        }
        let last = |operand: Operand<'_>| {
            (operand.layout.strides()[lead.len()], operand.layout.strides()[lead.len() + 1])
        };
        let strides = [a, b, output].map(|operand| {
            (0..lead.len()).filter(|&d| lead[d] != 1).map(|d| operand.layout.strides()[d]).collect()
        });
        let lead = lead.iter().copied().filter(|&size| size != 1).collect();
        let mut product = Product { m, n, k, a: last(a), b: last(b), c: last(output), lead, strides };
        product.fold();
        Some(product)
    }

    /// Makes one tall matrix of those that lie one below the other and share their b.
    fn fold(&mut self) {
        while let Some(d) = self.lead.len().checked_sub(1) {
            let [a, b, c] = [0, 1, 2].map(|i| self.strides[i][d]);
            let rows = self.m as isize;
            if b != 0 {
                break;
            } else if self.m == 1 {
                (self.a.0, self.c.0) = (a, c);
            } else if a != rows * self.a.0 || c != rows * self.c.0 {
                break;
            }
            self.m *= self.lead[d];
            self.lead.pop();
            for strides in &mut self.strides {
                strides.pop();
            }
        }
    }

    fn batch(&self) -> usize {
        volume(&self.lead)
    }

    /// The same product in the words of a vendor's library: one batch of matrices with regular steps, and a bias with an
    /// element for every column. Vectors are left to this module's kernels, which read their matrix once.
    fn for_library<'a>(
        &self,
        [a, b, c]: [Operand<'a>; 3],
        epilogue: Epilogue<Operand<'a>>,
        bias_stride: isize,
    ) -> Option<MatrixProduct<'a>> {
        if c.dtype.category() != Category::Float || self.m == 1 || self.n == 1 {
            return None;
        }
        if epilogue.bias.is_some() && bias_stride != 1 {
            return None;
        }
        // Each dimension of the batch continues the last one, or there is none.
        let continues = |strides: &[isize]| {
            (1..self.lead.len()).all(|d| strides[d - 1] == strides[d] * self.lead[d] as isize)
        };
        if !self.strides.iter().all(|strides| continues(strides)) {
            return None;
        }
        let matrix = |operand, strides, lead: &[isize]| Matrix {
            operand,
            strides,
            batch_stride: lead.last().copied().unwrap_or(0),
        };
        Some(MatrixProduct {
            dtype: c.dtype,
            m: self.m,
            n: self.n,
            k: self.k,
            batch: self.batch(),
            a: matrix(a, self.a, &self.strides[0]),
            b: matrix(b, self.b, &self.strides[1]),
            c: matrix(c, self.c, &self.strides[2]),
            alpha: epilogue.alpha,
            beta: epilogue.beta,
            bias: epilogue.bias,
            precision: float32_matmul_precision(),
        })
    }

    /// The same product into row-major memory.
    fn into_parts(mut self) -> Result<Product> {
        let mut shape = self.lead.clone();
        shape.extend([self.m, self.n]);
        let layout = Layout::contiguous("matmul", &shape)?;
        self.c = (self.n as isize, 1);
        self.strides[2] = layout.strides()[..self.lead.len()].into();
        Ok(self)
    }

    /// The product of a vector and a matrix as that of the transposed matrix and a vector.
    fn transposed(self) -> Product {
        let flip = |(row, column)| (column, row);
        let [a, b, c] = self.strides;
        Product {
            m: self.n,
            n: self.m,
            k: self.k,
            a: flip(self.b),
            b: flip(self.a),
            c: flip(self.c),
            lead: self.lead,
            strides: [b, a, c],
        }
    }
}

/// `output = alpha * a @ b + beta * output + bias`, batched over equal leading dimensions, with any strides.
pub(crate) fn matrix_multiply(
    device: &dyn Device,
    kernel: &kernel::MatrixMultiply<Operand<'_>>,
) -> Result<()> {
    let &kernel::MatrixMultiply { a, b, output, epilogue } = kernel;
    let dtype = output.dtype;
    let bias = epilogue.bias;
    let others = [Some(a), Some(b), bias];
    if dtype.is_complex() || dtype == DType::Bool || others.iter().flatten().any(|o| o.dtype != dtype) {
        return Err(RusTorchError::unsupported(OP, format!("{} @ {} into {dtype}", a.dtype, b.dtype)));
    }
    let fits = |bias: Operand<'_>| {
        let n = output.layout.shape().last();
        matches!(bias.layout.shape().last(), Some(size) if *size == 1 || Some(size) == n)
    };
    let product = Product::new(a, b, output).filter(|_| bias.is_none_or(fits)).ok_or_else(|| {
        let shapes = [a, b, output].map(|operand| operand.layout.shape());
        RusTorchError::shape(
            OP,
            format!("a {:?}, b {:?}, output {:?} do not fit", shapes[0], shapes[1], shapes[2]),
        )
    })?;
    if output.layout.numel() == 0 {
        return Ok(());
    }
    // A bias of one element serves all columns.
    let bias_stride =
        bias.map_or(0, |bias| match (bias.layout.shape().last(), bias.layout.strides().last()) {
            (Some(&size), Some(&stride)) if size > 1 => stride,
            _ => 0,
        });
    if let Some(product) = product.for_library([a, b, output], epilogue, bias_stride)
        && device.library_product(&product)?
    {
        return Ok(());
    }
    let sums = sums_of(dtype);
    let plan = Plan::new(device, &product, sums);
    let alone = plan.chunks.count == 1;
    let step = Step { sums, position: position_type(&[a, b, output]) };
    if alone {
        return plan.run(device, step, product, [a, b], output, (epilogue, bias_stride));
    }
    let parts: Buffer = plan.chunks.buffer(device, output, sums)?;
    let layout = Layout::contiguous("matmul", output.layout.shape())?;
    let target = Operand { buffer: &parts, layout: &layout, dtype: sums };
    plan.run(device, step, product.into_parts()?, [a, b], target, (Epilogue::default(), 0))?;
    let mut strides: Dims<isize> = smallvec![0; output.layout.ndim()];
    if let Some(last) = strides.last_mut() {
        *last = bias_stride;
    }
    let bias = bias.map(|bias| (bias, &strides[..]));
    let finish = Finish { alpha: epilogue.alpha, beta: epilogue.beta, bias };
    combine(device, plan.chunks, &parts, sums, output, finish)
}

/// Types of a text.
#[derive(Debug, Clone, Copy)]
struct Step {
    sums: DType,
    position: &'static str,
}

/// How a product is cut.
#[derive(Debug, Clone, Copy)]
struct Plan {
    /// None for a matrix and a vector.
    tile: Option<Tile>,
    chunks: Chunks,
}

impl Plan {
    fn new(device: &dyn Device, product: &Product, sums: DType) -> Plan {
        let batch = product.batch();
        let outputs = batch * product.m * product.n;
        if product.m == 1 || product.n == 1 {
            let groups = (product.m * product.n).div_ceil(ROWS_ALONG).saturating_mul(batch);
            return Plan { tile: None, chunks: Chunks::new(device, groups, product.k, 256, outputs) };
        }
        let tile = Tile::choose(device, sums, product.m, product.n, batch);
        let groups = tile.count(product.m, product.n).saturating_mul(batch);
        Plan { tile: Some(tile), chunks: Chunks::new(device, groups, product.k, tile.k, outputs) }
    }

    fn run(
        self,
        device: &dyn Device,
        step: Step,
        product: Product,
        [a, b]: [Operand<'_>; 2],
        output: Operand<'_>,
        (epilogue, bias_stride): (Epilogue<Operand<'_>>, isize),
    ) -> Result<()> {
        let flipped = self.tile.is_none() && product.n != 1;
        let (product, a, b) = if flipped { (product.transposed(), b, a) } else { (product, a, b) };
        let numel = output.layout.numel();
        let text = if self.tile.is_some() { kernel_text!("matmul") } else { kernel_text!("matvec") };
        let (row_height, column_width) = self.tile.map_or((rows_of(&product), 1), |tile| (tile.m, tile.n));
        let (row_tiles, column_tiles) = (product.m.div_ceil(row_height), product.n.div_ceil(column_width));
        let [lead_a, lead_b, lead_c] = &product.strides;
        let place =
            |name, strides, operand: Operand<'_>| Strided { name, strides, offset: operand.layout.offset() };
        let mut call = Call::new(text)
            .read("a", a)
            .read("b", b)
            .write("c", output)
            .define("AT", step.position)
            .size("rows", product.m)
            .size("columns", product.n)
            .size("inner", product.k)
            .size("row_tiles", row_tiles)
            .size("column_tiles", column_tiles)
            .size("chunks", self.chunks.count)
            .size("chunk", self.chunks.length)
            .size("chunk_stride", numel)
            .i64("a_row", product.a.0 as i64)
            .i64("a_column", product.a.1 as i64)
            .i64("b_row", product.b.0 as i64)
            .i64("b_column", product.b.1 as i64)
            .i64("c_row", product.c.0 as i64)
            .i64("c_column", product.c.1 as i64)
            .places(
                "BATCH",
                &product.lead,
                &[place("a", lead_a, a), place("b", lead_b, b), place("c", lead_c, output)],
            );
        call = define_sums(call, step.sums);
        call = factor(call, "alpha", epilogue.alpha, step.sums);
        call = factor(call, "beta", epilogue.beta, step.sums);
        // The bias of a column vector's rows is one element, unless they stand for columns.
        let bias_stride = if self.tile.is_none() && !flipped { 0 } else { bias_stride };
        call = with_bias(call, epilogue.bias.map(|bias| (bias, bias_stride)), a);
        call = if let Some(tile) = self.tile {
            tile.define(call, step.sums, 0)
                .i64("a_along", i64::from(product.a.1.abs() < product.a.0.abs()))
                .i64("b_along", i64::from(product.b.0.abs() < product.b.1.abs()))
        } else {
            call.constant("ALONG_ROW", usize::from(row_height == ROWS_ALONG))
                .constant("LX", row_height)
                .constant("LY", GROUP as usize / row_height)
                .shared("partial", value_of(step.sums), GROUP as usize)
        };
        device.run(call, [row_tiles * column_tiles * self.chunks.count * product.batch(), 1, 1])
    }
}

/// How many rows of a matrix a group multiplies with a vector.
fn rows_of(product: &Product) -> usize {
    if product.a.0.abs() < product.a.1.abs() { ROWS_ACROSS } else { ROWS_ALONG }
}
