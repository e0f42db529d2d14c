//! The tensor: a view of a storage, with a place in the autograd graph.

use std::fmt;
use std::sync::Arc;

use rustorch_backend::memory::{Scratch, gathered};
use rustorch_backend::{
    DType, Device, Dims, Element, Layout, Operand, Scalar, checked_numel, checked_product, volume,
};
use rustorch_error::{Result, RusTorchError};

use crate::autograd::Meta;
use crate::placement::transfer;
use crate::registry;
use crate::storage::Storage;

/// What a tensor shows of its storage.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) storage: Arc<Storage>,
    pub(crate) layout: Layout,
    pub(crate) dtype: DType,
    /// Whether this is a Python number in a tensor's clothes: it yields to tensors in promotion.
    pub(crate) wrapped_number: bool,
}

/// A multi-dimensional array of one dtype on one device, with PyTorch's semantics.
///
/// Cloning gives another handle to the same tensor: same data, same gradient. Several tensors may share a storage (views).
#[derive(Clone)]
pub struct Tensor {
    pub(crate) body: Arc<Body>,
    pub(crate) meta: Arc<Meta>,
}

impl Tensor {
    #[inline]
    pub(crate) fn from_parts(storage: Arc<Storage>, layout: Layout, dtype: DType) -> Self {
        Tensor {
            body: Arc::new(Body { storage, layout, dtype, wrapped_number: false }),
            meta: Arc::new(Meta::default()),
        }
    }

    /// A new tensor of unspecified content, row-major.
    #[inline]
    pub fn empty(shape: &[usize], dtype: DType, device: Device) -> Result<Self> {
        let layout = Layout::contiguous("empty", shape)?;
        let bytes = layout.numel() * dtype.size();
        Ok(Self::from_parts(Arc::new(Storage::allocate(device, bytes)?), layout, dtype))
    }

    /// A tensor over memory that exists. The layout must stay inside the storage.
    pub fn from_storage(storage: Arc<Storage>, layout: Layout, dtype: DType) -> Result<Self> {
        if layout.end_in_bytes(dtype.size()) > storage.buffer().bytes() {
            return Err(RusTorchError::shape(
                "from_storage",
                format!(
                    "{layout:?} of {dtype} reaches beyond the storage's {} bytes",
                    storage.buffer().bytes()
                ),
            ));
        }
        Ok(Self::from_parts(storage, layout, dtype))
    }

    /// A row-major tensor on the CPU from elements in order.
    pub fn from_slice<T: Element>(data: &[T], shape: &[usize]) -> Result<Self> {
        if checked_numel("from_slice", shape)? != data.len() {
            return Err(RusTorchError::shape(
                "from_slice",
                format!("{} elements do not make a tensor of shape {shape:?}", data.len()),
            ));
        }
        let tensor = Self::empty(shape, T::DTYPE, Device::CPU)?;
        tensor.backend()?.write(tensor.storage().buffer(), 0, element_bytes(data))?;
        Ok(tensor)
    }

    /// As [`Self::from_slice`], on any device.
    pub fn from_slice_on<T: Element>(device: Device, data: &[T], shape: &[usize]) -> Result<Self> {
        crate::operations::creation::moved(&Self::from_slice(data, shape)?, device)
    }

    /// A 0-d tensor.
    pub fn scalar(value: Scalar, dtype: DType, device: Device) -> Result<Self> {
        let tensor = Self::empty(&[], dtype, device)?;
        tensor.backend()?.fill(tensor.operand(), value)?;
        Ok(tensor)
    }

    /// A 0-d tensor that stands for a Python number: it yields to tensors of its category in promotion.
    pub fn number(value: impl Into<Scalar>) -> Result<Self> {
        let value = value.into();
        let dtype = match value {
            Scalar::Bool(_) => DType::Bool,
            Scalar::Int(_) => DType::Int64,
            Scalar::Float(_) => DType::Float64,
            Scalar::Complex(..) => DType::Complex128,
        };
        let tensor = Self::scalar(value, dtype, Device::CPU)?;
        let layout = tensor.layout().clone();
        let body = Body { storage: tensor.body.storage.clone(), layout, dtype, wrapped_number: true };
        Ok(Tensor { body: Arc::new(body), meta: tensor.meta })
    }

    /// Another view of the same storage, without history.
    #[inline]
    pub(crate) fn alias(&self, layout: Layout) -> Self {
        Self::from_parts(self.body.storage.clone(), layout, self.body.dtype)
    }

