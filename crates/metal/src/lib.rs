//! Apple's GPUs.
