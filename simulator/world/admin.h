/* admin.h - answers of /_world. */
#ifndef RC_ADMIN_H
#define RC_ADMIN_H

#include "simulator/world/call.h"

struct cJSON;

/* Takes the JSON over. */
void rc_admin_answer(struct rc_call *call, int status, struct cJSON *json);
void rc_admin_error(struct rc_call *call, const char *text);

#endif
