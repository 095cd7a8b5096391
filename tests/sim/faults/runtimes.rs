//! Container runtimes in trouble, containers that end, and clocks that are wrong.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use model::Exit;
use tokio::time::sleep;

use super::Fault;
use crate::sim::cluster::SimCluster;
use crate::sim::driver::Trouble;
use crate::sim::seed::SeededRandom;

/// By how much a clock steps.
const STEP_SECONDS: i64 = 3_600;
/// By how much a clock goes wrong, at most.
const DRIFT_PERMILLE: u64 = 50;

pub(super) async fn play(fault: Fault, cluster: &Arc<SimCluster>, random: &SeededRandom) {
    if matches!(fault, Fault::ClockStep | Fault::ClockDrift) {
        return disturb_clock(fault, cluster, random).await;
    }
    let Some(number) = random.pick(&cluster.agent_numbers()) else { return };
    let Some((fake, trouble)) = cluster.runtime(number) else { return };
    let lasts = random.milliseconds(500, 20_000);
    let percent = random.between(10, 80);
    let containers = fake.running();
    let one = random.pick(&containers).map(|(allocation, _)| allocation);
    cluster.trace.say(format_args!("-- {fault:?}: n{number} for {lasts:?}"));
    let during = |set: &dyn Fn(&Trouble)| {
        set(&trouble);
        sleep(lasts)
    };
    match fault {
        Fault::RuntimeHangs => during(&|trouble| trouble.hangs.store(true, Ordering::Relaxed)).await,
        Fault::RuntimeSlow => during(&|trouble| trouble.slow_ms.store(percent * 40, Ordering::Relaxed)).await,
        Fault::RuntimeLosesReplies => {
            during(&|trouble| trouble.lost_replies_percent.store(percent, Ordering::Relaxed)).await;
        }
        Fault::RuntimeDeaf => during(&|trouble| trouble.is_deaf.store(true, Ordering::Relaxed)).await,
        Fault::PullsFail => during(&|trouble| trouble.failed_starts_percent.store(percent, Ordering::Relaxed)).await,
        Fault::RuntimeAway | Fault::RuntimeLosesAll => {
            fake.set_away(true);
            if fault == Fault::RuntimeLosesAll {
                fake.kill_all();
            }
            sleep(lasts).await;
            fake.set_away(false);
        }
        Fault::OutOfMemory => {
            if let Some(one) = one {
                fake.end(one, &Exit { code: 137, signal: 9, oom_killed: true, ..Exit::default() });
            }
        }
        Fault::Exit => {
            if let Some(one) = one {
                fake.end(one, &Exit { code: random.below(3) as i64, ..Exit::default() });
            }
        }
        Fault::Vanish => {
            if let Some(one) = one {
                fake.vanish(one);
            }
        }
        _ => {}
    }
    trouble.end();
}

async fn disturb_clock(fault: Fault, cluster: &SimCluster, random: &SeededRandom) {
    let Some(process) = random.pick(&cluster.processes()) else { return };
    let Some(clock) = cluster.clock_of(process) else { return };
    let sign = if random.chance(50) { 1 } else { -1 };
    if fault == Fault::ClockStep {
        cluster.trace.say(format_args!("-- the clock of {process} steps by {} s", sign * STEP_SECONDS));
        clock.step(sign * STEP_SECONDS);
    } else {
        let permille = sign * random.between(1, DRIFT_PERMILLE) as i64;
        cluster.trace.say(format_args!("-- the clock of {process} is off by {permille} in a thousand"));
        clock.drift(permille);
    }
    sleep(random.milliseconds(5_000, 40_000)).await;
    clock.correct();
    cluster.trace.say(format_args!("-- the clock of {process} is right again"));
}
