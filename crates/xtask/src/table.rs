//! The op table: rows as they stand in `crates/backend/ops/*.toml`, parsed and checked.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::call::{call, condition};
use crate::formula::Expr;
use crate::signature::{Parameter, Type, parse_parameters};

/// What kind of op a row describes; decides which code is generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// One function of the algebra, run by `ComputeBackend::map`.
    Elementwise,
    /// A hand-written forward function in `operations/<file>.rs`; the row has its gradient.
    Kernel,
    /// As a kernel, but the result shares storage with its first argument.
    View,
    /// A hand-written function of other ops; gradients come from those.
    Composite,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TableFile {
    kind: Kind,
    #[serde(default)]
    heavy: bool,
    op: Vec<RawOp>,
}

/// What the op does with complex numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ComplexForm {
    /// A holomorphic function: the gradient is the conjugate of the formula's coefficient, which codegen takes care of.
    Holomorphic,
    /// Complex numbers to complex numbers; the formula is the gradient as it stands.
    Same,
    /// Complex numbers to real numbers (or truth values); the formula is the gradient as it stands.
    Real,
}

/// How long a function takes: whether a second thread pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cost {
    /// A few instructions: memory decides.
    Low,
    /// A polynomial.
    Medium,
    /// A series, or number by number.
    High,
}

/// Computes something else under a condition on the arguments: calls of hand-written functions.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redirect {
    /// The condition.
    pub when: String,
    /// The call that replaces the op.
    pub to: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOp {
    name: String,
    rust_name: Option<String>,
    #[serde(default)]
    aliases: Vec<String>,
    args: String,
    returns: Option<Vec<String>>,
    tuple_when: Option<Vec<String>>,
    kind: Option<Kind>,
    #[serde(default)]
    composite: bool,
    #[serde(default = "yes")]
    public: bool,
    module: Option<String>,
    method: Option<bool>,
    function: Option<bool>,
    inplace: Option<bool>,
    out: Option<bool>,
    map: Option<String>,
    domain: Option<String>,
    cost: Option<Cost>,
    complex: Option<ComplexForm>,
    promote: Option<String>,
    #[serde(default)]
    wraps: bool,
    arguments: Option<Vec<String>>,
    result: Option<String>,
    redirect: Option<Redirect>,
    widen: Option<Widen>,
    #[serde(default)]
    grad: BTreeMap<String, String>,
    grad_zero: Option<String>,
    grad_missing: Option<Missing>,
    #[serde(default)]
    no_grad: bool,
    doc: String,
    #[serde(default)]
    about: BTreeMap<String, String>,
    shape: Option<String>,
    errors: Option<String>,
    example: Option<String>,
}

/// Whether half precisions are widened.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Widen {
    /// Always, or never.
    Always(bool),
    /// Under a condition on the arguments.
    When(String),
}

/// Why a gradient is not built: that of the op, or those of some arguments.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Missing {
    Op(String),
    Arguments(BTreeMap<String, String>),
}

fn yes() -> bool {
    true
}

/// What is known of an op's gradient.
#[derive(Debug, Clone)]
pub enum Gradient {
    /// A formula per differentiable argument.
    Formulas(BTreeMap<String, String>),
    /// Zero almost everywhere, for a reason.
    Zero,
    /// Not built, for a reason; calling backward raises.
    Missing(String),
    /// The result is not a floating-point tensor.
    NotDifferentiable,
    /// Composite: the ops inside have gradients.
    Inherited,
}

