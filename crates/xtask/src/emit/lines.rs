//! Long lines of generated code.

/// The longest line.
const WIDTH: usize = 116;

/// A text in lines of at most [`WIDTH`], broken at spaces outside of string literals; all but the first are indented once
/// more than `indent`.
pub fn wrap(indent: usize, text: &str) -> String {
    let (mut lines, mut line) = (String::new(), " ".repeat(indent));
    let mut quoted = false;
    let mut word = String::new();
    for c in text.chars().chain([' ']) {
        quoted ^= c == '"' && !word.ends_with('\\');
        if c != ' ' || quoted {
            word.push(c);
            continue;
        }
        if line.len() + 1 + word.len() > WIDTH && !line.trim().is_empty() {
            lines += line.trim_end();
            lines.push('\n');
            line = " ".repeat(indent + 2);
        }
        line += &word;
        line.push(' ');
        word.clear();
    }
    lines + line.trim_end_matches(' ')
}
