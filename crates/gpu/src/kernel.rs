//! A kernel's call: what goes into its text, its buffers and parameters, collected by a builder.

use std::borrow::Cow;
use std::fmt::Write;
use std::ptr::NonNull;

use rustorch_backend::algebra::printer::type_name;
use rustorch_backend::{DType, Operand};
use rustorch_error::{Result, RusTorchError};
use smallvec::SmallVec;

use crate::dialect::{BufferArgument, Dialect, Field, SharedArray, Signature};
use crate::kernels::INCLUDES;

/// Work-items of a group where a kernel has no reason for another number.
pub const GROUP: u32 = 256;

/// A kernel as it is written: helper functions, `KERNEL`, body.
#[derive(Debug, Clone, Copy)]
pub struct KernelText {
    /// The kernel's name, the same in every device's profiler.
    pub name: &'static str,
    /// The text; see [`crate::dialect`] for its macros.
    pub text: &'static str,
}

/// Makes a part of a text when it is needed.
type Inserted<'a> = Box<dyn Fn() -> Result<String> + 'a>;

/// A kernel with everything that its text and its launch need. The text is rendered only when it is not compiled yet.
pub struct Call<'a> {
    kernel: KernelText,
    /// Everything that makes the text differ from that of other calls of this kernel.
    key: String,
    defines: SmallVec<[(&'static str, Cow<'a, str>); 8]>,
    functions: SmallVec<[(&'static str, &'static str, String); 2]>,
    index: &'static str,
    buffers: SmallVec<[(BufferArgument, DType); 6]>,
    addresses: SmallVec<[NonNull<u8>; 6]>,
    fields: SmallVec<[Field; 8]>,
    parameters: SmallVec<[u8; 128]>,
    shared: SmallVec<[SharedArray; 2]>,
    inserted: SmallVec<[(&'static str, Inserted<'a>); 2]>,
    group: [u32; 3],
}

/// How an element is stored in memory.
pub const fn storage_type(dtype: DType) -> &'static str {
    match dtype {
        DType::Bool | DType::UInt8 => "u8",
        DType::Int8 => "i8",
        DType::Int16 => "i16",
        DType::Int32 => "i32",
        DType::Int64 => "i64",
        DType::Float16 | DType::BFloat16 => "u16",
        DType::Float32 | DType::Complex64 => "float",
        DType::Float64 | DType::Complex128 => "double",
    }
}

/// What an element becomes when it is loaded: half precisions are computed in float32. A complex number is loaded in parts.
pub const fn value_type(dtype: DType) -> &'static str {
    match dtype {
        DType::Float16 | DType::BFloat16 => "float",
        other => type_name(other.to_real()),
    }
}

impl<'a> Call<'a> {
    /// A call of `kernel` with nothing set.
    pub fn new(kernel: KernelText) -> Self {
        Call {
            kernel,
            key: String::with_capacity(128),
            defines: SmallVec::new(),
            functions: SmallVec::new(),
            index: "u32",
            buffers: SmallVec::new(),
            addresses: SmallVec::new(),
            fields: SmallVec::new(),
            parameters: SmallVec::new(),
            shared: SmallVec::new(),
            inserted: SmallVec::new(),
            group: [GROUP, 1, 1],
        }
    }

    /// `#define name value` before the text.
    #[must_use]
    pub fn define(mut self, name: &'static str, value: impl Into<Cow<'a, str>>) -> Self {
        let value = value.into();
        self.key.push_str(name);
        self.key.push('=');
        self.key.push_str(&value);
        self.key.push(';');
        self.defines.push((name, value));
        self
    }

    /// `#define name(argument) text` before the text; `text` depends on nothing but what else is in the key.
    pub(crate) fn define_function(
        mut self,
        name: &'static str,
        argument: &'static str,
        text: String,
    ) -> Self {
        let _ = write!(self.key, "{name}({argument})={text};");
        self.functions.push((name, argument, text));
        self
    }

    /// The type of flat indices; of several, the widest.
    pub(crate) fn index(mut self, ctype: &'static str) -> Self {
        if self.index != "i64" {
            self.index = ctype;
        }
        self
    }