/// One checked row.
#[derive(Debug, Clone)]
pub struct Op {
    /// PyTorch's name; after the module's where that is neither `rustorch` nor `nn.functional`: `linalg_norm`.
    pub name: String,
    /// The name within its module: `norm`.
    pub short_name: String,
    /// The Rust function's name.
    pub rust_name: String,
    /// Other public names.
    pub aliases: Vec<String>,
    /// The table file's stem, which is the module in `tensor/src/operations`.
    pub file: String,
    /// Whether the file's ops do more work than one pass over their elements.
    pub heavy: bool,
    /// See [`Kind`].
    pub kind: Kind,
    /// In order.
    pub parameters: Vec<Parameter>,
    /// Names of the results; one name means one tensor, none of them a list of tensors named `tensors`.
    pub returns: Vec<String>,
    /// When a list of tensors is a tuple in Python, a condition on the arguments; otherwise its first tensor is the result.
    pub tuple_when: Option<String>,
    /// Whether Python sees it.
    pub public: bool,
    /// `""` for `rustorch`, else such as `nn.functional`.
    pub module: String,
    /// Whether it is a method of Tensor.
    pub method: bool,
    /// Whether it is a function of its module.
    pub function: bool,
    /// Whether there is an in-place form, `name_`.
    pub inplace: bool,
    /// Whether the function takes `out=`.
    pub out: bool,
    /// The function of the algebra (elementwise).
    pub map: String,
    /// The dtypes for which that function exists.
    pub domain: String,
    /// How long that function takes.
    pub cost: Cost,
    /// What it does with complex numbers; `None` for an elementwise op that has no complex form.
    pub complex: Option<ComplexForm>,
    /// How argument dtypes give the compute dtype: `common`, `float` (integers become the default float) or `same`
    /// (a float op that refuses integers, as PyTorch's does).
    pub promote: String,
    /// Whether integers are residues to it: a number that the dtype does not hold counts by its low bits.
    pub wraps: bool,
    /// `value` or `mask` per algebra argument.
    pub argument_kinds: Vec<String>,
    /// `value` or `mask`.
    pub result_kind: String,
    /// See [`Redirect`].
    pub redirect: Option<Redirect>,
    /// Whether half precisions are cast to float32, computed so, and the results cast back: an op of several kernels
    /// rounds once. The condition under which, in Rust.
    pub widen: Option<String>,
    /// See [`Gradient`].
    pub gradient: Gradient,
    /// Arguments by which the derivative is not built, though by others it is, and why; calling backward raises.
    pub missing: BTreeMap<String, String>,
    /// One sentence.
    pub doc: String,
    /// What each argument is, of a public op.
    pub about: BTreeMap<String, String>,
    /// The shapes of arguments and results, where the sentence does not say them.
    pub shape: Option<String>,
    /// The errors beyond those of its kind.
    pub errors: Option<String>,
    /// A session of Python, `>>>` lines with their output, that the tests run.
    pub example: Option<String>,
}

impl Op {
    /// The parameters that are tensors and take part in promotion and broadcasting.
    pub fn tensors(&self) -> impl Iterator<Item = &Parameter> {
        self.parameters.iter().filter(|p| p.kind.is_tensor())
    }

    /// The scalar parameters that the algebra function takes after its tensors.
    pub fn constants(&self) -> Vec<&Parameter> {
        if self.redirect.is_some() {
            return Vec::new();
        }
        self.parameters.iter().filter(|p| matches!(p.kind, Type::Scalar | Type::Float)).collect()
    }

    /// Whether the op returns a list of tensors.
    pub fn returns_list(&self) -> bool {
        self.returns.len() == 1 && self.returns[0] == "tensors"
    }

    /// Whether a gradient formula must be conjugated for complex numbers: it multiplies by more than real constants.
    pub fn conjugates(&self, formula: &Expr) -> bool {
        let mut depends = false;
        formula.names(&mut |name, attribute| {
            let number = |p: &Parameter| p.name == name && (p.kind.is_tensor() || p.kind == Type::Scalar);
            depends |= attribute.is_none()
                && (self.parameters.iter().any(number) || self.returns.iter().any(|r| r == name));
        });
        self.complex == Some(ComplexForm::Holomorphic) && depends && !self.returns_list()
    }

    /// The name of the static of an elementwise row.
    pub fn row(&self) -> String {
        self.rust_name.to_uppercase()
    }

    /// The name of the elementwise variant.
    pub fn variant(&self) -> String {
        pascal(&self.map)
    }
}

/// `log_sigmoid` becomes `LogSigmoid`.
pub fn pascal(name: &str) -> String {
    name.split('_')
        .filter(|part| !part.is_empty())
        .map(|part| part[..1].to_uppercase() + &part[1..])
        .collect()
}

