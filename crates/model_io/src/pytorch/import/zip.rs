//! Checkpoints in zip archives: `data.pkl`, and a record for each storage in the folder `data`.

use rustorch_error::Result;

use super::archive::{Archive, Record};
use super::storages::Records;
use crate::common::source::Source;
use crate::pytorch::pickle::{Input, Machine, Persistent, Rules, StorageSpec, Unpickled};

/// How many times its deflated size a pickle may have; those of checkpoints have a few times as much.
const MOST_PICKLE: u64 = 64;

/// What small pickles may have all the same.
const SMALL_PICKLE: u64 = 1 << 20;

/// A checkpoint's archive.
#[derive(Debug)]
pub(in crate::pytorch) struct Checkpoint<'a> {
    archive: Archive<'a>,
    /// The folder that all records are in.
    root: String,
    swap: bool,
}

/// What the file is, if it is a zip archive that is another thing.
fn other_format(archive: &Archive<'_>) -> &'static str {
    let has = |end: &str| archive.records().iter().any(|record| record.name.ends_with(end));
    if has(".npy") {
        "a zip archive of NumPy's arrays (npz)"
    } else {
        "a zip archive without data.pkl in one folder (root), and so not a checkpoint"
    }
}

impl<'a> Checkpoint<'a> {
    /// Opens an archive.
    pub(in crate::pytorch) fn open(source: &'a Source<'a>) -> Result<Self> {
        let archive = Archive::open(source)?;
        let pickles = archive.records().iter().filter_map(|record| record.name.strip_suffix("/data.pkl"));
        let mut roots = pickles.filter(|root| !root.contains('/'));
        let (first, second) = (roots.next(), roots.next());
        let Some(root) = first.filter(|root| second.is_none() && *root != "..") else {
            return Err(source.error(other_format(&archive)));
        };
        let root = root.to_owned();
        let own = |name: &str| archive.find(&format!("{root}/{name}")).is_some();
        let has_code = archive.records().iter().any(|r| r.name.starts_with(&format!("{root}/code/")));
        if own("constants.pkl") || has_code {
            let what = "a TorchScript archive (torch.jit), which is a program; save the module's state_dict() instead";
            return Err(source.error(what));
        }
        let swap = match archive.find(&format!("{root}/byteorder")) {
            // Older files do not say, and are little-endian.
            None => false,
            Some(record) if record.size > 16 => {
                return Err(source.error("its record byteorder is no byte order"));
            }
            Some(record) => match &archive.content(record)?[..] {
                b"little" => false,
                b"big" => true,
                other => {
                    let other = String::from_utf8_lossy(other).into_owned();
                    return Err(
                        source.error(format!("its byte order (byteorder) is '{other}', not little or big"))
                    );
                }
            },
        };
        Ok(Checkpoint { archive, root, swap })
    }

    /// Reads the pickle.
    pub(in crate::pytorch) fn read(&self, rules: &Rules) -> Result<Unpickled> {
        let source = self.archive.source();
        let name = format!("{}/data.pkl", self.root);
        let record = self.archive.find(&name).ok_or_else(|| source.error("has no data.pkl"))?;
        let mut machine = Machine::new(rules, source.length());
        machine.set_persistent(Persistent::Storages);
        // A stored one is checked before it is believed, and read where it lies.
        if let Some(at) = Archive::stored_at(record) {
            self.archive.stream(record, &mut |_| Ok(()))?;
            let root = machine.run(&mut Input::new(source, "data.pkl", at, at + record.size))?;
            return Ok(machine.finish(root));
        }
        if record.size > SMALL_PICKLE.max(Archive::packed(record).saturating_mul(MOST_PICKLE)) {
            let size = record.size;
            return Err(
                source.error(format!("its data.pkl inflates to {size} bytes, more than a checkpoint's does"))
            );
        }
        let inflated = Source::memory(source.name(), self.archive.content(record)?);
        let root = machine.run(&mut Input::new(&inflated, "data.pkl", 0, record.size))?;
        Ok(machine.finish(root))
    }

    fn record(&self, spec: &StorageSpec) -> Result<&Record> {
        let name = format!("{}/data/{}", self.root, spec.key);
        self.archive.find(&name).ok_or_else(|| {
            self.archive
                .source()
                .error(format!("there is no record '{name}', which a tensor's storage is to be in"))
        })
    }
}

impl Records for Checkpoint<'_> {
    fn source(&self) -> &Source<'_> {
        self.archive.source()
    }

    fn swap(&self) -> bool {
        self.swap
    }

    fn check(&self, spec: &StorageSpec) -> Result<()> {
        let record = self.record(spec)?;
        if record.size != spec.bytes {
            let (name, size, bytes) = (&record.name, record.size, spec.bytes);
            let what = format!("the record '{name}' has a size of {size} bytes, its storage one of {bytes}");
            return Err(self.archive.source().error(what));
        }
        Ok(())
    }

    fn stored_at(&self, spec: &StorageSpec) -> Result<Option<u64>> {
        Ok(Archive::stored_at(self.record(spec)?))
    }

    fn stream(&self, spec: &StorageSpec, sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.archive.stream(self.record(spec)?, sink)
    }
}
