//! [`Key`]: what tells the texts of kernels apart.

/// Everything that makes a text differ from others: strings and numbers, so written that no two texts have one key.
#[derive(Debug, Default)]
pub(crate) struct Key(Vec<u8>);

impl Key {
    /// The key of a text of which nothing is known yet.
    pub(crate) fn new() -> Self {
        Key(Vec::with_capacity(512))
    }

    /// A string without zeros.
    pub(crate) fn text(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
        self.0.push(0);
    }

    /// A number.
    pub(crate) fn number(&mut self, number: usize) {
        self.0.extend_from_slice(&(number as u64).to_le_bytes());
    }

    /// Bytes of any number.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    /// The bytes.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// What the following describes.
    pub(crate) fn part(&mut self, part: Part) {
        self.0.push(part as u8);
    }
}

/// What a key is made of.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(crate) enum Part {
    Define,
    Positions,
    Inserted,
    Buffer,
    Field,
    Shared,
}
