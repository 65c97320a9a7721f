"""Spot prices that differ: moto has a single price from 2006.

A price is derived from vCPUs, memory, zone and hour, so that prices differ, two consecutive calls
return the same prices, and the newest price of a zone is the current one.
"""

import datetime
import hashlib

from moto.core.responses import ActionResult
from moto.ec2.models import EC2Backend
from moto.ec2.models.instance_types import INSTANCE_TYPES
from moto.ec2.responses import EC2Response

PRODUCTS = ("Linux/UNIX", "Linux/UNIX (Amazon VPC)")
PER_PAGE = 1000
# Ages of the prices in the history, in hours.
HOURS = (0, 6)


def install() -> None:
    EC2Response.describe_spot_price_history = describe_spot_price_history


def describe_spot_price_history(self: EC2Response) -> ActionResult:
    filters = self._filters_from_querystring()
    # Both products have the same price. moto returns nothing for a filter by product.
    products = [p for p in filters.pop("product-description", PRODUCTS) if p in PRODUCTS]
    products = self._get_param("ProductDescriptions", products)
    if zone := self._get_param("AvailabilityZone"):
        filters["availability-zone"] = [zone]
    backend: EC2Backend = self.ec2_backend
    offers = backend.describe_spot_price_history(self._get_param("InstanceTypes", []), filters)
    now = datetime.datetime.now(datetime.timezone.utc).replace(minute=0, second=0, microsecond=0)
    since = _utc(self._get_param("StartTime")) or now - datetime.timedelta(days=90)
    history = []
    for hours in HOURS:
        moment = now - datetime.timedelta(hours=hours)
        # The result includes the price that was valid at the start of the requested time.
        if hours and moment < since:
            continue
        history += [
            {
                "InstanceType": offer["InstanceType"],
                "AvailabilityZone": offer["Location"],
                "ProductDescription": products[0],
                "SpotPrice": f"{price(offer['InstanceType'], offer['Location'], hours):.6f}",
                "Timestamp": moment,
            }
            for offer in offers
            if products
        ]
    first = int(self._get_param("NextToken") or 0)
    last = first + int(self._get_param("MaxResults") or PER_PAGE)
    token = str(last) if last < len(history) else None
    return ActionResult({"SpotPriceHistory": history[first:last], "NextToken": token})


def _utc(moment: datetime.datetime | None) -> datetime.datetime | None:
    """Adds the time zone UTC, which the times of moto do not have."""
    return moment and moment.replace(tzinfo=datetime.timezone.utc)


def price(instance_type: str, zone: str, hours_ago: int) -> float:
    """Returns US dollars per hour: the value of the instance type, with a deviation of up to one third."""
    machine = INSTANCE_TYPES.get(instance_type, {})
    vcpus = machine.get("VCpuInfo", {}).get("DefaultVCpus", 2)
    memory = machine.get("MemoryInfo", {}).get("SizeInMiB", 4096) / 1024
    seed = hashlib.sha256(f"{instance_type} {zone} {hours_ago}".encode()).digest()[0]
    return (0.008 * vcpus + 0.0015 * memory) * (0.7 + 0.6 * seed / 255)
