//! Checkpoints in tar archives, as PyTorch wrote them before version 0.1.10: the members `storages`, `tensors` and `pickle`,
//! and `sys_info` with facts about the machine.

use std::collections::HashMap;

use rustorch_error::Result;

use super::legacy::{Sequence, little_endian};
use crate::common::source::Source;
use crate::common::validation::Placement;
use crate::pytorch::pickle::{Input, Machine, Persistent, Rules, StorageSpec, TensorSpec, Unpickled};
use crate::tree::{Id, Node};

const BLOCK: u64 = 512;

/// The most members that are looked at; a checkpoint has three.
const MOST_MEMBERS: usize = 16;

/// The most dimensions of a tensor.
const MOST_DIMENSIONS: i32 = 64;

/// Whether a file that begins so is a tar archive.
pub(in crate::pytorch) fn recognizes(start: &[u8]) -> bool {
    start.get(257..262) == Some(b"ustar")
}

/// Where the members are: start and end.
fn members(source: &Source<'_>) -> Result<[Option<(u64, u64)>; 4]> {
    const NAMES: [&[u8]; 4] = [b"storages", b"tensors", b"pickle", b"sys_info"];
    let fail = |what: &str| source.error(format!("it is a tar archive {what}"));
    let mut found = [None; 4];
    let mut at = 0;
    for _ in 0..MOST_MEMBERS {
        if at + BLOCK > source.length() {
            break;
        }
        let mut header = [0; BLOCK as usize];
        source.read(at, &mut header)?;
        if header.iter().all(|&byte| byte == 0) {
            break;
        }
        let name = header[..100].split(|&byte| byte == 0).next().unwrap_or_default();
        let kind = header[156];
        let octal = std::str::from_utf8(&header[124..136]).unwrap_or_default();
        let size = u64::from_str_radix(octal.trim_matches(['\0', ' ']), 8)
            .map_err(|_| fail("with a member whose size is no number"))?;
        let start = at + BLOCK;
        if start.checked_add(size).is_none_or(|end| end > source.length()) {
            return Err(fail("with a member that reaches beyond the file; it may be truncated"));
        }
        match kind {
            b'0' | 0 => {
                let name = name.strip_prefix(b"./").unwrap_or(name);
                let Some(index) = NAMES.iter().position(|known| *known == name) else {
                    let name = String::from_utf8_lossy(name).into_owned();
                    return Err(fail(&format!("with the member '{name}', which a checkpoint does not have")));
                };
                if found[index].replace((start, start + size)).is_some() {
                    return Err(fail("with a member twice"));
                }
            }
            // What the archiver notes of the next member.
            b'x' | b'g' | b'5' => {}
            _ => return Err(fail("with a member that is a link or no file")),
        }
        at = start + size.next_multiple_of(BLOCK);
    }
    Ok(found)
}

/// The number that a pickle is.
fn number(machine: &mut Machine<'_>, input: &mut Input<'_>) -> Result<i64> {
    let whole = machine.run(input)?;
    match machine.tree().get(whole) {
        Node::Int(number) => Ok(*number),
        other => Err(input.error(format!("a number is expected, not {}", other.kind()))),
    }
}

/// The three parts of the tuple that a pickle is, the first of them a number.
fn described(machine: &mut Machine<'_>, input: &mut Input<'_>) -> Result<(i64, Id, Id)> {
    let whole = machine.run(input)?;
    let tree = machine.tree();
    match tree.tuple(whole) {
        Some(&[key, second, third]) => match tree.get(key) {
            Node::Int(key) => Ok((*key, second, third)),
            other => Err(input.error(format!("a key is {}, not an int", other.kind()))),
        },
        _ => Err(input.error("a tuple of three is expected")),
    }
}

/// A storage, or a part of one that is known by a key of its own.
#[derive(Clone, Copy)]
struct Known {
    index: u32,
    window: (u64, u64),
}

/// Reads the members, and where the storages are.
pub(in crate::pytorch) fn read<'a>(
    source: &'a Source<'a>,
    rules: &Rules,
) -> Result<(Unpickled, Sequence<'a>)> {
    let [Some(storages), Some(tensors), Some(pickle), system] = members(source)? else {
        let what =
            "it is a tar archive without the members storages, tensors and pickle, and so not a checkpoint";
        return Err(source.error(what));
    };
    let mut machine = Machine::new(rules, source.length());
    let mut swap = false;
    if let Some((start, end)) = system {
        let facts = machine.run(&mut Input::new(source, "tar, member sys_info", start, end))?;
        swap = little_endian(&machine, facts).is_some_and(|little| !little);
    }
    let mut places = Sequence::new(source, swap);
    let known = read_storages(source, storages, &mut machine, &mut places)?;
    let tensors = read_tensors(source, tensors, &mut machine, &known)?;
    machine.set_persistent(Persistent::Tensors(tensors));
    let root = machine.run(&mut Input::new(source, "tar, member pickle", pickle.0, pickle.1))?;
    Ok((machine.finish(root), places))
}

