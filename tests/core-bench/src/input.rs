//! What is packed: nodes, tasks in the order of their arrival, and rules on who may share a node.

use std::collections::BTreeMap;
use std::path::Path;

use crate::csv::{Row, Table};
use crate::files;

/// A whole device, in the unit of shares.
pub const WHOLE: u64 = 1000;

/// CPU in MHz, memory in MiB, disk in MiB.
pub type Amounts = [u64; 3];

/// A node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeSpec {
    /// Unique.
    pub name: String,
    /// What it has.
    pub capacity: Amounts,
    /// How many devices it has.
    pub devices: usize,
    /// The model of its devices; a task may ask for some models only.
    pub class: String,
}

/// Equal instances that arrive together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// When, in seconds.
    pub arrival: u64,
    /// The job's place in `Input::jobs`.
    pub job: usize,
    /// Instances.
    pub count: u32,
    /// What each asks.
    pub ask: Ask,
    /// How long they run, in seconds; none for ever. Only the replay looks at it.
    pub lifetime: Option<u64>,
}

/// What an instance asks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ask {
    /// Of what every node has.
    pub amounts: Amounts,
    /// Of devices, in thousandths: less than a whole one is a share of one, more is so many whole ones.
    pub device_milli: u64,
    /// The models that will do; none for any.
    pub classes: Vec<String>,
}

/// At most so many instances of `other` on a node that runs `job`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The job; its place in `Input::jobs`.
    pub job: usize,
    /// The other, or the same: then it is a cap.
    pub other: usize,
    /// 0 for never together.
    pub max_per_node: u32,
}

/// Everything that is read.
#[derive(Clone, Debug, Default)]
pub struct Input {
    /// In the order of the file.
    pub nodes: Vec<NodeSpec>,
    /// In the order of their arrival.
    pub tasks: Vec<Task>,
    /// Who may share a node.
    pub rules: Vec<Rule>,
    /// The names of jobs.
    pub jobs: Vec<String>,
}

impl Input {
    /// Reads the files.
    pub fn read(nodes: &Path, tasks: &Path, rules: Option<&Path>) -> Result<Self, String> {
        let rules = rules.map(|path| Ok::<_, String>((path, files::read(path)?))).transpose()?;
        Self::parse(
            (&nodes.display().to_string(), &files::read(nodes)?),
            (&tasks.display().to_string(), &files::read(tasks)?),
            rules.as_ref().map(|(path, text)| (path.display().to_string(), text.as_str())),
        )
    }

    fn parse(nodes: (&str, &str), tasks: (&str, &str), rules: Option<(String, &str)>) -> Result<Self, String> {
        let mut input = Self { nodes: read_nodes(nodes.0, nodes.1)?, ..Self::default() };
        let mut names = BTreeMap::new();
        input.read_tasks(tasks.0, tasks.1, &mut names)?;
        if let Some((file, text)) = rules {
            input.read_rules(&file, text, &names)?;
        }
        Ok(input)
    }

    /// Instances of all tasks.
    pub fn instances(&self) -> u64 {
        self.tasks.iter().map(|task| u64::from(task.count)).sum()
    }

    fn read_tasks(&mut self, file: &str, text: &str, names: &mut BTreeMap<String, usize>) -> Result<(), String> {
        let needed = ["arrival", "job", "cpu", "memory"];
        let table = Table::parse(file, text, &needed, &["count", "disk", "gpu_milli", "gpu_class", "lifetime"])?;
        let mut latest = 0;
        for row in table.rows() {
            let task = self.task(row, names)?;
            if task.arrival < latest {
                return Err(row.wrong(&format!(
                    "arrival {} comes after {latest}; tasks stand in the order of their arrival",
                    task.arrival
                )));
            }
            latest = task.arrival;
            self.tasks.push(task);
        }
        if self.tasks.is_empty() { Err(format!("{file}: there are no tasks")) } else { Ok(()) }
    }

    fn task(&mut self, row: Row<'_>, names: &mut BTreeMap<String, usize>) -> Result<Task, String> {
        let count = row.number("count")?.unwrap_or(1);
        let count = u32::try_from(count).ok().filter(|count| (1..=10_000).contains(count));
        let count = count.ok_or_else(|| row.wrong("count is 1 to 10000; split a larger one into several lines"))?;
        let device_milli = row.number("gpu_milli")?.unwrap_or(0);
        if device_milli > WHOLE && device_milli % WHOLE != 0 {
            return Err(row.wrong(&format!(
                "gpu_milli is {device_milli}: a share of one device is at most {WHOLE}, more are whole ones, so a \
                 multiple of {WHOLE}"
            )));
        }
        let name = row.text("job");
        if name.is_empty() {
            return Err(row.wrong("job is empty; every line has the name of its job"));
        }
        let job = *names.entry(name.to_string()).or_insert_with(|| {
            self.jobs.push(name.into());
            self.jobs.len() - 1
        });
        let classes = row.text("gpu_class").split('|').filter(|class| !class.is_empty());
        Ok(Task {
            arrival: row.number("arrival")?.unwrap_or(0),
            job,
            count,
            ask: Ask { amounts: amounts(row)?, device_milli, classes: classes.map(Into::into).collect() },
            lifetime: row.number("lifetime")?,
        })
    }

