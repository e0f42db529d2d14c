//! Reading checkpoints: zip archives, the format before them, and tar archives, the oldest.

pub(super) mod archive;
pub(super) mod legacy;
pub(super) mod storages;
pub(super) mod tar;
pub(super) mod zip;
