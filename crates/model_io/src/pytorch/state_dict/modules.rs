//! Modules: their state dict, and what each of them is.

use std::collections::HashSet;

use rustorch_error::Result;

use super::{add, add_dict, attributes, class_name};
use crate::common::source::Source;
use crate::tree::{DictKind, Id, Node, Tree};

/// The most modules of a module, each counted as often as it is in it.
const MOST_MODULES: usize = 100_000;

/// How deep modules may be in each other.
const MOST_DEPTH: usize = 100;

/// The parts of a module's state.
struct Module {
    parameters: Id,
    buffers: Id,
    children: Id,
    attributes: Id,
}

fn module_of(tree: &Tree, id: Id) -> Option<Module> {
    let Node::Object(object) = tree.get(id) else { return None };
    let state = attributes(tree, object)?;
    let part = |name| tree.entry(state, name).filter(|&part| tree.dict(part).is_some());
    Some(Module {
        parameters: part("_parameters")?,
        buffers: part("_buffers")?,
        children: part("_modules")?,
        attributes: state,
    })
}

/// The pairs of a dictionary whose keys are texts.
fn named(tree: &Tree, dict: Id) -> Vec<(String, Id)> {
    let items = tree.dict(dict).map(|dict| &dict.items[..]).unwrap_or_default();
    let named = items.iter().filter_map(|&(key, value)| Some((tree.text(key)?.to_owned(), value)));
    // Short: as long as a dictionary in the file, whose memory has been counted.
    named.collect::<Vec<_>>()
}

/// Puts plain data in the place of each module that is in no other one.
pub(super) fn flatten(source: &Source<'_>, tree: &mut Tree) -> Result<()> {
    let ids = (0..tree.nodes.len() as u32).map(Id);
    // Short: as many as there are modules in the file.
    let modules: Vec<(Id, Module)> = ids.filter_map(|id| Some((id, module_of(tree, id)?))).collect();
    let mut inner = HashSet::new();
    for (_, module) in &modules {
        inner.extend(named(tree, module.children).into_iter().map(|(_, child)| child));
    }
    // A module in a circle is in itself; the whole is data in any case.
    let outer = |id: &Id| !inner.contains(id) || tree.root == Some(*id);
    // Short: as above.
    let tops: Vec<Id> = modules.iter().map(|(id, _)| *id).filter(outer).collect();
    let mut plain = Vec::new();
    for top in tops {
        plain.push((top, data(source, tree, top)?));
    }
    for (top, data) in plain {
        *tree.get_mut(top) = data;
    }
    Ok(())
}

fn data(source: &Source<'_>, tree: &mut Tree, top: Id) -> Result<Node> {
    let (mut state, mut kinds) = (Vec::new(), Vec::new());
    let mut waiting = vec![(top, String::new(), 0)];
    while let Some((id, prefix, depth)) = waiting.pop() {
        let Some(module) = module_of(tree, id) else { continue };
        if depth > MOST_DEPTH || kinds.len() == MOST_MODULES {
            return Err(source
                .error(format!("a module has modules {depth} deep or more than {MOST_MODULES} of them")));
        }
        let skipped = tree.entry(module.attributes, "_non_persistent_buffers_set");
        let skipped: HashSet<&str> = match skipped.map(|set| tree.get(set)) {
            Some(Node::Set(names)) => names.iter().filter_map(|&name| tree.text(name)).collect(),
            _ => HashSet::new(),
        };
        let buffers =
            named(tree, module.buffers).into_iter().filter(|(name, _)| !skipped.contains(name.as_str()));
        for (name, value) in named(tree, module.parameters).into_iter().chain(buffers) {
            if matches!(tree.get(value), Node::Tensor(_)) {
                state.push((format!("{prefix}{name}"), value));
            }
        }
        let Node::Object(object) = tree.get(id) else { continue };
        kinds.push((prefix.trim_end_matches('.').to_owned(), class_name(tree, object), module.attributes));
        for (name, child) in named(tree, module.children).into_iter().rev() {
            waiting.push((child, format!("{prefix}{name}."), depth + 1));
        }
    }
    let class = kinds.first().map(|(_, class, _)| class.clone()).unwrap_or_default();
    let state = texts(tree, state);
    let state = add_dict(tree, DictKind::Ordered, state);
    let mut modules = Vec::new();
    for (name, class, all) in kinds {
        let mut items = vec![("class".to_owned(), add(tree, Node::Text(class.into())))];
        // What begins with a line is the class's own affair: parameters, hooks.
        items.extend(named(tree, all).into_iter().filter(|(name, _)| !name.starts_with('_')));
        let items = texts(tree, items);
        modules.push((name, add_dict(tree, DictKind::Plain, items)));
    }
    let modules = texts(tree, modules);
    let modules = add_dict(tree, DictKind::Ordered, modules);
    let class = add(tree, Node::Text(class.into()));
    Ok(super::keyed(tree, vec![("class", class), ("state_dict", state), ("modules", modules)]))
}

fn texts(tree: &mut Tree, items: Vec<(String, Id)>) -> Vec<(Id, Id)> {
    let items = items.into_iter().map(|(key, value)| (add(tree, Node::Text(key.into())), value));
    // Short: as many as there were pairs.
    items.collect::<Vec<_>>()
}
