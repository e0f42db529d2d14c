//! Gradients that are more than one expression. All are made of ops, so they differentiate again; some have a faster
//! kernel for a pass whose result is not recorded.

mod attention;
mod complex;
mod convolution;
mod decomposition;
mod fourier;
mod indexing;
mod interpolation;
mod norm;
mod normalization;
mod padding;
mod reduction;
mod scatter;
mod shape;
mod solver;
mod strided;

pub use attention::attention_backward;
pub use complex::{angle_grad, join_parts, sgn_grad};
pub use convolution::{
    avg_pool_grad, avg_pool_of_shape, convolution_grad_input, convolution_grad_weight, gather_pooled,
    linear_weight_grad, max_pool_grad, patches_grad, sum_channels, weighted_gather_grad_input,
};
pub use decomposition::{cholesky_grad, eigen_grad, lu_grad, qr_grad, svd_grad};
pub use fourier::{fourier_complex_grad, fourier_from_real_grad, fourier_to_real_grad};
pub use indexing::{
    copy_backward, embedding_grad, index_add_grad, index_backward, index_write_backward, scatter_sum_grad,
};
pub use interpolation::{interpolate_again, interpolate_grad};
pub use norm::{euclidean_distances_grad, vector_norm_grad};
pub use normalization::{log_softmax_grad, normalize_grad_input, normalize_grad_weight, softmax_grad};
pub use padding::{constant_pad_grad, pad_from_inside_grad};
pub use reduction::{
    cumprod_grad, evenly_distributed_grad, expand_reduced, extremum_grad, logcumsumexp_grad, mean_grad,
    prod_grad, reverse_cumsum, select_reduced_grad, std_grad, var_grad,
};
pub use scatter::{
    scatter_extremum_grad_input, scatter_extremum_grad_src, scatter_prod_grad_input, scatter_prod_grad_src,
    scatter_src_grad,
};
pub use shape::{
    cat_grad, diagonal_grad, diagonal_scatter_grad, inverse_permute, reshape_as_shape, select_grad,
    select_scatter_grad, slice_grad, slice_scatter_grad, slice_scatter_src_grad, unfold_grad,
};
pub use solver::{
    cholesky_solve_grad, det_grad, log_abs_det_grad, pinv_grad, solution_grad_a, solution_grad_b,
    triangular_grad_a, triangular_grad_b,
};
pub use strided::as_strided_node;
