//! What a job needs to run `docker build` against a `docker:dind` service.

use toml::{Table, Value};

use super::super::schema::DockerInDockerSettings;

/// `[[runners]]` keys: the client's variables, privileged containers and the certificates' volume.
///
/// The service itself stays the job's, which names it in its `.gitlab-ci.yml`.
pub fn runner(docker: &DockerInDockerSettings) -> Table {
    let tls = docker.tls.unwrap_or(true);
    let environment: &[&str] = if tls {
        &[
            "DOCKER_HOST=tcp://docker:2376",
            "DOCKER_TLS_CERTDIR=/certs",
            "DOCKER_TLS_VERIFY=1",
            "DOCKER_CERT_PATH=$DOCKER_TLS_CERTDIR/client",
        ]
    } else {
        // The daemon makes certificates unless this variable is there and empty.
        &["DOCKER_HOST=tcp://docker:2375", "DOCKER_TLS_CERTDIR="]
    };
    let mut kubernetes = toml::toml! { privileged = true };
    if let Some(image) = &docker.image {
        kubernetes.insert("image".into(), Value::from(image.as_str()));
    }
    if tls {
        let volumes = toml::toml! {
            empty_dir = [{ name = "certs", mount_path = "/certs/client", medium = "Memory" }]
        };
        kubernetes.insert("volumes".into(), Value::Table(volumes));
    }
    let mut runner = Table::new();
    let environment = environment.iter().copied().map(Value::from);
    runner.insert("environment".into(), Value::Array(environment.collect()));
    runner.insert("kubernetes".into(), Value::Table(kubernetes));
    runner
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_tls_there_are_no_certificates() {
        let docker = DockerInDockerSettings { image: Some("docker:27".into()), tls: Some(false) };
        assert_eq!(
            runner(&docker),
            toml::toml! {
                environment = ["DOCKER_HOST=tcp://docker:2375", "DOCKER_TLS_CERTDIR="]
                kubernetes = { privileged = true, image = "docker:27" }
            }
        );
    }
}
