//! A node's score in words: the sum, and the parts that say something.

use crate::api::Score;
use crate::show::text;

/// `-0.42 = packing -0.17, anti-affinity -0.25`.
pub fn of(score: &Score) -> String {
    let said = score.parts.iter().filter(|(_, part)| part.abs() >= 0.005);
    let parts: Vec<String> = said.map(|(name, part)| format!("{} {part:.2}", text::escape(name))).collect();
    if parts.is_empty() { format!("{:.2}", score.total) } else { format!("{:.2} = {}", score.total, parts.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_say_nothing_are_left_out() {
        let mut score = Score { total: -0.421, ..Score::default() };
        assert_eq!(of(&score), "-0.42");
        score.parts = [("packing", -0.421), ("spread", 0.0)].map(|(name, part)| (name.to_string(), part)).into();
        assert_eq!(of(&score), "-0.42 = packing -0.42");
    }
}
