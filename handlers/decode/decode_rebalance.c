/* decode_rebalance.c - "EC2 Instance Rebalance Recommendation".
 *
 * {"instance-id":"i-…"}: EC2 user guide, "EC2 instance rebalance
 * recommendations". It says that an interruption is more likely, nothing more. */
#include "handlers/decode/decode_internal.h"

enum rc_err
rc_decode_rebalance(struct rc_notice *n)
{
    enum rc_err err = rc_decode_instances(n, true);

    if (err == RC_OK) {
        rc_decode_say(n, "interruption is more likely");
    }
    return err;
}
