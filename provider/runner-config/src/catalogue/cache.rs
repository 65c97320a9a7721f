//! `[runners.cache]`, with keys in camel case.

use super::*;

pub(super) static CACHE: Table = Table {
    groups: &[&[
        choice("Type", &["s3", "gcs", "azure"], "Where the cache is kept.").hcl("type"),
        text("Path", "Folder put before every object.").hcl("path"),
        flag("Shared", "Shares the cache between runners.").hcl("shared"),
        integer("MaxUploadedArchiveSize", "Largest archive in bytes; 0 is no limit.")
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
        text("AccessKey", "Access key id; without ServerAddress it is ignored.").hcl("access_key").secret(),
        text("SecretKey", "Secret access key.").hcl("secret_key").secret(),
        text("SessionToken", "Token of temporary credentials.").since(16, 8).hcl("session_token").secret(),
        text("BucketName", "The bucket.").hcl("bucket_name"),
        text("BucketLocation", "Region of the bucket.").hcl("bucket_location"),
        flag("Insecure", "Plain HTTP.").hcl("insecure"),
        Key::new(
            "AuthenticationType",
            Kind::Choice(Choice::any_case(&["access-key", "iam"])),
            "Static keys, or the AWS chain of the manager.",
        )
        .hcl("authentication_type"),
        Key::new("ServerSideEncryption", Kind::Choice(ENCRYPTION), "Encryption asked for at upload.")
            .since(15, 3)
            .hcl("server_side_encryption"),
        text("ServerSideEncryptionKeyID", "KMS key for it.").since(15, 3).hcl("server_side_encryption_key_id"),
        flag("DualStack", "IPv4 and IPv6 endpoints; true when unset.").since(17, 5).hcl("dual_stack"),
        flag("PathStyle", "Bucket name in the path, not in the host.").since(17, 5).hcl("path_style"),
        flag("Accelerate", "S3 Transfer Acceleration.").since(17, 5).hcl("accelerate"),
        text("RoleARN", "Role for transfers; allows multipart uploads.").since(17, 8).hcl("role_arn"),
        text("UploadRoleARN", "Role for uploads, if another.").since(17, 5).hcl("upload_role_arn"),
        integer("AssumeRoleMaxConcurrency", "Most AssumeRole calls at once; 5 when unset.")
            .since(18, 11)
            .hcl("assume_role_max_concurrency"),
        flag("DisableAssumeRoleCredentialsCaching", "Asks for credentials for every transfer.")
            .since(18, 11)
            .hcl("disable_assume_role_credentials_caching"),
    ]],
};

static GCS: Table = Table {
    groups: &[&[
        text("AccessID", "Service account's address.").hcl("access_id").secret(),
        text("PrivateKey", "Its private key.").hcl("private_key").secret(),
        text("CredentialsFile", "JSON key file instead of both.").hcl("credentials_file"),
        text("BucketName", "The bucket.").hcl("bucket_name"),
        text("UniverseDomain", "Domain of a Google Cloud other than the public one.")
            .since(18, 9)
            .hcl("universe_domain"),
    ]],
};

static AZURE: Table = Table {
    groups: &[&[
        text("AccountName", "Storage account.").hcl("account_name"),
        text("AccountKey", "Key of the storage account.").hcl("account_key").secret(),
        text("ContainerName", "The container.").hcl("container_name"),
        text("StorageDomain", "Domain of the storage endpoint.").hcl("storage_domain"),
    ]],
};
