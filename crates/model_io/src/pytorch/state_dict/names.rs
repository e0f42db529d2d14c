//! Where in a file's values its tensors are.

use std::collections::HashSet;

use crate::tree::{Id, Node, TensorNode, Tree};

/// The most keys that are written of a tensor's place.
const MOST_KEYS: usize = 64;

/// A step from a value to one that it holds.
enum Key {
    Value(Id),
    Index(usize),
}

/// The tensors in order, each named by the keys that lead to it.
pub(super) fn tensors(tree: &Tree) -> Vec<(String, &TensorNode)> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    // Each value with its key and the place of what holds it in this list.
    let mut path: Vec<(Id, Option<(Key, usize)>)> = Vec::new();
    let mut waiting: Vec<(Id, Option<(Key, usize)>)> = Vec::new();
    waiting.extend(tree.root.map(|root| (root, None)));
    while let Some((id, key)) = waiting.pop() {
        let node = tree.get(id);
        let at = path.len();
        if let Node::Tensor(tensor) = node {
            path.push((id, key));
            found.push((name(tree, &path, at), &**tensor));
            path.pop();
            continue;
        }
        let values: &[Id] = match node {
            Node::List(items) | Node::Set(items) => items,
            Node::Tuple(items) | Node::FrozenSet(items) => &items.items,
            Node::Dict(_) => &[],
            _ => continue,
        };
        if !seen.insert(id) {
            continue;
        }
        path.push((id, key));
        if let Node::Dict(dict) = node {
            waiting.extend(dict.items.iter().rev().map(|&(key, value)| (value, Some((Key::Value(key), at)))));
        }
        waiting.extend(values.iter().enumerate().rev().map(|(i, &value)| (value, Some((Key::Index(i), at)))));
    }
    found
}

fn name(tree: &Tree, path: &[(Id, Option<(Key, usize)>)], mut at: usize) -> String {
    let mut keys = Vec::new();
    while let Some((key, above)) = &path[at].1 {
        if keys.len() == MOST_KEYS {
            keys.push("...".to_owned());
            break;
        }
        keys.push(match key {
            Key::Index(index) => index.to_string(),
            Key::Value(key) => match tree.get(*key) {
                Node::Text(text) => text.to_string(),
                Node::Int(number) => number.to_string(),
                other => other.kind().to_owned(),
            },
        });
        at = *above;
    }
    keys.reverse();
    keys.join(".")
}
