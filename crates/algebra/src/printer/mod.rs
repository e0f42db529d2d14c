//! The algebra that writes C.
//!
//! Values are names; each operation adds a statement. The text is neutral: what differs between CUDA, OpenCL and Metal
//! is behind macros (`EXP(x)`, `FMA(x, y, z)`) and type names (`i64`, `u8`) that a dialect's prelude defines.

use std::cell::RefCell;
use std::fmt::Write;

use rustorch_error::{Result, RusTorchError};

use crate::{
    Algebra, Category, DType, ElementwiseOp, FloatAlgebra, IntegerAlgebra, Program, RegisterKind, Scalar,
    Source, for_each_elementwise, functions,
};

#[cfg(test)]
mod tests;

/// The name of a value or truth value in the text: an input, a literal, or an earlier statement's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Register(u16);

/// The statements so far.
#[derive(Debug, Default)]
struct Body {
    names: Vec<String>,
    text: String,
    results: usize,
}

/// An algebra over one dtype whose operations are recorded as statements of C.
#[derive(Clone, Copy)]
pub struct Printer<'a> {
    dtype: DType,
    body: &'a RefCell<Body>,
}

/// The body of a kernel that runs `program` on one element: reads `in0`, `in1`, …, of the compute dtype or `bool`, and
/// assigns `out0`, `out1`, ….
///
/// # Errors
/// An operation is not defined for the compute dtype.
pub fn print(program: &Program) -> Result<String> {
    print_constants(program, |printer, n| printer.literal(program.constants[n]))
}

/// As [`print`], with names instead of the constants: one text serves every value of them.
///
/// # Errors
/// As [`print`].
pub fn print_with(program: &Program, constant: impl Fn(usize) -> String) -> Result<String> {
    print_constants(program, |printer, n| printer.name(constant(n)))
}

fn print_constants(program: &Program, constant: impl Fn(&Printer<'_>, usize) -> Register) -> Result<String> {
    let body = RefCell::new(Body::default());
    let printer = Printer { dtype: program.compute, body: &body };
    let constants: Vec<Register> = (0..program.constants.len()).map(|n| constant(&printer, n)).collect();
    let mut inputs: Vec<(u8, Register)> = Vec::new();
    let mut results: Vec<Register> = Vec::new();
    let mut register = |source: Source, results: &[Register]| match source {
        Source::Constant(n) => constants[n as usize],
        Source::Register(n) => results[n as usize],
        Source::Input(n) => {
            let known = inputs.iter().find(|(i, _)| *i == n).map(|&(_, register)| register);
            known.unwrap_or_else(|| {
                let register = printer.name(format!("in{n}"));
                inputs.push((n, register));
                register
            })
        }
    };
    for instruction in program.instructions.iter() {
        let arguments = instruction.arguments.map(|source| register(source, &results));
        results.push(printer.apply(instruction.op, arguments)?);
    }
    for (n, &source) in program.outputs.iter().enumerate() {
        let result = register(source, &results);
        let mut body = body.borrow_mut();
        let value = body.names[result.0 as usize].clone();
        // Writing to a string cannot fail.
        let _ = writeln!(body.text, "out{n} = {value};");
    }
    Ok(body.into_inner().text)
}

/// The name of a dtype in the text.
pub const fn type_name(dtype: DType) -> &'static str {
    match dtype {
        DType::Bool => "bool",
        DType::UInt8 => "u8",
        DType::Int8 => "i8",
        DType::Int16 => "i16",
        DType::Int32 => "i32",
        DType::Int64 => "i64",
        DType::Float16 => "f16",
        DType::BFloat16 => "bf16",
        DType::Float32 => "float",
        DType::Float64 => "double",
        DType::Complex64 => "complex64",
        DType::Complex128 => "complex128",
    }
}

/// Writes a row of the op table as an application of its function.
macro_rules! applications {
    ($(($variant:ident, $function:ident, $domain:ident, ($($argument:ident),*) -> $result:ident))*) => {
        /// Whether `op` is a function that only special libraries have, printed as a call of its name.
        pub fn is_special(op: ElementwiseOp) -> bool {
            match op {
                $(ElementwiseOp::$variant => stringify!($domain) == "special",)*
            }
        }

        impl Printer<'_> {
            /// Records `op` of the first `op.arity()` arguments.
            fn apply(&self, op: ElementwiseOp, [x, y, z]: [Register; 3]) -> Result<Register> {
                match op {
                    $(ElementwiseOp::$variant => {
                        self.check(op, stringify!($domain))?;
                        Ok(applications!(@call $domain self $function x y z ($($argument)*)))
                    })*
                }
            }
        }
    };
    // A special function is the device's own, by its name.
    (@call special $printer:ident $function:ident $x:ident $y:ident $z:ident ($a:ident)) => {
        $printer.call(RegisterKind::Value, &stringify!($function).to_uppercase(), [$x])
    };
    (@call special $printer:ident $function:ident $x:ident $y:ident $z:ident ($a:ident $b:ident)) => {
        $printer.call(RegisterKind::Value, &stringify!($function).to_uppercase(), [$x, $y])
    };
    (@call $domain:ident $printer:ident $function:ident $x:ident $y:ident $z:ident ($a:ident)) => {
        functions::$function($printer, $x)
    };
    (@call $domain:ident $printer:ident $function:ident $x:ident $y:ident $z:ident ($a:ident $b:ident)) => {
        functions::$function($printer, $x, $y)
    };
    (@call $domain:ident $printer:ident $function:ident $x:ident $y:ident $z:ident ($a:ident $b:ident $c:ident)) => {
        functions::$function($printer, $x, $y, $z)
    };
}

