//! The safetensors format: a JSON header that names tensors, and their bytes.
//! <https://github.com/huggingface/safetensors>

mod dtype;
mod export;
mod header;
mod import;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use rustorch_error::{Result, RusTorchError};
use rustorch_tensor::{Device, Tensor};

use crate::common::destination::Destination;
use crate::common::output::Output;
use crate::common::source::Source;
use crate::format::{Format, Inspection, ReadOptions};
use crate::tree::{Content, Dict, DictKind, Id, Node, TensorClass, TensorNode};

pub use export::{save, save_file};
pub use import::{ModelFile, load, load_file};

/// What a file says about itself, beside its tensors.
pub type FileMetadata = HashMap<String, String>;

/// The format.
#[derive(Debug, Clone, Copy)]
pub struct SafeTensorsFormat;

impl Format for SafeTensorsFormat {
    fn name(&self) -> &'static str {
        "safetensors"
    }

    fn recognizes(&self, source: &Source<'_>, start: &[u8]) -> bool {
        let Some((length, header)) = start.split_first_chunk() else { return false };
        let length = u64::from_le_bytes(*length);
        header.first() == Some(&b'{') && length <= source.length().saturating_sub(header::LENGTH)
    }

    fn read(&self, source: &Source<'_>, options: &mut ReadOptions<'_>) -> Result<Content> {
        let device = match options.destination {
            Destination::Device(device) => device,
            Destination::Saved | Destination::Ask(_) => Device::CPU,
        };
        let file = import::read(source, device)?;
        let mut content = Content { metadata: file.metadata, ..Content::default() };
        let mut items = Vec::new();
        for (name, tensor) in file.tensors {
            let tensor = match &mut options.destination {
                Destination::Ask(place) => {
                    let storage = place("cpu", tensor.storage().clone())?;
                    Tensor::from_storage(storage, tensor.layout().clone(), tensor.dtype())?
                }
                Destination::Saved | Destination::Device(_) => tensor,
            };
            let mut add = |node| {
                content.tree.nodes.push(node);
                Id(content.tree.nodes.len() as u32 - 1)
            };
            let node = TensorNode {
                index: content.tensors.len() as u32,
                class: TensorClass::Plain,
                requires_grad: false,
                attributes: None,
            };
            items.push((add(Node::Text(name.into())), add(Node::Tensor(Box::new(node)))));
            content.tensors.push(tensor);
        }
        content.tree.nodes.push(Node::Dict(Box::new(Dict {
            kind: DictKind::Plain,
            items,
            attributes: None,
        })));
        content.tree.root = Some(Id(content.tree.nodes.len() as u32 - 1));
        Ok(content)
    }

    fn write(&self, content: &Content, to: &mut Output<'_>) -> Result<()> {
        let tree = &content.tree;
        let dict = tree.root.and_then(|root| tree.dict(root));
        let wrong = || {
            RusTorchError::argument(
                "save",
                "safetensors files hold a dict of texts and tensors, and nothing else",
            )
        };
        let mut tensors = Vec::new();
        for &(name, value) in &dict.ok_or_else(wrong)?.items {
            let (Node::Text(name), Node::Tensor(node)) = (tree.get(name), tree.get(value)) else {
                return Err(wrong());
            };
            tensors.push((name.to_string(), content.tensors[node.index as usize].clone()));
        }
        let metadata = (!content.metadata.is_empty()).then(|| content.metadata.clone());
        export::write("save", &tensors, metadata, to)
    }

    fn inspect(&self, source: &Source<'_>) -> Result<Inspection> {
        import::inspect(source)
    }
}
