/* ec2_instance_xml.h - parts of EC2's answers that several calls share. */
#ifndef RC_EC2_INSTANCE_XML_H
#define RC_EC2_INSTANCE_XML_H

#include "simulator/world/call.h"

struct evbuffer;

/* The answer's root element, with the request id; and its end, which sends it. */
void rc_ec2_wire_begin(struct rc_call *call);
void rc_ec2_wire_end(struct rc_call *call);
unsigned rc_ec2_state_code(enum rc_instance_state state);
void rc_ec2_wire_state(struct evbuffer *out, const char *tag, enum rc_instance_state state);
/* One <item> of an instancesSet. */
void rc_ec2_instance_xml(struct rc_call *call, const struct rc_sim_instance *inst);
/* reservationId, ownerId and the empty groupSet before an instancesSet. */
void rc_ec2_reservation_xml(struct rc_call *call, uint64_t launch);

#endif
