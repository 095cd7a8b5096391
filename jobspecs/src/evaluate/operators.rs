//! Arithmetic, comparison and logic, with HCL's implicit conversions of their operands.

use hcl_edit::expr::{BinaryOp, BinaryOperator, Expression, UnaryOp, UnaryOperator};

use super::{Evaluated, Evaluator, Frame, span_of};
use crate::source::Span;
use crate::value::{Number, Value};

impl Evaluator<'_> {
    pub(super) fn unary(&self, operation: &UnaryOp, frame: &Frame<'_>) -> Evaluated {
        match operation.operator.value() {
            UnaryOperator::Not => Ok(Value::Bool(!self.truth(&operation.expr, frame)?)),
            UnaryOperator::Neg => Ok(Value::Number(match self.number(&operation.expr, frame)? {
                Number::Whole(whole) => Number::Whole(whole.saturating_neg()),
                Number::Real(real) => Number::Real(-real),
            })),
        }
    }

    pub(super) fn binary(&self, operation: &BinaryOp, span: &Span, frame: &Frame<'_>) -> Evaluated {
        use BinaryOperator::{And, Div, Eq, Greater, GreaterEq, Less, LessEq, Minus, Mod, Mul, NotEq, Or, Plus};
        let (left, right) = (&operation.lhs_expr, &operation.rhs_expr);
        let operator = *operation.operator.value();
        match operator {
            Eq => Ok(Value::Bool(self.evaluate(left, frame)? == self.evaluate(right, frame)?)),
            NotEq => Ok(Value::Bool(self.evaluate(left, frame)? != self.evaluate(right, frame)?)),
            And | Or => {
                let (left, right) = (self.truth(left, frame)?, self.truth(right, frame)?);
                Ok(Value::Bool(if operator == And { left && right } else { left || right }))
            }
            Less | LessEq | Greater | GreaterEq => {
                let (left, right) = (self.number(left, frame)?, self.number(right, frame)?);
                Ok(Value::Bool(match operator {
                    Less => left < right,
                    LessEq => left <= right,
                    Greater => left > right,
                    _ => left >= right,
                }))
            }
            Plus | Minus | Mul | Div | Mod => {
                let number = |side| {
                    self.number(side, frame).map_err(|error| match operator {
                        Plus => Box::new(error.hint_if_none("texts are joined in a template: \"${a}${b}\"")),
                        _ => error,
                    })
                };
                let (left, right) = (number(left)?, number(right)?);
                compute(operator, left, right).map(Value::Number).map_err(|problem| self.error(span, problem))
            }
        }
    }

    fn truth(&self, expression: &Expression, frame: &Frame<'_>) -> Evaluated<bool> {
        let value = self.evaluate(expression, frame)?;
        value.to_bool().ok_or_else(|| {
            self.error(&span_of(expression), format!("true or false is needed here, this is {}", value.kind()))
        })
    }

    fn number(&self, expression: &Expression, frame: &Frame<'_>) -> Evaluated<Number> {
        let value = self.evaluate(expression, frame)?;
        value.to_number().ok_or_else(|| {
            self.error(&span_of(expression), format!("a number is needed here, this is {}", value.kind()))
        })
    }
}

/// `left operator right`; whole numbers stay whole where the result is.
fn compute(operator: BinaryOperator, left: Number, right: Number) -> Result<Number, &'static str> {
    let is_zero = right.real() == 0.0;
    if is_zero && matches!(operator, BinaryOperator::Div | BinaryOperator::Mod) {
        return Err("this divides by zero");
    }
    if let (Some(left), Some(right)) = (left.whole(), right.whole()) {
        let exact = match operator {
            BinaryOperator::Plus => left.checked_add(right),
            BinaryOperator::Minus => left.checked_sub(right),
            BinaryOperator::Mul => left.checked_mul(right),
            BinaryOperator::Mod => left.checked_rem(right),
            _ => (left % right == 0).then(|| left / right),
        };
        if let Some(exact) = exact {
            return Ok(Number::Whole(exact));
        }
    }
    let (left, right) = (left.real(), right.real());
    let real = match operator {
        BinaryOperator::Plus => left + right,
        BinaryOperator::Minus => left - right,
        BinaryOperator::Mul => left * right,
        BinaryOperator::Mod => left % right,
        _ => left / right,
    };
    Number::of_real(real).ok_or("the number is too large")
}