/// Reads every table file of `folder`, in alphabetical order.
///
/// What their arguments are they say themselves, or it stands beside the folder, in `arguments.toml`.
pub fn read(folder: &Path) -> Result<Vec<Op>, String> {
    let path = folder.with_file_name("arguments.toml");
    let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let arguments = toml::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut files: Vec<_> = fs::read_dir(folder)
        .map_err(|e| format!("{}: {e}", folder.display()))?
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    files.sort();
    let mut ops = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let table: TableFile = toml::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
        let file = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        for raw in table.op {
            let name = raw.name.clone();
            let mut op = check(raw, table.kind, &file, &arguments)
                .map_err(|e| format!("{}: op '{name}': {e}", path.display()))?;
            op.heavy = table.heavy;
            ops.push(op);
        }
    }
    let mut seen = BTreeMap::new();
    for op in &ops {
        if let Some(other) = seen.insert(op.rust_name.clone(), op.file.clone()) {
            return Err(format!("op '{}' stands in both {other}.toml and {}.toml", op.rust_name, op.file));
        }
    }
    Ok(ops)
}

fn check(raw: RawOp, kind: Kind, file: &str, arguments: &BTreeMap<String, String>) -> Result<Op, String> {
    let kind = if raw.composite { Kind::Composite } else { raw.kind.unwrap_or(kind) };
    let parameters = parse_parameters(&raw.args)?;
    let elementwise = kind == Kind::Elementwise;
    let returns = raw.returns.clone().unwrap_or_else(|| vec!["result".into()]);
    let result_kind = raw.result.clone().unwrap_or_else(|| "value".into());
    let domain = raw.domain.clone().unwrap_or_default();
    if elementwise && !["number", "real", "float", "special", "integer", "mask"].contains(&domain.as_str()) {
        return Err(format!("domain '{domain}' is none of number, real, float, special, integer, mask"));
    }
    let integral = result_kind == "mask" || domain == "integer" || domain == "mask";
    let (gradient, missing) = gradient(&raw, kind, integral)?;
    let about = about(&raw, &parameters, arguments)?;
    let tensor_first = parameters.first().is_some_and(|p| p.kind == Type::Tensor);
    let top_level = raw.module.is_none();
    let name = match raw.module.as_deref() {
        None | Some("nn.functional") => raw.name.clone(),
        Some(module) => format!("{}_{}", module.replace('.', "_"), raw.name),
    };
    let function = raw.public && raw.function.unwrap_or(true);
    // A new tensor that does not depend on how the result's memory is made; nn.functional's are calls of Python.
    let fills = kind != Kind::View && returns[0] != "tensors" && !name.ends_with('_');
    let fills = fills && raw.module.as_deref() != Some("nn.functional");
    let mut op = Op {
        rust_name: raw.rust_name.unwrap_or_else(|| name.clone()),
        map: raw.map.unwrap_or_else(|| raw.name.clone()),
        promote: raw.promote.unwrap_or_else(|| {
            if matches!(domain.as_str(), "float" | "special") { "float" } else { "common" }.into()
        }),
        wraps: raw.wraps,
        name,
        short_name: raw.name,
        aliases: raw.aliases,
        file: file.into(),
        heavy: false,
        kind,
        returns,
        tuple_when: tuple_when(raw.tuple_when, &parameters)?,
        public: raw.public,
        module: raw.module.unwrap_or_default(),
        method: raw.public && raw.method.unwrap_or(tensor_first && top_level),
        function,
        out: function && raw.out.unwrap_or(fills),
        inplace: raw.public && raw.inplace.unwrap_or(elementwise && tensor_first),
        domain,
        cost: raw.cost.unwrap_or(Cost::Medium),
        // What is not elementwise is made of sums and products, or moves elements.
        complex: raw.complex.or((!elementwise).then_some(ComplexForm::Holomorphic)),
        argument_kinds: raw.arguments.unwrap_or_default(),
        result_kind,
        redirect: match raw.redirect {
            Some(redirect) => Some(Redirect {
                when: condition(&redirect.when, &parameters)?,
                to: call(&redirect.to, &parameters)?,
            }),
            None => None,
        },
        widen: match raw.widen {
            None | Some(Widen::Always(false)) => None,
            Some(Widen::Always(true)) => Some("true".into()),
            Some(Widen::When(when)) => Some(condition(&when, &parameters)?),
        },
        gradient,
        missing,
        doc: raw.doc,
        about,
        shape: raw.shape,
        errors: raw.errors,
        example: raw.example,
        parameters,
    };
    if op.widen.is_some() && (elementwise || kind == Kind::View) {
        return Err("widen is for ops of several kernels that give tensors".into());
    }
    if raw.cost.is_some() && !elementwise {
        return Err("cost is for elementwise ops".into());
    }
    if elementwise {
        let expected = op.tensors().count() + op.constants().len();
        if op.argument_kinds.is_empty() {
            op.argument_kinds = vec!["value".into(); expected];
        }
        if op.argument_kinds.len() != expected || expected > 3 {
            return Err(format!(
                "{expected} algebra arguments, but `arguments` lists {}",
                op.argument_kinds.len()
            ));
        }
    }
    check_targets(&op)?;
    Ok(op)
}

