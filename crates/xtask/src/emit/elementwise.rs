//! `algebra/src/generated/elementwise.rs`: the elementwise operations a program is made of.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::MARK;
use crate::table::{Kind, Op};

struct Function<'a> {
    op: &'a Op,
    domain: &'a str,
    complex: bool,
}

/// The functions of the algebra that the table names, one per `map`, in alphabetical order.
fn functions(ops: &[Op]) -> Result<BTreeMap<&str, Function<'_>>, String> {
    let width = |domain: &str| {
        ["mask", "integer", "special", "float", "real", "number"].iter().position(|d| *d == domain)
    };
    let mut found: BTreeMap<&str, Function<'_>> = BTreeMap::new();
    for op in ops.iter().filter(|op| op.kind == Kind::Elementwise) {
        let entry = found.entry(&op.map).or_insert(Function { op, domain: &op.domain, complex: false });
        entry.complex |= op.complex.is_some();
        if op.cost != entry.op.cost {
            return Err(format!(
                "'{}' and '{}' are one function, and differ in its cost",
                op.name, entry.op.name
            ));
        }
        if width(&op.domain) > width(entry.domain) {
            entry.domain = &op.domain;
        }
    }
    Ok(found)
}

fn kinds(list: &[String]) -> String {
    list.iter().map(|k| crate::table::pascal(k)).collect::<Vec<_>>().join(", ")
}

/// The file's text.
pub fn emit(ops: &[Op]) -> Result<String, String> {
    let functions = functions(ops)?;
    let mut out =
        format!("// {MARK}\n\nuse crate::program::{{Cost, Instruction, RegisterKind, Source}};\n\n");
    out += "/// An elementwise operation: one function of the algebra.\n";
    out += "#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]\n#[repr(u8)]\npub enum ElementwiseOp {\n";
    for f in functions.values() {
        let _ = writeln!(out, "    /// {}\n    {},", f.op.doc, f.op.variant());
    }
    out += "}\n\nuse RegisterKind::{Mask, Value};\n\n";
    let _ = writeln!(
        out,
        "struct Signature {{\n    name: &'static str,\n    arguments: &'static [RegisterKind],\n    result: RegisterKind,\n    cost: Cost,\n    single: [Instruction; 1],\n}}\n"
    );
    let _ = writeln!(
        out,
        "const INPUTS: [Source; 3] = [Source::Input(0), Source::Input(1), Source::Input(2)];\n"
    );
    let _ = writeln!(
        out,
        "const fn signature(\n    op: ElementwiseOp,\n    name: &'static str,\n    arguments: &'static [RegisterKind],\n    result: RegisterKind,\n    cost: Cost,\n) -> Signature {{\n    let single = match arguments.len() {{\n        1 => Instruction::new(op, &[INPUTS[0]]),\n        2 => Instruction::new(op, &[INPUTS[0], INPUTS[1]]),\n        _ => Instruction::new(op, &INPUTS),\n    }};\n    Signature {{ name, arguments, result, cost, single: [single] }}\n}}\n"
    );
    let _ = writeln!(out, "static SIGNATURES: [Signature; {}] = [", functions.len());
    for (name, f) in &functions {
        let result = crate::table::pascal(&f.op.result_kind);
        let _ = writeln!(
            out,
            "    signature(ElementwiseOp::{}, \"{name}\", &[{}], {result}, Cost::{:?}),",
            f.op.variant(),
            kinds(&f.op.argument_kinds),
            f.op.cost
        );
    }
    out += "];\n\nimpl ElementwiseOp {\n";
    let _ = writeln!(
        out,
        "    /// How many operations there are; `op as usize` is less.\n    pub const COUNT: usize = {};\n",
        functions.len()
    );
    out += "    /// Every operation, in the order of `op as usize`.\n    pub const ALL: [ElementwiseOp; Self::COUNT] = [\n";
    for f in functions.values() {
        let _ = writeln!(out, "        ElementwiseOp::{},", f.op.variant());
    }
    out += "    ];\n\n";
    out += "    fn signature(self) -> &'static Signature {\n        &SIGNATURES[self as usize]\n    }\n\n";
    out += "    /// The name of the function in the algebra.\n    pub fn name(self) -> &'static str {\n        self.signature().name\n    }\n\n";
    out += "    /// The number of arguments, 1 to 3.\n    #[inline]\n    pub fn arity(self) -> usize {\n        self.signature().arguments.len()\n    }\n\n";
    out += "    /// Whether an argument is a number or a truth value.\n    #[inline]\n    pub fn argument_kind(self, argument: usize) -> RegisterKind {\n        self.signature().arguments[argument]\n    }\n\n";
    out += "    /// Whether the result is a number or a truth value.\n    #[inline]\n    pub fn result_kind(self) -> RegisterKind {\n        self.signature().result\n    }\n\n";
    out += "    /// How long it takes.\n    #[inline]\n    pub fn cost(self) -> Cost {\n        self.signature().cost\n    }\n\n";
    out += "    /// The instruction that applies this operation to the first inputs.\n    #[inline]\n    pub fn as_single(self) -> &'static [Instruction] {\n        &self.signature().single\n    }\n}\n\n";
    out += "/// Calls a macro with every operation: `(Variant, function, domain, (Argument, …) -> Result)`.\n///\n/// The domain is the widest set of dtypes for which the function exists: `number` (bool, integers, floats), `real`\n/// (integers, floats), `float`, `integer` (integers, bool), `mask`; or `special`, floats whose function is one of\n/// [`special`](crate::special) instead of the algebra's.\n";
    out += "#[macro_export]\nmacro_rules! for_each_elementwise {\n    ($callback:ident) => {\n        $callback! {\n";
    for (name, f) in &functions {
        let _ = writeln!(
            out,
            "            ({}, {name}, {}, ({}) -> {})",
            f.op.variant(),
            f.domain,
            kinds(&f.op.argument_kinds),
            crate::table::pascal(&f.op.result_kind)
        );
    }
    out += "        }\n    };\n}\n";
    out += "\n/// As [`for_each_elementwise`], with the operations that are defined for complex numbers:\n/// `(Variant, function, (Argument, …) -> Result)`.\n";
    out += "#[macro_export]\nmacro_rules! for_each_complex_elementwise {\n    ($callback:ident) => {\n        $callback! {\n";
    for (name, f) in functions.iter().filter(|(_, f)| f.complex) {
        let _ = writeln!(
            out,
            "            ({}, {name}, ({}) -> {})",
            f.op.variant(),
            kinds(&f.op.argument_kinds),
            crate::table::pascal(&f.op.result_kind)
        );
    }
    out += "        }\n    };\n}\n";
    Ok(out)
}
