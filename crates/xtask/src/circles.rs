//! Circles of modules: a module that can only be understood after another, which can only be understood after it.
//!
//! The rule, in every folder of a crate's source: what the modules there use of each other goes one way. A folder counts as a
//! module, with all that is in it. The file that declares a folder's modules (`mod.rs`, `lib.rs`) is not one of them: it is what
//! they stand in, and may hold what they share, and call them. Nor do generated files count, and tests.
//!
//! Uses are found in the text, by paths: `use` statements and paths in code, through re-exports, to the file that declares the
//! name. A method that is called on a value says no path and is not seen.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::allocations::without_comments;
use crate::source::{Import, imports, is_generated, paths_in};

/// Circles that are in the nature of the matter: the folder, the modules, why.
const INHERENT: [(&str, &[&str], &str); 3] = [
    (
        "crates/tensor/src",
        &["autograd", "memory_format", "operations", "pinned", "placement", "promotion", "storage", "tensor"],
        "a tensor's methods are operations, an operation records its gradient, and a gradient is made of operations on tensors",
    ),
    (
        "crates/tensor/src/autograd",
        &["accumulation", "anomaly", "held", "inplace", "meta", "node", "saved", "validation", "views"],
        "a graph refers to itself: a tensor's record leads to a node, a node's edges to other tensors' nodes and to the leaves \
         that gradients are added to",
    ),
    (
        "crates/py/src",
        &[
            "arguments",
            "autograd",
            "device",
            "devices",
            "errors",
            "numpy",
            "random",
            "sequences",
            "sharing",
            "streams",
            "tensor",
        ],
        "a tensor's methods read arguments, arguments are tensors, and errors may be those of Python's own callbacks",
    ),
];

/// The path of a module below its crate's root.
type Name = Vec<String>;

/// A file.
struct Module {
    code: String,
    /// What it declares, but for modules.
    items: BTreeSet<String>,
    imports: Vec<Import>,
}

impl Module {
    fn of(code: &str) -> Self {
        let items = code.lines().filter_map(declared).map(str::to_owned).collect();
        let (imports, code) = imports(code);
        Module { code, items, imports }
    }
}

/// The files of a crate.
struct Crate {
    modules: BTreeMap<Name, Module>,
    /// Where macros are declared that the crate's root has.
    macros: BTreeMap<String, Name>,
}

/// Which names which modules have been asked for.
type Asked = BTreeSet<(Name, String)>;

/// In a folder: who uses whom, and by which name.
type Uses = BTreeMap<Name, BTreeMap<(String, String), String>>;

/// Fails with every circle.
pub fn find(root: &Path, problems: &mut Vec<String>) -> Result<(), String> {
    let folder = root.join("crates");
    let entries = fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut crates: Vec<_> = entries.filter_map(|entry| entry.ok().map(|e| e.path())).collect();
    crates.sort();
    let mut inherent = INHERENT.to_vec();
    for path in crates {
        let source = path.join("src");
        let top = ["lib.rs", "main.rs"].map(|name| source.join(name)).into_iter().find(|file| file.exists());
        let Some(top) = top else { continue };
        let mut all = Crate { modules: BTreeMap::new(), macros: BTreeMap::new() };
        all.read(&top, &source, Vec::new())?;
        for (place, uses) in all.uses() {
            let name = place.iter().fold(source.clone(), |folder, part| folder.join(part));
            let name = name.strip_prefix(root).unwrap_or(&name).to_string_lossy().replace('\\', "/");
            for circle in circles(&uses) {
                let members: Vec<&str> = circle.iter().map(String::as_str).collect();
                if let Some(at) =
                    inherent.iter().position(|(folder, known, _)| *folder == name && *known == members)
                {
                    inherent.remove(at);
                    continue;
                }
                let edges =
                    uses.iter().filter(|((from, to), _)| circle.contains(from) && circle.contains(to));
                let edges: Vec<String> =
                    edges.map(|((from, to), by)| format!("{from} uses {to} ({by})")).collect();
                problems.push(format!(
                    "{name}: modules in a circle; put what both need into one that neither is: {}",
                    edges.join(", ")
                ));
            }
        }
    }
    for (folder, known, _) in inherent {
        problems.push(format!(
            "{folder}: {} are no circle any more; take it from the list of those",
            known.join(", ")
        ));
    }
    Ok(())
}

