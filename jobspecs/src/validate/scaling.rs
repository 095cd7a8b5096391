//! What autoscalers may change, cores and devices.

use model::{Group, Numa, Scaling, Task};

use super::{Problems, placement};
use crate::nearest;

pub(super) fn check_group(group: &Group, path: &str, problems: &mut Problems) {
    let Some(scaling) = &group.scaling else { return };
    let path = format!("{path}.Scaling");
    if scaling.kind != "horizontal" {
        let message = format!("a group can't be scaled by `{}`", scaling.kind);
        problems.add(format!("{path}.Type"), message, "a group's count is scaled: write `scaling` without a name");
    }
    check_bounds(scaling, &path, problems);
    let count = i64::from(group.count);
    if scaling.max > 0 && scaling.min <= scaling.max && !(scaling.min..=scaling.max).contains(&count) {
        let (min, max) = (scaling.min, scaling.max);
        let message = format!("the count of group `{}` is {count}, its scaling allows {min} to {max}", group.name);
        problems.add(path, message, "change the count or the bounds");
    }
}

pub(super) fn check_task(task: &Task, path: &str, problems: &mut Problems) {
    for (at, scaling) in task.scaling_policies.iter().enumerate() {
        let path = format!("{path}.ScalingPolicies[{at}]");
        if !["vertical_cpu", "vertical_mem"].contains(&scaling.kind.as_str()) {
            let message = format!("a task can't be scaled by `{}`", scaling.kind);
            problems.add(format!("{path}.Type"), message, "write: scaling \"cpu\" { … } or scaling \"mem\" { … }");
        }
        check_bounds(scaling, &path, problems);
    }
    let resources = &task.resources;
    if let Some(numa) = &resources.numa {
        check_numa(task, numa, &format!("{path}.Resources.NUMA"), problems);
    }
    if resources.cores > 0 && resources.cpu > 0 {
        let message = format!("the task `{}` asks for cores and for a share of CPU", task.name);
        problems.add(format!("{path}.Resources.Cores"), message, "`cpu` and `cores` exclude each other");
    }
    for (at, device) in resources.devices.iter().enumerate() {
        let path = format!("{path}.Resources.Devices[{at}]");
        if device.count == 0 {
            let message = format!("the task `{}` asks for 0 devices `{}`", task.name, device.name);
            problems.add(format!("{path}.Count"), message, "leave the block out for none");
        }
        if !(1..=model::WHOLE_DEVICE).contains(&device.share) {
            let message =
                format!("the task `{}` asks for {} thousandths of `{}`", task.name, device.share, device.name);
            problems.add(format!("{path}.Share"), message, "a share is 1 to 1000; leave it out for whole devices");
        }
        placement::check_device(device, &path, problems);
    }
}

fn check_bounds(scaling: &Scaling, path: &str, problems: &mut Problems) {
    if scaling.max > 0 && scaling.max < scaling.min {
        let message = format!("the scaling's most of {} is below its least of {}", scaling.max, scaling.min);
        problems.add(format!("{path}.Max"), message, "max must be at least min");
    }
}

fn check_numa(task: &Task, numa: &Numa, path: &str, problems: &mut Problems) {
    if !numa.is_asked() {
        return;
    }
    if task.resources.cores == 0 {
        let message = format!("the task `{}` asks for numa, but for no cores", task.name);
        problems.add(format!("{path}.Affinity"), message, "write in resources: cores = 1 or more, in place of cpu");
    }
    let known = || task.resources.devices.iter().map(|device| device.name.as_str());
    for (at, name) in numa.devices.iter().enumerate().filter(|(_, name)| !known().any(|known| known == *name)) {
        let message = format!("the task `{}` names the device `{name}` for numa, which it does not ask for", task.name);
        let hint = nearest::did_you_mean(name, known());
        let add = || format!("add to resources: device \"{name}\" {{ … }}");
        problems.add(format!("{path}.Devices[{at}]"), message, hint.unwrap_or_else(add));
    }
}
