//! What is checked of numbers in files before anything is computed or allocated with them.

use rustorch_backend::{Dims, Layout, Shape};

use super::conversion::ElementType;

/// The most elements that a tensor may have.
const MOST: u128 = i64::MAX as u128;

/// How a tensor lies in a storage, in elements, as a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// The dimensions' sizes.
    pub sizes: Box<[u64]>,
    /// Steps between neighbours along each dimension.
    pub strides: Box<[u64]>,
    /// Where the first element is.
    pub offset: u64,
}

impl Placement {
    /// How many elements there are; an error where that is more than can be counted.
    pub fn numel(&self) -> Result<u64, String> {
        let mut product = 1_u128;
        for &size in &self.sizes {
            // As a product with 0 is 0 whatever comes before it, that is looked at last.
            product = product.saturating_mul(u128::from(size.max(1)));
        }
        if self.sizes.contains(&0) {
            return Ok(0);
        }
        if product > MOST {
            return Err(format!("a tensor of size {:?} has more elements than can be counted", self.sizes));
        }
        Ok(product as u64)
    }

    /// The layout of the elements in a storage of `bytes` bytes.
    ///
    /// # Errors
    /// They do not all lie in it, or are more than can be counted; the text says why.
    pub fn layout(&self, element: ElementType, bytes: u64) -> Result<Layout, String> {
        let Placement { sizes, strides, offset } = self;
        if sizes.len() != strides.len() {
            return Err(format!("a tensor of {} dimensions has {} strides", sizes.len(), strides.len()));
        }
        let numel = self.numel()?;
        let steps = sizes.iter().zip(strides);
        let last = steps.fold(u128::from(*offset), |at, (&size, &stride)| {
            at.saturating_add(u128::from(size.saturating_sub(1)) * u128::from(stride))
        });
        let end = last.saturating_add(1).saturating_mul(element.size() as u128);
        if numel > 0 && end > u128::from(bytes) {
            return Err(format!(
                "a tensor of size {sizes:?}, strides {strides:?}, offset {offset} and dtype {element} reaches beyond its \
                 storage of {bytes} bytes"
            ));
        }
        let fits = |n: &u64| usize::try_from(*n).ok();
        let shape: Option<Shape> = sizes.iter().map(fits).collect();
        let steps: Option<Dims<isize>> = strides.iter().map(|n| isize::try_from(*n).ok()).collect();
        match (shape, steps, fits(offset)) {
            (Some(shape), Some(steps), Some(offset)) => {
                Layout::new("load", shape, steps, offset).map_err(|error| error.to_string())
            }
            _ => Err(format!(
                "a tensor of size {sizes:?} and strides {strides:?} fits no memory; a size overflows"
            )),
        }
    }
}

/// What the values in a file may take, counted as they are made.
#[derive(Debug)]
pub struct Budget {
    left: u64,
}

impl Budget {
    /// For values alone, so that files of small values open whatever they hold.
    const LEAST: u64 = 64 << 20;
    /// How many bytes of memory a byte of a file may become. An empty list is one byte, and 32 in memory.
    const PER_BYTE: u64 = 16;

    /// What a file of that length may take.
    pub fn of(length: u64) -> Self {
        Budget { left: Self::LEAST.saturating_add(length.saturating_mul(Self::PER_BYTE)) }
    }

    /// Takes `bytes` of it; whether there were as many.
    #[must_use]
    pub fn take(&mut self, bytes: usize) -> bool {
        let left = self.left.checked_sub(bytes as u64);
        self.left = left.unwrap_or(0);
        left.is_some()
    }
}