impl Crate {
    /// Reads a file and those of the modules that it declares; `folder` is where these are.
    fn read(&mut self, file: &Path, folder: &Path, name: Name) -> Result<(), String> {
        let text = fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
        let code = without_tests(&without_comments(&text));
        for exported in code.split("#[macro_export]\n").skip(1) {
            if let Some(item) = exported.lines().next().and_then(declared) {
                self.macros.insert(item.to_owned(), name.clone());
            }
        }
        for line in code.lines() {
            let Some(child) = submodule(line) else { continue };
            let place = folder.join(child);
            let flat = folder.join(format!("{child}.rs"));
            let file = if flat.exists() { flat } else { place.join("mod.rs") };
            if fs::read_to_string(&file).is_ok_and(|text| is_generated(&text)) {
                continue;
            }
            self.read(&file, &place, [name.as_slice(), &[child.to_owned()]].concat())?;
        }
        self.modules.insert(name, Module::of(&code));
        Ok(())
    }

    /// The module that declares what `path` names in module `at`, and true; that module and false where the path names one.
    /// What a macro declares is taken for an item of the path's last module.
    fn find(&self, at: &Name, path: &[String]) -> Option<(Name, bool)> {
        self.resolve(at, path, false, &mut BTreeSet::new())
    }

    /// As [`Self::find`]; `exact` takes nothing for an item that is not declared as one. No module is asked twice (`asked`).
    fn resolve(&self, at: &Name, path: &[String], exact: bool, asked: &mut Asked) -> Option<(Name, bool)> {
        let mut place = at.clone();
        for (n, part) in path.iter().enumerate() {
            match part.as_str() {
                "crate" => place.clear(),
                "super" => {
                    place.pop()?;
                }
                "self" => {}
                part => {
                    let child = [place.as_slice(), &[part.to_owned()]].concat();
                    if self.modules.contains_key(&child) {
                        place = child;
                        continue;
                    }
                    let module = self.modules.get(&place)?;
                    if module.items.contains(part) {
                        return Some((place, true));
                    }
                    if let Some(at) = self.macros.get(part).filter(|_| place.is_empty()) {
                        return Some((at.clone(), true));
                    }
                    if !asked.insert((place.clone(), part.to_owned())) {
                        return None;
                    }
                    let named = module.imports.iter().find(|import| !import.glob && import.name == part);
                    if let Some(import) = named {
                        match self.resolve(&place, &import.path, false, asked)? {
                            (target, false) => place = target,
                            item => return Some(item),
                        }
                        continue;
                    }
                    for import in module.imports.iter().filter(|import| import.glob) {
                        let Some((target, false)) = self.resolve(&place, &import.path, true, asked) else {
                            continue;
                        };
                        if let Some(found) = self.resolve(&target, &path[n..], true, asked) {
                            return Some(found);
                        }
                    }
                    // A path that begins with a name which is none of ours is another crate's.
                    return (!exact && n > 0).then_some((place, true));
                }
            }
        }
        Some((place, false))
    }

    /// What the modules of every folder use of each other.
    fn uses(&self) -> Uses {
        let mut all = Uses::new();
        for (name, module) in &self.modules {
            let mut note = |target: &Name, by: &str| {
                let common = name.iter().zip(target).take_while(|(a, b)| a == b).count();
                // Else one is the file of a folder that the other is in.
                let (Some(from), Some(to)) = (name.get(common), target.get(common)) else { return };
                let by = format!("{}: {by}", name[common..].join("/"));
                let folder = all.entry(name[..common].to_vec()).or_default();
                folder.entry((from.clone(), to.clone())).or_insert(by);
            };
            for import in &module.imports {
                if import.glob {
                    let Some((target, _)) = self.find(name, &import.path) else { continue };
                    if import.public && target.starts_with(name) {
                        continue;
                    }
                    for word in words(&module.code).filter(|word| !module.items.contains(*word)) {
                        if let Some((at, true)) =
                            self.resolve(&target, &[word.to_owned()], true, &mut BTreeSet::new())
                        {
                            note(&at, word);
                        }
                    }
                } else if let Some((target, true)) = self.find(name, &import.path)
                    && !(import.public && target.starts_with(name))
                {
                    note(&target, &import.path.join("::"));
                }
            }
            for path in paths_in(&module.code) {
                if let Some((target, true)) = self.find(name, &path) {
                    note(&target, &path.join("::"));
                }
            }
        }
        all
    }
}

/// The strongly connected components of more than one module.
fn circles(uses: &BTreeMap<(String, String), String>) -> Vec<BTreeSet<String>> {
    let reach = |start: &str| {
        let mut reached = BTreeSet::new();
        let mut next = vec![start];
        while let Some(at) = next.pop() {
            for (_, to) in uses.keys().filter(|(from, _)| from == at) {
                if reached.insert(to.clone()) {
                    next.push(to);
                }
            }
        }
        reached
    };
    let names: BTreeSet<&String> = uses.keys().flat_map(|(from, to)| [from, to]).collect();
    let reached: BTreeMap<&String, BTreeSet<String>> =
        names.iter().map(|name| (*name, reach(name))).collect();
    let mut found: Vec<BTreeSet<String>> = Vec::new();
    for name in names {
        if !reached[name].contains(name) || found.iter().any(|circle| circle.contains(name)) {
            continue;
        }
        found.push(reached[name].iter().filter(|other| reached[*other].contains(name)).cloned().collect());
    }
    found
}

