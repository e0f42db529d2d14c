//! A kernel's call: what goes into its text, its buffers and parameters, collected by a builder.

use std::borrow::Cow;
use std::fmt::Write;
use std::ptr::NonNull;

use rustorch_algebra::printer::type_name;
use rustorch_backend::{DType, Operand, volume};
use rustorch_error::{Result, RusTorchError};
use smallvec::SmallVec;

use crate::dialect::{BufferArgument, Dialect, Field, FieldName, SharedArray, Signature};
use crate::includes::INCLUDES;
use crate::key::{Key, Part};
use crate::positions::{Merged, Positions, Strided};

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

/// A kernel with everything that its text and its launch need. The text is rendered only when it is not compiled yet:
/// what happens at each launch is that its parts are noted, and its key, which is why nothing here is formatted.
pub struct Call<'a>(Box<Parts<'a>>);

struct Parts<'a> {
    kernel: KernelText,
    key: Key,
    defines: SmallVec<[(&'static str, Cow<'a, str>); 8]>,
    positions: SmallVec<[Positions; 2]>,
    index: &'static str,
    buffers: SmallVec<[(BufferArgument, DType); 6]>,
    addresses: SmallVec<[NonNull<u8>; 6]>,
    fields: SmallVec<[Field; 16]>,
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
        let mut key = Key::new();
        key.text(kernel.name);
        Call(Box::new(Parts {
            kernel,
            key,
            defines: SmallVec::new(),
            positions: SmallVec::new(),
            index: "u32",
            buffers: SmallVec::new(),
            addresses: SmallVec::new(),
            fields: SmallVec::new(),
            parameters: SmallVec::new(),
            shared: SmallVec::new(),
            inserted: SmallVec::new(),
            group: [GROUP, 1, 1],
        }))
    }

    /// `#define name value` before the text.
    #[must_use]
    pub fn define(mut self, name: &'static str, value: impl Into<Cow<'a, str>>) -> Self {
        let value = value.into();
        self.0.key.part(Part::Define);
        self.0.key.text(name);
        self.0.key.text(&value);
        self.0.defines.push((name, value));
        self
    }

    /// Defines `name(i)`, which declares `at_x` for each operand `x`: the position of the `i`-th element, row-major over
    /// `shape`. `i` is less than 2³¹ where `INDEX` is `u32`.
    ///
    /// Shape and strides are parameters, so that one text serves all: only operands whose elements all lie one behind the
    /// other have a text of their own, which does not divide.
    #[must_use]
    pub fn positions(self, name: &'static str, shape: &[usize], operands: &[Strided<'_>]) -> Self {
        self.walk(name, shape, operands, true)
    }

    /// As [`Self::positions`], with one text wherever the elements lie: for what a work-item does once.
    #[must_use]
    pub fn places(self, name: &'static str, shape: &[usize], operands: &[Strided<'_>]) -> Self {
        self.walk(name, shape, operands, false)
    }

    fn walk(
        mut self,
        name: &'static str,
        shape: &[usize],
        operands: &[Strided<'_>],
        may_be_contiguous: bool,
    ) -> Self {
        let merged = Merged::new(shape, operands);
        let positions = merged.positions(name, operands, may_be_contiguous);
        let walks = positions.most.is_some();
        for (operand, strides) in operands.iter().zip(&merged.strides) {
            self = self.size((operand.name, "_offset"), operand.offset);
            if walks {
                let strides = positions.padded(strides.iter().map(|&s| s as i64), 0);
                self = self.i64s((operand.name, "_stride"), strides);
            }
        }
        if walks {
            let sizes = positions.padded(merged.shape.iter().map(|&s| s as i64), 1);
            self = self.size((name, "_rank"), merged.shape.len()).i64s((name, "_shape"), sizes);
        }
        let numel = volume(shape);
        self.define_positions(positions).index(if numel < 1 << 31 { "u32" } else { "i64" })
    }

    /// The macro of some positions before the text.
    fn define_positions(mut self, positions: Positions) -> Self {
        self.0.key.part(Part::Positions);
        positions.describe(&mut self.0.key);
        self.0.positions.push(positions);
        self
    }

    /// The type of flat indices; of several, the widest.
    pub(crate) fn index(mut self, ctype: &'static str) -> Self {
        if self.0.index != "i64" {
            self.0.index = ctype;
        }
        self
    }

    /// `#define name number` before the text.
    #[must_use]
    pub fn constant(self, name: &'static str, value: usize) -> Self {
        match value {
            0 => self.define(name, "0"),
            1 => self.define(name, "1"),
            _ => self.define(name, value.to_string()),
        }
    }

    /// Replaces the word `name` in the text by what `text` gives; `key` names that text among the kernel's others.
    #[must_use]
    pub fn insert(mut self, name: &'static str, key: &[u8], text: impl Fn() -> Result<String> + 'a) -> Self {
        self.0.key.part(Part::Inserted);
        self.0.key.text(name);
        self.0.key.bytes(key);
        self.0.inserted.push((name, Box::new(text)));
        self
    }

    /// The group's size; [`GROUP`] by default.
    #[must_use]
    pub fn group(mut self, group: [u32; 3]) -> Self {
        self.0.group = group;
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
        self.0.key.part(Part::Buffer);
        self.0.key.text(name);
        self.0.key.bytes(&[operand.dtype as u8, u8::from(mutable)]);
        self.0.buffers.push((argument, operand.dtype));
        self.0.addresses.push(operand.buffer.address());
        self
    }

    fn field(&mut self, name: FieldName, ctype: &'static str, length: Option<usize>, bytes: &[u8]) {
        let parts = &mut *self.0;
        parts.key.part(Part::Field);
        parts.key.text(name.0);
        parts.key.text(name.1);
        parts.key.text(ctype);
        parts.key.number(length.unwrap_or(usize::MAX));
        parts.fields.push(Field { name, ctype, length });
        let size = if matches!(ctype, "i64" | "double") { 8 } else { 4 };
        debug_assert!(
            size == 4 || parts.parameters.len().is_multiple_of(8),
            "8-byte parameters come before those of 4 bytes: {name}"
        );
        parts.parameters.extend_from_slice(bytes);
        if length == Some(0) {
            // C has no empty arrays.
            parts.parameters.extend(std::iter::repeat_n(0, size));
        }
    }

    /// A parameter `p.name` of type `i64`. These come before those of 4 bytes.
    #[must_use]
    pub fn i64(mut self, name: impl Into<FieldName>, value: i64) -> Self {
        self.field(name.into(), "i64", None, &value.to_ne_bytes());
        self
    }

    /// A size or position, as `i64`.
    #[must_use]
    pub fn size(self, name: impl Into<FieldName>, value: usize) -> Self {
        self.i64(name, value as i64)
    }

    /// An array parameter of `i64`.
    #[must_use]
    pub fn i64s(mut self, name: impl Into<FieldName>, values: impl IntoIterator<Item = i64>) -> Self {
        let mut bytes: SmallVec<[u8; 64]> = SmallVec::new();
        for value in values {
            bytes.extend_from_slice(&value.to_ne_bytes());
        }
        self.field(name.into(), "i64", Some(bytes.len() / 8), &bytes);
        self
    }

    /// A parameter of type `double`; only where the device has it. Comes before those of 4 bytes.
    #[must_use]
    pub fn f64(mut self, name: impl Into<FieldName>, value: f64) -> Self {
        self.field(name.into(), "double", None, &value.to_ne_bytes());
        self
    }

    /// A parameter of type `float` that takes 8 bytes, so that it may stand among those.
    #[must_use]
    pub fn f32_wide(self, name: &'static str, value: f32) -> Self {
        self.f32(name, value).f32((name, "_padding"), 0.0)
    }

    /// A parameter of type `float`.
    #[must_use]
    pub fn f32(mut self, name: impl Into<FieldName>, value: f32) -> Self {
        self.field(name.into(), "float", None, &value.to_ne_bytes());
        self
    }

    /// A parameter of type `i32`.
    #[must_use]
    pub fn i32(mut self, name: impl Into<FieldName>, value: i32) -> Self {
        self.field(name.into(), "i32", None, &value.to_ne_bytes());
        self
    }

    /// A parameter of type `u32`.
    #[must_use]
    pub fn u32(mut self, name: impl Into<FieldName>, value: u32) -> Self {
        self.field(name.into(), "u32", None, &value.to_ne_bytes());
        self
    }

    /// An array that the group shares.
    #[must_use]
    pub fn shared(mut self, name: &'static str, element: &'static str, length: usize) -> Self {
        self.0.key.part(Part::Shared);
        self.0.key.text(element);
        self.0.key.text(name);
        self.0.key.number(length);
        self.0.shared.push(SharedArray { name, element, length });
        self
    }

    /// Everything that makes the text, as the cache's key. Nothing is added to the call afterwards.
    pub(crate) fn take_key(&mut self) -> Vec<u8> {
        let parts = &mut *self.0;
        let mut key = std::mem::take(&mut parts.key).into_bytes();
        key.extend(parts.group.iter().flat_map(|size| size.to_le_bytes()));
        key.extend_from_slice(parts.index.as_bytes());
        key
    }

    /// The kernel's name.
    pub(crate) fn name(&self) -> &'static str {
        self.0.kernel.name
    }

    /// The group's size.
    pub(crate) fn group_size(&self) -> [u32; 3] {
        self.0.group
    }

    /// The buffers' addresses, in the signature's order.
    pub(crate) fn addresses(&self) -> &[NonNull<u8>] {
        &self.0.addresses
    }

    /// Pads the parameters as C pads the struct.
    pub(crate) fn pad_parameters(&mut self) {
        let parts = &mut *self.0;
        let wide = parts.fields.iter().any(|field| matches!(field.ctype, "i64" | "double"));
        if wide {
            while !parts.parameters.len().is_multiple_of(8) {
                parts.parameters.push(0);
            }
        }
    }

    /// The parameters, as the struct lies in memory.
    pub(crate) fn parameters(&self) -> &[u8] {
        &self.0.parameters
    }

    /// Whether the text needs `double`.
    pub(crate) fn needs_f64(&self) -> bool {
        let parts = &*self.0;
        parts.buffers.iter().any(|(argument, _)| argument.element == "double")
            || parts.fields.iter().any(|field| field.ctype == "double")
            || parts.shared.iter().any(|array| array.element == "double")
            || parts.defines.iter().any(|(_, value)| value == "double")
    }

    /// The whole text for a device.
    ///
    /// # Errors
    /// The inserted text cannot be made.
    pub fn render(&self, dialect: &dyn Dialect) -> Result<String> {
        let parts = &*self.0;
        let mut text = String::with_capacity(8192);
        text.push_str(dialect.prelude());
        text.push_str(include_str!("functions.c"));
        let _ = writeln!(text, "#define INDEX {}", parts.index);
        // Half precisions are rounded from float, and once.
        let narrow =
            if self.needs_f64() { "(sizeof(v) == 8 ? ODD_FLOAT(v) : (float)(v))" } else { "(float)(v)" };
        let _ = writeln!(text, "#define NARROW(v) {narrow}");
        for positions in &parts.positions {
            let _ = writeln!(text, "{}", positions.macro_text());
        }
        for (name, value) in &parts.defines {
            let _ = writeln!(text, "#define {name} {value}");
        }
        for (argument, dtype) in &parts.buffers {
            text.push_str(&access(argument, *dtype));
        }
        let buffers: SmallVec<[BufferArgument; 6]> = parts.buffers.iter().map(|(a, _)| *a).collect();
        let signature = Signature {
            name: parts.kernel.name,
            buffers: &buffers,
            fields: &parts.fields,
            shared: &parts.shared,
            group: parts.group,
        };
        text.push_str(&signature.parameters());
        let (functions, body) = parts.kernel.text.split_once("KERNEL {").ok_or_else(|| {
            RusTorchError::unsupported("render", format!("the text of {} has no KERNEL", parts.kernel.name))
        })?;
        let (head, opening) = dialect.signature(&signature);
        let mut inner = format!("{functions}{head} {{\n{opening}{body}");
        for (line, part) in INCLUDES {
            inner = inner.replace(line, part);
        }
        for (name, make) in &parts.inserted {
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
        DType::Float16 => (format!("LD_F16({name}, i)"), format!("ST_F16({name}, i, NARROW(v))")),
        DType::BFloat16 => (format!("LD_BF16({name}, i)"), format!("ST_BF16({name}, i, NARROW(v))")),
        _ => (format!("{name}[i]"), format!("{name}[i] = ({})(v)", argument.element)),
    };
    let mut text = format!("#define LOAD_{name}(i) {load}\n#define TYPE_{name} {}\n", value_type(dtype));
    if argument.mutable {
        let _ = writeln!(text, "#define STORE_{name}(i, v) {store}");
    }
    text
}