    /// As [`Self::alias`], of another dtype: a complex number's parts, or the number that two parts are.
    #[inline]
    pub(crate) fn alias_as(&self, layout: Layout, dtype: DType) -> Self {
        Self::from_parts(self.body.storage.clone(), layout, dtype)
    }

    /// The same data without history, as a tensor of its own.
    pub fn detach(&self) -> Self {
        Tensor { body: self.body.clone(), meta: Arc::new(Meta::default()) }
    }

    /// The same data without history, and with a count of writes of its own: what `x.data` means. Writing to it goes
    /// unnoticed by what has been saved for a backward pass.
    pub fn data(&self) -> Self {
        Self::from_parts(self.body.storage.recounted(), self.body.layout.clone(), self.body.dtype)
    }

    /// The same tensor (gradient, hooks, history) showing another tensor's data: what `x.data = y` means.
    pub fn with_data(&self, data: &Tensor) -> Self {
        let same =
            self.shape() == data.shape() && self.dtype() == data.dtype() && self.device() == data.device();
        self.meta.show(&data.body, same);
        Tensor { body: data.body.clone(), meta: self.meta.clone() }
    }

    /// The same tensor showing its elements in other places, as a view of it does.
    pub(crate) fn with_layout_of(&self, view: &Tensor) -> Self {
        self.meta.show(&view.body, false);
        Tensor { body: view.body.clone(), meta: self.meta.clone() }
    }

    /// The same tensor with another shape, row-major from its first element on: what `x.resize_(shape)` means. The
    /// storage stays where it is large enough; else its content moves to a larger one, which views do not follow.
    pub fn resized(&self, shape: &[usize]) -> Result<Tensor> {
        let layout = Layout::contiguous("resize_", shape)?.at_offset("resize_", self.layout().offset())?;
        let bytes = layout.end_in_bytes(self.dtype().size());
        let held = self.storage().buffer().bytes();
        let storage = if bytes <= held {
            self.storage().clone()
        } else {
            let larger = Storage::allocate(self.device(), bytes)?;
            let backend = self.backend()?;
            let mut content = Scratch::filled(held, 0_u8)?;
            backend.read(self.storage().buffer(), 0, &mut content)?;
            backend.write(larger.buffer(), 0, &content)?;
            Arc::new(larger)
        };
        Ok(self.with_data(&Self::from_parts(storage, layout, self.dtype())))
    }

    /// Whether two handles name the same tensor.
    pub fn is_same(&self, other: &Tensor) -> bool {
        Arc::ptr_eq(&self.meta, &other.meta)
    }

    /// Sizes.
    #[inline]
    pub fn shape(&self) -> &[usize] {
        self.body.layout.shape()
    }

    /// Strides, in elements.
    #[inline]
    pub fn strides(&self) -> &[isize] {
        self.body.layout.strides()
    }

    /// Shape, strides and offset.
    #[inline]
    pub fn layout(&self) -> &Layout {
        &self.body.layout
    }

    /// The number of dimensions.
    #[inline]
    pub fn ndim(&self) -> usize {
        self.body.layout.ndim()
    }

    /// The number of elements.
    #[inline]
    pub fn numel(&self) -> usize {
        self.body.layout.numel()
    }

    /// The element type.
    #[inline]
    pub fn dtype(&self) -> DType {
        self.body.dtype
    }

    /// Where the data is.
    #[inline]
    pub fn device(&self) -> Device {
        self.body.storage.device()
    }

    /// The memory, shared with views.
    #[inline]
    pub fn storage(&self) -> &Arc<Storage> {
        &self.body.storage
    }

    /// Whether the elements lie in row-major order without gaps.
    #[inline]
    pub fn is_contiguous(&self) -> bool {
        self.body.layout.is_contiguous()
    }

    /// Whether this stands for a Python number.
    #[inline]
    pub fn is_wrapped_number(&self) -> bool {
        self.body.wrapped_number
    }

    /// This tensor, or the tensor of its own that a number is: of the default dtype where it is not an integer.
    pub fn without_number(self) -> Result<Self> {
        if !self.is_wrapped_number() {
            return Ok(self);
        }
        Self::scalar(self.item()?, crate::result_type(&[&self]), self.device())
    }

