"""EC2 returns pages, and Spot prices that differ."""

import datetime

from .local_aws import REGION, AwsTest


class Prices(AwsTest):
    def prices(self, **arguments) -> dict[tuple[str, str], float]:
        now = datetime.datetime.now(datetime.timezone.utc)
        history = self.client("ec2").describe_spot_price_history(
            InstanceTypes=["m5.large", "m5.4xlarge"], StartTime=now, **arguments
        )["SpotPriceHistory"]
        return {(p["InstanceType"], p["AvailabilityZone"]): float(p["SpotPrice"]) for p in history}

    def test_one_price_per_type_and_zone(self):
        prices = self.prices(ProductDescriptions=["Linux/UNIX"])
        zones = [f"{REGION}{zone}" for zone in "abc"]
        self.assertEqual(
            set(prices), {(kind, zone) for kind in ("m5.large", "m5.4xlarge") for zone in zones}
        )
        for zone in zones:
            self.assertGreater(prices["m5.4xlarge", zone], prices["m5.large", zone])
        self.assertEqual(prices, self.prices(ProductDescriptions=["Linux/UNIX"]))

    def test_filters(self):
        filters = [
            {"Name": "product-description", "Values": ["Linux/UNIX"]},
            {"Name": "availability-zone", "Values": [f"{REGION}b"]},
        ]
        self.assertEqual({zone for _, zone in self.prices(Filters=filters)}, {f"{REGION}b"})
        windows = [{"Name": "product-description", "Values": ["Windows"]}]
        self.assertEqual(self.prices(Filters=windows), {})

    def test_pages(self):
        ec2 = self.client("ec2")
        first = ec2.describe_instance_types(MaxResults=100)
        self.assertEqual(len(first["InstanceTypes"]), 100)
        pages = ec2.get_paginator("describe_instance_types").paginate()
        names = [kind["InstanceType"] for page in pages for kind in page["InstanceTypes"]]
        self.assertGreater(len(names), 100)
        self.assertEqual(len(names), len(set(names)))

    def test_pages_of_offerings(self):
        ec2 = self.client("ec2")
        zones = {"LocationType": "availability-zone"}
        self.assertEqual(
            len(ec2.describe_instance_type_offerings(**zones, MaxResults=5)["InstanceTypeOfferings"]), 5
        )
        pages = list(ec2.get_paginator("describe_instance_type_offerings").paginate(**zones))
        self.assertEqual(len(pages), 2)
        self.assertEqual(len(pages[0]["InstanceTypeOfferings"]), 1000)
        offerings = [
            (offering["InstanceType"], offering["Location"])
            for page in pages
            for offering in page["InstanceTypeOfferings"]
        ]
        self.assertEqual(len(offerings), len(set(offerings)))
        self.assertEqual({zone for _, zone in offerings}, {f"{REGION}{zone}" for zone in "abc"})
