//! Plans of 1 to 1000 node groups: time and memory are at most proportional to their number.

use std::time::{Duration, Instant};

use gitlabspot_acceptance_tests::{Engine, Stage};
use serde_json::json;

use crate::process::{Usage, Watch};
use crate::start::mib;
use crate::table::Table;

const SIZES: [u32; 3] = [1, 100, 1000];
const TIMES: usize = 3;

/// Maximum factor for ten times as many groups. Proportional growth is 10.
const MOST: f64 = 15.0;

struct Figure {
    groups: u32,
    time: Duration,
    usage: Usage,
    calls: usize,
}

pub(crate) async fn measure() -> Table {
    let stage = Stage::new("bench/plans", Engine::opentofu()).await;
    let role = stage.account.create_node_role("nodes").await;
    let workspace = stage.testdata("node_group/many", json!({ "node_role_arn": role })).await;
    let mut figures = Vec::new();
    for groups in SIZES {
        workspace.set(&json!({ "groups": groups }));
        let mut runs = Vec::new();
        for _ in 0..TIMES {
            stage.account.forget();
            let (began, watch) = (Instant::now(), Watch::begin(stage.folder()));
            let _ = workspace.run(&["plan", "-input=false", "-no-color"]).await.succeeded();
            let (time, usage) = (began.elapsed(), watch.end());
            runs.push(Figure { groups, time, usage, calls: stage.account.calls().len() });
        }
        runs.sort_by_key(|run| run.usage.cpu);
        figures.push(runs.swap_remove(TIMES / 2));
    }
    table(&figures)
}

fn table(figures: &[Figure]) -> Table {
    let mut table = Table::new(
        "Plans of new node groups: the run with the median of the provider's CPU time out of 3",
        &["groups", "plan s", "provider's CPU s", "ms a group", "provider's memory MiB", "AWS calls"],
    );
    for figure in figures {
        let cpu = figure.usage.cpu.as_secs_f64();
        let each = format!("{:.2}", cpu * 1000.0 / f64::from(figure.groups));
        let (time, cpu) = (format!("{:.2}", figure.time.as_secs_f64()), format!("{cpu:.3}"));
        table.row(&[&figure.groups, &time, &cpu, &each, &mib(figure.usage.memory), &figure.calls]);
    }
    let [one, hundred, thousand] = figures else { unreachable!("three sizes were measured") };
    // One group costs the start of the provider, which does not depend on the number of groups.
    let grown = |of: fn(&Figure) -> f64| (of(thousand) - of(one)) / (of(hundred) - of(one)).max(f64::MIN_POSITIVE);
    let cpu = grown(|figure| figure.usage.cpu.as_secs_f64());
    table.budget(cpu <= MOST, format!("ten times as many groups take {cpu:.1} times the provider's CPU time"));
    #[expect(clippy::cast_precision_loss, reason = "no provider has 2^52 KiB")]
    let memory = grown(|figure| figure.usage.memory as f64);
    table.budget(memory <= MOST, format!("ten times as many groups take {memory:.1} times the provider's memory"));
    table.budget(thousand.calls <= one.calls, format!("{} calls for a plan of many groups", thousand.calls));
    table
}
