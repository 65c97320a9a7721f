//! The remaining parts of the job pod: hosts, services, DNS, hooks, patches, pause pods.

use super::*;

pub(super) static HOST_ALIASES: Table =
    Table { groups: &[&[text("ip", "IP address of the hosts."), texts("hostnames", "Names of the hosts.")]] };

pub(super) static SERVICES: Table = Table {
    groups: &[&[
        text("name", "Image of the service."),
        text("alias", "Host name of the service in jobs."),
        texts("command", "Command that replaces that of the image.").hidden(),
        texts("entrypoint", "Entrypoint that replaces that of the image.").hidden(),
        texts("environment", "Environment variables of the service, each as `NAME=value`.").hidden().since(15, 10),
        text("suspend_data_path", "Directory that is kept when the job is suspended.").since(19, 4),
    ]],
};

pub(super) static DNS_CONFIG: Table = Table {
    groups: &[&[
        texts("nameservers", "IP addresses of name servers."),
        tables("options", &DNS_OPTIONS, "Options of the resolver."),
        texts("searches", "Search domains."),
    ]],
};

static DNS_OPTIONS: Table = Table { groups: &[NAME_AND_VALUE] };

static NAME_AND_VALUE: &[Key] = &[text("name", "Name of the entry."), text("value", "Value of the entry.")];

pub(super) static CONTAINER_LIFECYCLE: Table = Table {
    groups: &[&[
        table("post_start", &HANDLER, "Hook after the container has started."),
        table("pre_stop", &HANDLER, "Hook before the container is stopped."),
    ]],
};

static HANDLER: Table = Table {
    groups: &[&[
        table("exec", &EXEC, "Command in the container."),
        table("http_get", &HTTP_GET, "HTTP request."),
        table("tcp_socket", &TCP_SOCKET, "TCP connection."),
    ]],
};

static EXEC: Table = Table { groups: &[&[texts("command", "Command with its arguments.").hidden()]] };

static HTTP_GET: Table = Table {
    groups: &[&[
        text("host", "Host name. Defaults to the IP address of the pod."),
        tables("http_headers", &HTTP_HEADERS, "Headers of the request."),
        text("path", "Path of the request."),
        integer("port", "Port of the request."),
        choice("scheme", &["HTTP", "HTTPS"], "Protocol of the request."),
    ]],
};

static HTTP_HEADERS: Table =
    Table { groups: &[&[text("name", "Name of the header."), text("value", "Value of the header.").hidden()]] };

static TCP_SOCKET: Table = Table {
    groups: &[&[
        text("host", "Host name. Defaults to the IP address of the pod."),
        integer("port", "Port of the connection."),
    ]],
};

pub(super) static POD_SPEC: Table = Table {
    groups: &[&[
        text("name", "Name of the patch."),
        text("patch_path", "Path of a file with the patch, instead of `patch`."),
        text("patch", "Patch in JSON or YAML.").hidden(),
        choice("patch_type", &["json", "merge", "strategic"], "Type of the patch."),
    ]],
};

pub(super) static AUTOSCALER: Table = Table {
    groups: &[&[
        integer("max_pause_pods", "Maximum number of pause pods."),
        text("pause_pod_image", "Image of the pause pods."),
        text("pause_pod_priority_class_name", "PriorityClass of the pause pods. By default the runner creates one."),
        texts("pause_pod_image_pull_secrets", "Names of the image pull Secrets of the pause pods.").since(19, 1),
        tables("policy", &AUTOSCALER_POLICY, "Numbers of pause pods by time. The last policy that matches applies."),
    ]],
};

static AUTOSCALER_POLICY: Table = Table {
    groups: &[&[
        texts("periods", "Cron expressions of the times at which the policy applies."),
        text("timezone", "Time zone of the cron expressions."),
        integer("idle_count", "Number of pause pods while no job runs."),
        duration("idle_time", "Duration for which an unused pause pod is kept. Defaults to `5m`."),
        float("scale_factor", "Number of pause pods for each running job."),
        integer("scale_factor_limit", "Maximum number of pause pods that `scale_factor` adds."),
        flag("preemptive_mode", "Whether a new job is only accepted when its capacity is available."),
    ]],
};
