//! How often agents beat: as often as the leader can hear them.
//!
//! Where many beats come late, servers, agents or what is between them have more to do than they can. Then agents are asked
//! to beat less often, and their silence is borne for longer: that is better than to give up nodes that are there. Where few
//! nodes are, their beats cost too little for that to help, and a node that is lost shall be found soon.

use std::time::Duration;

use model::Timestamp;

use crate::limits::{BEAT_INTERVAL_MIN, BEAT_STRETCH_MAX, BEAT_STRETCH_NODES_MIN, beat_interval, suspect_after};

/// A beat that the leader hears later than this is late: long before its node is suspect, and more than servers gather them.
const LATE: Duration = Duration::from_millis(300);
/// Share of late beats, in percent, beyond which it is not some hosts that have trouble of their own.
const LATE_PERCENT: u32 = 10;
/// So often in a row that share must be seen: agents whose server has died are late once.
const LATE_LOOKS: u32 = 2;
/// For so long beats must have come in time before agents are asked for more of them again.
const ON_TIME_FOR: Duration = Duration::from_secs(30);

/// How often agents are asked to beat, and what they may still go by.
#[derive(Clone, Debug)]
pub(super) struct BeatInterval {
    asked: Duration,
    /// By so much it is longer than that of a cluster whose beats come in time.
    stretch: u32,
    /// Agents may go by this longer one until then.
    longer: Option<(Duration, Timestamp)>,
    /// Beats since the last look at them, and how many were late.
    beats: u32,
    late: u32,
    looked_at: Timestamp,
    late_looks: u32,
    late_at: Timestamp,
}

impl Default for BeatInterval {
    fn default() -> Self {
        Self {
            asked: BEAT_INTERVAL_MIN,
            stretch: 1,
            longer: None,
            beats: 0,
            late: 0,
            looked_at: Timestamp::default(),
            late_looks: 0,
            late_at: Timestamp::default(),
        }
    }
}

impl BeatInterval {
    /// How often agents of a cluster of so many nodes are asked to beat.
    pub fn asked(&self, nodes: usize) -> Duration {
        beat_interval(nodes) * self.stretch
    }

    /// The longest that an agent may go by.
    pub fn longest(&self, now: Timestamp) -> Duration {
        self.longer.filter(|(_, until)| now < *until).map_or(self.asked, |(longer, _)| longer.max(self.asked))
    }

    /// A beat was heard so long `after` the one before.
    pub fn heard(&mut self, after: Duration, now: Timestamp) {
        self.beats += 1;
        self.late += u32::from(after > self.longest(now) + LATE);
    }

    /// Agents go by `interval`, says a server that speaks with them: it may have been asked for by the leader of before.
    pub fn gone_by(&mut self, interval: Duration, now: Timestamp) {
        if interval > self.asked {
            // Until they have heard of another one, and their next beat has come.
            self.longer = Some((interval.max(self.longest(now)), now + suspect_after(interval)));
        }
    }

    /// Decides anew; a look that comes before each agent has beaten again changes nothing.
    pub fn look(&mut self, nodes: usize, now: Timestamp) {
        if now.since(self.looked_at) >= self.longest(now) {
            self.looked_at = now;
            self.count(nodes, now);
        }
        let asked = self.asked(nodes);
        let before = std::mem::replace(&mut self.asked, asked);
        self.gone_by(before, now);
    }