for_each_elementwise!(applications);

impl Printer<'_> {
    /// Whether the dtype is in the domain of `op`.
    fn check(&self, op: ElementwiseOp, domain: &str) -> Result<()> {
        let fits = match (self.dtype.category(), domain) {
            (Category::Complex, _) => false,
            (_, "number" | "mask") => true,
            (Category::Bool, domain) => domain == "integer",
            (Category::Integer, domain) => domain != "float" && domain != "special",
            (Category::Float, domain) => domain != "integer",
        };
        if fits {
            Ok(())
        } else {
            Err(RusTorchError::unsupported(op.name(), format!("not defined for {}", self.dtype)))
        }
    }

    /// A register that stands for `name`.
    fn name(&self, name: String) -> Register {
        let mut body = self.body.borrow_mut();
        body.names.push(name);
        Register(body.names.len() as u16 - 1)
    }

    /// A constant of the dtype, in parentheses when it is negative.
    fn literal(&self, value: Scalar) -> Register {
        let text = match self.dtype {
            DType::Bool => value.to_bool().to_string(),
            DType::Float32 => {
                float_literal(f64::from(value.to_f64() as f32), format!("{:?}f", value.to_f64() as f32))
            }
            dtype if dtype.category() == Category::Float => {
                float_literal(value.to_f64(), format!("{:?}", value.to_f64()))
            }
            _ => match value.to_i64() {
                // C has no negative literals, and this number has no positive counterpart.
                i64::MIN => "(-9223372036854775807 - 1)".to_string(),
                negative if negative < 0 => format!("({negative})"),
                integer => integer.to_string(),
            },
        };
        self.name(text)
    }

    /// Adds a statement of the given type; `expression` sees the names of `arguments`.
    fn statement<const N: usize>(
        &self,
        kind: RegisterKind,
        arguments: [Register; N],
        expression: impl FnOnce([&str; N]) -> String,
    ) -> Register {
        let mut body = self.body.borrow_mut();
        let text = expression(arguments.map(|r| body.names[r.0 as usize].as_str()));
        let name = format!("r{}", body.results);
        body.results += 1;
        let ctype = match kind {
            RegisterKind::Value => type_name(self.dtype),
            RegisterKind::Mask => "bool",
        };
        let _ = writeln!(body.text, "const {ctype} {name} = {text};");
        body.names.push(name);
        Register(body.names.len() as u16 - 1)
    }

    fn prefix(&self, kind: RegisterKind, operator: &str, x: Register) -> Register {
        self.statement(kind, [x], |[x]| format!("{operator}{x}"))
    }

    fn infix(&self, kind: RegisterKind, x: Register, operator: &str, y: Register) -> Register {
        self.statement(kind, [x, y], |[x, y]| format!("{x} {operator} {y}"))
    }

    fn call<const N: usize>(&self, kind: RegisterKind, function: &str, arguments: [Register; N]) -> Register {
        self.statement(kind, arguments, |names| format!("{function}({})", names.join(", ")))
    }

    fn is_float(&self) -> bool {
        self.dtype.is_floating_point()
    }

    /// Arithmetic in the dtype: C promotes small integers to `int`, and bool has its own.
    fn arithmetic(&self, x: Register, operator: &str, of_bool: &str, y: Register) -> Register {
        match self.dtype {
            DType::Bool => self.infix(RegisterKind::Value, x, of_bool, y),
            DType::UInt8 | DType::Int8 | DType::Int16 => {
                let ctype = type_name(self.dtype);
                self.statement(RegisterKind::Value, [x, y], |[x, y]| format!("({ctype})({x} {operator} {y})"))
            }
            _ => self.infix(RegisterKind::Value, x, operator, y),
        }
    }
}

/// What C calls an infinity or NaN, else the digits.
fn float_literal(value: f64, digits: String) -> String {
    if value.is_nan() {
        "NAN".to_string()
    } else if value.is_infinite() {
        if value > 0.0 { "INFINITY" } else { "(-INFINITY)" }.to_string()
    } else if value.is_sign_negative() {
        format!("({digits})")
    } else {
        digits
    }
}

