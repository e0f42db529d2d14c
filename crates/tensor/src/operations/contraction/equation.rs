//! The notation of `einsum`: `bij,bjk->bik`.

use rustorch_error::{Result, RusTorchError};

const OP: &str = "einsum";

/// The name of a dimension: a letter, or a place within the ellipsis, counted from its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Label {
    /// One of the dimensions that `...` stands for; the last of them is 0.
    Ellipsis(usize),
    /// A letter.
    Letter(char),
}

/// An equation with the dimensions of its operands filled in.
#[derive(Debug, PartialEq, Eq)]
pub struct Equation {
    /// A label for each dimension of each operand.
    pub operands: Vec<Vec<Label>>,
    /// A label for each dimension of the output.
    pub output: Vec<Label>,
}

fn invalid(equation: &str, why: impl std::fmt::Display) -> RusTorchError {
    RusTorchError::argument(OP, format!("in the equation '{equation}': {why}"))
}

/// The letters before and after the ellipsis, and whether there is one.
struct Subscript {
    before: Vec<char>,
    after: Vec<char>,
    ellipsis: bool,
}

fn subscript(equation: &str, text: &str) -> Result<Subscript> {
    let mut parts = text.split("...");
    let letters = |part: &str| {
        part.chars()
            .filter(|c| *c != ' ')
            .map(|c| if c.is_ascii_alphabetic() { Ok(c) } else { Err(c) })
            // Short: no longer than the equation.
            .collect::<Result<Vec<char>, char>>()
            .map_err(|c| {
                invalid(equation, format_args!("'{c}' is not a subscript; they are letters a-z, A-Z"))
            })
    };
    let before = letters(parts.next().unwrap_or(""))?;
    let after = parts.next().map(letters).transpose()?;
    if parts.next().is_some() {
        return Err(invalid(equation, "an operand can have only one ellipsis"));
    }
    Ok(Subscript { before, ellipsis: after.is_some(), after: after.unwrap_or_default() })
}

impl Subscript {
    fn letters(&self) -> usize {
        self.before.len() + self.after.len()
    }

    fn labels(&self, ellipsis: usize) -> Vec<Label> {
        // Short: no longer than the equation.
        let letters = |list: &[char]| list.iter().map(|&c| Label::Letter(c)).collect::<Vec<_>>();
        let middle = (0..ellipsis).rev().map(Label::Ellipsis);
        // Short: no longer than the equation.
        letters(&self.before).into_iter().chain(middle).chain(letters(&self.after)).collect()
    }
}

impl Equation {
    /// Reads an equation for operands of so many dimensions.
    pub fn parse(equation: &str, ndims: &[usize]) -> Result<Self> {
        let (left, right) = match equation.split_once("->") {
            Some((left, right)) => (left, Some(right)),
            None => (equation, None),
        };
        // Short: no longer than the equation.
        let subscripts = left.split(',').map(|text| subscript(equation, text)).collect::<Result<Vec<_>>>()?;
        if subscripts.len() != ndims.len() {
            return Err(invalid(
                equation,
                format_args!("it has {} operands, but {} were given", subscripts.len(), ndims.len()),
            ));
        }
        let mut operands = Vec::new();
        let mut width = 0;
        for (i, (subscript, &ndim)) in subscripts.iter().zip(ndims).enumerate() {
            let letters = subscript.letters();
            if letters > ndim || (letters < ndim && !subscript.ellipsis) {
                return Err(invalid(
                    equation,
                    format_args!(
                        "the number of subscripts ({letters}) does not match the number of dimensions ({ndim}) of \
                         operand {i}{}",
                        if subscript.ellipsis { "" } else { " and no ellipsis was given" }
                    ),
                ));
            }
            width = width.max(ndim - letters);
            operands.push(subscript.labels(ndim - letters));
        }
        let output = match right {
            None => Self::implicit_output(&operands, width),
            Some(text) => Self::explicit_output(equation, text, &operands, width)?,
        };
        Ok(Equation { operands, output })
    }

    /// The dimensions of the ellipsis, then the letters that occur once, in the order of their codes.
    fn implicit_output(operands: &[Vec<Label>], width: usize) -> Vec<Label> {
        let count = |label: &Label| operands.iter().flatten().filter(|l| *l == label).count();
        let mut letters: Vec<Label> = operands
            .iter()
            .flatten()
            .filter(|l| matches!(l, Label::Letter(_)) && count(l) == 1)
            .copied()
            // Short: no longer than the equation.
            .collect();
        letters.sort_unstable();
        // Short: no longer than the equation.
        (0..width).rev().map(Label::Ellipsis).chain(letters).collect()
    }

    fn explicit_output(
        equation: &str,
        text: &str,
        operands: &[Vec<Label>],
        width: usize,
    ) -> Result<Vec<Label>> {
        let subscript = subscript(equation, text)?;
        let output = subscript.labels(width);
        let output = if subscript.ellipsis {
            output
        } else {
            output.into_iter().filter(|l| matches!(l, Label::Letter(_))).collect()
        };
        for (i, label) in output.iter().enumerate() {
            let Label::Letter(letter) = label else { continue };
            if output[..i].contains(label) {
                return Err(invalid(
                    equation,
                    format_args!("the output has subscript {letter} more than once"),
                ));
            }
            if !operands.iter().flatten().any(|l| l == label) {
                return Err(invalid(
                    equation,
                    format_args!("output subscript {letter} does not occur in any operand"),
                ));
            }
        }
        Ok(output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(text: &str) -> Vec<Label> {
        text.chars().map(Label::Letter).collect()
    }

    #[test]
    fn reads_letters_and_the_implicit_output() {
        let equation = Equation::parse("b a, aC", &[2, 2]).expect("valid");
        assert_eq!(equation.operands, [letters("ba"), letters("aC")]);
        assert_eq!(equation.output, letters("Cb"));
    }

    #[test]
    fn ellipses_are_aligned_at_their_ends() {
        let equation = Equation::parse("...i,i...->...", &[3, 2]).expect("valid");
        let (outer, inner) = (Label::Ellipsis(1), Label::Ellipsis(0));
        assert_eq!(equation.operands[0], [outer, inner, Label::Letter('i')]);
        assert_eq!(equation.operands[1], [Label::Letter('i'), inner]);
        assert_eq!(equation.output, [outer, inner]);
    }

    #[test]
    fn says_what_is_wrong() {
        for (equation, ndims, why) in [
            ("i,j", &[1][..], "2 operands"),
            ("ij", &[1], "number of subscripts"),
            ("i->ii", &[1], "more than once"),
            ("i->j", &[1], "does not occur"),
            ("i->i->i", &[1], "'-'"),
            ("i1", &[2], "'1'"),
            ("......", &[2], "one ellipsis"),
        ] {
            let error = Equation::parse(equation, ndims).expect_err(equation).to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
