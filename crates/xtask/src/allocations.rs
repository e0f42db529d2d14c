//! Which lists may end the process: `Vec`s whose length comes from data, where there is no memory for them.

/// Where lists have to be `rustorch_backend::memory::Scratch`, or as long as something that is short.
const WATCHED: [&str; 10] = [
    "crates/cpu-simd/src/kernels/",
    "crates/gpu/src/kernels/",
    "crates/backend/src/dimension_map.rs",
    "crates/tensor/src/operations/",
    "crates/tensor/src/tensor.rs",
    "crates/model_io/src/",
    "crates/nn/src/init.rs",
    "crates/py/src/tensor/construct.rs",
    "crates/py/src/tensor/complex.rs",
    "crates/py/src/tensor/convert.rs",
];

/// Tests, which may end as they like.
const TESTS: [&str; 4] = ["/tests.rs", "/tests/", "/samples.rs", "/testing.rs"];

/// What says that a list is short, and why: on its line, or on the one above it.
const SHORT: &str = "// Short: ";

/// Words for a tensor's dimensions: what is as long as they are is short.
const DIMENSIONS: [&str; 16] = [
    "ndim",
    "ndim()",
    "shape",
    "shape()",
    "shape.len()",
    "strides()",
    "stride",
    "dims",
    "dims.len()",
    "spatial",
    "order",
    "order.len()",
    "pad",
    "size",
    "sizes",
    "size.len()",
];

/// The lines on which a file makes such a list, with what it does there.
pub fn unbounded(place: &str, text: &str) -> Vec<(usize, &'static str)> {
    if !WATCHED.iter().any(|watched| place.starts_with(watched)) || TESTS.iter().any(|t| place.contains(t)) {
        return Vec::new();
    }
    let code = without_comments(text.split("\n#[cfg(test)]\n").next().unwrap_or_default());
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    let mut note = |at: usize, what: &'static str| {
        let line = code[..at].matches('\n').count();
        let is_short = |n: usize| lines.get(n).is_some_and(|line| line.contains(SHORT));
        let excused = is_short(line) || line > 0 && is_short(line - 1);
        if !excused && !found.contains(&(line + 1, what)) {
            found.push((line + 1, what));
        }
    };
    for at in places(&code, "vec![") {
        let inside = bracketed(&code[at + "vec!".len()..]);
        if let Some((_, length)) = inside.rsplit_once(';')
            && !is_dimensions(length)
        {
            note(at, "vec![_; n]");
        }
    }
    for at in places(&code, "Vec::with_capacity(") {
        if !is_dimensions(bracketed(&code[at + "Vec::with_capacity".len()..])) {
            note(at, "Vec::with_capacity");
        }
    }
    for at in places(&code, "to_vec()") {
        if code[..at].ends_with('.') && !is_dimensions(receiver(&code[..at - 1])) {
            note(at, "to_vec");
        }
    }
    for at in places(&code, "collect") {
        let after = &code[at + "collect".len()..];
        let target = match after.strip_prefix("::") {
            Some(named) => named.split('(').next().unwrap_or_default(),
            None if after.starts_with("()") => destination(&code[..at]),
            None => continue,
        };
        let source = code[..at].rsplit([';', '{', '}']).next().unwrap_or_default();
        if has_word(target, "Vec") && !iterates_dimensions(source) {
            note(at, "collect into a Vec");
        }
    }
    found.sort_unstable();
    found
}

/// The code with spaces for its comments and what strings say, so that places stay.
pub fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let mut in_string = false;
        let mut chars = line.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '\\' if in_string => {
                    out.push(' ');
                    // What is escaped is as wide as one space where it is ASCII, as it is here.
                    if chars.next().is_some_and(|escaped| escaped == '\n') {
                        out.push('\n');
                    } else {
                        out.push(' ');
                    }
                }
                '"' => {
                    in_string = !in_string;
                    out.push(c);
                }
                '/' if !in_string && chars.peek() == Some(&'/') => {
                    let rest: String = chars.by_ref().collect();
                    out.extend(std::iter::repeat_n(' ', rest.trim_end_matches('\n').len() + 1));
                    out.push_str(if rest.ends_with('\n') { "\n" } else { "" });
                }
                c if in_string && c != '\n' => out.extend(std::iter::repeat_n(' ', c.len_utf8())),
                c => out.push(c),
            }
        }
    }
    out
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Where `what` stands as a word of its own.
fn places<'a>(code: &'a str, what: &'a str) -> impl Iterator<Item = usize> + 'a {
    code.match_indices(what).map(|(at, _)| at).filter(|&at| !code[..at].ends_with(is_word))
}

fn has_word(text: &str, word: &str) -> bool {
    places(text, word).any(|at| !text[at + word.len()..].starts_with(is_word))
}

/// What stands in the bracket that the text begins with.
fn bracketed(text: &str) -> &str {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[1.min(at)..at];
        }
    }
    text
}

