//! The pictures in the documentation, drawn from the lists in this file: boxes on a grid, and arrows between them.

use std::fmt::Write;

use crate::repository::assert_current;

/// Width and height of a box, and of the gap between two boxes.
const BOX: (usize, usize) = (212, 74);
const GAP: (usize, usize) = (76, 44);
const MARGIN: usize = 24;
const TITLE: usize = 34;

/// A box at a column and row, with its name and up to two further lines.
struct Part {
    name: &'static str,
    at: (usize, usize),
    lines: [&'static str; 2],
    /// The owner, which determines the colour.
    owner: Owner,
}

#[derive(Clone, Copy)]
enum Owner {
    Provider,
    Others,
}

/// An arrow from one part to another, with its label.
struct Arrow(&'static str, &'static str, &'static str);

struct Picture {
    title: &'static str,
    size: (usize, usize),
    parts: &'static [Part],
    arrows: &'static [Arrow],
}

const fn part(name: &'static str, at: (usize, usize), lines: [&'static str; 2], owner: Owner) -> Part {
    Part { name, at, lines, owner }
}

const STACK: Picture = Picture {
    title: "The stack: solid boxes are managed by the provider",
    size: (3, 4),
    parts: &[
        part("GitLab", (0, 0), ["jobs of pipelines", "that wait for a runner"], Owner::Others),
        part("Runner release", (1, 0), ["manager pod, config.toml", "gitlabspot_runner_release"], Owner::Provider),
        part("Secret", (2, 0), ["access key of the cache", "gitlabspot_runner_credentials"], Owner::Provider),
        part("Warm capacity", (0, 1), ["placeholder pods", "gitlabspot_warm_capacity"], Owner::Provider),
        part("Job pods", (1, 1), ["one for each job", "require labels, tolerate taints"], Owner::Others),
        part("Cache bucket", (2, 1), ["objects expire", "gitlabspot_cache_bucket"], Owner::Provider),
        part(
            "Cluster autoscaler",
            (0, 2),
            ["adds a node for pending pods", "removes nodes without jobs"],
            Owner::Others,
        ),
        part("Build nodes", (1, 2), ["Spot instances,", "none while there is no work"], Owner::Others),
        part("IAM user or role", (2, 2), ["may use the bucket only", "gitlabspot_runner_credentials"], Owner::Provider),
        part("Auto Scaling Group", (0, 3), ["tags with labels and taints", "gitlabspot_node_group"], Owner::Provider),
        part("Node group", (1, 3), ["types, sizes, labels, taints", "gitlabspot_node_group"], Owner::Provider),
    ],
    arrows: &[
        Arrow("Runner release", "GitLab", "asks"),
        Arrow("Runner release", "Job pods", "creates"),
        Arrow("Runner release", "Secret", "reads"),
        Arrow("Job pods", "Warm capacity", "preempt"),
        Arrow("Job pods", "Cache bucket", "URL"),
        Arrow("Job pods", "Build nodes", "run on"),
        Arrow("Warm capacity", "Cluster autoscaler", "pending"),
        Arrow("Cluster autoscaler", "Auto Scaling Group", "reads tags"),
        Arrow("IAM user or role", "Cache bucket", "access"),
        Arrow("Node group", "Auto Scaling Group", "has"),
        Arrow("Node group", "Build nodes", "starts"),
    ],
};

const APPLY: Picture = Picture {
    title: "An apply of the stack: each step begins when those before it have ended, and rows run at once",
    size: (4, 4),
    parts: &[
        part("Host", (0, 0), ["Terraform or OpenTofu", "starts the provider"], Owner::Others),
        part("Provider", (1, 0), ["one process for each phase,", "mutual TLS on a private socket"], Owner::Provider),
        part("Plan", (2, 0), ["validation, and a dry run", "of each object"], Owner::Provider),
        part("Apply", (3, 0), ["the state has each step:", "a killed run is continued"], Owner::Provider),
        part("Node role", (0, 1), ["IAM role and policies,", "launch template"], Owner::Provider),
        part("Node group", (1, 1), ["EKS creates it,", "the provider waits"], Owner::Provider),
        part("Tags", (2, 1), ["of the Auto Scaling Group,", "read back"], Owner::Provider),
        part("Build nodes", (3, 1), ["labels and taints,", "for the job pods"], Owner::Provider),
        part("Bucket", (0, 2), ["private, encrypted,", "objects expire"], Owner::Provider),
        part("Credentials", (1, 2), ["IAM user or role,", "access to the bucket"], Owner::Provider),
        part("Secret", (2, 2), ["has the access key,", "and nothing else has"], Owner::Provider),
        part("Release", (3, 2), ["objects one by one,", "server-side apply"], Owner::Provider),
        part("Warm capacity", (2, 3), ["placeholders of the size", "of a job pod"], Owner::Provider),
        part("Rollout", (3, 3), ["the manager is available,", "or the reason why not"], Owner::Provider),
    ],
    arrows: &[
        Arrow("Host", "Provider", "gRPC"),
        Arrow("Provider", "Plan", ""),
        Arrow("Plan", "Apply", ""),
        Arrow("Node role", "Node group", ""),
        Arrow("Node group", "Tags", ""),
        Arrow("Tags", "Build nodes", ""),
        Arrow("Build nodes", "Release", ""),
        Arrow("Bucket", "Credentials", ""),
        Arrow("Credentials", "Secret", ""),
        Arrow("Secret", "Release", ""),
        Arrow("Release", "Rollout", ""),
        Arrow("Rollout", "Warm capacity", ""),
    ],
};

/// The centre of a part.
fn middle(part: &Part) -> (usize, usize) {
    let x = MARGIN + part.at.0 * (BOX.0 + GAP.0) + BOX.0 / 2;
    let y = MARGIN + TITLE + part.at.1 * (BOX.1 + GAP.1) + BOX.1 / 2;
    (x, y)
}

fn svg(picture: &Picture) -> String {
    let (columns, rows) = picture.size;
    let width = 2 * MARGIN + columns * (BOX.0 + GAP.0) - GAP.0;
    let height = 2 * MARGIN + TITLE + rows * (BOX.1 + GAP.1) - GAP.1;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\" font-family=\"sans-serif\" font-size=\"12\" text-anchor=\"middle\">\n<title>{title}</title>\n\
         <defs><marker id=\"end\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
         orient=\"auto\"><path d=\"M0 0 L8 4 L0 8 z\" fill=\"#555\"/></marker></defs>\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n\
         <text x=\"{MARGIN}\" y=\"{top}\" text-anchor=\"start\" font-size=\"15\" font-weight=\"bold\" fill=\"#222\">{title}</text>\n",
        title = picture.title,
        top = MARGIN + 10,
    );
    picture.arrows.iter().for_each(|it| arrow(&mut text, picture, it));
    picture.parts.iter().for_each(|it| draw(&mut text, it));
    text + "</svg>\n"
}

