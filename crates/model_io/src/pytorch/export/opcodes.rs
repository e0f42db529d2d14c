//! Single opcodes: numbers, texts, names, and what is remembered.

use rustorch_error::{Result, RusTorchError};

use super::pickle::Pickler;
use crate::tree::Id;

/// Where small integers end.
const BYTE: i64 = u8::MAX as i64;
const MORE: i64 = BYTE + 1;
const WORD: i64 = u16::MAX as i64;

impl Pickler<'_> {
    /// An opcode with a number, of which there is one for a byte and one for four.
    fn numbered(&mut self, short: u8, long: u8, number: u32) {
        if let Ok(number) = u8::try_from(number) {
            self.bytes.extend([short, number]);
        } else {
            self.bytes.push(long);
            self.bytes.extend(number.to_le_bytes());
        }
    }

    pub(super) fn put(&mut self, index: u32) {
        self.numbered(b'q', b'r', index);
    }

    pub(super) fn get(&mut self, index: u32) {
        self.numbered(b'h', b'j', index);
    }

    pub(super) fn remember(&mut self, id: Id) {
        self.memo.insert(id, self.remembered);
        self.put(self.remembered);
        self.remembered += 1;
    }

    /// A name, in full once.
    pub(super) fn name(&mut self, module: &'static str, name: &str) {
        if let Some(&index) = self.names.get(&(module, name.to_owned())) {
            return self.get(index);
        }
        self.bytes.extend(format!("c{module}\n{name}\n").into_bytes());
        self.names.insert((module, name.to_owned()), self.remembered);
        self.put(self.remembered);
        self.remembered += 1;
    }

    pub(super) fn int(&mut self, number: i64) {
        match number {
            0..=BYTE => self.bytes.extend([b'K', number as u8]),
            MORE..=WORD => {
                self.bytes.push(b'M');
                self.bytes.extend((number as u16).to_le_bytes());
            }
            _ => match i32::try_from(number) {
                Ok(number) => {
                    self.bytes.push(b'J');
                    self.bytes.extend(number.to_le_bytes());
                }
                Err(_) => self.long(&number.to_le_bytes()),
            },
        }
    }

    /// An integer in two's complement.
    pub(super) fn long(&mut self, bytes: &[u8]) {
        self.numbered(0x8a, 0x8b, bytes.len() as u32);
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn text(&mut self, text: &[u8]) -> Result<()> {
        let length = u32::try_from(text.len()).map_err(|_| {
            RusTorchError::argument("save", "a text of 4 GiB or more, which the format does not have")
        })?;
        self.bytes.push(b'X');
        self.bytes.extend(length.to_le_bytes());
        self.bytes.extend_from_slice(text);
        Ok(())
    }

    /// Bytes, as a text that Latin-1 encodes.
    pub(super) fn latin(&mut self, bytes: &[u8]) -> Result<()> {
        let text: String = bytes.iter().map(|&byte| char::from(byte)).collect();
        self.text(text.as_bytes())?;
        self.text(b"latin1")
    }

    /// A tuple of integers.
    pub(super) fn ints(&mut self, numbers: impl Iterator<Item = i64>) {
        self.bytes.push(b'(');
        numbers.for_each(|number| self.int(number));
        self.bytes.push(b't');
    }

    pub(super) fn bool(&mut self, value: bool) {
        self.bytes.push(if value { 0x88 } else { 0x89 });
    }

    pub(super) fn float(&mut self, number: f64) {
        self.bytes.push(b'G');
        self.bytes.extend(number.to_be_bytes());
    }
}
