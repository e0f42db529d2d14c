//! Lowers a gradient formula twice: to calls of ops on tensors, which differentiate again, and, where every call is
//! elementwise, to one program for `ComputeBackend::map`.

use std::collections::HashMap;

use crate::formula::Expr;
use crate::signature::{Parameter, Type};
use crate::table::{Kind, Op};

/// The ops of the table by name.
pub struct Ops<'a>(HashMap<&'a str, &'a Op>);

impl<'a> Ops<'a> {
    /// Indexes the table by the Rust names; a public name with overloads means the first where none has that Rust name.
    pub fn new(ops: &'a [Op]) -> Self {
        let mut index: HashMap<_, _> = ops.iter().map(|op| (op.rust_name.as_str(), op)).collect();
        for op in ops {
            index.entry(op.name.as_str()).or_insert(op);
        }
        Ops(index)
    }
}

/// What a name in a formula stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Variable {
    /// `grad`, a result, or a tensor argument.
    Tensor,
    /// A tensor argument that may be absent.
    OptionalTensor,
    /// A captured argument of another type.
    Captured(Type),
}

/// The names of a formula.
pub fn variable(op: &Op, name: &str) -> Option<Variable> {
    if name == "grad" || op.returns.iter().any(|r| r == name) {
        return Some(Variable::Tensor);
    }
    let parameter = op.parameters.iter().find(|p| p.name == name)?;
    Some(match parameter.kind {
        Type::Tensor | Type::TensorLike => Variable::Tensor,
        Type::OptionalTensor | Type::OptionalTensorLike => Variable::OptionalTensor,
        kind => Variable::Captured(kind),
    })
}

/// Rust statements, and the expression of the value.
pub struct Code {
    /// One `let` per step.
    pub statements: Vec<String>,
    /// What holds the value.
    pub value: String,
}

enum Term {
    /// A local variable of type Tensor or &Tensor.
    Tensor(String),
    /// A Rust expression of a number type.
    Number(String),
    /// Any other Rust expression, passed as it is.
    Raw(String),
}

struct TensorLowering<'a> {
    ops: &'a Ops<'a>,
    op: &'a Op,
    statements: Vec<String>,
    known: HashMap<String, String>,
}

/// The formula as calls of ops.
pub fn to_tensor_code(ops: &Ops<'_>, op: &Op, expr: &Expr) -> Result<Code, String> {
    let mut lowering = TensorLowering { ops, op, statements: Vec::new(), known: HashMap::new() };
    let term = lowering.term(expr)?;
    let value = lowering.tensor(term);
    Ok(Code { statements: lowering.statements, value })
}

