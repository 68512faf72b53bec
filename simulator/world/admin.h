/* admin.h - answers of /_world. */
#ifndef RC_ADMIN_H
#define RC_ADMIN_H

#include "simulator/world/call.h"

struct cJSON;

/* Takes the JSON over. */
void rc_admin_answer(struct rc_call *call, int status, struct cJSON *json);
void rc_admin_error(struct rc_call *call, const char *text);

/* admin_dynamo.c: items of the table that the query names, NULL = no such table; an item by hand.
 */
struct cJSON *rc_admin_table_json(struct rc_call *call);
void rc_admin_item(struct rc_call *call, const struct cJSON *in);

#endif
