//! What a kernel's fields hold of operands.

use smallvec::SmallVec;

/// A few operands; on the stack for most kernels.
pub type List<O> = SmallVec<[O; 4]>;

/// A field that holds operands: one, one or none, a list of them, or a struct with some.
pub trait Operands<O> {
    /// The same field with operands of another type.
    type Of<P>;

    /// Shows each, in order.
    fn each<'k>(&'k self, see: &mut impl FnMut(&'k O))
    where
        O: 'k;

    /// Puts another in each one's place; they are asked for in the order of [`Self::each`].
    fn map<P>(&self, map: &mut impl FnMut(&O) -> P) -> Self::Of<P>;
}

impl<O> Operands<O> for O {
    type Of<P> = P;

    #[inline]
    fn each<'k>(&'k self, see: &mut impl FnMut(&'k O))
    where
        O: 'k,
    {
        see(self);
    }

    #[inline]
    fn map<P>(&self, map: &mut impl FnMut(&O) -> P) -> P {
        map(self)
    }
}

impl<O> Operands<O> for Option<O> {
    type Of<P> = Option<P>;

    #[inline]
    fn each<'k>(&'k self, see: &mut impl FnMut(&'k O))
    where
        O: 'k,
    {
        self.iter().for_each(see);
    }

    #[inline]
    fn map<P>(&self, map: &mut impl FnMut(&O) -> P) -> Option<P> {
        self.as_ref().map(map)
    }
}

impl<O> Operands<O> for List<O> {
    type Of<P> = List<P>;

    #[inline]
    fn each<'k>(&'k self, see: &mut impl FnMut(&'k O))
    where
        O: 'k,
    {
        self.iter().for_each(see);
    }

    #[inline]
    fn map<P>(&self, map: &mut impl FnMut(&O) -> P) -> List<P> {
        self.iter().map(map).collect()
    }
}