fn read_storages(
    source: &Source<'_>,
    (start, end): (u64, u64),
    machine: &mut Machine<'_>,
    places: &mut Sequence<'_>,
) -> Result<HashMap<i64, Known>> {
    let mut input = Input::new(source, "tar, member storages", start, end);
    let mut known = HashMap::new();
    for _ in 0..number(machine, &mut input)? {
        let (key, location, class) = described(machine, &mut input)?;
        let location = machine.tree().text(location).map(str::to_owned);
        let location = location.ok_or_else(|| input.error("a storage's location is no text"))?;
        let element = machine.storage_type(class).ok_or_else(|| input.error("a storage's type is none"))?;
        let bytes = places.pass(&mut input, &key.to_string(), element)?;
        let index = machine.add_storage(StorageSpec { key: key.to_string(), element, bytes, location });
        known.insert(key, Known { index, window: (0, bytes) });
    }
    let views = machine.run(&mut input)?;
    let tree = machine.tree();
    let Node::List(views) = tree.get(views) else {
        return Err(input.error("the storages' views are no list"));
    };
    for view in views {
        let numbers = tree.tuple(*view).unwrap_or_default().iter().map(|id| match tree.get(*id) {
            Node::Int(number) => Some(*number),
            _ => None,
        });
        // Short: four.
        let numbers: Option<Vec<i64>> = numbers.collect();
        let Some([target, root, offset, count]) = numbers.as_deref() else {
            return Err(input.error("a storage's view is not four numbers"));
        };
        let part = known.get(root).and_then(|root| {
            let element = machine.storage(root.index)?.element;
            let unit = element.map_or(1, crate::common::conversion::ElementType::size) as u64;
            let start = u64::try_from(*offset).ok()?.checked_mul(unit)?;
            let bytes = u64::try_from(*count).ok()?.checked_mul(unit)?;
            let fits = start.checked_add(bytes).is_some_and(|end| end <= root.window.1);
            fits.then_some(Known { index: root.index, window: (start, bytes) })
        });
        known.insert(*target, part.ok_or_else(|| input.error("a view is beyond the bounds of its storage"))?);
    }
    Ok(known)
}

fn read_tensors(
    source: &Source<'_>,
    (start, end): (u64, u64),
    machine: &mut Machine<'_>,
    storages: &HashMap<i64, Known>,
) -> Result<HashMap<i64, u32>> {
    let mut input = Input::new(source, "tar, member tensors", start, end);
    let mut known = HashMap::new();
    for _ in 0..number(machine, &mut input)? {
        let (key, storage, _class) = described(machine, &mut input)?;
        let storage = match machine.tree().get(storage) {
            Node::Int(storage) => storages.get(storage).copied(),
            _ => None,
        };
        let storage = storage.ok_or_else(|| input.error("a tensor's storage is not there"))?;
        let element = machine.storage(storage.index).and_then(|spec| spec.element);
        let element = element.ok_or_else(|| input.error("a tensor's storage has no dtype"))?;
        let dimensions = i32::from_le_bytes(input.array()?);
        // The number was written as one of 64 bits.
        input.skip(4, "a number")?;
        if !(0..=MOST_DIMENSIONS).contains(&dimensions) {
            return Err(input.error(format!("a tensor of {dimensions} dimensions")));
        }
        let mut numbers = || -> Result<Vec<u64>> {
            let mut list = Vec::new();
            for _ in 0..dimensions {
                list.push(unsigned(&mut input)?);
            }
            Ok(list)
        };
        let (sizes, strides) = (numbers()?, numbers()?);
        let placement =
            Placement { sizes: sizes.into(), strides: strides.into(), offset: unsigned(&mut input)? };
        placement.layout(element, storage.window.1).map_err(|what| input.error(what))?;
        let index = machine.add_tensor(TensorSpec {
            storage: storage.index,
            window: storage.window,
            element,
            placement,
            conjugated: false,
            negated: false,
            device: None,
        });
        known.insert(key, index);
    }
    Ok(known)
}

fn unsigned(input: &mut Input<'_>) -> Result<u64> {
    let number = i64::from_le_bytes(input.array()?);
    u64::try_from(number)
        .map_err(|_| input.error(format!("a tensor's size, stride or offset is negative: {number}")))
}
