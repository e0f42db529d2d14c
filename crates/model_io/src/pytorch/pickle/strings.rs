//! Texts and numbers as pickles write them.

use super::machine::Step;
use crate::tree::Node;

/// The most digits of an integer in text, as Python's own limit: more take a time that grows with their square.
const MOST_DIGITS: usize = 4300;

/// An integer in two's complement, the lowest byte first.
pub(super) fn integer(mut bytes: Vec<u8>) -> Node {
    // The last byte says nothing where it repeats the sign of the one before.
    while let [.., before, last] = bytes[..] {
        if last != if before < 0x80 { 0 } else { 0xff } {
            break;
        }
        bytes.pop();
    }
    if bytes.len() > size_of::<i64>() {
        return Node::BigInt(bytes.into());
    }
    let sign = if bytes.last().is_some_and(|&last| last >= 0x80) { 0xff } else { 0 };
    let mut word = [sign; size_of::<i64>()];
    word[..bytes.len()].copy_from_slice(&bytes);
    Node::Int(i64::from_le_bytes(word))
}

/// An integer of the protocol in text, of which `00` and `01` are False and True.
pub(super) fn int_line(line: &[u8]) -> Step<Node> {
    match line {
        b"00" => Ok(Node::Bool(false)),
        b"01" => Ok(Node::Bool(true)),
        line => decimal(line),
    }
}

/// An integer of the protocol in text, which may end in `L`.
pub(super) fn long_line(line: &[u8]) -> Step<Node> {
    decimal(line.strip_suffix(b"L").unwrap_or(line))
}

fn decimal(line: &[u8]) -> Step<Node> {
    if line.len() > MOST_DIGITS {
        return Err(format!("an integer of {} digits; the limit is {MOST_DIGITS}", line.len()).into());
    }
    let text = std::str::from_utf8(line).map_err(|_| "an integer that is no text")?.trim();
    if let Ok(number) = text.parse::<i64>() {
        return Ok(Node::Int(number));
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(format!("{text:?} is no integer").into());
    }
    let mut bytes: Vec<u8> = Vec::new();
    for digit in digits.bytes() {
        let mut carry = u16::from(digit - b'0');
        for byte in &mut bytes {
            carry += u16::from(*byte) * 10;
            *byte = carry as u8;
            carry >>= 8;
        }
        if carry > 0 {
            bytes.push(carry as u8);
        }
    }
    bytes.push(0);
    if negative {
        let mut carry = true;
        for byte in &mut bytes {
            let (next, over) = (!*byte).overflowing_add(u8::from(carry));
            *byte = next;
            carry = over;
        }
    }
    Ok(integer(bytes))
}

/// A number of the protocol in text.
pub(super) fn float_line(line: &[u8]) -> Step<f64> {
    let text = std::str::from_utf8(line).map_err(|_| "a number that is no text")?.trim();
    text.parse().map_err(|_| format!("{text:?} is no number").into())
}

/// An index of the memo in text.
pub(super) fn memo_index(line: &[u8]) -> Step<u64> {
    let text = std::str::from_utf8(line).map_err(|_| "a number of the memo that is no text")?;
    text.trim().parse().map_err(|_| format!("{text:?} is no number of the memo").into())
}

/// A name in a line.
pub(super) fn name(line: &[u8]) -> Step<String> {
    String::from_utf8(line.into()).map_err(|_| "a name that is not UTF-8".into())
}

/// A text in UTF-8, in which halves of surrogate pairs may stand.
pub(super) fn text(bytes: Vec<u8>) -> Step<Node> {
    let bytes = match String::from_utf8(bytes) {
        Ok(text) => return Ok(Node::Text(text.into())),
        Err(error) => error.into_bytes(),
    };
    // A half is three bytes, ED A0..BF xx; with each replaced by another character, the rest has to be UTF-8.
    let mut rest = &bytes[..];
    loop {
        match std::str::from_utf8(rest) {
            Ok(_) => return Ok(Node::Surrogates(bytes.into())),
            Err(error) => match rest[error.valid_up_to()..] {
                [0xed, 0xa0..=0xbf, 0x80..=0xbf, ..] => rest = &rest[error.valid_up_to() + 3..],
                _ => return Err("a text that is not UTF-8".into()),
            },
        }
    }
}

/// A text of Python 2.
pub(super) fn old_text(bytes: Vec<u8>) -> Step<Node> {
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Node::Text(text.into())),
        Err(_) => Err("a text of Python 2 that is not UTF-8".into()),
    }
}

/// A text of the protocol in text: in quotes, with Python's escapes.
pub(super) fn quoted(line: &[u8]) -> Step<Node> {
    let inside = match line {
        [open @ (b'"' | b'\''), inside @ .., close] if open == close => inside,
        _ => return Err("a text without its quotes".into()),
    };
    let mut bytes = Vec::new();
    let mut rest = inside.iter().copied();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        match rest.next() {
            Some(b'n') => bytes.push(b'\n'),
            Some(b't') => bytes.push(b'\t'),
            Some(b'r') => bytes.push(b'\r'),
            Some(same @ (b'\\' | b'\'' | b'"')) => bytes.push(same),
            Some(b'x') => {
                let digits = [rest.next(), rest.next()].map(|d| d.and_then(|d| (d as char).to_digit(16)));
                let [Some(high), Some(low)] = digits else {
                    return Err("a text with an escape that is none".into());
                };
                bytes.push((high * 16 + low) as u8);
            }
            _ => return Err("a text with an escape that is none".into()),
        }
    }
    old_text(bytes)
}

/// A text of the protocol in text: Latin-1, with `\u` and `\U` for what is not in it.
pub(super) fn escaped(line: &[u8]) -> Step<Node> {
    let mut text = String::new();
    let mut rest = line;
    while let [first, after @ ..] = rest {
        let digits = match after.first() {
            Some(b'u') if *first == b'\\' => 4,
            Some(b'U') if *first == b'\\' => 8,
            _ => {
                text.push(char::from(*first));
                rest = after;
                continue;
            }
        };
        let code = after.get(1..=digits).and_then(|code| std::str::from_utf8(code).ok());
        let code = code.and_then(|code| u32::from_str_radix(code, 16).ok()).and_then(char::from_u32);
        text.push(code.ok_or("a text with an escape that is no character")?);
        rest = &after[1 + digits..];
    }
    Ok(Node::Text(text.into()))
}
