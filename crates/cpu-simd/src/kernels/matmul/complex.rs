//! Products of complex matrices: four products of real ones.

use rustorch_backend::{Epilogue, Layout, Operand, kernel};
use rustorch_error::Result;

/// `output = alpha * a @ b + beta * output + bias`, of complex matrices with real factors.
pub(super) fn multiply(
    a: Operand<'_>,
    b: Operand<'_>,
    output: Operand<'_>,
    epilogue: Epilogue<Operand<'_>>,
) -> Result<()> {
    let real = output.dtype.to_real();
    let parts = |operand: Operand<'_>| -> Result<[Layout; 2]> {
        Ok([operand.layout.part("matmul", 0)?, operand.layout.part("matmul", 1)?])
    };
    let (a_parts, b_parts, parts_of_output) = (parts(a)?, parts(b)?, parts(output)?);
    let bias_parts = epilogue.bias.map(parts).transpose()?;
    for (i, layout) in parts_of_output.iter().enumerate() {
        let target = Operand { layout, dtype: real, ..output };
        let product = |a_part: &Layout, b_part: &Layout, epilogue: Epilogue<Operand<'_>>| {
            let a = Operand { layout: a_part, dtype: real, ..a };
            let b = Operand { layout: b_part, dtype: real, ..b };
            super::matrix_multiply(&kernel::MatrixMultiply { a, b, output: target, epilogue })
        };
        let bias = epilogue.bias.zip(bias_parts.as_ref());
        let bias = bias.map(|(bias, parts)| Operand { layout: &parts[i], dtype: real, ..bias });
        // Real part: re · re - im · im. Imaginary part: re · im + im · re.
        product(&a_parts[0], &b_parts[i], Epilogue { bias, ..epilogue })?;
        let alpha = if i == 0 { -epilogue.alpha } else { epilogue.alpha };
        product(&a_parts[1], &b_parts[1 - i], Epilogue { alpha, beta: 1.0, bias: None })?;
    }
    Ok(())
}
