//! Kernel texts and the languages into which they are rendered.
//!
//! A text is neutral C: helper functions, then the word `KERNEL` and a body. What differs between OpenCL C, CUDA C and
//! Metal's language is in the signature, which a [`Dialect`] writes, and behind the macros of its prelude:
//!
//! | macro | meaning |
//! |---|---|
//! | `LID(d)` `GROUP_ID(d)` `NGROUPS(d)` `GID(d)` | a work-item's place in its group, the group's, their number, the item's place; `d` is 0, 1 or 2. Only in the kernel's own body |
//! | `BARRIER()` | waits for the group, and makes its writes to shared memory visible |
//! | `GLOBAL` `LOCAL` `CONSTANT` | address spaces of pointers and tables |
//! | `DEVICE_FN` | begins a helper function |
//! | `i64 u64 i32 u32 i16 u16 i8 u8` | integers |
//! | `LD_F16(p, i)` `ST_F16(p, i, v)` `LD_BF16` `ST_BF16` | half precisions, stored as `u16` |
//! | `FMA EXP LOG …` | the algebra's functions, of `float` and `double` |
//! | `MULHI(a, b)` | the upper half of the product of two `u32` |
//! | `AS_U32(x)` `AS_FLOAT(x)` `AS_U64(x)` `AS_DOUBLE(x)` | bits as they are |
//! | `ATOMIC_ADD_F32(p, v)` | adds to a `float` in global memory to which others add, too |
//! | `HAS_F64` | 1 where `double` exists |
//!
//! The parameters are the fields of a struct `p`.

use std::fmt;

/// A pointer argument of a kernel.
#[derive(Debug, Clone, Copy)]
pub struct BufferArgument {
    /// Its name in the text.
    pub name: &'static str,
    /// The element's type in the text.
    pub element: &'static str,
    /// Whether the kernel writes there.
    pub mutable: bool,
}

/// A field's name: two words that are written as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldName(pub &'static str, pub &'static str);

impl From<&'static str> for FieldName {
    fn from(name: &'static str) -> Self {
        FieldName(name, "")
    }
}

impl From<(&'static str, &'static str)> for FieldName {
    fn from((name, suffix): (&'static str, &'static str)) -> Self {
        FieldName(name, suffix)
    }
}

impl fmt::Display for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)?;
        f.write_str(self.1)
    }
}

/// A field of the parameters' struct.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its name in the text.
    pub name: FieldName,
    /// `i64`, `i32`, `u32`, `float` or `double`.
    pub ctype: &'static str,
    /// The length of an array, or `None` for a single number.
    pub length: Option<usize>,
}

/// An array that the work-items of a group share.
#[derive(Debug, Clone, Copy)]
pub struct SharedArray {
    /// Its name in the text.
    pub name: &'static str,
    /// The element's type in the text.
    pub element: &'static str,
    /// The number of elements.
    pub length: usize,
}

/// What surrounds a kernel's body.
#[derive(Debug, Clone, Copy)]
pub struct Signature<'a> {
    /// The kernel's name.
    pub name: &'a str,
    /// Pointers, in the order of the launch's buffers.
    pub buffers: &'a [BufferArgument],
    /// The parameters; 8-byte fields come first.
    pub fields: &'a [Field],
    /// Shared arrays.
    pub shared: &'a [SharedArray],
    /// Work-items of a group in each dimension.
    pub group: [u32; 3],
}

impl Signature<'_> {
    /// The struct of parameters, or nothing when there are none: the same in every dialect.
    pub fn parameters(&self) -> String {
        if self.fields.is_empty() {
            return String::new();
        }
        let fields: String = self
            .fields
            .iter()
            .map(|field| match field.length {
                Some(length) => format!(" {} {}[{}];", field.ctype, field.name, length.max(1)),
                None => format!(" {} {};", field.ctype, field.name),
            })
            .collect();
        format!("typedef struct {{{fields} }} Params;\n")
    }

    /// The arguments as C has them: pointers to the address space `global`, then the parameters by value.
    pub fn arguments(&self, global: &str) -> String {
        let buffers = self.buffers.iter().map(|buffer| {
            let qualifier = if buffer.mutable { "" } else { "const " };
            format!("{global}{qualifier}{} *{}", buffer.element, buffer.name)
        });
        let parameters = (!self.fields.is_empty()).then(|| "const Params p".to_string());
        buffers.chain(parameters).collect::<Vec<_>>().join(", ")
    }

    /// The declarations of the shared arrays, which are in the address space `local`.
    pub fn shared_arrays(&self, local: &str) -> String {
        let declare = |a: &SharedArray| format!("{local} {} {}[{}];\n", a.element, a.name, a.length);
        self.shared.iter().map(declare).collect()
    }
}

/// The language of a device's compiler.
pub trait Dialect: Send + Sync {
    /// Its name, which goes into the cache's keys.
    fn name(&self) -> &'static str;

    /// The definitions of the macros above, but for those of `functions.c`.
    fn prelude(&self) -> &'static str;

    /// What is written where a text says `KERNEL`: `(head, opening)`, where `head` is the kernel's declaration without
    /// the brace, and `opening` what comes right after it (shared arrays, where they are declared inside).
    fn signature(&self, signature: &Signature<'_>) -> (String, String);
}
