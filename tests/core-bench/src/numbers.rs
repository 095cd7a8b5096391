//! Percentiles and medians.

use std::time::Duration;

/// The value that `percent` of `sorted` do not exceed (nearest rank).
pub fn percentile(sorted: &[Duration], percent: u32) -> Duration {
    let rank = (sorted.len() * percent as usize).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

/// The middle one; of an even number the lower of both.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

/// Events per second in each tenth of them, from `start` on; `times` are when they happened, ascending, and each stands
/// for `weight` events.
pub fn rates_by_decile(start: Duration, times: &[Duration], weight: f64) -> Vec<f64> {
    let mut rates = Vec::new();
    let (mut from, mut done) = (start, 0);
    for decile in 1..=10 {
        let end = times.len() * decile / 10;
        if end == done {
            continue;
        }
        let seconds = times[end - 1].saturating_sub(from).as_secs_f64().max(1e-6);
        rates.push((end - done) as f64 * weight / seconds);
        (from, done) = (times[end - 1], end);
    }
    rates
}
