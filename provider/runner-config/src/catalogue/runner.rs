//! `[[runners]]` and its small tables.

use super::cache::CACHE;
use super::kubernetes::KUBERNETES;
use super::*;

pub static RUNNER: Table = Table { groups: &[IDENTITY, LIMITS, JOBS, TABLES] };

static IDENTITY: &[Key] = &[
    text("name", "Name of the runner, shown in GitLab and in logs."),
    text("url", "Address of the GitLab instance."),
    integer("id", "Number of the runner in GitLab.").since(15, 3),
    text("token", "Authentication token of the runner.").secret(),
    timestamp("token_obtained_at", "When the token was issued.").since(15, 3),
    timestamp("token_expires_at", "When the token ends.").since(15, 3),
    text("tls-ca-file", "File with the certificates that GitLab's own is checked against.").hcl("tls_ca_file"),
    text("tls-cert-file", "File with the client certificate for GitLab.").hcl("tls_cert_file"),
    text("tls-key-file", "File with the key of the client certificate.").hcl("tls_key_file"),
    text_map("labels", "Labels of this runner; they win over the global ones.").since(18, 5),
];

static LIMITS: &[Key] = &[
    integer("limit", "Most jobs of this runner at once; 0 is no limit but `concurrent`."),
    integer("output_limit", "Largest job log in kilobytes."),
    integer("request_concurrency", "Most requests for new jobs at the same time."),
    flag("strict_check_interval", "Never asks for jobs more often than `check_interval`.").since(18, 9),
    integer("unhealthy_requests_limit", "Failed requests in a row after which the runner pauses.").since(15, 7),
    duration("unhealthy_interval", "Length of that pause.").since(15, 7),
    integer("job_status_final_update_retry_limit", "Most attempts to report the end of a job.").since(17, 9),
];

static JOBS: &[Key] = &[
    choice("executor", &["kubernetes"], "Always kubernetes."),
    text("builds_dir", "Folder of the checked-out projects."),
    text("cache_dir", "Folder of local caches."),
    text("clone_url", "Address to clone from instead of the one GitLab names."),
    texts("environment", "Variables of every job, each as NAME=value.").hidden(),
    flag("proxy_exec", "Runs commands through the runner's own binary (experimental).").since(17, 10),
    text("pre_clone_script", "Commands before the repository is fetched.").hidden().until(
        16,
        11,
        "pre_get_sources_script",
    ),
    text("post_clone_script", "Commands after the repository is fetched.").hidden().until(
        16,
        11,
        "post_get_sources_script",
    ),
    text("pre_get_sources_script", "Commands before the repository is fetched.").hidden().since(15, 9),
    text("post_get_sources_script", "Commands after the repository is fetched.").hidden().since(15, 9),
    text("pre_build_script", "Commands before the job's script.").hidden(),
    text("post_build_script", "Commands after the job's script, before after_script.").hidden(),
    duration("prepare_timeout", "Longest preparation of a job.").since(19, 0),
    duration("get_sources_timeout", "Longest fetch of the repository.").since(19, 1),
    flag("debug_trace_disabled", "Takes CI_DEBUG_TRACE away from jobs."),
    flag("safe_directory_checkout", "Marks the checkout as safe in Git's global settings.").since(16, 3),
    flag("clean_git_config", "Cleans Git settings before and after a job.").since(17, 10),
    choice("shell", &["bash", "sh", "cmd", "pwsh", "powershell"], "Shell that job scripts are written for."),
    text("step_runner_image", "Image that brings the step-runner binary.").since(17, 9),
    flag("use_slot_cgroups", "Names control groups after the job slot.").since(18, 6),
    text("slot_cgroup_template", "Pattern of those names, with ${slot} in it.").since(18, 6),
    flag_map("feature_flags", "Feature flags; set here, a job cannot change them."),
];

static TABLES: &[Key] = &[
    table("custom_build_dir", &CUSTOM_BUILD_DIR, "Whether jobs may choose GIT_CLONE_PATH."),
    table("cache", &CACHE, "Cache that all jobs share."),
    table("artifact", &ARTIFACT, "Timeouts of artifact uploads.").since(18, 10),
    table("referees", &REFEREES, "Metrics that are added to the job's artifacts."),
    table("monitoring", &MONITORING, "Extra metrics of this runner (experimental).").since(16, 10),
    table("experimental", &EXPERIMENTAL, "Features that may still change.").since(19, 2),
    table("kubernetes", &KUBERNETES, "The job pod and how it is made."),
];

static CUSTOM_BUILD_DIR: Table = Table { groups: &[&[flag("enabled", "Lets jobs set GIT_CLONE_PATH.")]] };

static ARTIFACT: Table = Table {
    groups: &[&[
        duration("upload_timeout", "Longest upload."),
        duration("response_header_timeout", "Longest wait for GitLab's answer after an upload."),
    ]],
};

static REFEREES: Table =
    Table { groups: &[&[table("metrics", &METRICS_REFEREE, "Prometheus queries about the job.")]] };

static METRICS_REFEREE: Table = Table {
    groups: &[&[
        text("prometheus_address", "Prometheus server."),
        integer("query_interval", "Seconds between two points."),
        texts("queries", "Queries, each as name:expression."),
    ]],
};

static MONITORING: Table = Table {
    groups: &[&[tables("job_queuing_durations", &JOB_QUEUING_DURATIONS, "Counts jobs that waited too long.")]],
};

static JOB_QUEUING_DURATIONS: Table = Table {
    groups: &[&[
        texts("periods", "Cron patterns of the times at which this entry counts."),
        text("timezone", "Time zone of the patterns."),
        duration("threshold", "Wait that counts as too long."),
        text("jobs_running_for_project", "Pattern for the number of jobs that the project already runs."),
    ]],
};

static EXPERIMENTAL: Table =
    Table { groups: &[&[table("boot_verify", &BOOT_VERIFY, "Checks the runner before it takes jobs.")]] };

static BOOT_VERIFY: Table = Table {
    groups: &[&[
        flag("enabled", "Switches the check on."),
        duration("timeout", "Longest check."),
        duration("acquire_min_backoff", "Shortest pause between two attempts."),
        duration("acquire_max_backoff", "Longest pause between two attempts."),
    ]],
};
