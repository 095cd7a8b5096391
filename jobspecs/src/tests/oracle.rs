//! Our evaluator against that of hcl-rs, where both apply: without functions, conversions, heredocs and unknown names.

use proptest::prelude::*;

use crate::evaluate::{Budget, Evaluator, Frame, Scope};
use crate::inputs::Outside;
use crate::source::Source;
use crate::syntax;
use crate::value::Value;

fn ours(text: &str) -> Option<serde_json::Value> {
    let source = Source::new("oracle", text);
    let expression = syntax::expression(&source).ok()?;
    let mut scope = Scope::default();
    scope.variables.insert("n".into(), Value::whole(4));
    scope.variables.insert("list".into(), Value::from_json(&serde_json::json!([1, 2, 3])));
    let budget = Budget::default();
    let evaluator = Evaluator { source: &source, scope: &scope, budget: &budget, outside: Outside::default() };
    evaluator.evaluate(&expression, &Frame::TOP).ok().map(|value| value.to_json())
}

fn theirs(text: &str) -> Option<serde_json::Value> {
    use hcl::eval::Evaluate as _;
    let expression: hcl::Expression = text.parse().ok()?;
    let mut context = hcl::eval::Context::new();
    context.declare_var("var", hcl::value!({ "n" = 4, "list" = [1, 2, 3] }));
    let value = expression.evaluate(&context).ok()?;
    serde_json::to_value(value).ok()
}

/// Numbers compare by value: hcl-rs keeps `2.0` where ours says `2`.
fn same(left: &serde_json::Value, right: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Number, Object};
    match (left, right) {
        (Number(left), Number(right)) => match (left.as_f64(), right.as_f64()) {
            (Some(left), Some(right)) => (left - right).abs() <= 1e-9 * left.abs().max(1.0),
            _ => false,
        },
        (Array(left), Array(right)) => left.len() == right.len() && left.iter().zip(right).all(|(l, r)| same(l, r)),
        (Object(left), Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, value)| right.get(key).is_some_and(|other| same(value, other)))
        }
        (left, right) => left == right,
    }
}

fn number() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        (0_i32..100).prop_map(|number| number.to_string()),
        Just("var.n".to_string()),
        Just("var.list[1]".to_string()),
        Just("var.list.0".to_string()),
        Just("2.5".to_string()),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            (inner.clone(), "[-+*]", inner.clone()).prop_map(|(l, operator, r)| format!("{l} {operator} {r}")),
            // hcl-rs panics where a division has no finite result.
            (inner.clone(), "[/%]", 1_i32..9).prop_map(|(l, operator, r)| format!("({l}) {operator} {r}")),
            inner.clone().prop_map(|inner| format!("({inner})")),
            inner.clone().prop_map(|inner| format!("-({inner})")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("({a} <= {b} ? {c} : {a})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[{a}, {b}][1]")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("{{ x = {a}, y = {b} }}.x")),
        ]
    })
}

fn expression() -> impl Strategy<Value = String> {
    let words = "[a-z ]{0,6}";
    prop_oneof![
        number(),
        (number(), number()).prop_map(|(l, r)| format!("{l} == {r} || {l} < {r} && !({l} >= {r})")),
        (words, number(), words).prop_map(|(before, number, after)| format!("\"{before}${{ {number} == 1 }}{after}\"")),
        (words, words).prop_map(|(a, b)| format!("\"a {{{a}\\n  ${{~ \"{b}\" ~}} \\n c\"")),
        (number(), words).prop_map(|(n, w)| format!("\"{w} %{{ if {n} > 3 ~}} yes %{{ else ~}} no %{{ endif }}{w}\"")),
        (number(), words).prop_map(|(n, w)| format!("\"%{{ for x in [{n}, 1] }}{w}${{x == 1}}%{{ endfor ~}} {w}\"")),
        number().prop_map(|n| format!("[for i, v in var.list : v * {n} if i != 1]")),
        number().prop_map(|n| format!("{{ for v in var.list : \"k${{v}}\" => v + {n} }}")),
        number().prop_map(|n| format!("{{ for v in [1, 2, 1] : \"k${{v}}\" => {n}... }}")),
        number().prop_map(|n| format!("[{{ a = {n} }}, {{ a = 2 }}][*].a")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_evaluators_agree(text in expression()) {
        // Where hcl-rs refuses, ours may convert; where it answers, ours must answer the same.
        if let Some(theirs) = theirs(&text) {
            let ours = ours(&text);
            prop_assert!(ours.as_ref().is_some_and(|ours| same(ours, &theirs)), "{text}: {ours:?} against {theirs:?}");
        }
    }
}

#[test]
fn the_oracle_answers_so_the_property_is_not_empty() {
    assert_eq!(theirs("var.n * 2 + var.list[1]"), Some(serde_json::json!(10)));
}