/// What each argument of a public op is: as the row says, or as arguments of that name are.
fn about(
    raw: &RawOp,
    parameters: &[Parameter],
    arguments: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, String> {
    if let Some(unknown) = raw.about.keys().find(|name| !parameters.iter().any(|p| p.name == **name)) {
        return Err(format!("about.{unknown}: there is no such argument"));
    }
    let said = |p: &Parameter| {
        let optional = arguments.get(&format!("{}?", p.name)).filter(|_| p.kind.is_optional());
        raw.about.get(&p.name).or(optional).or_else(|| arguments.get(&p.name))
    };
    let text = |p: &Parameter| match said(p) {
        Some(text) => Ok((p.name.clone(), text.clone())),
        None => {
            Err(format!("what is '{0}'? Say it in about.{0}, or in crates/backend/arguments.toml", p.name))
        }
    };
    parameters.iter().filter(|_| raw.public).map(text).collect()
}

/// Whether one of several flags is set, in Rust.
fn tuple_when(flags: Option<Vec<String>>, parameters: &[Parameter]) -> Result<Option<String>, String> {
    let Some(flags) = flags else { return Ok(None) };
    let flags = flags.iter().map(|flag| condition(flag, parameters)).collect::<Result<Vec<_>, _>>()?;
    Ok(Some(flags.join(" || ")))
}

/// What a row says of its gradient, and of arguments by which there is none.
fn gradient(raw: &RawOp, kind: Kind, integral: bool) -> Result<(Gradient, BTreeMap<String, String>), String> {
    let (grad_missing, missing) = match raw.grad_missing.clone() {
        None => (None, BTreeMap::new()),
        Some(Missing::Op(reason)) => (Some(reason), BTreeMap::new()),
        Some(Missing::Arguments(reasons)) => (None, reasons),
    };
    let gradient = match (kind, raw.grad.is_empty(), &raw.grad_zero, grad_missing) {
        (Kind::Composite, true, None, None) => Gradient::Inherited,
        (Kind::Composite, ..) => {
            return Err("a composite op inherits its gradient from the ops inside".into());
        }
        (_, false, None, None) => Gradient::Formulas(raw.grad.clone()),
        (_, true, Some(_reason), None) => Gradient::Zero,
        (_, true, None, Some(reason)) => Gradient::Missing(reason),
        (_, true, None, None) if integral || raw.no_grad => Gradient::NotDifferentiable,
        _ => return Err("give exactly one of grad, grad_zero, grad_missing, no_grad (with a reason)".into()),
    };
    Ok((gradient, missing))
}

/// Gradients are by arguments that are tensors.
fn check_targets(op: &Op) -> Result<(), String> {
    let Gradient::Formulas(formulas) = &op.gradient else {
        let none = op.missing.is_empty();
        return none
            .then_some(())
            .ok_or_else(|| "grad_missing of an argument goes with the grad of another".into());
    };
    for target in formulas.keys().chain(op.missing.keys()) {
        if !op.parameters.iter().any(|p| &p.name == target && p.kind.is_tensor_or_list()) {
            return Err(format!("grad.{target}: there is no tensor argument of that name"));
        }
    }
    Ok(())
}