impl TensorLowering<'_> {
    fn bind(&mut self, expression: String) -> String {
        if let Some(name) = self.known.get(&expression) {
            return name.clone();
        }
        let name = format!("t{}", self.known.len());
        self.statements.push(format!("let {name} = {expression};"));
        self.known.insert(expression, name.clone());
        name
    }

    fn tensor(&mut self, term: Term) -> String {
        match term {
            Term::Tensor(name) | Term::Raw(name) => name,
            Term::Number(text) => self.bind(format!("Tensor::number({text})?")),
        }
    }

    fn term(&mut self, expr: &Expr) -> Result<Term, String> {
        Ok(match expr {
            Expr::Number(text) if text == "nan" => Term::Number("f64::NAN".into()),
            Expr::Number(text) if text.contains(['.', 'e']) => Term::Number(format!("{text}_f64")),
            Expr::Number(text) => Term::Number(format!("{text}_i64")),
            Expr::Name(name) if matches!(name.as_str(), "true" | "false" | "None") => Term::Raw(name.clone()),
            Expr::Name(name) => {
                match variable(self.op, name).ok_or_else(|| format!("unknown name '{name}'"))? {
                    Variable::Tensor => Term::Tensor(name.clone()),
                    Variable::OptionalTensor => Term::Raw(format!("{name}.as_ref()")),
                    Variable::Captured(kind) => {
                        let (_, _, pass) = kind.capture(name);
                        if matches!(kind, Type::Scalar | Type::Float | Type::Int) {
                            Term::Number(pass)
                        } else {
                            Term::Raw(pass)
                        }
                    }
                }
            }
            Expr::Attribute(name, attribute) => match attribute.as_str() {
                "shape" => Term::Raw(format!("&self.{name}_origin.shape")),
                "dtype" => Term::Raw(format!("self.{name}_origin.dtype")),
                "origins" => Term::Raw(format!("&self.{name}_origins")),
                "wanted" => {
                    let index =
                        self.op.tensors().position(|p| &p.name == name).ok_or("wanted: not a tensor")?;
                    Term::Raw(format!("node.wants({index})"))
                }
                other => return Err(format!("unknown attribute '{name}.{other}'")),
            },
            Expr::Call(name, arguments) => {
                let Some(callee) = self.ops.0.get(name.as_str()).copied() else {
                    let mut passed = Vec::new();
                    for argument in arguments {
                        passed.push(match self.term(argument)? {
                            Term::Tensor(t) => format!("&{t}"),
                            Term::Number(text) | Term::Raw(text) => text,
                        });
                    }
                    return Ok(Term::Tensor(self.bind(format!("formulas::{name}({})?", passed.join(", ")))));
                };
                let mut passed = Vec::new();
                for (i, parameter) in callee.parameters.iter().enumerate() {
                    passed.push(match arguments.get(i) {
                        Some(argument) => self.pass(parameter, argument)?,
                        None => parameter
                            .rust_default()
                            .ok_or_else(|| format!("{name}: argument '{}' is missing", parameter.name))?,
                    });
                }
                Term::Tensor(self.bind(format!("ops::{}({})?", callee.rust_name, passed.join(", "))))
            }
        })
    }

    fn pass(&mut self, parameter: &Parameter, argument: &Expr) -> Result<String, String> {
        let term = self.term(argument)?;
        Ok(match (parameter.kind, term) {
            (Type::Tensor | Type::TensorLike, term) => format!("&{}", self.tensor(term)),
            (Type::OptionalTensor | Type::OptionalTensorLike, Term::Tensor(name)) => format!("Some(&{name})"),
            (Type::Float, Term::Number(text)) => format!("{text} as f64"),
            (Type::Scalar, Term::Number(text)) => format!("Scalar::from({text})"),
            (_, Term::Number(text) | Term::Raw(text)) => text,
            (kind, Term::Tensor(name)) => return Err(format!("'{name}' is a tensor, not {kind:?}")),
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Register {
    Value,
    Mask,
}

/// A fused program.
pub struct Fused {
    /// `Instruction::new(…)` each.
    pub instructions: Vec<String>,
    /// Rust literals.
    pub literals: Vec<String>,
    /// Names of the tensors, in the order of the inputs.
    pub inputs: Vec<String>,
    /// Rust expressions of the captured scalars; their constants follow the literals.
    pub scalars: Vec<String>,
    /// `Source::…`.
    pub output: String,
}

struct ProgramLowering<'a> {
    ops: &'a Ops<'a>,
    op: &'a Op,
    fused: Fused,
    known: HashMap<String, (String, Register)>,
    masks: Vec<String>,
    values: Vec<String>,
}

/// The formula as one elementwise program; `None` where a call is not elementwise.
pub fn to_program(ops: &Ops<'_>, op: &Op, expr: &Expr) -> Option<Fused> {
    let mut lowering = ProgramLowering {
        ops,
        op,
        fused: Fused {
            instructions: Vec::new(),
            literals: Vec::new(),
            inputs: Vec::new(),
            scalars: Vec::new(),
            output: String::new(),
        },
        known: HashMap::new(),
        masks: Vec::new(),
        values: Vec::new(),
    };
    let output = lowering.source(expr, Register::Value)?;
    let mut fused = lowering.fused;
    // One tensor cannot be loaded both as a mask and as a number.
    if fused.instructions.is_empty() || lowering.masks.iter().any(|m| lowering.values.contains(m)) {
        return None;
    }
    let scalar_base = fused.literals.len();
    let place = |text: &str| {
        fused.scalars.iter().enumerate().fold(text.to_owned(), |t, (i, _)| {
            t.replace(&format!("Scalar#{i}#"), &format!("Source::Constant({})", scalar_base + i))
        })
    };
    let instructions: Vec<String> = fused.instructions.iter().map(|i| place(i)).collect();
    let placed = place(&output);
    fused.instructions = instructions;
    fused.output = placed;
    Some(fused)
}

impl ProgramLowering<'_> {
    fn push(&mut self, variant: &str, arguments: &[String], result: Register) -> (String, Register) {
        let text = format!("Instruction::new(ElementwiseOp::{variant}, &[{}])", arguments.join(", "));
        if let Some(found) = self.known.get(&text) {
            return found.clone();
        }
        let source = (format!("Source::Register({})", self.fused.instructions.len()), result);
        self.fused.instructions.push(text.clone());
        self.known.insert(text, source.clone());
        source
    }

    /// The source of an expression as the kind of register that its consumer wants.
    fn source(&mut self, expr: &Expr, wanted: Register) -> Option<String> {
        let (source, kind) = self.any(expr, wanted)?;
        Some(match (kind, wanted) {
            (Register::Mask, Register::Value) => self.push("MaskToValue", &[source], Register::Value).0,
            (Register::Value, Register::Mask) => self.push("ValueToMask", &[source], Register::Mask).0,
            _ => source,
        })
    }

    fn any(&mut self, expr: &Expr, wanted: Register) -> Option<(String, Register)> {
        let index = |list: &mut Vec<String>, text: String| {
            list.iter().position(|t| *t == text).unwrap_or_else(|| {
                list.push(text);
                list.len() - 1
            })
        };
        match expr {
            Expr::Number(text) => {
                let literal = match text.as_str() {
                    "nan" => "f64::NAN".into(),
                    text if text.contains(['.', 'e']) => text.into(),
                    whole => format!("{whole}.0"),
                };
                let i = index(&mut self.fused.literals, literal);
                Some((format!("Source::Constant({i})"), Register::Value))
            }
            Expr::Name(name) => match variable(self.op, name)? {
                Variable::Tensor => {
                    let i = index(&mut self.fused.inputs, name.clone());
                    let list = if wanted == Register::Mask { &mut self.masks } else { &mut self.values };
                    list.push(name.clone());
                    Some((format!("Source::Input({i})"), wanted))
                }
                Variable::Captured(Type::Scalar | Type::Float) => {
                    let i = index(&mut self.fused.scalars, format!("Scalar::from(self.{name})"));
                    Some((format!("Scalar#{i}#"), Register::Value))
                }
                _ => None,
            },
            Expr::Attribute(..) => None,
            // A program computes real numbers: these are themselves.
            Expr::Call(name, arguments) if matches!(name.as_str(), "conj" | "real") => {
                self.any(arguments.first()?, wanted)
            }
            Expr::Call(name, arguments) => {
                let callee = self.ops.0.get(name.as_str()).copied()?;
                if callee.kind != Kind::Elementwise {
                    return None;
                }
                let logical = match name.as_str() {
                    "logical_and" => Some("MaskAnd"),
                    "logical_or" => Some("MaskOr"),
                    "logical_not" => Some("MaskNot"),
                    _ => None,
                };
                if let Some(variant) = logical {
                    let sources = arguments
                        .iter()
                        .map(|a| self.source(a, Register::Mask))
                        .collect::<Option<Vec<_>>>()?;
                    return Some(self.push(variant, &sources, Register::Mask));
                }
                let mut sources = Vec::new();
                for (kind, argument) in callee.argument_kinds.iter().zip(arguments) {
                    let kind = if kind == "mask" { Register::Mask } else { Register::Value };
                    sources.push(self.source(argument, kind)?);
                }
                if sources.len() != callee.argument_kinds.len() {
                    return None;
                }
                let result = if callee.result_kind == "mask" { Register::Mask } else { Register::Value };
                Some(self.push(&callee.variant(), &sources, result))
            }
        }
    }
}
