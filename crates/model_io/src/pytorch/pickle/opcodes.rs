//! What each opcode does. docs.python.org names them in the module pickletools.

use super::machine::{Machine, Step, dict};
use super::{Input, strings};
use crate::tree::{DictKind, Id, Node};

/// The newest protocol.
const PROTOCOL: u8 = 5;

impl Machine<'_> {
    /// Runs an opcode; gives the whole where it was the last one.
    #[allow(clippy::too_many_lines, reason = "a table, with an arm per case")]
    pub(super) fn step(&mut self, input: &mut Input<'_>) -> Step<Option<Id>> {
        match input.byte()? {
            b'(' => self.mark()?,
            b'.' => return self.pop().map(Some),
            b'0' => {
                if self.marks.last() == Some(&self.stack.len()) {
                    self.marks.pop();
                } else {
                    self.pop()?;
                }
            }
            b'1' => drop(self.pop_mark()?),
            b'2' => {
                let top = self.top()?;
                self.push_id(top)?;
            }
            b'N' => self.push(Node::None)?,
            0x88 => self.push(Node::Bool(true))?,
            0x89 => self.push(Node::Bool(false))?,
            b'I' => {
                let line = input.line()?;
                self.push(strings::int_line(&line)?)?;
            }
            b'L' => {
                let line = input.line()?;
                self.push(strings::long_line(&line)?)?;
            }
            b'F' => {
                let line = input.line()?;
                self.push(Node::Float(strings::float_line(&line)?))?;
            }
            b'J' => {
                let bytes = input.array()?;
                self.push(Node::Int(i64::from(i32::from_le_bytes(bytes))))?;
            }
            b'K' => {
                let byte = input.byte()?;
                self.push(Node::Int(i64::from(byte)))?;
            }
            b'M' => {
                let bytes = input.array()?;
                self.push(Node::Int(i64::from(u16::from_le_bytes(bytes))))?;
            }
            0x8a => {
                let count = u64::from(input.byte()?);
                let bytes = input.bytes(count, "an integer")?;
                self.push(strings::integer(bytes))?;
            }
            0x8b => {
                let count = length(i32::from_le_bytes(input.array()?))?;
                let bytes = input.bytes(count, "an integer")?;
                self.push(strings::integer(bytes))?;
            }
            b'G' => {
                let bytes = input.array()?;
                self.push(Node::Float(f64::from_be_bytes(bytes)))?;
            }
            b'S' => {
                let line = input.line()?;
                self.push(strings::quoted(&line)?)?;
            }
            b'T' => {
                let count = length(i32::from_le_bytes(input.array()?))?;
                let bytes = input.bytes(count, "a text")?;
                self.push(strings::old_text(bytes)?)?;
            }
            b'U' => {
                let count = u64::from(input.byte()?);
                let bytes = input.bytes(count, "a text")?;
                self.push(strings::old_text(bytes)?)?;
            }
            b'V' => {
                let line = input.line()?;
                self.push(strings::escaped(&line)?)?;
            }
            b'X' => {
                let count = u64::from(u32::from_le_bytes(input.array()?));
                self.push_text(input, count)?;
            }
            0x8c => {
                let count = u64::from(input.byte()?);
                self.push_text(input, count)?;
            }
            0x8d => {
                let count = u64::from_le_bytes(input.array()?);
                self.push_text(input, count)?;
            }
            b'B' => {
                let count = u64::from(u32::from_le_bytes(input.array()?));
                let bytes = input.bytes(count, "bytes")?;
                self.push(Node::Bytes(bytes.into()))?;
            }
            b'C' => {
                let count = u64::from(input.byte()?);
                let bytes = input.bytes(count, "bytes")?;
                self.push(Node::Bytes(bytes.into()))?;
            }
            0x8e => {
                let count = u64::from_le_bytes(input.array()?);
                let bytes = input.bytes(count, "bytes")?;
                self.push(Node::Bytes(bytes.into()))?;
            }
            0x96 => {
                let count = u64::from_le_bytes(input.array()?);
                let bytes = input.bytes(count, "a bytearray")?;
                self.push(Node::ByteArray(bytes.into()))?;
            }
            b']' => self.push(Node::List(Vec::new()))?,
            b'l' => {
                let items = self.pop_mark()?;
                self.push(Node::List(items))?;
            }
            b'a' => {
                let value = self.pop()?;
                let list = self.top()?;
                self.append(list, &[value])?;
            }
            b'e' => {
                let values = self.pop_mark()?;
                let list = self.top()?;
                self.append(list, &values)?;
            }
            b')' => self.push_tuple(Vec::new())?,
            b't' => {
                let items = self.pop_mark()?;
                self.push_tuple(items)?;
            }
            size @ 0x85..=0x87 => {
                let mut items = Vec::new();
                for _ in 0x84..size {
                    items.push(self.pop()?);
                }
                items.reverse();
                self.push_tuple(items)?;
            }
            b'}' => self.push(dict(DictKind::Plain))?,
            b'd' => {
                let flat = self.pop_mark()?;
                self.push(dict(DictKind::Plain))?;
                let made = self.top()?;
                self.set_items(made, &flat)?;
            }
            b's' => {
                let value = self.pop()?;
                let key = self.pop()?;
                let target = self.top()?;
                self.set_items(target, &[key, value])?;
            }
            b'u' => {
                let flat = self.pop_mark()?;
                let target = self.top()?;
                self.set_items(target, &flat)?;
            }
            0x8f => self.push(Node::Set(Vec::new()))?,
            0x90 => {
                let values = self.pop_mark()?;
                let set = self.top()?;
                self.add_items(set, &values)?;
            }
            0x91 => {
                let values = self.pop_mark()?;
                let made = self.frozen(values)?;
                self.push(made)?;
            }
            b'g' => {
                let index = strings::memo_index(&input.line()?)?;
                self.recall(index)?;
            }
            b'h' => {
                let index = u64::from(input.byte()?);
                self.recall(index)?;
            }
            b'j' => {
                let index = u64::from(u32::from_le_bytes(input.array()?));
                self.recall(index)?;
            }
            b'p' => {
                let index = strings::memo_index(&input.line()?)?;
                self.remember(index)?;
            }
            b'q' => {
                let index = u64::from(input.byte()?);
                self.remember(index)?;
            }
            b'r' => {
                let index = u64::from(u32::from_le_bytes(input.array()?));
                self.remember(index)?;
            }
            0x94 => self.remember(self.memo.len() as u64)?,
            b'c' => {
                let (module, name) = (input.line()?, input.line()?);
                let found = self.global(&strings::name(&module)?, &strings::name(&name)?)?;
                self.push_id(found)?;
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let text = |id| self.tree.text(id).map(str::to_owned);
                let (Some(module), Some(name)) = (text(module), text(name)) else {
                    return Err("STACK_GLOBAL without two texts".into());
                };
                let found = self.global(&module, &name)?;
                self.push_id(found)?;
            }
            b'R' => {
                let (arguments, callee) = (self.pop()?, self.pop()?);
                self.call(callee, arguments, None, false)?;
            }
            0x81 => {
                let (arguments, class) = (self.pop()?, self.pop()?);
                self.call(class, arguments, None, true)?;
            }
            0x92 => {
                let (named, arguments, class) = (self.pop()?, self.pop()?, self.pop()?);
                self.call(class, arguments, Some(named), true)?;
            }
            b'i' => {
                let (module, name) = (input.line()?, input.line()?);
                let class = self.global(&strings::name(&module)?, &strings::name(&name)?)?;
                let items = self.pop_mark()?;
                self.call_with(class, items)?;
            }
            b'o' => {
                let mut items = self.pop_mark()?;
                if items.is_empty() {
                    return Err("OBJ without a class".into());
                }
                let class = items.remove(0);
                self.call_with(class, items)?;
            }
            b'b' => {
                let state = self.pop()?;
                let target = self.top()?;
                self.build(target, state)?;
            }
            b'Q' => {
                let description = self.pop()?;
                self.persistent_id(description)?;
            }
            b'P' => {
                let line = strings::name(&input.line()?)?;
                self.push(Node::Text(line.into()))?;
                let description = self.pop()?;
                self.persistent_id(description)?;
            }
            0x80 => {
                let protocol = input.byte()?;
                if protocol > PROTOCOL {
                    return Err(format!("pickle protocol {protocol}; the newest is {PROTOCOL}").into());
                }
            }
            0x95 => {
                let count = u64::from_le_bytes(input.array()?);
                input.expect(count, "a frame")?;
            }
            opcode @ 0x82..=0x84 => {
                return Err(
                    format!("opcode {opcode:#04x} (EXT) names code of a registry, which is not run").into()
                );
            }
            opcode @ 0x97..=0x98 => {
                return Err(format!("opcode {opcode:#04x} wants a buffer from outside of the file").into());
            }
            opcode => {
                return Err(
                    format!("{opcode:#04x} is no opcode of pickle; the file may be another format").into()
                );
            }
        }
        Ok(None)
    }

    fn push_text(&mut self, input: &mut Input<'_>, count: u64) -> Step<()> {
        let bytes = input.bytes(count, "a text")?;
        self.push(strings::text(bytes)?)
    }
}

/// A length that is not negative.
fn length(count: i32) -> Step<u64> {
    u64::try_from(count).map_err(|_| format!("a length of {count}").into())
}
