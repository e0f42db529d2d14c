//! Streams by their numbers.

/// A stream of a device: work on it is done in order. Streams live as long as the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct StreamId(pub u32);

impl StreamId {
    /// The stream that is current until another is chosen.
    pub const DEFAULT: StreamId = StreamId(0);
}