    fn count(&mut self, nodes: usize, now: Timestamp) {
        let [beats, late] = [&mut self.beats, &mut self.late].map(std::mem::take);
        if late * 100 > beats * LATE_PERCENT {
            self.late_looks += 1;
            self.late_at = now;
        } else {
            self.late_looks = 0;
        }
        if nodes < BEAT_STRETCH_NODES_MIN {
            self.stretch = 1;
        } else if self.late_looks >= LATE_LOOKS {
            self.late_looks = 0;
            self.stretch = (self.stretch * 2).min(BEAT_STRETCH_MAX);
        } else if self.stretch > 1 && now.since(self.late_at) >= ON_TIME_FOR {
            self.late_at = now;
            self.stretch /= 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSTANT: Duration = Duration::from_nanos(1);

    /// So many of a hundred beats are late, at each of so many looks, one after the other; when the last was.
    fn looks(interval: &mut BeatInterval, nodes: usize, late: u32, looks: u32, mut now: Timestamp) -> Timestamp {
        for _ in 0..looks {
            let longest = interval.longest(now);
            now = now + longest;
            for number in 0..100 {
                let after = longest + LATE + if number < late { INSTANT } else { Duration::ZERO };
                interval.heard(after, now);
            }
            interval.look(nodes, now);
        }
        now
    }

    fn stretch_after(nodes: usize, late: u32, number: u32) -> u32 {
        let mut interval = BeatInterval::default();
        looks(&mut interval, nodes, late, number, Timestamp::from_seconds(100));
        interval.stretch
    }

    #[test]
    fn many_late_beats_twice_in_a_row_have_agents_beat_half_as_often_down_to_a_limit() {
        const MANY: usize = BEAT_STRETCH_NODES_MIN;
        assert_eq!(stretch_after(MANY, LATE_PERCENT, 10), 1);
        assert_eq!(stretch_after(MANY, LATE_PERCENT + 1, LATE_LOOKS - 1), 1);
        assert_eq!(stretch_after(MANY, LATE_PERCENT + 1, LATE_LOOKS), 2);
        assert_eq!(stretch_after(MANY, LATE_PERCENT + 1, 2 * LATE_LOOKS), 4);
        assert_eq!(stretch_after(MANY, 100, 100), BEAT_STRETCH_MAX);
        assert_eq!(stretch_after(MANY - 1, 100, 100), 1, "the beats of few nodes cost little");
    }

    #[test]
    fn one_look_with_late_beats_between_others_changes_nothing() {
        let mut interval = BeatInterval::default();
        let mut now = Timestamp::from_seconds(100);
        for _ in 0..10 {
            now = looks(&mut interval, BEAT_STRETCH_NODES_MIN, 100, LATE_LOOKS - 1, now);
            now = looks(&mut interval, BEAT_STRETCH_NODES_MIN, 0, 1, now);
        }
        assert_eq!(interval.stretch, 1);
    }

    #[test]
    fn once_beats_have_come_in_time_for_a_while_agents_are_asked_for_more_again() {
        let nodes = BEAT_STRETCH_NODES_MIN;
        let mut interval = BeatInterval::default();
        let late_at = looks(&mut interval, nodes, 100, 2 * LATE_LOOKS, Timestamp::from_seconds(100));
        assert_eq!(interval.asked(nodes), 4 * BEAT_INTERVAL_MIN);
        interval.look(nodes, late_at + (ON_TIME_FOR - INSTANT));
        assert_eq!(interval.stretch, 4);
        interval.look(nodes, late_at + ON_TIME_FOR + 4 * BEAT_INTERVAL_MIN);
        assert_eq!(interval.stretch, 2);
    }

    #[test]
    fn what_agents_went_by_counts_until_they_must_have_heard_of_the_shorter_one() {
        let mut interval = BeatInterval::default();
        let now = Timestamp::from_seconds(100);
        interval.look(50_000, now);
        let long = beat_interval(50_000);
        assert_eq!(interval.longest(now), long);
        interval.look(3, now);
        assert_eq!((interval.asked(3), interval.longest(now)), (BEAT_INTERVAL_MIN, long));
        assert_eq!(interval.longest(now + (suspect_after(long) - INSTANT)), long);
        assert_eq!(interval.longest(now + suspect_after(long)), BEAT_INTERVAL_MIN);
    }

    #[test]
    fn a_new_leader_bears_with_what_the_one_before_asked_for() {
        let mut interval = BeatInterval::default();
        let now = Timestamp::from_seconds(100);
        interval.gone_by(4 * BEAT_INTERVAL_MIN, now);
        interval.gone_by(2 * BEAT_INTERVAL_MIN, now);
        assert_eq!(interval.longest(now), 4 * BEAT_INTERVAL_MIN);
        interval.gone_by(BEAT_INTERVAL_MIN, now);
        assert_eq!(interval.longest(now), 4 * BEAT_INTERVAL_MIN);
    }
}
