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
                "shape" => Term::Raw(format!("&this.{name}_origin.shape")),
                "dtype" => Term::Raw(format!("this.{name}_origin.dtype")),
                "origins" => Term::Raw(format!("&this.{name}_origins")),
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

/// A formula as one elementwise program.
#[derive(Default)]
pub struct Program {
    /// `(Op, row, [Source, …])` each.
    pub instructions: Vec<String>,
    /// `Scalar::…` each.
    pub constants: Vec<String>,
    /// Names of the tensors, in the order of the inputs.
    pub inputs: Vec<String>,
    /// Names of the op's numbers, whose constants follow.
    pub numbers: Vec<String>,
}

struct ProgramLowering<'a> {
    ops: &'a Ops<'a>,
    op: &'a Op,
    program: Program,
    known: HashMap<String, (String, Register)>,
    masks: Vec<String>,
    values: Vec<String>,
}

/// The formula as one elementwise program; `None` where a call is not elementwise.
pub fn to_program(ops: &Ops<'_>, op: &Op, expr: &Expr) -> Result<Option<Program>, String> {
    let mut lowering = ProgramLowering {
        ops,
        op,
        program: Program::default(),
        known: HashMap::new(),
        masks: Vec::new(),
        values: Vec::new(),
    };
    if lowering.source(expr, Register::Value)?.is_none() {
        return Ok(None);
    }
    let mut program = lowering.program;
    if program.instructions.is_empty() {
        return Err("a formula is `grad`, or computes something".into());
    }
    if let Some(both) = lowering.masks.iter().find(|m| lowering.values.contains(m)) {
        return Err(format!("'{both}' can not be loaded both as a mask and as a number"));
    }
    let base = program.constants.len();
    for text in &mut program.instructions {
        for i in 0..program.numbers.len() {
            *text = text.replace(&format!("Number({i})"), &format!("Constant({})", base + i));
        }
    }
    Ok(Some(program))
}

impl ProgramLowering<'_> {
    fn push(
        &mut self,
        variant: &str,
        row: &str,
        arguments: &[String],
        result: Register,
    ) -> (String, Register) {
        let text = format!("({variant}, {row}, [{}])", arguments.join(", "));
        if let Some(found) = self.known.get(&text) {
            return found.clone();
        }
        let source = (format!("Register({})", self.program.instructions.len()), result);
        self.program.instructions.push(text.clone());
        self.known.insert(text, source.clone());
        source
    }

    /// The source of an expression as the kind of register that its consumer wants.
    fn source(&mut self, expr: &Expr, wanted: Register) -> Result<Option<String>, String> {
        let Some((source, kind)) = self.any(expr, wanted)? else { return Ok(None) };
        Ok(Some(match (kind, wanted) {
            (Register::Mask, Register::Value) => self.push("MaskToValue", "_", &[source], Register::Value).0,
            (Register::Value, Register::Mask) => return Err("a number stands for a truth value".into()),
            _ => source,
        }))
    }

    fn any(&mut self, expr: &Expr, wanted: Register) -> Result<Option<(String, Register)>, String> {
        let index = |list: &mut Vec<String>, text: String| {
            list.iter().position(|t| *t == text).unwrap_or_else(|| {
                list.push(text);
                list.len() - 1
            })
        };
        Ok(match expr {
            Expr::Number(text) => {
                let constant = match text.as_str() {
                    "nan" => "Scalar::Float(f64::NAN)".into(),
                    text if text.contains(['.', 'e']) => format!("Scalar::Float({text})"),
                    whole => format!("Scalar::Int({whole})"),
                };
                let i = index(&mut self.program.constants, constant);
                Some((format!("Constant({i})"), Register::Value))
            }
            Expr::Name(name) => {
                match variable(self.op, name).ok_or_else(|| format!("unknown name '{name}'"))? {
                    Variable::Tensor => {
                        let i = index(&mut self.program.inputs, name.clone());
                        let list = if wanted == Register::Mask { &mut self.masks } else { &mut self.values };
                        list.push(name.clone());
                        Some((format!("Input({i})"), wanted))
                    }
                    Variable::Captured(Type::Scalar | Type::Float) => {
                        let i = index(&mut self.program.numbers, name.clone());
                        Some((format!("Number({i})"), Register::Value))
                    }
                    _ => return Err(format!("'{name}' is neither a tensor nor a number")),
                }
            }
            Expr::Attribute(..) => None,
            Expr::Call(name, arguments) => {
                let Some(callee) = self.ops.0.get(name.as_str()).copied() else { return Ok(None) };
                if callee.kind != Kind::Elementwise {
                    return Ok(None);
                }
                self.call(callee, arguments)?
            }
        })
    }

    fn call(&mut self, callee: &Op, arguments: &[Expr]) -> Result<Option<(String, Register)>, String> {
        let logical = match callee.name.as_str() {
            "logical_and" => Some("MaskAnd"),
            "logical_or" => Some("MaskOr"),
            "logical_not" => Some("MaskNot"),
            _ => None,
        };
        let row = callee.row();
        let mut sources = Vec::new();
        for (place, argument) in arguments.iter().enumerate() {
            let kind = match callee.argument_kinds.get(place).map(String::as_str) {
                _ if logical.is_some() => Register::Mask,
                Some("mask") => Register::Mask,
                Some(_) => Register::Value,
                None => return Err(format!("{}: too many arguments", callee.name)),
            };
            let Some(source) = self.source(argument, kind)? else { return Ok(None) };
            if place >= callee.tensors().count() && !source.starts_with(['C', 'N']) {
                return Err(format!("{}: '{source}' has to be a number", callee.name));
            }
            sources.push(source);
        }
        if sources.len() != callee.argument_kinds.len() {
            return Err(format!("{} takes {} arguments", callee.name, callee.argument_kinds.len()));
        }
        if let Some(variant) = logical {
            return Ok(Some(self.push(variant, &row, &sources, Register::Mask)));
        }
        let result = if callee.result_kind == "mask" { Register::Mask } else { Register::Value };
        Ok(Some(self.push(&callee.variant(), &row, &sources, result)))
    }
}
