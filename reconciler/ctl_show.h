/* ctl_show.h - replies of the control socket as text for a person.
 *
 * A member that the daemon left out is shown as "?" or not at all; nothing here fails. The
 * reply is first made safe to print: control bytes of texts become "?". */
#ifndef RC_CTL_SHOW_H
#define RC_CTL_SHOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct cJSON;

void rc_ctl_show_status(FILE *out, const struct cJSON *reply);
void rc_ctl_show_why(FILE *out, const struct cJSON *reply);
void rc_ctl_show_quarantine(FILE *out, const struct cJSON *reply);

/* Replaces control bytes in every text of the reply. */
void rc_ctl_make_printable(struct cJSON *reply);

/* Members of an object, for the files that show one kind of reply each. object may be NULL. */
const struct cJSON *rc_ctl_get(const struct cJSON *object, const char *key);
const char *rc_ctl_text(const struct cJSON *object, const char *key); /* "" when not there */
bool rc_ctl_true(const struct cJSON *object, const char *key);
double rc_ctl_number(const struct cJSON *object, const char *key, double otherwise);
/* "850ms", "42s", "4m10s", "2h05m", "3d04h"; "?" when the member is not there. Returns buf. */
const char *rc_ctl_age(const struct cJSON *object, const char *key, char *buf, size_t room);

#endif
