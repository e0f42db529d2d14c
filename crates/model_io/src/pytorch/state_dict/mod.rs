//! Plain data of objects whose classes are not known: a module becomes its state and the tree of its modules, without any of its
//! code; and the names of the tensors in a file.

mod modules;
mod names;

use std::collections::HashSet;

use rustorch_error::Result;

use super::pickle::Unpickled;
use crate::common::source::Source;
use crate::format::{Inspection, TensorEntry};
use crate::tree::{Dict, DictKind, Id, Node, Object, Tree};

/// Adds a value.
fn add(tree: &mut Tree, node: Node) -> Id {
    tree.nodes.push(node);
    Id(tree.nodes.len() as u32 - 1)
}

/// Adds a dictionary.
fn add_dict(tree: &mut Tree, kind: DictKind, items: Vec<(Id, Id)>) -> Id {
    add(tree, Node::Dict(Box::new(Dict { kind, items, attributes: None })))
}

/// The class or function that makes an object.
fn class_name(tree: &Tree, object: &Object) -> String {
    match tree.get(object.callee) {
        Node::Class(name) => name.to_string(),
        other => other.kind().to_owned(),
    }
}

/// The dictionary of an object's attributes, where that is its state.
fn attributes(tree: &Tree, object: &Object) -> Option<Id> {
    let state = object.state?;
    let state = match tree.tuple(state) {
        Some(&[attributes, _slots]) => attributes,
        _ => state,
    };
    tree.dict(state).map(|_| state)
}

/// Turns objects into plain data, in place: a module into `class`, `state_dict` and `modules`, anything else into `class` and what
/// it was made with. Names of classes and functions become texts.
pub(super) fn as_plain_data(source: &Source<'_>, read: &mut Unpickled) -> Result<()> {
    let tree = &mut read.tree;
    modules::flatten(source, tree)?;
    for index in 0..tree.nodes.len() {
        let Node::Object(object) = &tree.nodes[index] else { continue };
        let object = object.clone();
        let class = class_name(tree, &object);
        let mut items = vec![("class", add(tree, Node::Text(class.into()))), ("arguments", object.arguments)];
        items.extend(object.named.map(|named| ("named_arguments", named)));
        items.extend(object.state.map(|state| ("state", state)));
        if !object.appended.is_empty() {
            items.push(("items", add(tree, Node::List(object.appended))));
        }
        if !object.entries.is_empty() {
            items.push(("entries", add_dict(tree, DictKind::Plain, object.entries)));
        }
        let plain = keyed(tree, items);
        tree.nodes[index] = plain;
    }
    let foreign: HashSet<&str> = read.foreign.iter().map(String::as_str).collect();
    for node in &mut tree.nodes {
        if let Node::Class(name) = node
            && foreign.contains(name.as_ref())
        {
            *node = Node::Text(name.clone());
        }
    }
    Ok(())
}

/// A dictionary of texts.
fn keyed(tree: &mut Tree, items: Vec<(&str, Id)>) -> Node {
    let items = items.into_iter().map(|(key, value)| (add(tree, Node::Text(key.into())), value));
    // Short: a few keys of an object.
    let items = items.collect::<Vec<_>>();
    Node::Dict(Box::new(Dict { kind: DictKind::Plain, items, attributes: None }))
}

/// What a file holds, of what has been read of it.
pub(super) fn inspection(source: &Source<'_>, mut read: Unpickled) -> Result<Inspection> {
    as_plain_data(source, &mut read)?;
    let mut tensors = Vec::new();
    for (name, node) in names::tensors(&read.tree) {
        let spec = &read.tensors[node.index as usize];
        // Short: a tensor's dimensions.
        let shape = spec.placement.sizes.to_vec();
        tensors.push(TensorEntry { name, dtype: spec.element.name().to_owned(), shape });
    }
    Ok(Inspection { tensors, names: read.foreign, ..Inspection::default() })
}