fn draw(text: &mut String, part: &Part) {
    let (x, y) = middle(part);
    let (fill, dashes) = match part.owner {
        Owner::Provider => ("#e8f0fe", ""),
        Owner::Others => ("#f6f6f6", " stroke-dasharray=\"5 3\""),
    };
    let (left, top, (width, height)) = (x - BOX.0 / 2, y - BOX.1 / 2, BOX);
    writeln!(
        text,
        "<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" rx=\"6\" fill=\"{fill}\" stroke=\"#4a6fa5\"{dashes}/>"
    )
    .unwrap();
    writeln!(
        text,
        "<text x=\"{x}\" y=\"{}\" font-size=\"14\" font-weight=\"bold\" fill=\"#222\">{}</text>",
        y - 14,
        part.name
    )
    .unwrap();
    for (line, below) in part.lines.iter().zip([6, 22]) {
        writeln!(text, "<text x=\"{x}\" y=\"{}\" fill=\"#444\">{line}</text>", y + below).unwrap();
    }
}

/// Draws an arrow. Its parts must be neighbours in a row or column.
fn arrow(text: &mut String, picture: &Picture, Arrow(from, to, label): &Arrow) {
    let find = |name: &str| picture.parts.iter().find(|it| it.name == name).unwrap();
    let (from, to) = (find(from), find(to));
    let neighbours = from.at.0.abs_diff(to.at.0) + from.at.1.abs_diff(to.at.1) == 1;
    assert!(neighbours, "{} and {} are no neighbours", from.name, to.name);
    let ((x1, y1), (x2, y2)) = (middle(from), middle(to));
    let edge = |a: usize, b: usize, half: usize| match a.cmp(&b) {
        std::cmp::Ordering::Less => (a + half, b - half),
        std::cmp::Ordering::Greater => (a - half, b + half),
        std::cmp::Ordering::Equal => (a, b),
    };
    let ((x1, x2), (y1, y2)) = (edge(x1, x2, BOX.0 / 2), edge(y1, y2, BOX.1 / 2));
    writeln!(
        text,
        "<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" stroke=\"#555\" stroke-width=\"1.5\" marker-end=\"url(#end)\"/>"
    )
    .unwrap();
    let (x, y) = (usize::midpoint(x1, x2), usize::midpoint(y1, y2));
    let (x, y, anchor) = if y1 == y2 { (x, y - 6, "middle") } else { (x + 8, y + 4, "start") };
    if !label.is_empty() {
        writeln!(text, "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" fill=\"#333\">{label}</text>").unwrap();
    }
}

#[test]
fn pictures_are_current() {
    for (name, picture) in [("stack", STACK), ("apply", APPLY)] {
        assert_current(&format!("docs/pictures/{name}.svg"), &svg(&picture), "UPDATE_DOCS");
    }
}
