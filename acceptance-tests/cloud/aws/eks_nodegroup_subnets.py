"""Public subnets: those with a route to an internet gateway in their route table."""

from moto.ec2.models import ec2_backends


def without_public_addresses(group) -> list[str]:
    """Returns the public subnets of a group that do not assign public addresses. Their instances have no
    access to the internet, and EKS rejects them (Ec2SubnetInvalidConfiguration)."""
    ec2 = ec2_backends[group.account][group.region]
    subnets = [ec2.get_subnet(subnet_id) for subnet_id in group.asked["subnets"]]
    return [
        subnet.id
        for subnet in subnets
        if _is_public(ec2, subnet) and not _is_true(subnet.map_public_ip_on_launch)
    ]


def _is_public(ec2, subnet) -> bool:
    tables = [table for table in ec2.route_tables.values() if table.vpc_id == subnet.vpc_id]
    own = [table for table in tables if subnet.id in table._associations.values()]
    main = [table for table in tables if table.main_association_id is not None]
    routes = [route for table in own or main for route in table.routes]
    gateways = [route.gateway for route in routes if route.gateway is not None]
    return any(gateway.id.startswith("igw-") for gateway in gateways)


def _is_true(flag) -> bool:
    return str(flag).lower() == "true"