    /// `#define name number` before the text.
    #[must_use]
    pub fn constant(self, name: &'static str, value: usize) -> Self {
        self.define(name, value.to_string())
    }

    /// Replaces the word `name` in the text by what `text` gives; `key` names that text among the kernel's others.
    #[must_use]
    pub fn insert(
        mut self,
        name: &'static str,
        key: &dyn std::fmt::Debug,
        text: impl Fn() -> Result<String> + 'a,
    ) -> Self {
        // Writing to a string cannot fail.
        let _ = write!(self.key, "{name}={key:?};");
        self.inserted.push((name, Box::new(text)));
        self
    }

    /// The group's size; [`GROUP`] by default.
    #[must_use]
    pub fn group(mut self, group: [u32; 3]) -> Self {
        self.group = group;
        self
    }

    /// A buffer that is read, with `LOAD_name(i)`.
    #[must_use]
    pub fn read(self, name: &'static str, operand: Operand<'_>) -> Self {
        self.buffer(name, operand, false)
    }

    /// A buffer that is written, with `STORE_name(i, v)`, and can be read.
    #[must_use]
    pub fn write(self, name: &'static str, operand: Operand<'_>) -> Self {
        self.buffer(name, operand, true)
    }

    fn buffer(mut self, name: &'static str, operand: Operand<'_>, mutable: bool) -> Self {
        let argument = BufferArgument { name, element: storage_type(operand.dtype), mutable };
        let _ = write!(self.key, "{name}:{}{};", operand.dtype.name(), if mutable { "!" } else { "" });
        self.buffers.push((argument, operand.dtype));
        self.addresses.push(operand.buffer.address());
        self
    }

    fn field(&mut self, name: &str, ctype: &'static str, length: Option<usize>, bytes: &[u8]) {
        let _ = write!(self.key, "{ctype} {name}{length:?};");
        self.fields.push(Field { name: name.to_string(), ctype, length });
        let size = if matches!(ctype, "i64" | "double") { 8 } else { 4 };
        debug_assert!(
            size == 4 || self.parameters.len().is_multiple_of(8),
            "8-byte parameters come before those of 4 bytes: {name}"
        );
        self.parameters.extend_from_slice(bytes);
        if length == Some(0) {
            // C has no empty arrays.
            self.parameters.extend(std::iter::repeat_n(0, size));
        }
    }

    /// A parameter `p.name` of type `i64`. These come before those of 4 bytes.
    #[must_use]
    pub fn i64(mut self, name: &str, value: i64) -> Self {
        self.field(name, "i64", None, &value.to_ne_bytes());
        self
    }

    /// A size or position, as `i64`.
    #[must_use]
    pub fn size(self, name: &str, value: usize) -> Self {
        self.i64(name, value as i64)
    }

    /// An array parameter of `i64`.
    #[must_use]
    pub fn i64s(mut self, name: &str, values: impl IntoIterator<Item = i64>) -> Self {
        let bytes: SmallVec<[u8; 64]> = values.into_iter().flat_map(i64::to_ne_bytes).collect();
        self.field(name, "i64", Some(bytes.len() / 8), &bytes);
        self
    }

    /// A parameter of type `double`; only where the device has it. Comes before those of 4 bytes.
    #[must_use]
    pub fn f64(mut self, name: &str, value: f64) -> Self {
        self.field(name, "double", None, &value.to_ne_bytes());
        self
    }

    /// A parameter of type `float` that takes 8 bytes, so that it may stand among those.
    #[must_use]
    pub fn f32_wide(self, name: &str, value: f32) -> Self {
        let padding = format!("{name}_padding");
        self.f32(name, value).f32(&padding, 0.0)
    }

    /// A parameter of type `float`.
    #[must_use]
    pub fn f32(mut self, name: &str, value: f32) -> Self {
        self.field(name, "float", None, &value.to_ne_bytes());
        self
    }

    /// A parameter of type `i32`.
    #[must_use]
    pub fn i32(mut self, name: &str, value: i32) -> Self {
        self.field(name, "i32", None, &value.to_ne_bytes());
        self
    }

    /// A parameter of type `u32`.
    #[must_use]
    pub fn u32(mut self, name: &str, value: u32) -> Self {
        self.field(name, "u32", None, &value.to_ne_bytes());
        self
    }

