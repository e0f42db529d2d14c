//! The language of gradient formulas: `grad * result * (1 - result)`.
//!
//! Names are `grad`, the results, the arguments, `nan`, and `x.shape` or `x.dtype` of a tensor; calls are ops of the table or
//! hand-written functions of `autograd/formulas`. Arithmetic, comparisons, `&`, `|` and `!` work on tensors.

/// A parsed formula.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// A literal; `nan` is one.
    Number(String),
    /// An argument, a result or `grad`.
    Name(String),
    /// `input.shape`.
    Attribute(String, String),
    /// `f(a, b)`.
    Call(String, Vec<Expr>),
}

/// Reads a formula. Operators become calls of the ops they stand for.
pub fn parse(text: &str) -> Result<Expr, String> {
    let tokens = tokenize(text)?;
    let mut parser = Parser { tokens, at: 0 };
    let expr = parser.disjunction()?;
    if parser.at == parser.tokens.len() {
        Ok(expr)
    } else {
        Err(format!("in '{text}': unexpected '{}'", parser.tokens[parser.at]))
    }
}

fn tokenize(text: &str) -> Result<Vec<String>, String> {
    let chars: Vec<char> = text.chars().collect();
    let (mut tokens, mut i) = (Vec::new(), 0);
    while i < chars.len() {
        let c = chars[i];
        let start = i;
        if c.is_whitespace() {
            i += 1;
            continue;
        } else if c.is_ascii_digit() {
            while i < chars.len()
                && (chars[i].is_ascii_alphanumeric()
                    || chars[i] == '.'
                    || (chars[i] == '-' && chars[i - 1] == 'e'))
            {
                i += 1;
            }
        } else if c.is_alphabetic() || c == '_' {
            while i < chars.len() && (chars[i].is_alphanumeric() || chars[i] == '_') {
                i += 1;
            }
        } else if "=!<>".contains(c) && chars.get(i + 1) == Some(&'=') {
            i += 2;
        } else if "+-*/(),.&|!<>".contains(c) {
            i += 1;
        } else {
            return Err(format!("in '{text}': unexpected character '{c}'"));
        }
        tokens.push(chars[start..i].iter().collect());
    }
    Ok(tokens)
}

struct Parser {
    tokens: Vec<String>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> &str {
        self.tokens.get(self.at).map_or("", String::as_str)
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.peek() == token;
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, token: &str) -> Result<(), String> {
        if self.take(token) { Ok(()) } else { Err(format!("expected '{token}', found '{}'", self.peek())) }
    }

    fn left(
        &mut self,
        next: fn(&mut Self) -> Result<Expr, String>,
        operators: &[(&str, &str)],
    ) -> Result<Expr, String> {
        let mut left = next(self)?;
        'more: loop {
            for (token, op) in operators {
                if self.take(token) {
                    left = Expr::Call((*op).into(), vec![left, next(self)?]);
                    continue 'more;
                }
            }
            return Ok(left);
        }
    }

    fn disjunction(&mut self) -> Result<Expr, String> {
        self.left(Self::conjunction, &[("|", "logical_or")])
    }

    fn conjunction(&mut self) -> Result<Expr, String> {
        self.left(Self::comparison, &[("&", "logical_and")])
    }

    fn comparison(&mut self) -> Result<Expr, String> {
        self.left(
            Self::sum,
            &[("==", "eq"), ("!=", "ne"), ("<=", "le"), (">=", "ge"), ("<", "lt"), (">", "gt")],
        )
    }

    fn sum(&mut self) -> Result<Expr, String> {
        self.left(Self::product, &[("+", "add"), ("-", "sub")])
    }

    fn product(&mut self) -> Result<Expr, String> {
        self.left(Self::unary, &[("*", "mul"), ("/", "div")])
    }

    fn unary(&mut self) -> Result<Expr, String> {
        if self.take("-") {
            return Ok(match self.unary()? {
                Expr::Number(n) => Expr::Number(format!("-{n}")),
                other => Expr::Call("neg".into(), vec![other]),
            });
        }
        if self.take("!") {
            return Ok(Expr::Call("logical_not".into(), vec![self.unary()?]));
        }
        self.atom()
    }

    fn atom(&mut self) -> Result<Expr, String> {
        let token = self.peek().to_owned();
        self.at += 1;
        if token == "(" {
            let inner = self.disjunction()?;
            self.expect(")")?;
            return Ok(inner);
        }
        let first = token.chars().next().ok_or("unexpected end")?;
        if first.is_ascii_digit() || token == "nan" {
            return Ok(Expr::Number(token));
        }
        if !(first.is_alphabetic() || first == '_') {
            return Err(format!("unexpected '{token}'"));
        }
        if self.take("(") {
            let mut arguments = Vec::new();
            while !self.take(")") {
                arguments.push(self.disjunction()?);
                if !self.take(",") {
                    self.expect(")")?;
                    break;
                }
            }
            return Ok(Expr::Call(token, arguments));
        }
        if self.take(".") {
            let attribute = self.peek().to_owned();
            self.at += 1;
            return Ok(Expr::Attribute(token, attribute));
        }
        Ok(Expr::Name(token))
    }
}

impl Expr {
    /// Calls `visit` with every name and attribute.
    pub fn names(&self, visit: &mut impl FnMut(&str, Option<&str>)) {
        match self {
            Expr::Number(_) => {}
            Expr::Name(name) => visit(name, None),
            Expr::Attribute(name, attribute) => visit(name, Some(attribute)),
            Expr::Call(_, arguments) => arguments.iter().for_each(|a| a.names(visit)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(e: &Expr) -> String {
        match e {
            Expr::Number(n) | Expr::Name(n) => n.clone(),
            Expr::Attribute(n, a) => format!("{n}.{a}"),
            Expr::Call(f, a) => format!("{f}({})", a.iter().map(text).collect::<Vec<_>>().join(",")),
        }
    }

    #[test]
    fn precedence_and_calls() {
        let cases = [
            ("grad * result * (1 - result)", "mul(mul(grad,result),sub(1,result))"),
            ("-grad / 2.5e-3", "div(neg(grad),2.5e-3)"),
            ("where((x > 0) & !y, grad, -1)", "where(logical_and(gt(x,0),logical_not(y)),grad,-1)"),
            ("expand(grad, input.shape)", "expand(grad,input.shape)"),
        ];
        for (formula, expected) in cases {
            assert_eq!(parse(formula).map(|e| text(&e)).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        assert!(parse("grad ^ 2").is_err());
        assert!(parse("grad *").is_err());
        assert!(parse("(grad").is_err());
    }
}
