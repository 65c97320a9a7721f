"""The AWS side: moto in one process, corrected towards what AWS documents.

Every correction says which fact it restores, and none is made for the provider's sake. State that
tests set (fault rules, plans) and what they read (the call log) is kept per account, so that tests
run in parallel: each asks `POST /_mock/accounts` for an account of its own.

    __main__.py            the process
    application.py         the chain: control side, call log, faults, signatures, moto
    control.py             everything under /_mock/
    calls.py               which service, operation and account a request is for
    credentials.py         access keys and what state they are in
    signatures.py          Signature Version 4, recomputed
    faults.py              faults on demand, the call log
    error_answers.py       an error as each service words it
    accounts.py            furnishing an account; what is left in one
    plans.py               how the next node groups and updates shall end
    eks*.py, autoscaling.py, ec2*.py, iam.py, s3*.py    corrections, by service
    authenticator.py       the API server's webhook: EKS tokens
"""

import os

# Read by moto when it is imported, so set before anything here imports it. Attaching AWS' own
# policies needs them to be there; AMIs are asked for by nobody and cost a quarter of a second per
# account.
os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
