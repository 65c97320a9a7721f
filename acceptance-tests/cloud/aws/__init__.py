"""The AWS side: moto in one process, with corrections towards the documented behaviour of AWS.

Every correction documents the behaviour of AWS that it restores. No correction exists only for the
provider. Fault rules, plans and the call log are kept per account, so that tests run in parallel:
each test requests a separate account with `POST /_mock/accounts`.

    __main__.py            the process
    application.py         the chain: control side, call log, faults, signatures, moto
    control.py             the control side, /_mock/
    calls.py               service, operation and account of a request
    credentials.py         access keys and their state
    signatures.py          verification of Signature Version 4
    faults.py              injected faults, and the call log
    error_answers.py       errors in the format of each service
    accounts.py            set-up of an account, and objects that remain in it
    plans.py               planned results of the next node groups and updates
    eks*.py, autoscaling.py, ec2*.py, iam.py, s3*.py    corrections, by service
    authenticator.py       the API server's webhook: EKS tokens
"""

import os

# moto reads these variables when it is imported, so that they are set before the first import. Tests
# attach managed policies of AWS, which must exist. No test uses the default AMIs, which take a quarter
# of a second per account.
os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