/// The expression that the text ends with: a path of fields, calls and indices.
fn receiver(text: &str) -> &str {
    let mut depth = 0;
    let start = text.rfind(|c: char| {
        match c {
            ')' | ']' => depth += 1,
            '(' | '[' => depth -= 1,
            _ => {}
        }
        depth < 0 || depth == 0 && !(is_word(c) || ".()[]".contains(c))
    });
    start.map_or(text, |start| &text[start + 1..])
}

/// Whether a length or a slice is that of a tensor's dimensions.
fn is_dimensions(expression: &str) -> bool {
    let expression = expression.split_once("..").map_or(expression, |(first, _)| {
        // A part of a slice is no longer than the whole: `x.shape()[..d]`.
        first.rsplit_once('[').map_or(first, |(whole, _)| whole)
    });
    let last = |words: &str| {
        let path = expression.trim();
        path.strip_suffix(words)
            .is_some_and(|before| before.is_empty() || before.ends_with('.') || before.ends_with('_'))
    };
    DIMENSIONS.iter().any(|words| last(words)) || expression.trim().parse::<usize>().is_ok()
}

/// Whether an iteration begins with a tensor's dimensions or their numbers: `x.shape().iter()`, `(0..x.ndim())`.
fn iterates_dimensions(source: &str) -> bool {
    let slices = source.match_indices(".iter()").map(|(at, _)| receiver(&source[..at]));
    let ranges = source.match_indices("(0..").map(|(at, _)| &bracketed(&source[at..])["0..".len()..]);
    let plain = |length: &str| is_dimensions(length.trim_start_matches('=').trim_end_matches(" as i64"));
    slices.chain(ranges).next().is_some_and(plain)
}

/// The type that the statement which the text breaks off in gives: its variable's, or what its function returns.
fn destination(code: &str) -> &str {
    let statement = code.rfind(';').map_or(0, |at| at + 1);
    match (code[statement..].rfind("let "), code[statement..].rfind("fn ")) {
        (Some(variable), function) if function.is_none_or(|function| function < variable) => {
            code[statement + variable..].split('=').next().unwrap_or_default()
        }
        _ => {
            let function = code.rfind("fn ").unwrap_or(0);
            code[function..].split('{').next().unwrap_or_default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KERNEL: &str = "crates/cpu-simd/src/kernels/sort/mod.rs";

    fn found(line: &str) -> bool {
        !unbounded(KERNEL, &format!("fn f(n: usize) -> Result<Vec<f64>> {{\n{line}\n}}\n")).is_empty()
    }

    #[test]
    fn lists_as_long_as_data_are_found() {
        for line in [
            "let a = vec![0.0; n];",
            "let a = vec![(0, [1; 2]); input.numel()];",
            "let a = vec![0; shape[d]];",
            "let a = Vec::with_capacity(m * n);",
            "let a = values.to_vec();",
            "let a: Vec<_> = (0..n).map(|i| i * 2).collect();",
            "let a = indices.iter().collect::<Result<Vec<_>>>()?;",
            "Ok((0..count)\n    .map(|i| f(i))\n    .collect())",
            "let s = \"a // b\"; let a = vec![0; n];",
        ] {
            assert!(found(line), "{line}");
            assert!(unbounded("crates/tensor/src/autograd/engine.rs", line).is_empty());
            assert!(
                !found(
                    &format!("// Short: one per group.\n{line}")
                        .replace("Ok((0..count)\n    .map(|i| f(i))\n    ", "Ok((0..count)")
                ),
                "{line}"
            );
        }
        let text = "fn f() {\n    let a = vec![0; n];\n}\n";
        assert_eq!(unbounded(KERNEL, text), [(2, "vec![_; n]")]);
    }

    #[test]
    fn lists_as_long_as_the_dimensions_and_lists_of_the_pool_are_not() {
        for line in [
            "let a = vec![1; input.ndim()];",
            "let a = vec![1, 2, 3];",
            "let a: Dims<i64> = smallvec![0; n];",
            "let a = input.shape()[..d].to_vec();",
            "let a: Vec<i64> = input.shape().iter().map(|&n| n as i64).collect();",
            "let a: Vec<i64> = (0..input.ndim() as i64).rev().collect();",
            "let a: Dims<usize> = (0..n).collect();",
            "let a = Scratch::collect((0..n).map(f))?;",
            "let a = Scratch::filled(n, 0.0)?; // not vec![0.0; n]",
            "let message = \"vec![0; n] (0..n).collect::<Vec<_>>()\";",
            "let a = maps.iter().collect::<SmallVec<[_; 2]>>();",
        ] {
            assert!(!found(line), "{line}");
        }
        let tests = "fn f() {}\n\n#[cfg(test)]\nmod tests {\n    fn g() { let a = vec![0; n]; }\n}\n";
        assert!(unbounded(KERNEL, tests).is_empty());
    }
}