/// Methods that print as a call of a macro.
macro_rules! calls {
    ($($kind:ident $name:ident($($x:ident),*) $macro_name:literal;)*) => {$(
        fn $name(&self, $($x: Register),*) -> Register {
            self.call(RegisterKind::$kind, $macro_name, [$($x),*])
        }
    )*};
}

/// Methods that print as an operator between two arguments.
macro_rules! operators {
    ($($kind:ident $name:ident $operator:literal;)*) => {$(
        fn $name(&self, x: Register, y: Register) -> Register {
            self.infix(RegisterKind::$kind, x, $operator, y)
        }
    )*};
}

/// Rounding, which leaves integers as they are.
macro_rules! roundings {
    ($($name:ident $macro_name:literal;)*) => {$(
        fn $name(&self, x: Register) -> Register {
            if self.is_float() { self.call(RegisterKind::Value, $macro_name, [x]) } else { x }
        }
    )*};
}

impl Algebra for Printer<'_> {
    type Value = Register;
    type Mask = Register;

    fn constant(&self, value: f64) -> Register {
        self.literal(Scalar::Float(value))
    }
    fn add(&self, x: Register, y: Register) -> Register {
        self.arithmetic(x, "+", "||", y)
    }
    fn sub(&self, x: Register, y: Register) -> Register {
        self.arithmetic(x, "-", "!=", y)
    }
    fn mul(&self, x: Register, y: Register) -> Register {
        self.arithmetic(x, "*", "&&", y)
    }
    fn mul_add(&self, x: Register, y: Register, z: Register) -> Register {
        if self.is_float() {
            self.call(RegisterKind::Value, "FMA", [x, y, z])
        } else {
            let product = self.mul(x, y);
            self.add(product, z)
        }
    }
    fn neg(&self, x: Register) -> Register {
        self.prefix(RegisterKind::Value, "-", x)
    }
    roundings! {
        floor "FLOOR";
        ceil "CEIL";
        round "RINT";
        trunc "TRUNC";
    }
    calls! {
        Value abs(x) "ABS";
        Value max(x, y) "MAX";
        Value min(x, y) "MIN";
        Value floor_divide(x, y) "FLOOR_DIVIDE";
        Value remainder(x, y) "REMAINDER";
        Value fmod(x, y) "FMOD";
        Value pow(x, y) "POW";
    }
    fn sign_bit(&self, x: Register) -> Register {
        if self.is_float() {
            self.call(RegisterKind::Mask, "SIGNBIT", [x])
        } else {
            let zero = self.constant(0.0);
            self.lt(x, zero)
        }
    }
    operators! {
        Mask eq "==";
        Mask ne "!=";
        Mask lt "<";
        Mask le "<=";
        Mask gt ">";
        Mask ge ">=";
        Mask mask_and "&&";
        Mask mask_or "||";
        Mask mask_xor "!=";
    }
    fn select(&self, mask: Register, x: Register, y: Register) -> Register {
        self.statement(RegisterKind::Value, [mask, x, y], |[mask, x, y]| format!("{mask} ? {x} : {y}"))
    }
    fn mask_constant(&self, value: bool) -> Register {
        self.name(value.to_string())
    }
    fn mask_not(&self, x: Register) -> Register {
        self.prefix(RegisterKind::Mask, "!", x)
    }
}

impl FloatAlgebra for Printer<'_> {
    operators! {
        Value div "/";
    }
    calls! {
        Value sqrt(x) "SQRT";
        Value copysign(magnitude, sign) "COPYSIGN";
        Value next_after(x, y) "NEXTAFTER";
        Value exp(x) "EXP";
        Value exp2(x) "EXP2";
        Value expm1(x) "EXPM1";
        Value log(x) "LOG";
        Value log2(x) "LOG2";
        Value log10(x) "LOG10";
        Value log1p(x) "LOG1P";
        Value sin(x) "SIN";
        Value cos(x) "COS";
        Value tan(x) "TAN";
        Value asin(x) "ASIN";
        Value acos(x) "ACOS";
        Value atan(x) "ATAN";
        Value atan2(y, x) "ATAN2";
        Value sinh(x) "SINH";
        Value cosh(x) "COSH";
        Value tanh(x) "TANH";
        Value asinh(x) "ASINH";
        Value acosh(x) "ACOSH";
        Value atanh(x) "ATANH";
        Value erf(x) "ERF";
        Value erfc(x) "ERFC";
        Value hypot(x, y) "HYPOT";
    }
}

impl IntegerAlgebra for Printer<'_> {
    operators! {
        Value bit_and "&";
        Value bit_or "|";
        Value bit_xor "^";
    }
    fn bit_not(&self, x: Register) -> Register {
        self.prefix(RegisterKind::Value, if self.dtype == DType::Bool { "!" } else { "~" }, x)
    }
    calls! {
        Value gcd(x, y) "GCD";
        Value lcm(x, y) "LCM";
        Value shift_left(x, y) "SHIFT_LEFT";
        Value shift_right(x, y) "SHIFT_RIGHT";
    }
}