    /// An array that the group shares.
    #[must_use]
    pub fn shared(mut self, name: &'static str, element: &'static str, length: usize) -> Self {
        let _ = write!(self.key, "{element} {name}[[{length}]];");
        self.shared.push(SharedArray { name, element, length });
        self
    }

    /// Everything that makes the text: the cache's key.
    pub(crate) fn key(&self) -> String {
        format!("{}|{:?}|{}|{}", self.kernel.name, self.group, self.index, self.key)
    }

    /// The kernel's name.
    pub(crate) fn name(&self) -> &'static str {
        self.kernel.name
    }

    /// The group's size.
    pub(crate) fn group_size(&self) -> [u32; 3] {
        self.group
    }

    /// The buffers' addresses, in the signature's order.
    pub(crate) fn addresses(&self) -> &[NonNull<u8>] {
        &self.addresses
    }

    /// The parameters, padded as C pads the struct.
    pub(crate) fn parameter_bytes(&mut self) -> &[u8] {
        let wide = self.fields.iter().any(|field| matches!(field.ctype, "i64" | "double"));
        if wide {
            while !self.parameters.len().is_multiple_of(8) {
                self.parameters.push(0);
            }
        }
        &self.parameters
    }

    /// Whether the text needs `double`.
    pub(crate) fn needs_f64(&self) -> bool {
        self.buffers.iter().any(|(argument, _)| argument.element == "double")
            || self.fields.iter().any(|field| field.ctype == "double")
            || self.shared.iter().any(|array| array.element == "double")
            || self.defines.iter().any(|(_, value)| value == "double")
    }

    /// The whole text for a device.
    ///
    /// # Errors
    /// The inserted text cannot be made.
    pub fn render(&self, dialect: &dyn Dialect) -> Result<String> {
        let mut text = String::with_capacity(8192);
        text.push_str(dialect.prelude());
        text.push_str(include_str!("functions.c"));
        let _ = writeln!(text, "#define INDEX {}", self.index);
        for (name, argument, value) in &self.functions {
            let _ = writeln!(text, "#define {name}({argument}) {value}");
        }
        for (name, value) in &self.defines {
            let _ = writeln!(text, "#define {name} {value}");
        }
        for (argument, dtype) in &self.buffers {
            text.push_str(&access(argument, *dtype));
        }
        let buffers: SmallVec<[BufferArgument; 6]> = self.buffers.iter().map(|(a, _)| *a).collect();
        let signature = Signature {
            name: self.kernel.name,
            buffers: &buffers,
            fields: &self.fields,
            shared: &self.shared,
            group: self.group,
        };
        text.push_str(&signature.parameters());
        let (functions, body) = self.kernel.text.split_once("KERNEL {").ok_or_else(|| {
            RusTorchError::unsupported("render", format!("the text of {} has no KERNEL", self.kernel.name))
        })?;
        let (head, opening) = dialect.signature(&signature);
        let mut inner = format!("{functions}{head} {{\n{opening}{body}");
        for (line, part) in INCLUDES {
            inner = inner.replace(line, part);
        }
        for (name, make) in &self.inserted {
            inner = inner.replace(name, &make()?);
        }
        text.push_str(&inner);
        Ok(text)
    }
}

/// `LOAD_name` and `STORE_name`.
fn access(argument: &BufferArgument, dtype: DType) -> String {
    let name = argument.name;
    let (load, store) = match dtype {
        DType::Bool => (format!("({name}[i] != 0)"), format!("{name}[i] = (u8)((v) != 0)")),
        DType::Float16 => (format!("LD_F16({name}, i)"), format!("ST_F16({name}, i, (float)(v))")),
        DType::BFloat16 => (format!("LD_BF16({name}, i)"), format!("ST_BF16({name}, i, (float)(v))")),
        _ => (format!("{name}[i]"), format!("{name}[i] = ({})(v)", argument.element)),
    };
    let mut text = format!("#define LOAD_{name}(i) {load}\n#define TYPE_{name} {}\n", value_type(dtype));
    if argument.mutable {
        let _ = writeln!(text, "#define STORE_{name}(i, v) {store}");
    }
    text
}
