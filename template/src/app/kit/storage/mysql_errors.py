"""What the errors of MySQL, MariaDB, proxies before them and asyncmy mean."""

from asyncmy.errors import DatabaseError, InternalError, MySQLError, OperationalError

from app.kit.storage.faults import Fault
from app.kit.storage.sql_errors import driver_error, pool_fault

FILES = set(range(1, 1000))  # Errors of the operating system.
DRIVER = {*range(2000, 2062)} - {2006, 2014}  # The connection: refused, lost, malformed.
PROXY = {*range(9000, 9100)}
CONNECTION = {1042, 1043, 1053, *range(1077, 1081), *range(1152, 1162), 1184, 1927, 3169}
ADMISSION = {
    *(1040, 1044, 1045, 1049, 1129, 1130, 1203, 1226, 1251, 1275, 1524, 1698),
    *(1820, 1862, 3118, 3159, 3955, 4151),
}
RESOURCES = {
    *(1004, 1015, 1016, 1021, 1023, 1024, 1026, 1030, 1034, 1037, 1038, 1041, 1105, 1114, 1135),
    *(1180, 1181, 1194, 1195, 1197, 1206, 1461, 1637, 1712, 1815, 1877, 1878, 1969, 3100),
}
BLOCKED = {1223, 1317, 3024, 3572}  # Killed, timed out, or locked.
NOT_THIS_SERVER = {1036, 1047, 1290, 1792, 1836}  # Read-only, or cut off from its cluster.

CODES: dict[int, Fault] = {
    **dict.fromkeys(FILES | DRIVER | PROXY | CONNECTION | ADMISSION, Fault.OUTAGE),
    **dict.fromkeys(RESOURCES | BLOCKED | NOT_THIS_SERVER, Fault.OUTAGE),
    0: Fault.TRANSIENT,  # Not connected, so that nothing was sent.
    1020: Fault.TRANSIENT,  # The row has changed since it was read.
    1054: Fault.SCHEMA,  # No such column.
    1142: Fault.NOT_ALLOWED,  # A command on a table.
    1143: Fault.NOT_ALLOWED,  # A command on a column.
    1146: Fault.SCHEMA,  # No such table.
    1205: Fault.TRANSIENT,  # Lock wait timeout.
    1213: Fault.TRANSIENT,  # Deadlock.
    1227: Fault.NOT_ALLOWED,  # It takes a privilege.
    1370: Fault.NOT_ALLOWED,  # A command on a routine.
    1410: Fault.NOT_ALLOWED,  # GRANT.
    1412: Fault.TRANSIENT,  # The table has changed since the transaction began.
    1419: Fault.NOT_ALLOWED,  # A trigger, with the binary log on.
    1613: Fault.TRANSIENT,  # Rolled back: it took too long.
    1614: Fault.TRANSIENT,  # Rolled back: deadlock.
    1615: Fault.TRANSIENT,  # A statement is to be prepared again.
    2006: Fault.TRANSIENT,  # Closed before anything was sent.
    3101: Fault.TRANSIENT,  # Rolled back by the group.
    4031: Fault.TRANSIENT,  # Closed for having been idle.
}
"""By code; all others are bugs."""


def code(error: BaseException) -> object:
    """Return the code of the driver's error, if it has one."""
    cause = driver_error(error)
    return cause.args[0] if isinstance(cause, MySQLError) and cause.args else None


def fault(error: Exception) -> Fault | None:
    """Return the meaning of an error; ``None`` if the statement itself is wrong."""
    match code(error):
        case int(number):
            return CODES.get(number)
    # Without a code, the error is one of the connection or of the protocol.
    if type(driver_error(error)) in (DatabaseError, InternalError, OperationalError):
        return Fault.OUTAGE
    return pool_fault(error)