/// The name that a line declares, at the margin.
fn declared(line: &str) -> Option<&str> {
    let mut words =
        line.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '!')).filter(|w| !w.is_empty());
    if line.starts_with(char::is_whitespace) {
        return None;
    }
    loop {
        match words.next()? {
            "pub" | "crate" | "super" | "in" | "unsafe" | "async" | "extern" => {}
            "const" => {
                let next = words.next()?;
                return if next == "fn" || next == "unsafe" {
                    words.find(|w| *w != "fn")
                } else {
                    Some(next)
                };
            }
            "fn" | "struct" | "enum" | "trait" | "type" | "union" | "macro_rules!" => return words.next(),
            "static" => return words.find(|w| *w != "mut"),
            _ => return None,
        }
    }
}

/// The module that a line declares, whose text is in another file.
fn submodule(line: &str) -> Option<&str> {
    let declaration = line.strip_suffix(';')?;
    let (before, name) = declaration.rsplit_once("mod ")?;
    (before.is_empty() || before.starts_with("pub")).then_some(name)
}

/// The code without what is compiled for tests alone.
fn without_tests(code: &str) -> String {
    let mut out = String::new();
    let mut lines = code.lines();
    while let Some(line) = lines.next() {
        if line.trim_start() != "#[cfg(test)]" {
            out += line;
            out.push('\n');
            continue;
        }
        // The item that follows, to the end of its bracket or to its semicolon.
        let mut depth = 0;
        for line in lines.by_ref() {
            depth += line.matches('{').count() as isize - line.matches('}').count() as isize;
            if depth == 0 && (line.contains('}') || line.trim_end().ends_with(';')) {
                break;
            }
        }
    }
    out
}

/// Every name in the code.
fn words(code: &str) -> impl Iterator<Item = &str> {
    let words = code.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty());
    words.collect::<BTreeSet<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A crate of these files, by the paths of their modules.
    fn crate_of(files: &[(&str, &str)]) -> Crate {
        let mut all = Crate { modules: BTreeMap::new(), macros: BTreeMap::new() };
        for (path, code) in files {
            let name = path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
            all.modules.insert(name, Module::of(&without_tests(code)));
        }
        all
    }

    fn found(files: &[(&str, &str)]) -> Vec<(String, Vec<String>)> {
        let uses = crate_of(files).uses();
        let of = |(place, uses): (Name, BTreeMap<_, _>)| {
            circles(&uses).into_iter().map(move |circle| (place.join("/"), circle.into_iter().collect()))
        };
        uses.into_iter().flat_map(of).collect()
    }

    #[test]
    fn two_files_that_use_each_other_are_a_circle_through_re_exports_too() {
        let root = "mod a;\nmod b;\npub use a::One;\npub use b::two;\n";
        let circle = [
            ("", root),
            ("a", "pub struct One;\nfn f() { crate::two() }\n"),
            ("b", "use crate::One;\npub fn two() {}\n"),
        ];
        assert_eq!(found(&circle), [(String::new(), vec!["a".to_owned(), "b".to_owned()])]);
        let one_way = [("", root), ("a", "pub struct One;\n"), ("b", "use crate::One;\npub fn two() {}\n")];
        assert_eq!(found(&one_way), []);
    }

    #[test]
    fn a_folder_counts_as_one_and_its_own_file_does_not_count() {
        let files = [
            ("", "mod a;\nmod b;\n"),
            ("a", "mod inner;\npub struct Shared;\nfn f() { inner::g() }\n"),
            ("a/inner", "use super::Shared;\nuse crate::b::Other;\npub fn g() {}\n"),
            ("b", "pub struct Other;\nfn f() -> crate::a::Shared { todo() }\n"),
        ];
        assert_eq!(found(&files), [(String::new(), vec!["a".to_owned(), "b".to_owned()])]);
    }

    #[test]
    fn globs_show_what_they_bring_and_tests_do_not_count() {
        let files = [
            ("", "mod a;\nmod b;\n"),
            ("a", "use super::b::*;\npub struct One(Two);\n"),
            ("b", "pub struct Two;\n#[cfg(test)]\nmod tests {\n    use crate::a::One;\n}\n"),
        ];
        assert_eq!(found(&files), []);
        let files = [files[0], files[1], ("b", "pub struct Two;\nfn f(_: super::a::One) {}\n")];
        assert_eq!(found(&files), [(String::new(), vec!["a".to_owned(), "b".to_owned()])]);
    }
}
