"""EC2: pages of lists."""

from moto.core.responses import ActionResult
from moto.ec2.responses import EC2Response

INSTANCE_TYPES_PER_PAGE = 100
OFFERINGS_PER_PAGE = 1000


def install() -> None:
    _page("describe_instance_types", "InstanceTypes", INSTANCE_TYPES_PER_PAGE)
    _page("describe_instance_type_offerings", "InstanceTypeOfferings", OFFERINGS_PER_PAGE)


def _page(operation: str, field: str, size: int) -> None:
    """Makes an operation return pages, because moto returns everything at once."""
    whole = getattr(EC2Response, operation)

    def paged(self) -> ActionResult:
        everything = whole(self).result[field]
        first = int(self._get_param("NextToken") or 0)
        last = first + int(self._get_param("MaxResults") or size)
        token = str(last) if last < len(everything) else None
        return ActionResult({field: everything[first:last], "NextToken": token})

    setattr(EC2Response, operation, paged)
