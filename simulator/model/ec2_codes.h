/* ec2_codes.h - what EC2 can answer: its error codes with their HTTP status and
 * text, and the actions that are counted and throttled.
 *
 * Codes and texts: EC2 API reference, "Error codes for the Amazon EC2 API".
 * Capacity errors stand in its list of server errors, so they come as 500. */
#ifndef RC_EC2_CODES_H
#define RC_EC2_CODES_H

/* clang-format off */
#define RC_SIM_EC2_CODES(X) \
    X(RC_SIM_EC2_OK,               "",                                        200, "") \
    X(RC_SIM_EC2_NO_INSTANCE,      "InvalidInstanceID.NotFound",              400, "The instance ID '%s' does not exist") \
    X(RC_SIM_EC2_BAD_INSTANCE,     "InvalidInstanceID.Malformed",             400, "Invalid id: \"%s\"") \
    X(RC_SIM_EC2_NO_TEMPLATE,      "InvalidLaunchTemplateId.NotFound",        400, "The specified launch template, with template ID %s, does not exist.") \
    X(RC_SIM_EC2_NO_VERSION,       "InvalidLaunchTemplateId.VersionNotFound", 400, "Could not find the specified version for the launch template with ID %s.") \
    X(RC_SIM_EC2_NO_SUBNET,        "InvalidSubnetID.NotFound",                400, "The subnet ID '%s' does not exist") \
    X(RC_SIM_EC2_NO_RESERVATION,   "InvalidCapacityReservationId.NotFound",   400, "The capacity reservation '%s' does not exist") \
    X(RC_SIM_EC2_NO_ADDRESS,       "InsufficientFreeAddressesInSubnet",       400, "There are not enough free addresses in subnet '%s' to satisfy the requested number of instances.") \
    X(RC_SIM_EC2_NO_CAPACITY,      "InsufficientInstanceCapacity",            500, "We currently do not have sufficient capacity in the Availability Zone you requested (%s). Our system will be working on provisioning additional capacity.") \
    X(RC_SIM_EC2_RESERVATION_FULL, "ReservationCapacityExceeded",             400, "The requested reservation does not have sufficient compatible and available capacity for this request: %s") \
    X(RC_SIM_EC2_TOKEN_MISMATCH,   "IdempotentParameterMismatch",             400, "Arguments on this idempotent request are inconsistent with arguments used in previous request(s) (token %s).") \
    X(RC_SIM_EC2_PROTECTED,        "OperationNotPermitted",                   400, "The instance '%s' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.") \
    X(RC_SIM_EC2_WRONG_STATE,      "IncorrectInstanceState",                  400, "The instance '%s' is not in a state from which it can be changed so.") \
    X(RC_SIM_EC2_UNSUPPORTED,      "Unsupported",                             400, "Your requested instance type is not supported in your requested Availability Zone (%s).") \
    X(RC_SIM_EC2_LIMIT,            "InstanceLimitExceeded",                   400, "You have requested more instances than your current instance limit allows (%s).") \
    X(RC_SIM_EC2_TAG_LIMIT,        "TagLimitExceeded",                        400, "The maximum number of tags for the resource '%s' is reached.") \
    X(RC_SIM_EC2_THROTTLED,        "RequestLimitExceeded",                    503, "Request limit exceeded.") \
    X(RC_SIM_EC2_BAD_VALUE,        "InvalidParameterValue",                   400, "Invalid value '%s'") \
    X(RC_SIM_EC2_MISSING,          "MissingParameter",                        400, "The request must contain the parameter %s") \
    X(RC_SIM_EC2_COMBINATION,      "InvalidParameterCombination",             400, "%s") \
    X(RC_SIM_EC2_DRY_RUN,          "DryRunOperation",                         412, "Request would have succeeded, but DryRun flag is set.") \
    X(RC_SIM_EC2_NO_ACTION,        "InvalidAction",                           400, "The action %s is not valid for this web service.")

/* X(enum, name, request bucket, refill a second, resource bucket or 0, refill a second)
 * EC2 API reference, "Request throttling for the Amazon EC2 API". */
#define RC_SIM_EC2_ACTIONS(X) \
    X(RC_SIM_RUN_INSTANCES,        "RunInstances",             5, 2, 1000, 2) \
    X(RC_SIM_START_INSTANCES,      "StartInstances",           5, 2, 1000, 2) \
    X(RC_SIM_STOP_INSTANCES,       "StopInstances",           50, 5, 1000, 20) \
    X(RC_SIM_TERMINATE_INSTANCES,  "TerminateInstances",     100, 5, 1000, 20) \
    X(RC_SIM_REBOOT_INSTANCES,     "RebootInstances",         50, 5, 0, 0) \
    X(RC_SIM_CREATE_TAGS,          "CreateTags",             100, 10, 0, 0) \
    X(RC_SIM_DELETE_TAGS,          "DeleteTags",             100, 10, 0, 0) \
    X(RC_SIM_MODIFY_ATTRIBUTE,     "ModifyInstanceAttribute", 50, 5, 0, 0) \
    X(RC_SIM_DESCRIBE_INSTANCES,   "DescribeInstances",      100, 20, 0, 0) \
    X(RC_SIM_DESCRIBE_STATUS,      "DescribeInstanceStatus", 100, 20, 0, 0) \
    X(RC_SIM_DESCRIBE_TEMPLATES,   "DescribeLaunchTemplateVersions", 100, 20, 0, 0) \
    X(RC_SIM_DESCRIBE_RESERVATIONS,"DescribeCapacityReservations", 100, 20, 0, 0) \
    X(RC_SIM_DESCRIBE_SUBNETS,     "DescribeSubnets",        100, 20, 0, 0) \
    X(RC_SIM_CONSOLE_OUTPUT,       "GetConsoleOutput",       100, 20, 0, 0) \
    X(RC_SIM_DESCRIBE_UNFILTERED,  "(unfiltered describe)",   50, 10, 0, 0)
/* clang-format on */

enum rc_sim_ec2_code {
#define RC_SIM_EC2_CODE_ENUM(code, name, status, text) code,
    RC_SIM_EC2_CODES(RC_SIM_EC2_CODE_ENUM)
#undef RC_SIM_EC2_CODE_ENUM
        RC_SIM_EC2_CODE__MAX
};

enum rc_sim_ec2_action {
#define RC_SIM_EC2_ACTION_ENUM(action, name, room, refill, units, unit_refill) action,
    RC_SIM_EC2_ACTIONS(RC_SIM_EC2_ACTION_ENUM)
#undef RC_SIM_EC2_ACTION_ENUM
        RC_SIM_EC2_ACTION__MAX
};

struct rc_sim_ec2_code_row {
    const char *name;
    int status;
    const char *text; /* with at most one %s: the id or value meant */
};

const struct rc_sim_ec2_code_row *rc_sim_ec2_code_row(enum rc_sim_ec2_code code);
const char *rc_sim_ec2_action_name(enum rc_sim_ec2_action action);
/* RC_SIM_EC2_ACTION__MAX when there is none of that name. */
enum rc_sim_ec2_action rc_sim_ec2_action_from_name(const char *name);

#endif