    /// What kernels see.
    #[inline]
    pub fn operand(&self) -> Operand<'_> {
        Operand { buffer: self.body.storage.buffer(), layout: &self.body.layout, dtype: self.body.dtype }
    }

    /// The backend of this tensor's device.
    #[inline]
    pub fn backend(&self) -> Result<registry::Backend> {
        registry::backend(self.device())
    }

    /// The elements in row-major order, converted to `T`.
    pub fn to_vec<T: Element>(&self) -> Result<Vec<T>> {
        let dense = Self::empty(self.shape(), T::DTYPE, Device::CPU)?;
        transfer(self, self.layout(), &dense, false)?;
        let mut bytes = Scratch::filled(dense.storage().buffer().bytes(), 0_u8)?;
        dense.backend()?.read(dense.storage().buffer(), 0, &mut bytes)?;
        gathered(bytes.chunks_exact(T::DTYPE.size()).map(|bytes| Ok(element_from_bytes(bytes))))
    }

    /// The value of a tensor of one element.
    pub fn item(&self) -> Result<Scalar> {
        if self.numel() != 1 {
            return Err(RusTorchError::shape(
                "item",
                format!(
                    "a tensor of shape {:?} has {} elements; only one element can become a number",
                    self.shape(),
                    self.numel()
                ),
            ));
        }
        let mut bytes = [0u8; 16];
        let size = self.dtype().size();
        self.backend()?.read(self.storage().buffer(), self.layout().offset() * size, &mut bytes[..size])?;
        let float = |b: &[u8]| element_from_bytes::<f32>(b) as f64;
        Ok(match self.dtype() {
            DType::Complex64 => Scalar::Complex(float(&bytes[..4]), float(&bytes[4..8])),
            DType::Complex128 => {
                Scalar::Complex(element_from_bytes(&bytes[..8]), element_from_bytes(&bytes[8..16]))
            }
            dtype => {
                rustorch_backend::with_element!(dtype, T => element_from_bytes::<T>(&bytes[..size]).to_scalar(), else Scalar::Int(0))
            }
        })
    }

    /// This tensor's layout broadcast to `shape`, sharing data, without history.
    pub(crate) fn broadcast_layout(&self, op: &'static str, shape: &[usize]) -> Result<Layout> {
        self.layout().broadcast_to(op, shape)
    }

    /// The dimension that `dim` names, counted from the end when negative.
    #[inline]
    pub fn dim_index(&self, op: &'static str, dim: i64) -> Result<usize> {
        rustorch_backend::normalize_dim(op, dim, self.ndim())
    }
}

/// The bytes of elements, through safe copies: this runs once per creation from host data.
fn element_bytes<T: Element>(data: &[T]) -> &[u8] {
    rustorch_backend::memory::as_bytes(data)
}

fn element_from_bytes<T: Element>(bytes: &[u8]) -> T {
    rustorch_backend::memory::from_bytes(bytes)
}

impl fmt::Debug for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tensor(shape={:?}, dtype={}, device={}", self.shape(), self.dtype(), self.device())?;
        if let Some(name) = self.grad_fn_name() {
            write!(f, ", grad_fn={name}")?;
        } else if self.requires_grad() {
            write!(f, ", requires_grad=True")?;
        }
        f.write_str(")")
    }
}

/// The sizes of a shape argument; one entry may be -1 and is inferred from `numel`.
pub(crate) fn infer_shape(op: &'static str, sizes: &[i64], from: &[usize]) -> Result<Dims<usize>> {
    let numel = checked_product(op, from)?;
    let fail = || {
        RusTorchError::shape(
            op,
            format!("shape {sizes:?} is invalid for a tensor of shape {from:?}, which has {numel} elements"),
        )
    };
    let mut hole = None;
    let mut shape: Dims<usize> = Dims::new();
    for (i, &size) in sizes.iter().enumerate() {
        match size {
            -1 if hole.is_none() => {
                hole = Some(i);
                shape.push(1);
            }
            -1 => return Err(RusTorchError::shape(op, format!("only one dimension of {sizes:?} can be -1"))),
            size if size < 0 => {
                return Err(RusTorchError::shape(op, format!("{sizes:?} has a negative size")));
            }
            size => {
                shape.push(size as usize);
            }
        }
    }
    // Of an absurd shape `usize::MAX`, which is no number of elements.
    let mut known = volume(&shape);
    if let Some(i) = hole {
        if known == 0 {
            return Err(RusTorchError::shape(
                op,
                format!("cannot infer the -1 of {sizes:?} for a tensor of 0 elements: any size would do"),
            ));
        }
        shape[i] = numel / known;
        known *= shape[i];
    }
    if known == numel { Ok(shape) } else { Err(fail()) }
}
