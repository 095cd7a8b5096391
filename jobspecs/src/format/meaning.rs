//! Whether two texts mean the same: their syntax trees without what is only layout.

use hcl_edit::expr::{Array, FuncArgs, Object};
use hcl_edit::structure::Body;
use hcl_edit::visit_mut::{self, VisitMut};

/// Whether both trees are the same but for blanks and comments.
pub fn is_same(one: Body, other: Body) -> bool {
    plain(one) == plain(other)
}

/// The tree without the blanks that count when trees are compared: those before a closing bracket.
fn plain(mut body: Body) -> Body {
    Plain.visit_body_mut(&mut body);
    body
}

struct Plain;

impl VisitMut for Plain {
    fn visit_array_mut(&mut self, node: &mut Array) {
        node.set_trailing("");
        visit_mut::visit_array_mut(self, node);
    }

    fn visit_object_mut(&mut self, node: &mut Object) {
        node.set_trailing("");
        visit_mut::visit_object_mut(self, node);
    }

    fn visit_func_args_mut(&mut self, node: &mut FuncArgs) {
        node.set_trailing("");
        visit_mut::visit_func_args_mut(self, node);
    }
}
