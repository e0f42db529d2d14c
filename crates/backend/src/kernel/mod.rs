//! The kernels as values: what is computed, with which parameters, from and into which operands.
//!
//! A file per family, as in the backends. A kernel is a struct, made by [`kernel!`]: its parameters and its operands stand
//! there, once, with what they mean. [`Kernel`] is any of them. `O` is an [`Operand`] when it runs; a recorder keeps something
//! else in its place ([`Kernel::map_operands`]).

mod operands;

use crate::operand::Operand;

pub use operands::{List, Operands};

/// Declares a kernel: its documentation, the name under which errors and counters know it, its parameters, the operands
/// that it reads, those that it changes, and those that it fills without having read them.
///
/// Operands are fields of type `O`, `Option<O>`, [`List<O>`](List), or another that is [`Operands`].
macro_rules! kernel {
    (
        $(#[$documentation:meta])*
        $Kernel:ident, $name:literal {
            $($(#[$parameter_documentation:meta])* $parameter:ident: $parameter_type:ty,)*
        }
        $(reads { $($(#[$read_documentation:meta])* $read:ident: $read_type:ty,)* })?
        $(updates { $($(#[$updated_documentation:meta])* $updated:ident: $updated_type:ty,)* })?
        $(writes { $($(#[$written_documentation:meta])* $written:ident: $written_type:ty,)* })?
    ) => {
        $(#[$documentation])*
        #[derive(Debug, Clone)]
        pub struct $Kernel<O> {
            $($(#[$parameter_documentation])* pub $parameter: $parameter_type,)*
            $($($(#[$read_documentation])* pub $read: $read_type,)*)?
            $($($(#[$updated_documentation])* pub $updated: $updated_type,)*)?
            $($($(#[$written_documentation])* pub $written: $written_type,)*)?
        }

        impl<O> $Kernel<O> {
            /// The name in errors and counters.
            pub const NAME: &'static str = $name;

            #[inline]
            pub(super) fn each_read<'k>(&'k self, _see: &mut impl FnMut(&'k O)) {
                $($($crate::kernel::operands::Operands::<O>::each(&self.$read, _see);)*)?
            }

            #[inline]
            pub(super) fn each_updated<'k>(&'k self, _see: &mut impl FnMut(&'k O)) {
                $($($crate::kernel::operands::Operands::<O>::each(&self.$updated, _see);)*)?
            }

            #[inline]
            pub(super) fn each_filled<'k>(&'k self, _see: &mut impl FnMut(&'k O)) {
                $($($crate::kernel::operands::Operands::<O>::each(&self.$written, _see);)*)?
            }

            pub(super) fn map_operands<P>(&self, map: &mut impl FnMut(&O) -> P) -> $Kernel<P> {
                $Kernel {
                    $($parameter: self.$parameter.clone(),)*
                    $($($read: $crate::kernel::operands::Operands::<O>::map(&self.$read, map),)*)?
                    $($($updated: $crate::kernel::operands::Operands::<O>::map(&self.$updated, map),)*)?
                    $($($written: $crate::kernel::operands::Operands::<O>::map(&self.$written, map),)*)?
                }
            }
        }
    };
}

/// Makes [`Kernel`] of the families' kernels.
macro_rules! kernels {
    ($($family:ident: $($Kernel:ident)*;)*) => {
        $(mod $family;)*
        $(pub use $family::*;)*

        /// A kernel with its parameters and operands.
        // It lives on the stack, for the time of a call.
        #[allow(clippy::large_enum_variant)]
        #[derive(Debug, Clone)]
        pub enum Kernel<O> {
            $($(#[doc = concat!("See [`", stringify!($Kernel), "`](struct@", stringify!($Kernel), ").")]
            $Kernel($Kernel<O>),)*)*
        }

        impl<O> Kernel<O> {
            /// Which kernel it is.
            pub fn kind(&self) -> &'static str {
                match self {
                    $($(Kernel::$Kernel(_) => $Kernel::<O>::NAME,)*)*
                }
            }

            /// Shows each operand that is read.
            #[inline]
            pub fn each_read<'k>(&'k self, mut see: impl FnMut(&'k O)) {
                match self {
                    $($(Kernel::$Kernel(kernel) => {
                        kernel.each_read(&mut see);
                        kernel.each_updated(&mut see);
                    })*)*
                }
            }

            /// Shows each operand that is written; some of them were read before.
            #[inline]
            pub fn each_written<'k>(&'k self, mut see: impl FnMut(&'k O)) {
                match self {
                    $($(Kernel::$Kernel(kernel) => {
                        kernel.each_updated(&mut see);
                        kernel.each_filled(&mut see);
                    })*)*
                }
            }

            /// Shows each operand once.
            #[inline]
            pub fn each_operand<'k>(&'k self, mut see: impl FnMut(&'k O)) {
                match self {
                    $($(Kernel::$Kernel(kernel) => {
                        kernel.each_read(&mut see);
                        kernel.each_updated(&mut see);
                        kernel.each_filled(&mut see);
                    })*)*
                }
            }

            /// The same kernel on other operands; they are asked for in the order of [`Self::each_operand`].
            pub fn map_operands<P>(&self, mut map: impl FnMut(&O) -> P) -> Kernel<P> {
                match self {
                    $($(Kernel::$Kernel(kernel) => Kernel::$Kernel(kernel.map_operands(&mut map)),)*)*
                }
            }
        }

        $($(impl<O> From<$Kernel<O>> for Kernel<O> {
            #[inline]
            fn from(kernel: $Kernel<O>) -> Self {
                Kernel::$Kernel(kernel)
            }
        })*)*
    };
}

kernels! {
    copy: Copy Fill Arange;
    map: Map;
    reduce: Reduce Moments ArgReduce;
    scan: Scan;
    sort: Sort TopK SearchSorted;
    matmul: MatrixMultiply;
    linalg: Factorize SolveTriangular;
    conv: Convolution ConvolutionGradInput ConvolutionGradWeight;
    pool: Pool PoolGrad MaxPoolRegions;
    resample: Resample;
    weighted_gather: WeightedGather WeightedGatherGradInput WeightedGatherGradWeight;
    softmax: Softmax SoftmaxGrad;
    attention: Attention AttentionGrad;
    ctc: CtcLoss CtcLossGrad;
    normalization: Normalize NormalizeGrad;
    index: Gather Scatter IndexRead IndexWrite CountNonzero Nonzero;
    random: Random Sample;
    fourier: FourierTransform;
}

impl<O> Kernel<O> {
    /// The name in errors and counters: of an elementwise program that is one op, the op's.
    pub fn name(&self) -> &'static str {
        match self {
            Kernel::Map(map) => map.program.name(),
            _ => self.kind(),
        }
    }

    /// The operands that are read.
    pub fn reads(&self) -> List<&O> {
        let mut list = List::new();
        self.each_read(|operand| list.push(operand));
        list
    }

    /// The operands that are written; some of them were read before.
    pub fn writes(&self) -> List<&O> {
        let mut list = List::new();
        self.each_written(|operand| list.push(operand));
        list
    }
}

impl Kernel<Operand<'_>> {
    /// The largest number of elements of an operand.
    #[inline]
    pub fn extent(&self) -> usize {
        let mut extent = 0;
        self.each_operand(|operand| extent = extent.max(operand.layout.numel()));
        extent
    }
}
