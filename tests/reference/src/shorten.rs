//! Shortens a story that goes wrong to the lines that it takes.

use crate::run::{Outcome, begin, play};

/// What is wrong with a story, if anything is. The lines go to `told`, and under each what was decided.
fn wrong(lines: &[String], told: &mut Vec<String>) -> Option<String> {
    let (mut story, seen) = begin();
    for line in lines {
        let mut decided = Vec::new();
        let outcome = play(&mut story, &seen, line, true, &mut decided);
        told.push(line.clone());
        told.extend(decided.iter().map(|line| format!("    {line}")));
        match outcome {
            Outcome::Well => {}
            // A story that makes no sense any more is no shorter one.
            Outcome::Senseless(_) => return None,
            Outcome::Wrong(words) => return Some(words),
        }
    }
    None
}

/// The story without what it does not take to go wrong in the same way, with what is decided in it, and what is wrong.
pub fn shortened(lines: &[String]) -> (Vec<String>, String) {
    let mut lines = lines.to_vec();
    let mut told = Vec::new();
    let kind = |words: &str| words.split(':').next().unwrap_or_default().to_string();
    let Some(mut words) = wrong(&lines, &mut told) else {
        return (told, "it does not go wrong when told again".into());
    };
    let wanted = kind(&words);
    let mut size = lines.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at < lines.len() {
            let mut shorter = lines.clone();
            shorter.drain(at..(at + size).min(lines.len()));
            let mut new = Vec::new();
            match wrong(&shorter, &mut new).filter(|words| kind(words) == wanted) {
                Some(found) => (lines, words, told) = (shorter, found, new),
                None => at += size,
            }
        }
        size /= 2;
    }
    (told, words)
}
