//! `[runners.cache]`, with keys in camel case.

use super::*;

pub(super) static CACHE: Table = Table {
    groups: &[&[
        choice("Type", &["s3", "gcs", "azure"], "Type of the cache.").hcl("type"),
        text("Path", "Prefix of the names of all objects.").hcl("path"),
        flag("Shared", "Whether runners share the cache.").hcl("shared"),
        integer("MaxUploadedArchiveSize", "Maximum size of an archive in bytes. `0` means no limit.")
            .since(15, 6)
            .hcl("max_uploaded_archive_size"),
        table("s3", &S3, "Cache in an S3 bucket."),
        table("gcs", &GCS, "Cache in Google Cloud Storage."),
        table("azure", &AZURE, "Cache in Azure Blob Storage."),
    ]],
};

/// For each value, the runner also accepts the name in the S3 API.
const ENCRYPTION: Choice = Choice::any_case(&["S3", "KMS", "DSSE-KMS"]).or(&["AES256", "aws:kms", "aws:kms:dsse"]);

static S3: Table = Table {
    groups: &[&[
        text("ServerAddress", "Host of the S3 service.").hcl("server_address"),
        text("AccessKey", "Access key ID. Ignored without `server_address`.").hcl("access_key").secret(),
        text("SecretKey", "Secret access key.").hcl("secret_key").secret(),
        text("SessionToken", "Session token of temporary credentials.").since(16, 8).hcl("session_token").secret(),
        text("BucketName", "Name of the bucket.").hcl("bucket_name"),
        text("BucketLocation", "Region of the bucket.").hcl("bucket_location"),
        flag("Insecure", "Whether HTTP is used instead of HTTPS.").hcl("insecure"),
        Key::new(
            "AuthenticationType",
            Kind::Choice(Choice::any_case(&["access-key", "iam"])),
            "Source of the credentials: `access-key`, or `iam` for the default AWS credentials of the manager.",
        )
        .hcl("authentication_type"),
        Key::new("ServerSideEncryption", Kind::Choice(ENCRYPTION), "Server-side encryption of uploads.")
            .since(15, 3)
            .hcl("server_side_encryption"),
        text("ServerSideEncryptionKeyID", "ID of the KMS key for `server_side_encryption`.")
            .since(15, 3)
            .hcl("server_side_encryption_key_id"),
        flag("DualStack", "Whether dual-stack endpoints are used. Defaults to `true`.").since(17, 5).hcl("dual_stack"),
        flag("PathStyle", "Whether the name of the bucket is in the path instead of the host name.")
            .since(17, 5)
            .hcl("path_style"),
        flag("Accelerate", "Whether S3 Transfer Acceleration is used.").since(17, 5).hcl("accelerate"),
        text("RoleARN", "ARN of the role for transfers, which allows multipart uploads.").since(17, 8).hcl("role_arn"),
        text("UploadRoleARN", "ARN of the role for uploads, if it is a different one.")
            .since(17, 5)
            .hcl("upload_role_arn"),
        integer("AssumeRoleMaxConcurrency", "Maximum number of concurrent calls of AssumeRole. Defaults to 5.")
            .since(18, 11)
            .hcl("assume_role_max_concurrency"),
        flag("DisableAssumeRoleCredentialsCaching", "Whether credentials are requested for each transfer.")
            .since(18, 11)
            .hcl("disable_assume_role_credentials_caching"),
    ]],
};

static GCS: Table = Table {
    groups: &[&[
        text("AccessID", "Email address of the service account.").hcl("access_id").secret(),
        text("PrivateKey", "Private key of the service account.").hcl("private_key").secret(),
        text("CredentialsFile", "Path of a JSON key file, instead of `access_id` and `private_key`.")
            .hcl("credentials_file"),
        text("BucketName", "Name of the bucket.").hcl("bucket_name"),
        text("UniverseDomain", "Domain of a Google Cloud universe other than the public one.")
            .since(18, 9)
            .hcl("universe_domain"),
    ]],
};

static AZURE: Table = Table {
    groups: &[&[
        text("AccountName", "Name of the storage account.").hcl("account_name"),
        text("AccountKey", "Key of the storage account.").hcl("account_key").secret(),
        text("ContainerName", "Name of the container.").hcl("container_name"),
        text("StorageDomain", "Domain of the storage endpoint.").hcl("storage_domain"),
    ]],
};
