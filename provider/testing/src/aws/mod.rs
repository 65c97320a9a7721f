//! An AWS account in memory: EKS, EC2, Auto Scaling, IAM, STS and S3.
