//! PyTorch's checkpoints: what `torch.save` writes, in every format that it had.

mod export;
mod import;
mod pickle;
mod state_dict;
#[cfg(test)]
mod tests;

use rustorch_error::Result;

use crate::common::output::Output;
use crate::common::source::Source;
use crate::format::{Format, Inspection, ReadOptions};
use crate::tree::Content;
use import::{archive, legacy, storages, tar, zip};
use pickle::Rules;

/// The format.
#[derive(Debug, Clone, Copy)]
pub struct PyTorch;

/// What a pickle begins with, from protocol 2 on.
const PICKLE: u8 = 0x80;

/// Reads the pickles of a file, and hands them with the file's storages to `then`.
fn read<T>(
    source: &Source<'_>,
    rules: &Rules,
    then: impl FnOnce(pickle::Unpickled, &dyn storages::Records) -> Result<T>,
) -> Result<T> {
    let mut start = [0; 512];
    let start = &mut start[..source.length().min(512) as usize];
    source.read(0, start)?;
    if start.starts_with(archive::MAGIC) {
        let checkpoint = zip::Checkpoint::open(source)?;
        then(checkpoint.read(rules)?, &checkpoint)
    } else if tar::recognizes(start) {
        let (read, places) = tar::read(source, rules)?;
        then(read, &places)
    } else {
        let (read, places) = legacy::read(source, rules)?;
        then(read, &places)
    }
}

impl Format for PyTorch {
    fn name(&self) -> &'static str {
        "pytorch"
    }

    fn recognizes(&self, _source: &Source<'_>, start: &[u8]) -> bool {
        start.starts_with(archive::MAGIC) || start.first() == Some(&PICKLE) || tar::recognizes(start)
    }

    fn read(&self, source: &Source<'_>, options: &mut ReadOptions<'_>) -> Result<Content> {
        let rules = Rules { allowed: std::mem::take(&mut options.allowed), keep_unknown: options.as_state };
        let as_state = options.as_state;
        read(source, &rules, |mut read, records| {
            if as_state {
                state_dict::as_plain_data(source, &mut read)?;
            }
            storages::filled(read, records, &mut options.destination)
        })
    }

    fn write(&self, content: &Content, to: &mut Output<'_>) -> Result<()> {
        export::write(content, to)
    }

    fn inspect(&self, source: &Source<'_>) -> Result<Inspection> {
        let rules = Rules { keep_unknown: true, ..Rules::default() };
        read(source, &rules, |read, _| state_dict::inspection(source, read))
    }
}