    fn read_rules(&mut self, file: &str, text: &str, names: &BTreeMap<String, usize>) -> Result<(), String> {
        let table = Table::parse(file, text, &["job", "other_job", "max_per_node"], &[])?;
        for row in table.rows() {
            let max =
                row.number("max_per_node")?.ok_or_else(|| row.wrong("max_per_node is empty; 0 is never together"))?;
            let max_per_node = u32::try_from(max).unwrap_or(u32::MAX);
            // A rule on a job that never arrives holds by itself.
            let (Some(&job), Some(&other)) = (names.get(row.text("job")), names.get(row.text("other_job"))) else {
                continue;
            };
            if job == other && max_per_node == 0 {
                return Err(
                    row.wrong("max_per_node 0 with the job itself: then it could run nowhere; a cap is 1 or more")
                );
            }
            self.rules.push(Rule { job, other, max_per_node });
        }
        Ok(())
    }
}

fn read_nodes(file: &str, text: &str) -> Result<Vec<NodeSpec>, String> {
    let table = Table::parse(file, text, &["name", "cpu", "memory"], &["disk", "gpu_milli", "class"])?;
    let mut nodes = Vec::new();
    let mut names = BTreeMap::new();
    for row in table.rows() {
        let device_milli = row.number("gpu_milli")?.unwrap_or(0);
        if device_milli % WHOLE != 0 {
            return Err(row.wrong(&format!("gpu_milli is {device_milli}: a node has whole devices of {WHOLE} each")));
        }
        let name = row.text("name");
        if let Some(line) = names.insert(name, row.line) {
            return Err(row.wrong(&format!("the name `{name}` stands in line {line} already; names are unique")));
        }
        nodes.push(NodeSpec {
            name: name.into(),
            capacity: amounts(row)?,
            devices: (device_milli / WHOLE) as usize,
            class: row.text("class").into(),
        });
    }
    if nodes.is_empty() { Err(format!("{file}: there are no nodes")) } else { Ok(nodes) }
}

fn amounts(row: Row<'_>) -> Result<Amounts, String> {
    Ok([row.number("cpu")?.unwrap_or(0), row.number("memory")?.unwrap_or(0), row.number("disk")?.unwrap_or(0)])
}

/// The first `count` of `nodes`; where there are fewer, they are repeated under new names.
pub fn fleet(nodes: &[NodeSpec], count: usize) -> Vec<NodeSpec> {
    let named = |(at, node): (usize, &NodeSpec)| match at / nodes.len() {
        0 => node.clone(),
        round => NodeSpec { name: format!("{}+{round}", node.name), ..node.clone() },
    };
    nodes.iter().cycle().take(count).enumerate().map(named).collect()
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Reads texts as if they were files.
    pub fn input(nodes: &str, tasks: &str, rules: &str) -> Result<Input, String> {
        let rules = (!rules.is_empty()).then(|| ("rules.csv".to_string(), rules));
        Input::parse(("nodes.csv", nodes), ("tasks.csv", tasks), rules)
    }

    const NODES: &str = "name,cpu,memory,disk,gpu_milli,class\na,1000,2000,50,2000,T4\n";

    fn error(nodes: &str, tasks: &str, rules: &str) -> String {
        input(nodes, tasks, rules).unwrap_err()
    }

    #[test]
    fn a_line_is_a_number_of_equal_instances_with_an_end_or_without_one() {
        let read = input(
            NODES,
            "arrival,job,count,cpu,memory,gpu_milli,gpu_class,lifetime\n0,web,2,10,20,500,T4|P100,\n5,job,,1,2,,,60\n",
            "",
        )
        .unwrap();
        assert_eq!(read.nodes[0].devices, 2);
        assert_eq!(read.jobs, ["web", "job"]);
        assert_eq!((read.tasks[0].count, read.tasks[0].lifetime), (2, None));
        assert_eq!(read.tasks[0].ask.classes, ["T4", "P100"]);
        assert_eq!((read.tasks[1].count, read.tasks[1].lifetime), (1, Some(60)));
        assert_eq!(read.instances(), 3);
    }

    #[test]
    fn what_can_not_be_meant_is_refused_with_its_line() {
        let tasks = "arrival,job,cpu,memory\n0,web,1,1\n";
        assert!(error("name,cpu,memory\na,1,1\na,1,1\n", tasks, "").starts_with("nodes.csv, line 3: the name `a`"));
        assert!(error("name,cpu,memory,gpu_milli\na,1,1,1500\n", tasks, "").contains("whole devices of 1000"));
        assert!(error("name,cpu,memory\n", tasks, "").contains("there are no nodes"));
        let late = "arrival,job,cpu,memory\n5,web,1,1\n4,web,1,1\n";
        assert!(error(NODES, late, "").starts_with("tasks.csv, line 3: arrival 4 comes after 5"));
        let share = "arrival,job,cpu,memory,gpu_milli\n0,web,1,1,1500\n";
        assert!(error(NODES, share, "").contains("multiple of 1000"));
        let rules = "job,other_job,max_per_node\nweb,web,0\n";
        assert!(error(NODES, tasks, rules).starts_with("rules.csv, line 2: max_per_node 0 with the job itself"));
    }

    #[test]
    fn a_rule_on_a_job_that_never_comes_is_passed_over() {
        let tasks = "arrival,job,cpu,memory\n0,web,1,1\n";
        let read = input(NODES, tasks, "job,other_job,max_per_node\nweb,web,3\nweb,db,0\n").unwrap();
        assert_eq!(read.rules, [Rule { job: 0, other: 0, max_per_node: 3 }]);
    }

    #[test]
    fn a_fleet_is_the_first_nodes_and_then_the_same_again_under_new_names() {
        let nodes = read_nodes("n", "name,cpu,memory\na,1,1\nb,2,2\n").unwrap();
        let names: Vec<_> = fleet(&nodes, 5).into_iter().map(|node| node.name).collect();
        assert_eq!(names, ["a", "b", "a+1", "b+1", "a+2"]);
        assert_eq!(fleet(&nodes, 1).len(), 1);
    }
}
