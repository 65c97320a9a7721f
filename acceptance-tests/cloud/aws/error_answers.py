"""Errors in the format of each service: JSON for EKS, different XML formats for S3, EC2 and the others."""

import json
from dataclasses import dataclass
from xml.sax.saxutils import escape

REQUEST_ID = "00000000-0000-4000-8000-000000000000"
TOKEN_INVALID = "The security token included in the request is invalid."


@dataclass(frozen=True)
class AwsError:
    status: int
    code: str
    message: str

    def answer(self, service: str) -> tuple[str, list[tuple[str, str]], bytes]:
        """Returns status line, headers and body."""
        code, message = escape(self.code), escape(self.message)
        headers = []
        match service:
            case "eks":
                kind = "application/json"
                body = json.dumps({"message": self.message})
                headers = [("x-amzn-ErrorType", self.code)]
            case "s3":
                kind = "application/xml"
                body = (
                    f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code>'
                    f"<Message>{message}</Message><RequestId>{REQUEST_ID}</RequestId></Error>"
                )
            case "ec2":
                kind = "text/xml"
                body = (
                    f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message>"
                    f"</Error></Errors><RequestID>{REQUEST_ID}</RequestID></Response>"
                )
            case _:
                kind = "text/xml"
                fault = "Sender" if self.status < 500 else "Receiver"
                body = (
                    f"<ErrorResponse><Error><Type>{fault}</Type><Code>{code}</Code>"
                    f"<Message>{message}</Message></Error>"
                    f"<RequestId>{REQUEST_ID}</RequestId></ErrorResponse>"
                )
        data = body.encode()
        headers += [("Content-Type", kind), ("Content-Length", str(len(data)))]
        return f"{self.status} {self.code}", headers, data

    @classmethod
    def throttle(cls, service: str) -> "AwsError":
        match service:
            case "eks":
                return cls(429, "ThrottlingException", "Rate exceeded")
            case "s3":
                return cls(503, "SlowDown", "Please reduce your request rate.")
            case "ec2":
                return cls(503, "RequestLimitExceeded", "Request limit exceeded.")
            case _:
                return cls(400, "Throttling", "Rate exceeded")

    @classmethod
    def missing_token(cls) -> "AwsError":
        return cls(403, "MissingAuthenticationToken", "Request is missing Authentication Token")

    @classmethod
    def unknown_key(cls, service: str) -> "AwsError":
        match service:
            case "eks":
                return cls(403, "UnrecognizedClientException", TOKEN_INVALID)
            case "s3":
                return cls(
                    403,
                    "InvalidAccessKeyId",
                    "The AWS Access Key Id you provided does not exist in our records.",
                )
            case "ec2":
                return cls(
                    401,
                    "AuthFailure",
                    "AWS was not able to validate the provided access credentials",
                )
            case _:
                return cls(403, "InvalidClientTokenId", TOKEN_INVALID)

    @classmethod
    def expired(cls, service: str) -> "AwsError":
        message = "The security token included in the request is expired"
        match service:
            case "eks":
                return cls(403, "ExpiredTokenException", message)
            case "s3":
                return cls(400, "ExpiredToken", "The provided token has expired.")
            case "ec2":
                return cls(400, "RequestExpired", "Request has expired.")
            case _:
                return cls(403, "ExpiredToken", message)

    @classmethod
    def wrong_signature(cls, service: str) -> "AwsError":
        message = (
            "The request signature we calculated does not match the signature you provided. "
            "Check your AWS Secret Access Key and signing method."
        )
        match service:
            case "eks":
                return cls(403, "InvalidSignatureException", message)
            case "ec2":
                return cls.unknown_key("ec2")
            case _:
                return cls(403, "SignatureDoesNotMatch", message)

    @classmethod
    def not_implemented(cls, what: str) -> "AwsError":
        # SDKs do not retry 501, so that a gap of the mock shows at once.
        return cls(501, "NotImplemented", f"the local cloud does not know {what}")

    @classmethod
    def crashed(cls, what: str) -> "AwsError":
        return cls(500, "InternalFailure", f"the local cloud failed in {what}: see its log")
